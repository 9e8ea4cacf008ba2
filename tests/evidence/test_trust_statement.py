"""Versions of a trust statement follow by digest and signature, or are refused."""

from datetime import UTC, datetime

import pytest

from notary.errors import FormatError, SignatureError, TrustError
from notary.evidence.note import Note, sign_note
from notary.evidence.trust_statement import (
    check_succession,
    check_versions,
    parse_trust_statement,
    sign_trust_statement,
)
from tests.evidence import build
from tests.evidence.build import ORIGIN, ed25519, key_table

KEYS = [ed25519(f"log key {n}") for n in range(4)]
END = "until = 2026-03-05T00:00:00Z"


def day(number):
    return datetime(2026, 3, number, tzinfo=UTC)


def toml(*keys, more=""):
    """A trust file with these log keys: (number, further lines…)."""
    tables = [key_table("log_key", ORIGIN, KEYS[number], *lines) for number, *lines in keys]
    return f'version = 1\norigin = "{ORIGIN}"\n' + "".join(tables) + more


def made(text, version, previous=None, keys=(0,), date=None, origin=ORIGIN):
    before = None if previous is None else parse_trust_statement(previous).fingerprint
    return sign_trust_statement(
        text, origin, version, date or day(version), before, [KEYS[key] for key in keys]
    )


FIRST = made(toml((0,)), 1)
SECOND = made(toml((0,), (1,)), 2, FIRST, keys=(1, 0))
THIRD = made(toml((0, END), (1,)), 3, SECOND, keys=(1,))
PRINT = parse_trust_statement(FIRST).fingerprint


def test_versions_follow_from_the_first_to_the_newest():
    for data, heirs in ((FIRST, [0]), (SECOND, [1]), (THIRD, [])):
        found = check_versions([FIRST, SECOND, THIRD], parse_trust_statement(data).fingerprint)
        assert (found.newest.version, found.newest.note, found.pinned.note) == (3, THIRD, data)
        assert found.compared is (data == THIRD)
        # Who is believed without a comparison: what the pinned version names and the next one is signed by.
        assert [key.public for key in found.heirs] == [
            KEYS[heir].public_key().public_bytes_raw() for heir in heirs
        ]
    read = parse_trust_statement(SECOND)
    assert (read.origin, read.version, read.date, read.previous) == (ORIGIN, 2, day(2), PRINT)
    assert read.toml == toml((0,), (1,))
    assert [key.verifier.public for key in read.trust.log_keys] == [
        key.public_key().public_bytes_raw() for key in KEYS[:2]
    ]
    assert read.note == SECOND


def test_another_fingerprint_finds_no_version():
    with pytest.raises(SignatureError, match="no version of the trust statement has the fingerprint 0000"):
        check_versions([FIRST, SECOND], bytes(32))
    newest = parse_trust_statement(THIRD).fingerprint.hex()
    with pytest.raises(SignatureError, match=f"0000; the newest has {newest}$"):
        check_versions([FIRST, SECOND, THIRD], bytes(32))
    with pytest.raises(FormatError, match="do not begin with the first"):
        check_versions([SECOND, THIRD], PRINT)
    with pytest.raises(FormatError, match="do not begin with the first"):
        check_versions([], PRINT)


def test_a_version_that_does_not_follow_is_refused():
    one, two = parse_trust_statement(FIRST), parse_trust_statement(SECOND)
    check_succession(one, two)
    own = parse_trust_statement(made(toml((2,)), 2, FIRST, keys=(2,)))
    with pytest.raises(SignatureError, match="is signed by no log key of version 1"):
        check_succession(one, own)  # by a key that nobody named
    other = made(
        toml(
            (0,),
            more='\n[[receipt_key]]\nvkey = "x"\n'.replace("x", build.vkey(f"{ORIGIN}/receipt", KEYS[3])),
        ),
        1,
    )
    for old, new in (
        (parse_trust_statement(other), two),  # two first versions: the operator speaks with two tongues
        (one, parse_trust_statement(THIRD)),
        (two, two),
    ):
        with pytest.raises(FormatError, match="does not follow version"):
            check_succession(old, new)
    early = made(toml((0,), (1,)), 2, FIRST, keys=(1, 0), date=datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(FormatError, match="dated before the one it follows"):
        check_succession(one, parse_trust_statement(early))


def test_a_key_that_has_ended_brings_no_version_after_it_into_the_world():
    three = parse_trust_statement(THIRD)
    by_old = made(toml((0, END), (2,)), 4, THIRD, keys=(2, 0))
    with pytest.raises(SignatureError, match=r"version 4 .* is signed by no log key of version 3"):
        check_succession(three, parse_trust_statement(by_old))
    check_succession(three, parse_trust_statement(made(toml((1,), (2,)), 4, THIRD, keys=(2, 1))))


def test_an_old_fingerprint_does_not_tell_the_log_from_whoever_has_a_key_that_ended_since():
    """The log retired key 0 in version 3; with it anybody signs a second version and whatever follows."""
    forged = made(toml((0,), (3,)), 2, FIRST, keys=(3, 0))
    further = made(toml((0, END), (3,)), 3, forged, keys=(3,))
    for versions in ([FIRST, forged], [FIRST, forged, further]):
        found = check_versions(versions, PRINT)
        assert (found.compared, found.pinned.note) == (False, FIRST)
        assert [key.public for key in found.heirs] == [KEYS[0].public_key().public_bytes_raw()]
        for true in (SECOND, THIRD):
            with pytest.raises(SignatureError, match="no version of the trust statement has the fingerprint"):
                check_versions(versions, parse_trust_statement(true).fingerprint)


def signed(text, key=0):
    return sign_note(text, ORIGIN, KEYS[key]).encode()


TEXT = FIRST.decode().rpartition("\n\n")[0] + "\n"
FOR_TESTS = TEXT.replace("version = 1\n", "version = 1\ntest_only = true\n")
BLOCK = build.chain_table(build.Log(), blocks=[build.Log().anchor(build.LATE).header])


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"no note", FormatError, "no signature lines"),
        (signed(TEXT.replace("statement v1", "statement v2")), FormatError, "a trust statement is five lines"),
        (signed("\n".join(TEXT.split("\n")[:5]) + "\n"), FormatError, "a trust statement is five lines"),
        (signed(TEXT.replace("\n\n", "\nmore\n", 1)), FormatError, "a trust statement is five lines"),
        (signed(TEXT.replace("version 1\n", "number 1\n", 1)), FormatError, "no line 'version' where"),
        (signed(TEXT.replace("previous none", "previous NONE")), FormatError, "previous"),
        (signed(TEXT.replace("version 1\n", "version 01\n", 1)), FormatError, "not a decimal number"),
        (signed(TEXT.replace("version 1\n", "version 0\n", 1)), FormatError, "version 0 of a trust statement"),
        (signed(TEXT.replace("version 1\n", "version 2\n", 1)), FormatError, "version 2 of a trust statement"),
        (signed(TEXT.replace("previous none", "previous " + "00" * 32)), FormatError, "version 1 of a trust"),
        (signed(TEXT.replace("version 1\n", "version 1001\n", 1)), FormatError, "version 1001 of a trust"),
        (signed(TEXT.replace(f"\n{ORIGIN}\n", "\nother.example\n", 1)), TrustError, "holds the trust file of"),
        (signed(TEXT + "unknown = 1\n"), TrustError, "we do not know"),
        (signed(TEXT + BLOCK), TrustError, "names no blocks"),
        (signed(FOR_TESTS + BLOCK), TrustError, "names no blocks"),
        (signed(TEXT + END + "\n"), TrustError, "newest log key of the trust statement has ended"),
        (signed(TEXT, key=1), SignatureError, "no key that is trusted"),
    ],
)  # fmt: skip
def test_a_file_of_another_form_is_refused(data, error, reason):
    with pytest.raises(error, match=reason):
        parse_trust_statement(data)


def test_a_wrong_line_of_a_log_key_is_refused_beside_a_good_one():
    note = sign_note(
        parse_trust_statement(SECOND).note.decode().rpartition("\n\n")[0] + "\n", ORIGIN, KEYS[1]
    )
    (line,) = sign_note("another text\n", ORIGIN, KEYS[0]).signatures
    data = Note(note.text, (*note.signatures, line)).encode()
    with pytest.raises(SignatureError, match="does not fit the text"):
        parse_trust_statement(data)


def test_nothing_is_signed_that_would_not_be_read():
    with pytest.raises(SignatureError, match="no key that is trusted"):
        made(toml((0,), (1,)), 1, keys=(0,))
    with pytest.raises(FormatError, match="larger than 65536"):
        made(toml((0,)) + "# long\n" * 10_000, 1)
