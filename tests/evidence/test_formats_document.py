"""docs/formats.md says what the code does: its examples are the golden vectors, its tables name checks and limits."""

import base64
import json
import re
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import pytest

from notary.evidence import (
    archive,
    asn1,
    bodies,
    canonical,
    chain,
    chain_bft,
    chain_file,
    chain_header,
    checkpoint,
    commitments,
    consistency,
    controls,
    cose,
    json_proof,
    mpt,
    note,
    number,
    ots_file,
    package_names,
    proof_file,
    rlp,
    statement,
    timestamp,
    timestamp_cms,
    timestamp_der,
    timestamp_issuing,
    timestamp_list,
    timestamp_path,
    timestamp_revocation,
    timestamp_revocation_form,
    timestamp_status,
    trust,
    trust_chain,
    verify,
)
from notary.evidence.catalogue import CHECKS
from notary.evidence.digests import ALGORITHMS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
V1 = ROOT / "tests" / "testdata" / "v1"
SECTIONS = dict(re.findall(r"^## (\d+) .*?\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
EXAMPLES = re.findall(r"^```\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)


def read(name):
    return (V1 / name).read_text(encoding="utf-8")


def test_the_sections_are_those_that_the_code_cites():
    assert list(SECTIONS) == [str(at) for at in range(1, 17)]
    for path in (ROOT / "notary").rglob("*.py"):
        for major, minor in re.findall(r"formats\.md §(\d+)(?:\.(\d+))?", path.read_text(encoding="utf-8")):
            assert major in SECTIONS, path
            assert not minor or f"\n### {major}.{minor} " in TEXT, path


@pytest.mark.parametrize(
    "name", ["statements/document.json", "checkpoint", "receipt.txt", "inclusion.tlog-proof"]
)
def test_an_example_is_a_golden_vector(name):
    assert read(name).removesuffix("\n") in EXAMPLES


def test_the_hashes_of_the_examples_are_those_of_the_vectors():
    log = json.loads(read("log.json"))
    assert f"entry  {log['entries'][2]}\nleaf   {log['leaves'][2]}" in EXAMPLES
    disclosure = json.loads(read("openings.json"))["openings"][0]["disclosure"]
    decoded = base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)).decode()
    (shown,) = [example for example in EXAMPLES if example.startswith("disclosure")]
    assert dict(line.split(maxsplit=1) for line in shown.splitlines()) == {
        "disclosure": disclosure,
        "decoded": decoded,
        "digest": sha256(disclosure.encode()).hexdigest(),
        "index": "0",
        "root": json.loads(read("commitments.json"))["root"],
    }
    first = json.loads(read("numbers.json"))[0]
    for key in ("unix_ms", "number", "shown", "lookup_code"):
        assert str(first[key]) in SECTIONS["14"]


def test_every_check_is_in_the_table_and_the_required_ones_are_said_to_be():
    checks, *_ = SECTIONS["12"].split("\n### ")  # what check.sh decides has rows of its own
    rows = [line.split("|")[1:4] for line in checks.splitlines() if re.match(r"\| \d", line)]
    table = {id_.strip(): required.strip() for id_, required, _ in rows}
    named = set(table) - {"6.1 … 6.7", "7.1, 7.2"} | {f"6.{at}" for at in range(1, 8)} | {"7.1", "7.2"}
    assert named == set(CHECKS)
    required = {id_ for id_, word in table.items() if word}
    assert required == verify._ALWAYS | verify._WITH_DOCUMENT
    assert {f"| {id_} |" in SECTIONS["10"] for id_ in CHECKS if id_[0] in "67"} == {True}


def test_the_mark_of_sealed_chains_is_that_of_the_code():
    assert f"*M* = `{chain_bft.MIX_HASH.hex()}`" in SECTIONS["10"]


def test_every_numbered_check_of_a_token_is_in_the_table():
    rows = re.findall(r"^\| (\d+) \|", SECTIONS["9"], re.MULTILINE)
    assert rows == [str(at) for at in range(1, 25)]


def test_every_name_is_said():
    for name in (*statement.TYPES, *commitments.NAMES, *ALGORITHMS, *chain_header.PROFILES):
        assert f"`{name}`" in TEXT, name
    for name, (length, _) in ALGORITHMS.items():
        assert f"`{name}` {length}" in SECTIONS["2"], name
    assert number.ALPHABET in SECTIONS["14"]
    assert statement.ORIGIN in SECTIONS["2"]
    assert bodies.MEDIA_TYPE.partition("/")[0] in SECTIONS["2"]


LIMITS = {
    "statement; `extra` of a proof": {statement.MAX_STATEMENT, proof_file.MAX_EXTRA},
    "nesting of JSON": {canonical.MAX_DEPTH},
    "inclusion or consistency path": {proof_file.MAX_PATH, consistency.MAX_PATH},
    "commitments of a statement; openings in a file": {commitments.MAX_COMMITMENTS},
    "disclosure": {commitments.MAX_DISCLOSURE},
    "`openings.json`; all in a package; commas in it": {
        commitments.MAX_OPENINGS,
        package_names.MAX_OPENED,
        commitments.MAX_VALUES - 1,
    },
    "note; its signatures": {note.MAX_NOTE, note.MAX_SIGNATURES},
    "proof or receipt file": {proof_file.MAX_FILE},
    "COSE receipt; JSON proof; commas in it": {
        cose.MAX_RECEIPT,
        json_proof.MAX_JSON_PROOF,
        json_proof.MAX_COMMAS - 1,
    },
    "`consistency.json`; its proofs": {consistency.MAX_FILE, consistency.MAX_PROOFS},
    "trust file": {trust.MAX_TRUST},
    "time-stamp response; certificates in it; intermediates in a path": {
        timestamp.MAX_RESPONSE,
        timestamp_cms.MAX_CERTIFICATES,
        timestamp_path.MAX_INTERMEDIATES,
    },
    "values of ASN.1 that are read at once; in the answer of an OCSP response; in a part or entry of a list": {
        asn1.MAX_VALUES,
        timestamp_revocation_form.MAX_VALUES,
        timestamp_list.MAX_VALUES,
    },
    "paths begun for a token; signatures tried for one `[[tsa]]` in a package, for one token that is taken in": {
        timestamp_path._MAX_PATHS,
        timestamp_issuing.MAX_TRIES,
        timestamp_issuing.MAX_TAKEN_IN,
    },
    "nesting of signed attributes": {timestamp_der._MAX_DEPTH},
    "OpenTimestamps file; in a package; operations in it, in a row; attestations": {
        ots_file.MAX_FILE,
        package_names.MAX_OTS,
        ots_file.MAX_OPERATIONS,
        ots_file.MAX_DEPTH,
        ots_file.MAX_ATTESTATIONS,
    },
    "message, payload, address in it": {ots_file.MAX_MESSAGE, ots_file.MAX_PAYLOAD, ots_file.MAX_URI},
    "revocation list; all in a package; a part of one; entries that are read": {
        timestamp_status.MAX_REVOCATION,
        package_names.MAX_LISTS,
        timestamp_list.MAX_PART,
        timestamp_list.MAX_READ,
    },
    "OCSP response; lists and responses of one token; certificates in a response, and that one is about": {
        timestamp_revocation_form.MAX_RESPONSE,
        timestamp_revocation.MAX_DATA,
        timestamp_revocation_form.MAX_CERTIFICATES,
    },
    "`anchor.json`; all in a package; commas in it": {
        chain_file.MAX_EVIDENCE,
        package_names.MAX_ANCHORS,
        chain_file.MAX_VALUES - 1,
    },
    "header; nodes of a proof; not-before blocks; of one hash": {
        chain_file.MAX_HEADER,
        chain_file.MAX_NODES,
        chain_file.MAX_NOT_BEFORE,
        chain.MAX_OF_ONE_HASH,
    },
    "RLP nesting; values in a receipt or account, in a node, in a header": {
        rlp.MAX_DEPTH,
        rlp.MAX_VALUES,
        mpt.MAX_VALUES,
        chain_header.MAX_VALUES,
    },
    "values in the extra data of a sealed header; validators in a set": {
        chain_bft.MAX_VALUES,
        trust_chain.MAX_VALIDATORS,
    },
    "members of a package; heads": {archive.MAX_FILES, package_names.MAX_HEADS},
    "`controls/expected.json`; its controls": {controls.MAX_EXPECTED, controls.MAX_CONTROLS},
    "one file of a package but the document": {package_names.MAX_FILE},
    "all files of a package but the document": {package_names.MAX_TOTAL},
    "document in a package": {package_names.MAX_DOCUMENT},
}


def test_the_limits_are_those_of_the_code():
    table = dict(re.findall(r"^\| (.*?) \| (.*?) \|$", SECTIONS["15"], re.MULTILINE))
    for what, limits in LIMITS.items():
        assert {int(text) for text in re.findall(r"\d+", table[what])} == limits, what
    assert str(canonical.MAX_INTEGER) in table["integers in JSON"]
    assert table["tree size, index"] == "below 2^63"
    assert checkpoint.MAX_SIZE == 2**63 - 1
    assert table["document recorded by a statement"] == "2^50 bytes"
    assert bodies.MAX_DOCUMENT == 2**50


def test_each_field_of_an_entry_of_a_zip_is_in_the_table():
    rows = re.findall(r"^\| ([\d, ]+) \|", SECTIONS["11"], re.MULTILINE)
    sizes = (4, *[2] * 6, *[4] * 3, *[2] * 5, *[4] * 2)
    assert sum(sizes) == archive._CENTRAL.size
    assert [int(at) for row in rows for at in row.split(",")] == [0, *accumulate(sizes[:-1])]
    assert f"at most {archive._MAX_VERSION} (ZIP 6.3)" in SECTIONS["11"]


def test_the_example_of_a_result_has_the_keys_of_the_table():
    result = json.loads(read("result.json"))
    for keys in (result, result["checks"][0], result["time"], result["time"]["bounds"][0]):
        for key in keys:
            assert f"`{key}`" in SECTIONS["13"], key
