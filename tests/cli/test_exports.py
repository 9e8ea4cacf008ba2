"""`notary proof --format`, `--open`, and `notary verify` of what they give."""

import json
from pathlib import Path

import pytest

from notary.cli.remote import ProofFormat
from notary.evidence.cose import parse_receipt
from notary.evidence.json_proof import parse_json_proof
from notary.services.exports import Format
from tests.evidence import build
from tests.evidence.ots_build import block_table, stamped, upgraded
from tests.ots_world import Bitcoin, file_of

V1 = Path(__file__).parents[1] / "testdata/v1"
TRUST, CONTRACT = V1 / "trust.toml", V1 / "contract.pdf"
STATEMENT = V1 / "statements/document.json"
PROOF = V1 / "inclusion.tlog-proof"


def checks(done):
    return {check["id"]: check["outcome"] for check in json.loads(done.out)["checks"]}


def test_the_forms_are_those_of_the_service():
    assert [(each.name, each.value) for each in ProofFormat] == [(each.name, each.value) for each in Format]


def test_a_json_proof_is_verified_and_says_what_is_withheld(notary):
    done = notary("verify", V1 / "proof.json", "--trust", TRUST, "--document", CONTRACT, expected=2)
    assert "Withheld 未出示: 2 commitments of the statement; opened 已出示: " in done.out
    result = json.loads(notary("verify", V1 / "proof.json", "--trust", TRUST, "--json", expected=2).out)
    assert (result["withheld"], len(result["openings"])) == (2, 2)


def test_with_everything_opened_nothing_is_said_of_withholding(notary, tmp_path):
    path = tmp_path / "all.json"
    path.write_bytes(build.json_proof(build.log(), build.DOCUMENT, build.LATE, opened=4).encode())
    assert "Withheld" not in notary("verify", path, "--trust", TRUST, expected=2).out


def test_a_cose_receipt_is_verified_beside_its_statement(notary):
    receipt = V1 / "receipt.cose"
    done = notary("verify", receipt, "--statement", STATEMENT, "--trust", TRUST, "--json", expected=2)
    assert checks(done)["3.1"] == checks(done)["3.2"] == "passed"
    other = V1 / "statements/event.json"
    done = notary("verify", receipt, "--statement", other, "--trust", TRUST, "--json", expected=1)
    assert checks(done)["3.1"] == "failed"
    assert "with --statement" in notary("verify", receipt, "--trust", TRUST, expected=2).err
    assert "with --statement" in notary("verify", PROOF, "--statement", STATEMENT, expected=2).err
    assert "none.json" in notary("verify", receipt, "--statement", "none.json", expected=2).err


def test_an_opentimestamps_file_is_verified_beside_a_proof(notary, tmp_path):
    bitcoin, file, trust = Bitcoin(), tmp_path / "a.ots", tmp_path / "trust.toml"
    file.write_bytes(file_of(upgraded(stamped(build.log().checkpoint(build.LATE)), bitcoin)))
    trust.write_text(
        build.trust_text(build.log()).replace("test_only", "k = 1\ntest_only") + block_table(bitcoin)
    )
    for proof in (PROOF, V1 / "proof.json"):
        done = notary("verify", file, "--proof", proof, "--trust", trust, "--document", CONTRACT, "--json")
        assert checks(done)["5.4"] == "passed"
    assert "with --proof" in notary("verify", file, "--trust", trust, expected=2).err
    assert "with --proof" in notary("verify", PROOF, "--proof", PROOF, expected=2).err
    for other in (STATEMENT, V1 / "package.zip", file, V1 / "receipt.cose"):
        assert "neither a .tlog-proof nor a JSON" in notary("verify", file, "--proof", other, expected=2).err
    damaged = tmp_path / "damaged.json"
    damaged.write_bytes(b'{"checkpoint":')
    assert checks(notary("verify", file, "--proof", damaged, "--json", expected=1)) == {"1.1": "failed"}


@pytest.mark.parametrize(
    ("data", "more"),
    [
        (b'{"checkpoint":', []),
        (b'{"checkpoint":"x","version":1}', []),
        (b"\xd2\x84", ["--statement", STATEMENT]),
        (b"\xd2\x84" + bytes(9000), ["--statement", STATEMENT]),
        (b'{"checkpoint":' + b" " * 1_400_000, []),
    ],
    ids=range(5),
)
def test_what_begins_as_evidence_and_is_none_has_failed(notary, tmp_path, data, more):
    path = tmp_path / "garbage"
    path.write_bytes(data)
    done = notary("verify", path, "--trust", TRUST, *more, "--json", expected=1)
    assert checks(done) == {"1.1": "failed"}


@pytest.mark.parametrize("data", [b"{}", b"\xd2", b"\x00Open", b'{"check":1}', b"[]"])
def test_what_begins_as_nothing_of_ours_has_no_outcome(notary, tmp_path, data):
    path = tmp_path / "other"
    path.write_bytes(data)
    done = notary("verify", path, "--trust", TRUST, "--json", expected=2)
    assert "neither an evidence package (.zip) nor a proof (.tlog-proof, .json, .cose, .ots)" in done.err
    assert done.out == ""


def test_proofs_are_downloaded_in_each_form_and_verified(notary, served, tmp_path):
    url, key, service = served
    number = service.accepted(title="secret", matter="M-1")["number"]
    service.close()
    there = ("--url", url, "--key-file", key)
    out = tmp_path / "out"
    assert (
        notary("proof", number, *there).out == notary("proof", number, *there, "--format", "tlog-proof").out
    )
    notary("proof", number, *there, "--format", "cose", "--size", 2, "--out", out)
    assert parse_receipt(out.read_bytes()).size == 2
    for words, count in (
        ((), 0),
        (("--open", "title"), 1),
        (("--open", "title", "--open", "matter"), 2),
        (("--open", "all"), 2),
    ):
        notary("proof", number, *there, "--format", "json", *words, "--out", out)
        assert len(parse_json_proof(out.read_bytes()).openings) == count
    notary("package", number, *there, "--open", "title", "--out", out)
    result = json.loads(notary("verify", out, "--json", expected=2).out)
    assert (set(result["openings"]), result["withheld"]) == ({"title"}, 1)
    notary("package", number, *there, "--open", "none", "--out", out)
    assert json.loads(notary("verify", out, "--json", expected=2).out)["withheld"] == 2
    assert "cannot be opened" in notary("package", number, *there, "--open", "name", expected=2).err
    assert "no OpenTimestamps file" in notary("proof", number, *there, "--format", "ots", expected=2).err
