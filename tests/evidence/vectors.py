"""The golden vectors of version 1: made from fixed keys, salts and times, the same bytes in every run."""

import base64
import json
from hashlib import sha256

from notary.evidence import commitments
from notary.evidence.canonical import dumps_free
from notary.evidence.commitments import encode_openings
from notary.evidence.consistency import encode_consistency
from notary.evidence.number import lookup_code, make_number, show_number
from notary.evidence.package import write_package
from notary.evidence.statement import entry_of
from notary.merkle.hashing import hash_leaf
from tests.evidence import build

# Keys beyond ASCII and beyond the BMP, in the order of RFC 8785 and in another; composed and decomposed; escaped.
FREE_VALUES = (
    '{"合同编号":"A-1","签署方":[{"姓名":"甲","序号":1},{"姓名":"乙","序号":2}]}',
    '{"\U0001f600":3,"\U00020bb7":1,"\ufb33":2}',
    '{"\ufb33": 2, "\\ud842\\udfb7": 1, "\\ud83d\\ude00": 3}',
    '{"é":1,"e\u0301":2}',
    '{"a b/c":null,"\\u0000\\n":true}',
)

LATER = {"5.2"}  # checks that the first release of the format did not make

README = """# Golden vectors, version 1

Source: `scripts/make_vectors.py`, from the fixed keys, salts and times of `tests/evidence/build.py`.
Command: `python scripts/make_vectors.py`. Date: 2026-11-24.

A later release verifies these files as this one does. Files are added, never edited: a test makes them again
and compares every byte. The keys are known to everybody and sign nothing else.

| file | what it is |
|---|---|
| `statements/*.json` | one statement of each type; `document` is entry 2 of the log |
| `log.json` | entries, leaf hashes and roots of the log of seven, in hexadecimal |
| `keys.json` | private keys (32 bytes, hexadecimal) and vkeys |
| `numbers.json` | record numbers and look-up codes with what they are made of |
| `openings.json`, `commitments.json` | openings of the document, and the root that its statement holds |
| `disclosures.json` | disclosures of values with keys of any script, spelt freely; digest, value, RFC 8785 form |
| `checkpoint`, `receipt.txt`, `inclusion.tlog-proof`, `consistency.json` | a file of each kind, of entry 2 |
| `receipt.cose`, `proof.json` | the same as `inclusion.tlog-proof`: a COSE receipt, and JSON with two openings |
| `contract.pdf`, `package.zip`, `trust.toml`, `result.json` | a package, its trust file, its result |
| `package-revocation.zip`, `result-revocation.json` | the same with revocation data; `result.json` lacks check 5.2 |
"""


def make():
    """The files by name."""
    log = build.log()
    contents, captured = build.first_files(log), build.files(log)
    statement = log.statements[build.DOCUMENT]
    result = without_details(build.check(contents, build.trust(log)))
    result["checks"] = [found for found in result["checks"] if found["id"] not in LATER]
    return {
        "README.md": README.encode(),
        **{f"statements/{s.type}.json": s.encode() for s in log.statements},
        "log.json": show(
            {
                "entries": [entry.hex() for entry in log.entries],
                "leaves": [hash_leaf(entry).hex() for entry in log.entries],
                "roots": [build.root_of(log.leaves[:size]).hex() for size in range(len(log.entries) + 1)],
            }
        ),
        "keys.json": show(
            {
                "log": key(log.key, log.origin),
                "receipt": key(log.receipt_key, build.receipt_key_name(log.origin)),
            }
        ),
        "numbers.json": show([number(at) for at in range(8)]),
        "openings.json": encode_openings(log.openings[build.DOCUMENT]),
        "commitments.json": show(
            {
                "entry": entry_of(statement.encode()).hex(),
                "count": statement.commitments.count,
                "root": statement.commitments.root.hex(),
                "opened": commitments.check_openings(log.openings[build.DOCUMENT], statement.commitments),
            }
        ),
        "disclosures.json": show([disclosure(text) for text in FREE_VALUES]),
        "checkpoint": log.checkpoint(build.EARLY),
        "receipt.txt": log.receipt(build.DOCUMENT, 3),
        "inclusion.tlog-proof": log.proof(build.DOCUMENT, build.LATE, statement.encode()),
        "receipt.cose": build.cose_receipt(log, build.DOCUMENT, build.LATE).encode(),
        "proof.json": build.json_proof(log, build.DOCUMENT, build.LATE, opened=2).encode(),
        "consistency.json": encode_consistency((log.consistency(build.EARLY, build.LATE),)),
        "contract.pdf": build.CONTRACT,
        "trust.toml": build.trust_text(log).encode(),
        "package.zip": write_package(contents, ("contract.pdf", build.CONTRACT)),
        "result.json": show(result),
        "package-revocation.zip": write_package(captured, ("contract.pdf", build.CONTRACT)),
        "result-revocation.json": show(without_details(build.check(captured, build.trust(log)))),
    }


def key(private, name):
    return {"private": private.private_bytes_raw().hex(), "vkey": build.vkey(name, private)}


def without_details(report):
    """The result but for the sentences for people, which may be put better one day."""
    result = report.to_json()
    for found in result["checks"]:
        del found["detail"], found["sentence"]
    return result


def disclosure(text):
    """The value `text` of metadata, as it is spelt: order, escapes and spaces are the submitter's."""
    array = f'["{base64.urlsafe_b64encode(bytes(range(16))).decode().rstrip("=")}","metadata",{text}]'
    encoded = base64.urlsafe_b64encode(array.encode()).decode().rstrip("=")
    digest = sha256(encoded.encode()).hexdigest()
    return {
        "disclosure": encoded,
        "digest": digest,
        "value": json.loads(text),
        "canonical": dumps_free(json.loads(text)).decode(),
    }


def number(at):
    unix_ms, random, salt = 1772364600000 + at * 86_400_000, bytes([at * 36] * 5), bytes([at] * 32)
    made = make_number(unix_ms, random)
    return {
        "unix_ms": unix_ms,
        "random": random.hex(),
        "number": made,
        "shown": show_number(made),
        "salt": salt.hex(),
        "lookup_code": lookup_code(salt),
    }


def show(value):
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
