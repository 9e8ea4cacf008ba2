"""Signature lines of strangers, which `tools/check.sh` takes or refuses as both verifiers do (docs/formats.md §4)."""

import pytest

from notary.errors import FormatError, TrustError
from notary.evidence.note import MAX_NOTE, Verifier, parse_note
from notary.evidence.trust import parse_trust
from tests.evidence import build
from tests.evidence import test_check_script as script
from tests.evidence.build import DOCUMENT, EARLY
from tests.evidence.test_check_script_limits import ask, functions
from tests.evidence.test_check_script_tokens import agrees, packed

bare, run = script.bare, script.run
FILES = {name: data for name, data in script.FILES.items() if "/revocation/" not in name}
PROOF = f"heads/{EARLY}/inclusion.tlog-proof"
GOOD = "AAAAAAAA"  # 6 bytes

NAMES = {
    "w": True,
    "w" * 255: True,
    "w" * 256: False,
    "证" * 255: True,  # 765 bytes
    "证" * 256: False,
    "𠮷" * 255: True,
    "a\x7fb": True,
    "a\x80b": True,
    "a\u200bb": True,  # no white space to Unicode
    "\ufeff": True,
    "": False,
    "a b": False,
    "a+b": False,
    **{f"a{chr(sign)}b": False for sign in (1, 9, 0x0B, 0x1C, 0x1F, 0x85, 0xA0, 0x1680, 0x2000, 0x2005, 0x200A)},
    **{f"a{chr(sign)}b": False for sign in (0x2028, 0x2029, 0x202F, 0x205F, 0x3000)},
}  # fmt: skip
ROWS = {
    **{f"— {name} {GOOD}".encode(): good for name, good in NAMES.items()},
    b"\xe2\x80\x94 a\xff " + GOOD.encode(): False,
    b"\xe2\x80\x94 a\xc0\xaf " + GOOD.encode(): False,
    b"\xe2\x80\x94 a\xed\xa0\x80 " + GOOD.encode(): False,
    b"\xe2\x80\x94 a\xe2\x80 " + GOOD.encode(): False,
    f"- w {GOOD}".encode(): False,
    f"—w {GOOD}".encode(): False,
    f"—  {GOOD}".encode(): False,
    "— w".encode(): False,
    "— w ".encode(): False,
    f"— w {GOOD} ".encode(): False,
    f"— w {GOOD}\r".encode(): False,
    "— w AAAAAA==".encode(): False,  # 4 bytes, of which a signature has none
    "— w AAAAAAA=".encode(): True,
    "— w AAAAAAB=".encode(): False,  # another spelling of the same
    "— w AAAAAAAAAA==".encode(): True,
    "— w AAAAAAAAAB==".encode(): False,
    "— w AAAAAAAAA===".encode(): False,
    "— w AAAAAAA".encode(): False,
    "— w AAAAAA-_".encode(): False,
    "— w AAAA=AAA".encode(): False,
    "— w +/09azAZ".encode(): True,
    "— w ====".encode(): False,
}
SAY = (
    functions("signature_lines")
    + """
while IFS= read -r line; do
    if signature_lines "$line" 5; then echo yes; else echo no; fi
done
"""
)


def test_a_signature_line_is_taken_where_the_verifier_takes_it(tmp_path):
    for number, (row, good) in enumerate(ROWS.items()):
        (tmp_path / str(number)).write_bytes(row + b"\n")
        if good:
            assert parse_note(b"text\n\n" + row + b"\n").signatures
        else:
            with pytest.raises(FormatError, match=r"."):
                parse_note(b"text\n\n" + row + b"\n")
    said = ask(SAY, [tmp_path / str(number) for number in range(len(ROWS))], tmp_path)
    assert dict(zip(ROWS, said, strict=True)) == {row: "yes" if good else "no" for row, good in ROWS.items()}


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (f"— w {GOOD}\n" * 64, "yes"),
        (f"— w {GOOD}\n" * 65, "no"),
        (f"— w {GOOD}\n\n— w {GOOD}\n", "no"),
        (f"— w {GOOD}", "no"),
        ("", "no"),
    ],
)
def test_one_to_64_lines_are_taken(tmp_path, data, word):
    (tmp_path / "lines").write_bytes(data.encode())
    assert ask(SAY, [tmp_path / "lines"], tmp_path) == [word]


def signed_by(row, data):
    return data + row + b"\n"


def padded(size):
    """The proof with one line more, so that its note has this many bytes."""
    proof = script.FILES[PROOF]
    note = proof.partition(b"\n\n")[2]
    left = size - len(note) - len("— w \n".encode())
    name = b"w" * (1 + left % 4)
    return signed_by("— ".encode() + name + b" " + b"A" * (left - left % 4), proof)


STRANGERS = {
    "a Chinese witness": (signed_by(f"— {'证' * 255} {GOOD}".encode(), script.FILES[PROOF]), "passed"),
    "a name with DEL": (signed_by(f"— a\x7fb {GOOD}".encode(), script.FILES[PROOF]), "passed"),
    "a name with an ideographic space": (
        signed_by(f"— 证\u3000人 {GOOD}".encode(), script.FILES[PROOF]),
        "failed",
    ),
    "a name that is not UTF-8": (
        signed_by(b"\xe2\x80\x94 a\xff " + GOOD.encode(), script.FILES[PROOF]),
        "failed",
    ),
    "a line of 4 bytes": (signed_by("— w AAAAAA==".encode(), script.FILES[PROOF]), "failed"),
    "a note of 65536 bytes": (padded(MAX_NOTE), "passed"),
    "a note of 65537 bytes": (padded(MAX_NOTE + 1), "failed"),
    "an extra of 8192 bytes": (script.LOG.proof(DOCUMENT, EARLY, bytes(8192)), "passed"),
    "an extra of 8193 bytes": (script.LOG.proof(DOCUMENT, EARLY, bytes(8193)), "failed"),
}


@pytest.mark.parametrize(
    "what",
    script.some(
        STRANGERS,
        "a Chinese witness",
        "a note of 65536 bytes",
        "a note of 65537 bytes",
        "an extra of 8193 bytes",
    ),
)
def test_a_line_of_a_stranger_counts_as_the_verifier_counts_it(run, what):
    proof, word = STRANGERS[what]
    data = packed(FILES | {PROOF: proof})
    status, checks, _, text, problems = run(data)
    report, expected = agrees(data, script.trust_text(), checks)
    place = "3.1", f"head {EARLY}"
    assert (checks[place], expected[place], problems) == (word, word, ""), text
    assert (status == 1) == (report.outcome is script.Outcome.FAILED)


def test_a_line_of_a_stranger_on_a_receipt_counts_as_the_verifier_counts_it(run):
    receipt = signed_by(f"— 证\u3000人 {GOOD}".encode(), script.FILES["receipt.txt"])
    data = packed(FILES | {"receipt.txt": receipt})
    status, checks, _, text, _ = run(data)
    _, expected = agrees(data, script.trust_text(), checks)
    assert (status, checks["4.1", ""], expected["4.1", ""]) == (1, "failed", "failed"), text


def witness(name):
    return f'[[witness]]\nvkey = "{build.vkey(name, build.ed25519("witness"))}"\n'


def test_a_witness_of_the_trust_file_may_have_a_chinese_name(run):
    trust = script.trust_text() + witness("见证.example/w1")
    assert parse_trust(trust.encode()).witnesses
    _, checks, _, _, problems = run(packed(FILES), trust=trust)
    assert (problems, checks["1.2", ""]) == ("", "passed")


def test_a_witness_of_the_trust_file_whose_name_has_a_space_is_refused(run):
    public = build.ed25519("witness").public_key().public_bytes_raw()
    name = "见证\u3000人"
    odd = Verifier(name, public)
    trust = script.trust_text() + f'[[witness]]\nvkey = "{odd.vkey}"\n'
    with pytest.raises(TrustError, match="a key name"):
        parse_trust(trust.encode())
    status, checks, _, _, problems = run(packed(FILES), trust=trust)
    assert (status, checks) == (2, {})
    assert problems.startswith("check.sh: trust file: the vkey of a witness")
