"""Limits of lists, tokens and kinds of files that `tools/check.sh` keeps as the verifiers do, or leaves open."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from notary.evidence.asn1 import parse
from notary.evidence.package_names import MAX_ANCHORS, MAX_FILE, MAX_LISTS, MAX_OPENED, MAX_OTS
from tests.evidence import test_check_script as script
from tests.evidence.build import EARLY, moment
from tests.evidence.test_check_script_limits import sparse
from tests.evidence.test_check_script_tokens import agrees, packed
from tests.mini_revocation import crl
from tests.mini_tsa import authority_extensions, certificate, key

bare, run = script.bare, script.run
TSA = script.TSAS["tsa-a"]
FOLDER = f"heads/{EARLY}/revocation/tsa-a"
LIST, TOKEN = ("5.2", f"tsa-a@{EARLY}"), ("5.1", f"tsa-a@{EARLY}")
OPEN, FAILED, PASSED = "could_not_be_checked", "failed", "passed"


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    count = (size.bit_length() + 7) // 8
    return bytes([tag, *([size] if size < 128 else [0x80 | count, *size.to_bytes(count, "big")])]) + content


def listed(entries=b"", extensions=b"", digest=hashes.SHA256, outer=None, issuer=None):
    """A list of the CA of the signer, as RFC 5280 §5.1 has it; `outer` is the algorithm outside of what is signed."""
    algorithm = {
        hashes.SHA256: bytes.fromhex("300a06082a8648ce3d040302"),
        hashes.SHA1: bytes.fromhex("300906072a8648ce3d0401"),
    }[digest]
    text = tlv(
        0x30,
        b"\x02\x01\x01",
        algorithm,
        issuer or TSA.middle.subject.public_bytes(),
        tlv(0x17, b"260301123000Z"),
        tlv(0x17, b"260401123000Z"),
        tlv(0x30, entries) if entries else b"",
        tlv(0xA0, tlv(0x30, extensions)) if extensions else b"",
    )
    signature = TSA.middle_key.sign(text, ec.ECDSA(digest()))
    return tlv(0x30, text, outer or algorithm, tlv(0x03, b"\0", signature))


def extension(last, value=b""):
    return tlv(0x30, b"\x06\x03\x2a\x03" + bytes([last]), tlv(0x04, value))


def of_list(last, value):
    return tlv(0x30, b"\x06\x03\x55\x1d" + last, tlv(0x04, value))


def entry(number, *more):
    return tlv(0x30, tlv(0x02, number), tlv(0x17, b"260201000000Z"), *more)


def with_true(number):
    """An entry that is about another certificate, in whose serial number the bytes 01 01 ff stand."""
    return entry(b"\x01\x01\xff" + number.to_bytes(2, "big"))


def checked(run, files, trust=None, shell="dash"):
    data, trust = packed(files), trust or script.trust_text(chain=script.NO_BLOCK)
    status, checks, _, text, problems = run(data, trust=trust, shell=shell)
    _, expected = agrees(data, trust, checks)
    assert problems == ""
    return status, checks, expected, text


FAR = b"".join(with_true(number) for number in range(1025))
MANY = b"".join(extension(number % 128, b"") for number in range(90))
# A list of the signer's CA: what the verifiers say, and what the script does.
LISTS = {
    "good": (listed, PASSED, PASSED),
    "signed by SHA-1": (lambda: listed(digest=hashes.SHA1), FAILED, OPEN),
    "another algorithm outside": (lambda: listed(outer=bytes.fromhex("300a06082a8648ce3d040303")), FAILED, None),
    "extensions of 3000 bytes": (lambda: listed(extensions=extension(4, b"x" * 3000)), FAILED, OPEN),
    "extensions of 1500 bytes": (lambda: listed(extensions=extension(4, b"x" * 1500)), PASSED, PASSED),
    "extensions of more than 256 values": (lambda: listed(extensions=MANY), FAILED, OPEN),
    "1025 entries with a TRUE": (lambda: listed(FAR), FAILED, OPEN),
    "1024 entries with a TRUE": (lambda: listed(FAR[: -len(with_true(0))]), PASSED, PASSED),
    "an entry of more than 256 values with a TRUE": (
        lambda: listed(entry(b"\x05", tlv(0x30, MANY, tlv(0x30, b"\x06\x03\x2a\x03\x04\x01\x01\xff\x04\x00")))),
        FAILED, OPEN,
    ),
    "2000 entries without a TRUE": (
        lambda: listed(b"".join(entry(b"\x05" + number.to_bytes(2, "big")) for number in range(2000))), PASSED, PASSED,
    ),
    "a damaged entry that nobody reads": (lambda: listed(b"\x02\x01\x05"), PASSED, OPEN),
    "an issuer that is no name": (lambda: listed(issuer=b"\x30\x02\x31\x00"), FAILED, OPEN),
    "a key identifier that is none": (lambda: listed(extensions=of_list(b"\x23", b"\x05\0")), FAILED, OPEN),
    "a point that is none": (lambda: listed(extensions=of_list(b"\x1c", b"\x30\x02\x05\0")), FAILED, OPEN),
    "a point for certificates of users": (
        lambda: listed(extensions=tlv(0x30, b"\x06\x03\x55\x1d\x1c\x01\x01\xff", tlv(0x04, b"\x30\x03\x81\x01\xff"))),
        PASSED, PASSED,
    ),
    "a signature that is none": (lambda: listed()[:-60] + bytes(60), FAILED, FAILED),
    "an extension twice": (lambda: listed(extensions=extension(4) * 2), FAILED, OPEN),
    "an extension that is none": (lambda: listed(extensions=b"\x05\0"), FAILED, OPEN),
    "a FALSE that is stated": (
        lambda: listed(extensions=tlv(0x30, b"\x06\x03\x2a\x03\x04\x01\x01\0\x04\0")), FAILED, OPEN,
    ),
    "cut off": (lambda: listed()[:-1], FAILED, FAILED),
    "a byte more": (lambda: listed() + b"\0", FAILED, FAILED),
}  # fmt: skip


@pytest.mark.parametrize(
    "what",
    script.some(
        LISTS, "signed by SHA-1", "extensions of 3000 bytes", "extensions of more than 256 values",
        "an issuer that is no name", "a signature that is none",
        "1025 entries with a TRUE", "1024 entries with a TRUE", "a damaged entry that nobody reads", "cut off",
    ),
)  # fmt: skip
def test_a_list_is_read_within_the_limits_of_the_verifiers(run, what):
    make, verdict, word = LISTS[what]
    _, checks, expected, text = checked(run, script.FILES | {f"{FOLDER}/1.crl": make()})
    assert expected[LIST] == verdict, text
    assert checks[LIST] in {word or FAILED, word or OPEN}, text
    if word == OPEN:
        assert checks["8.1", ""] == OPEN  # a token that is left open bounds nothing here


@pytest.mark.parametrize("shell", ["dash", *script.SHELLS])
def test_a_list_of_another_ca_that_openssl_cannot_read_leaves_the_token_open(run, shell):
    """The verifiers read it no further than its issuer."""
    foreign = certificate(
        "Foreign", TSA.key.public_key(), "Foreign", TSA.key, extensions=authority_extensions()
    )
    odd = tlv(
        0x30,
        tlv(
            0x30,
            b"\x02\x01\x01",
            listed()[4:4],
            bytes.fromhex("300a06082a8648ce3d040302"),
            foreign.subject.public_bytes(),
            b"\x05\0",
        ),
    )
    status, checks, expected, text = checked(run, script.FILES | {f"{FOLDER}/3.crl": odd}, shell=shell)
    assert (status, checks[LIST], expected[LIST]) == (2, OPEN, PASSED), text
    # Beside it a revocation is not passed over.
    revoked = crl(TSA.middle, TSA.middle_key, (TSA.signer, moment(11), None), at=moment(12, 30)).data
    more = script.FILES | {f"{FOLDER}/3.crl": odd, f"{FOLDER}/1.crl": revoked}
    status, checks, expected, text = checked(run, more, shell=shell)
    assert (status, checks[LIST], expected[LIST]) == (1, FAILED, FAILED), text


def unsigned(data, count):
    """The response with `count` values more, in an attribute that is not signed."""
    status, token = parse(data).children
    kind, wrapped = token.children
    signed = wrapped.children[0]
    (signer,) = signed.children[-1].children
    attribute = tlv(0x30, b"\x06\x03\x2a\x03\x04", tlv(0x31, b"\x05\0" * count))
    signers = tlv(0x31, tlv(0x30, signer.content, tlv(0xA1, attribute)))
    made = tlv(0x30, *(each.raw for each in signed.children[:-1]), signers)
    return tlv(0x30, status.raw, tlv(0x30, kind.raw, tlv(0xA0, made)))


@pytest.mark.parametrize(("count", "verdict", "word"), [(4200, FAILED, OPEN), (3000, PASSED, PASSED)])
def test_a_token_of_more_values_than_are_read_is_left_open(run, count, verdict, word):
    files = script.FILES | {f"heads/{EARLY}/tokens/tsa-a.tsr": unsigned(script.stamped("tsa-a"), count)}
    _, checks, expected, text = checked(run, files)
    assert (expected[TOKEN], checks[TOKEN]) == (verdict, word), text


def made_up(count):
    own = [key("p256", f"made up {number}") for number in range(count)]
    return [
        certificate(f"Other {at}", each.public_key(), "Nobody", each, extensions=authority_extensions())
        for at, each in enumerate(own)
    ]


@pytest.mark.parametrize(("count", "word"), [(2, PASSED), (6, OPEN)])
def test_tokens_of_so_many_certificates_that_paths_may_take_too_long_are_left_open(run, count, word):
    token = script.stamped("tsa-a", certificates=[TSA.signer, TSA.middle, *made_up(count)])
    status, checks, _, text = checked(run, script.FILES | {f"heads/{EARLY}/tokens/tsa-a.tsr": token})
    assert (status, checks[TOKEN]) == (0 if word == PASSED else 2, word), text
    assert checks["5.1", f"tsa-b@{EARLY}"] == PASSED
    assert ("have many certificates" in text) == (word == OPEN)


KINDS = {
    "anchors": ([f"heads/{n}/anchor.json" for n in range(1, 6)], MAX_ANCHORS, "the anchors are larger than 16 MiB"),
    "lists": ([f"{FOLDER[:-1]}{n}/1.crl" for n in range(1, 6)], MAX_LISTS, "the revocation lists are larger than 16"),
    "openings": ([f"previous/{n}/openings.json" for n in range(1, 6)], MAX_OPENED, "the openings are larger than 2"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("over", [0, 1])
def test_files_of_a_kind_have_a_limit_together(run, kind, over):
    names, limit, why = KINDS[kind]

    def change(folder):
        for old in [*folder.rglob("anchor.json"), *folder.rglob("*.crl"), *folder.rglob("openings.json")]:
            old.unlink()
        for name in names[1:]:
            sparse(name, limit // 4)(folder)
        sparse(names[0], over)(folder)
        sparse("controls/1.crl", min(limit, MAX_FILE))(folder)  # which no check reads

    status, checks, _, text, _ = run(packed(script.FILES), change=change)
    assert (status, checks) == (1, {("1.1", ""): FAILED})
    assert (why in text) == bool(over)


@pytest.mark.parametrize("over", [0, 1])
def test_a_package_holds_no_more_than_32_files_of_calendars(run, over):
    def change(folder):
        for number in range(MAX_OTS + over):
            sparse(f"heads/{EARLY}/ots/calendar-{number}.ots", 1)(folder)

    _, _, _, text, _ = run(packed(script.FILES), change=change)
    assert ("more than 32 OpenTimestamps files" in text) == bool(over)
