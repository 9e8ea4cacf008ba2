"""Valid packages that are mutated, each with the trust file under which it passes."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

from cryptography.hazmat.primitives.serialization import Encoding

from notary.evidence.outcome import Report
from notary.evidence.package import read_package
from notary.evidence.trust import Trust, parse_trust
from notary.evidence.verify import verify
from tests.evidence import build, ots_build
from tests.evidence.build import DOCUMENT, EARLY, LATE, Log
from tests.evidence.test_incident import told
from tests.evidence.test_verify_profiles import HEAD_KEYS, Chain, validators
from tests.fuzz.zips import packed
from tests.mini_revocation import crl, ocsp, responder
from tests.mini_tsa import MiniTsa
from tests.ots_world import Bitcoin, file_of

DOCUMENT_NAME = "data/document/contract.pdf"


@dataclass(frozen=True)
class Sample:
    """Files by name, the document among them, and the text of a trust file."""

    name: str
    files: dict[str, bytes]
    trust_text: str

    @cached_property
    def trust(self) -> Trust:
        return parse_trust(self.trust_text.encode())

    @cached_property
    def report(self) -> Report:
        return verify(read_package(io.BytesIO(packed(self.files))), self.trust, None)


def _sample(name: str, files: dict[str, bytes], trust: str) -> Sample:
    return Sample(name, {**files, DOCUMENT_NAME: build.CONTRACT}, trust)


def whole() -> Sample:
    """Two heads, two authorities, a chain, a receipt, a consistency proof, openings and an inspection."""
    log = build.log()
    return _sample("whole", build.files(log), build.trust_text(log))


def stamped() -> Sample:
    """One head with one token and its revocation lists; an inclusion proof and no more."""
    log = build.log()
    names = ("data/statement.json", f"heads/{EARLY}/checkpoint", f"heads/{EARLY}/inclusion.tlog-proof")
    files = {name: build.files(log)[name] for name in names}
    token = {f"heads/{EARLY}/tokens/tsa-a.tsr": log.token("tsa-a", EARLY)}
    strict = build.tsa_table("tsa-a", build.tsa("tsa-a"), 'revocation = "strict"')
    trust = build.trust_text(log, chain=None, tsa_a=strict, tsa_b=None)
    return _sample("stamped", files | token | log.revocation("tsa-a", EARLY), trust)


def anchored() -> Sample:
    """One head in one block, with the slots of the contract, and the receipt."""
    chain = Chain("ethereum")
    folder = f"heads/{LATE}"
    names = ("data/statement.json", "receipt.txt", f"{folder}/checkpoint", f"{folder}/inclusion.tlog-proof")
    files = {name: chain.files[name] for name in names}
    anchor = {
        f"{folder}/anchor.json": build.encode_evidence(chain.evidence),
        f"{folder}/header.rlp": chain.evidence.header,
    }
    table = build.chain_table(chain.log, HEAD_KEYS, blocks=[chain.evidence.header])
    trust = build.trust_text(chain.log, chain=table, tsa_a=None, tsa_b=None)
    return _sample("anchored", files | anchor, trust)


def sealed() -> Sample:
    """One head in a block of a QBFT chain."""
    chain = Chain("qbft")
    folder = f"heads/{LATE}"
    names = ("data/statement.json", f"{folder}/checkpoint", f"{folder}/inclusion.tlog-proof")
    files = {name: chain.files[name] for name in names}
    anchor = {f"{folder}/anchor.json": build.encode_evidence(chain.evidence)}
    table = build.chain_table(chain.log, validators(), blocks=[], profile="qbft")
    trust = build.trust_text(chain.log, chain=table, tsa_a=None, tsa_b=None)
    return _sample("sealed", files | anchor, trust)


def in_bitcoin() -> Sample:
    """One head, stamped by OpenTimestamps alone."""
    log, bitcoin = build.log(), Bitcoin()
    names = ("data/statement.json", f"heads/{EARLY}/checkpoint", f"heads/{EARLY}/inclusion.tlog-proof")
    files = {name: build.files(log)[name] for name in names}
    proof = file_of(ots_build.upgraded(ots_build.stamped(log.checkpoint(EARLY)), bitcoin))
    trust = build.trust_text(log, chain=None, tsa_a=None, tsa_b=None) + ots_build.block_table(bitcoin)
    return _sample("in bitcoin", files | {ots_build.NAME: proof}, trust)


def followed() -> Sample:
    """A record that follows another, whose operator broke its promise; one token."""
    log, files = told()
    names = [name for name in files if not name.startswith(f"heads/{EARLY}/") and name != "consistency.json"]
    kept = {name: files[name] for name in names if "anchor" not in name and "header" not in name}
    token = {
        f"heads/{LATE}/tokens/tsa-a.tsr": build.tsa("tsa-a").respond(
            log.checkpoint(LATE), gen_time=build.GEN_TIME
        )
    }
    trust = build.trust_text(log, chain=None, tsa_b=None)
    return _sample("followed", kept | token, trust)


def chained() -> Sample:
    """The report on a record: its statement follows the record's."""
    log = build.log()
    folder = f"heads/{LATE}"
    files = {
        "data/statement.json": log.statements[4].encode(),
        "previous/1/statement.json": log.statements[DOCUMENT].encode(),
        # Those that the other samples open: further ones of the same statement are true, and would be shown rightly.
        "previous/1/openings.json": build.encode_openings(log.openings[DOCUMENT][:2]),
        "previous/1/inclusion.tlog-proof": log.proof(DOCUMENT, LATE),
        f"{folder}/checkpoint": log.checkpoint(LATE),
        f"{folder}/inclusion.tlog-proof": log.proof(4, LATE),
        f"{folder}/tokens/tsa-a.tsr": log.token("tsa-a", LATE),
        DOCUMENT_NAME: b"report",
    }
    return Sample("chained", files, build.trust_text(log, chain=None, tsa_b=None))


def answered() -> Sample:
    """One head with a token of ECDSA and one of RSA; their CA answers by OCSP, itself and through a delegate."""
    log, at = build.log(), build.moment(12, 30)
    names = ("data/statement.json", f"heads/{EARLY}/checkpoint", f"heads/{EARLY}/inclusion.tlog-proof")
    files = {name: build.files(log)[name] for name in names}
    tables = {}
    for serial, (label, kind) in enumerate((("tsa-a", "p256"), ("tsa-b", "rsa")), 1):
        authority = MiniTsa(kind)
        ca = (authority.middle, authority.middle_key)
        answer = ocsp(authority.signer, *ca, at=at, by=responder(*ca) if kind == "rsa" else None)
        folder = f"heads/{EARLY}/revocation/{label}"
        files |= {
            f"heads/{EARLY}/tokens/{label}.tsr": authority.respond(log.checkpoint(EARLY), serial=serial),
            f"{folder}/1.ocsp": answer.data,
            f"{folder}/2.crl": crl(authority.root, authority.root_key, at=at).data,
        }
        pem = authority.root.public_bytes(Encoding.PEM).decode()
        tables[label.replace("-", "_")] = (
            f'[[tsa]]\nname = "{label}"\norganisation = "Mini Ltd"\nrevocation = "strict"\n'
            f"roots = ['''\n{pem}''']\n"
        )
    return _sample("answered", files, build.trust_text(log, chain=None, **tables))


@cache
def samples() -> tuple[Sample, ...]:
    """All of them. Those that are mutated most often are small, since each verification costs."""
    made: tuple[Callable[[], Sample], ...] = (
        whole,
        stamped,
        anchored,
        sealed,
        in_bitcoin,
        followed,
        chained,
        answered,
    )
    return tuple(make() for make in made)


@cache
def strangers() -> dict[str, bytes]:
    """Files of the same names from a log of the same origin under other keys: what a forger can make."""
    return build.files(Log("evil"))


@cache
def others() -> dict[str, bytes]:
    """Files of the same names about another document of the same log, rightly signed."""
    log = Log(altered=_other_document)
    return build.files(log)


def _other_document(statement):
    return replace(statement, body=replace(statement.body, digests=build.document_body(b"other").digests))
