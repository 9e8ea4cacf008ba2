"""Proofs in each of their forms, what lies beside them, and what they become with one thing changed."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import Any

from notary.errors import EvidenceError
from notary.evidence.exports import package_of_cose, package_of_ots
from notary.evidence.incoming import kind_of, read_evidence
from notary.evidence.package import Package
from notary.evidence.verify import unreadable, verify
from tests.evidence import build, ots_build
from tests.evidence.build import DOCUMENT, EARLY, LATE
from tests.fuzz.corpus import Sample
from tests.fuzz.verifiers import vector
from tests.ots_world import Bitcoin, file_of

EVENT = 1  # index of a statement without a document: nothing else is missing for its outcome


@dataclass(frozen=True)
class Proof:
    """A file that is no package, the files beside it by name (`statement`, `proof`), and a trust file."""

    name: str
    data: bytes
    trust_text: str
    beside: dict[str, bytes] = field(default_factory=dict)

    @property
    def sample(self) -> Sample:
        return Sample(self.name, {}, self.trust_text)

    def package(self) -> Package:
        if "statement" in self.beside:
            return package_of_cose(self.data, self.beside["statement"])
        if "proof" in self.beside:
            return package_of_ots(self.data, read_evidence(io.BytesIO(self.beside["proof"])))
        return read_evidence(io.BytesIO(self.data))


def by_python(proof: Proof) -> dict[str, Any]:
    """The result; any exception but a refusal of the evidence is a crash."""
    if kind_of(io.BytesIO(proof.data)) is None:
        return {"error": "NoEvidence"}
    try:
        package = proof.package()
    except EvidenceError as error:
        return vector(unreadable(error).to_json())
    return vector(verify(package, proof.sample.trust, None).to_json())


def cose(of: int = DOCUMENT, **changes: Any) -> Proof:
    log = build.log()
    made = replace(build.cose_receipt(log, of, LATE), **changes)
    return Proof("cose", made.encode(), build.trust_text(log), {"statement": log.statements[of].encode()})


def in_json(index: int = DOCUMENT, opened: int = 2) -> Proof:
    log = build.log()
    return Proof("json", build.json_proof(log, index, LATE, opened).encode(), build.trust_text(log))


def tlog_proof(index: int = EVENT) -> Proof:
    log = build.log()
    extra = log.statements[index].encode()
    return Proof("tlog-proof", log.proof(index, EARLY, extra), build.trust_text(log))


def _ots(under: bytes, name: str) -> Proof:
    log, bitcoin = build.log(), Bitcoin()
    data = file_of(ots_build.upgraded(ots_build.stamped(log.checkpoint(EARLY)), bitcoin))
    trust = build.trust_text(log, chain=None, tsa_a=None, tsa_b=None) + ots_build.block_table(bitcoin)
    return Proof(name, data, trust, {"proof": under})


@cache
def proofs() -> tuple[Proof, ...]:
    """One of each form, with nothing wrong in it."""
    json_proof = build.json_proof(build.log(), EVENT, EARLY).encode()
    return (
        cose(),
        in_json(),
        in_json(EVENT, 0),
        tlog_proof(),
        _ots(tlog_proof().data, "ots with a tlog-proof"),
        _ots(json_proof, "ots with a JSON proof"),
    )


def flipped(proof: Proof, first: int = 0, step: int = 1) -> Iterator[Proof]:
    """One bit changed, at every `step`th byte."""
    for at in range(first, len(proof.data), step):
        data = bytearray(proof.data)
        data[at] ^= 1 << at % 8
        yield replace(proof, name=f"{proof.name}: bit {at % 8} of byte {at}", data=bytes(data))


def disclosure(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value["openings"][0].update(changes)


def _set(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.update(changes)


def _many(of: str, count: int) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.update({of: value[of][:1] * count})


def _of_commas(count: int, *, in_text: bool = False) -> Callable[[dict[str, Any]], None]:
    """A statement that is a list or a text, with which the file has exactly so many commas."""

    def change(value: dict[str, Any]) -> None:
        value["statement"] = ""
        rest = count - _canonical(value).count(b",")
        value["statement"] = "," * rest if in_text else [0] * (rest + 1)

    return change


SALT = "dWHd2Vt_pUwB5O9B8O3vAg"
# What is changed in a JSON proof, and the check that then fails. `entry` is made anew.
JSON_CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a statement of another kind": (_set(statement={"a": 1}), "2.1"),
    "no statement": (_set(statement=None), "2.1"),
    "a statement that is too long": (lambda value: value["statement"].update(log="a" * 9000), "2.1"),
    "another statement": (lambda value: value["statement"].update(salt="00" * 32), "3.2"),
    "an opening of another place": (_opened(index=3), "2.4"),
    "an opening of no place": (_opened(index=64), "1.1"),
    "an opening with a key more": (_opened(more=1), "1.1"),
    "an opening that is too deep": (_opened(path=["00" * 32] * 7), "1.1"),
    "a disclosure of other characters": (_opened(disclosure="WyJh="), "1.1"),
    "a disclosure of none": (_opened(disclosure=""), "1.1"),
    "a disclosure that is too long": (_opened(disclosure="A" * 131073), "1.1"),
    "a disclosure that is no text": (_opened(disclosure=5), "1.1"),
    "a disclosure that decodes to nothing": (_opened(disclosure="A"), "2.4"),
    "a disclosure that is no JSON": (_opened(disclosure=disclosure("x")), "2.4"),
    "a disclosure of two": (_opened(disclosure=disclosure(["a", "b"])), "2.4"),
    "a disclosure of an unknown name": (_opened(disclosure=disclosure([SALT, "x", 1])), "2.4"),
    "a disclosure of something else": (_opened(disclosure=disclosure([SALT, "title", 1])), "2.4"),
    "a disclosure with a fraction": (_opened(disclosure=disclosure([SALT, "title", 1.5])), "2.4"),
    "an opening twice": (_many("openings", 2), "2.4"),
    "more openings than may be": (_many("openings", 65), "1.1"),
    "more openings than a file may hold": (
        lambda value: value.update(openings=[value["openings"][0] | {"disclosure": "A" * 131072}] * 9),
        "1.1",
    ),
    "as many commas as may be": (_of_commas(131071), "2.1"),
    "a comma more than may be": (_of_commas(131072), "1.1"),
    "a comma more than may be, in a text": (_of_commas(131072, in_text=True), "1.1"),
    "an index outside the tree": (_set(index="9"), "3.2"),
    "the largest index": (_set(index=str(2**63 - 1)), "3.2"),
    "an index of 2^63": (_set(index=str(2**63)), "1.1"),
    "an index with a zero": (_set(index="02"), "1.1"),
    "an index that is a number": (_set(index=2), "1.1"),
    "another size": (_set(size="6"), "1.1"),
    "no path": (_set(path=[]), "3.2"),
    "a path that is too long": (_many("path", 64), "1.1"),
    "a path of other hashes": (_set(path=["00" * 31]), "1.1"),
    "a checkpoint that is none": (_set(checkpoint="x"), "1.1"),
    "a checkpoint of another size": (_set(checkpoint=build.log().checkpoint(EARLY).decode()), "1.1"),
    "another version": (_set(version=2), "1.1"),
    "a version that is no number": (_set(version=True), "1.1"),
    "a key more": (_set(more=1), "1.1"),
}


def in_json_with(change: Callable[[dict[str, Any]], None]) -> Proof:
    proof = in_json()
    value = json.loads(proof.data)
    change(value)
    value["entry"] = sha256(_canonical(value["statement"])).hexdigest()
    return replace(proof, data=_canonical(value))


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# What is changed in a COSE receipt, and the check that then fails.
COSE_CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "an index outside the tree": ({"index": 9}, "3.2"),
    "another index": ({"index": 3}, "3.1"),
    "the largest index": ({"index": 2**63 - 1}, "3.2"),
    "an index of 2^63": ({"index": 2**63}, "1.1"),
    "an index of 2^64 - 1": ({"index": 2**64 - 1}, "1.1"),
    "a tree of one entry": ({"size": 1}, "3.2"),
    "no tree": ({"size": 0}, "3.2"),
    "another log": ({"origin": "log.example.org/2027"}, "3.1"),
    "a log of another form": ({"origin": "a log"}, "1.1"),
    "a log without a name": ({"origin": ""}, "1.1"),
    "a log with a long name": ({"origin": "a" * 201}, "1.1"),
    "a key of nobody": ({"key_id": b"1234"}, "3.1"),
    "a signature of nobody": ({"signature": bytes(64)}, "3.1"),
    "a signature that is too short": ({"signature": bytes(63)}, "1.1"),
}
