"""A small log with all that belongs to it, from fixed keys, salts and times: the same bytes in every run."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from notary.evidence import bodies
from notary.evidence.chain import decode_header, encode_evidence
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.commitments import commit, encode_openings
from notary.evidence.consistency import Consistency, encode_consistency
from notary.evidence.cose import CoseReceipt, sign_root
from notary.evidence.json_proof import JsonProof
from notary.evidence.note import Verifier
from notary.evidence.number import make_number
from notary.evidence.package import digest_stream, read_package, write_package
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.receipt import Promise, group_root, receipt_key_name, sign_receipts
from notary.evidence.statement import Block, Statement, entry_of
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import consistency_path, inclusion_path
from notary.merkle.tree import root_of
from tests.evidence import mini_chain
from tests.mini_revocation import both
from tests.mini_tsa import GEN_TIME, YEARS, MiniTsa, authority_extensions, certificate, signer_extensions

ORIGIN = "log.example.org/2026"
CONTRACT = b"%PDF-1.7 a contract of two companies\n"
NOT_BEFORE_TIME = 1772362800  # 2026-03-01T11:00:00Z
ANCHOR_TIME = 1772367000  # 2026-03-01T12:10:00Z
NOT_BEFORE = mini_chain.header(100, NOT_BEFORE_TIME)
EARLY, LATE = 4, 7  # sizes of the two attested heads
DOCUMENT, INSPECTION = 2, 5  # indexes


def moment(hour, minute=0):
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC)


def ed25519(label):
    return Ed25519PrivateKey.from_private_bytes(sha256(label.encode()).digest())


def vkey(name, key):
    return Verifier(name, key.public_key().public_bytes_raw()).vkey


def salts(label):
    """Gives 16 bytes at each call, the same in every run."""
    count = iter(range(1000))
    return lambda: sha256(f"{label} {next(count)}".encode()).digest()[:16]


class FixedTsa(MiniTsa):
    """The mini TSA with Ed25519 keys and serial numbers that never change."""

    def __init__(self, label):
        self.kind = "ed25519"
        self.root_key, self.middle_key, self.key = (ed25519(f"{label} {role}") for role in "rms")
        authority = authority_extensions()
        root, signer = f"{label} root", signer_extensions()
        public = self.root_key.public_key()
        self.root = certificate(root, public, root, self.root_key, extensions=authority, serial=1)
        public = self.middle_key.public_key()
        self.middle = certificate("Middle", public, root, self.root_key, extensions=authority, serial=2)
        self.signer = self.issue(label, years=YEARS, extensions=signer, serial=3)

    @property
    def pem(self):
        return self.root.public_bytes(Encoding.PEM).decode()


@cache
def tsa(label):
    return FixedTsa(label)


class Log:
    """Statements in their order, and what the log makes of them.

    `who` gives it keys, contract and TSAs of its own; `altered` changes the statement of the document.
    """

    def __init__(self, who="", origin=ORIGIN, altered=lambda statement: statement):
        self.who, self.origin, self.altered = who, origin, altered
        self.key, self.receipt_key = ed25519(f"{who}log key"), ed25519(f"{who}receipt key")
        self.contract = sha256(f"{who}contract".encode()).digest()[:20] if who else mini_chain.CONTRACT
        self.log_id = sha256(f"{who}log id".encode()).digest() if who else mini_chain.LOG_ID
        self.openings = {}
        self.statements = []
        for make in (genesis, event, document, incident, report, inspection, key_change):
            self.statements.append(make(self))

    @property
    def entries(self):
        return [entry_of(statement.encode()) for statement in self.statements]

    @property
    def leaves(self):
        return [hash_leaf(entry) for entry in self.entries]

    def statement(self, kind, body=None, *, at, fields=None, previous=None, not_before=None):
        commitments, openings = commit(fields or {}, salts(f"{self.who}{kind} {at}"))
        self.openings[at] = openings
        return Statement(
            type=kind,
            log=self.origin,
            number=make_number(1772364600000 + at, sha256(f"{kind} {at}".encode()).digest()),
            time=moment(11, 30),
            salt=sha256(f"salt {kind} {at}".encode()).digest(),
            not_before=not_before,
            previous=previous,
            commitments=commitments,
            body=body,
        )

    def checkpoint(self, size):
        return sign_checkpoint(Checkpoint(self.origin, size, root_of(self.leaves[:size])), self.key).encode()

    def proof(self, index, size, extra=None):
        path = inclusion_path(index, size, node_of(self.leaves))
        return ProofFile(index, tuple(path), self.checkpoint(size), extra).encode(TLOG_PROOF)

    def path(self, index, size):
        return tuple(inclusion_path(index, size, node_of(self.leaves)))

    def consistency(self, old, new):
        return Consistency(old, new, tuple(consistency_path(old, new, node_of(self.leaves))))

    def receipt(self, index=DOCUMENT, count=1, **changes):
        entries = self.entries[index : index + count]
        promise = Promise(
            self.origin,
            len(entries),
            group_root(entries),
            1,
            root_of(self.leaves[:1]),
            close_by=moment(13),
            stamp_target=moment(14),
            final_target=moment(15),
        )
        return sign_receipts(replace(promise, **changes), entries, self.receipt_key)[0]

    def token(self, label, size, **more):
        more = {"gen_time": GEN_TIME, "tsa": True, **more}
        return tsa(self.who + label).respond(self.checkpoint(size), **more)

    def revocation(self, label, size):
        """The lists of the authority's two CAs, half an hour after the token."""
        issuer = tsa(self.who + label)
        lists = both(issuer, at=moment(12, 30))
        return {f"heads/{size}/revocation/{label}/{at}.crl": each.data for at, each in enumerate(lists, 1)}

    def anchor(self, size, **more):
        more = {"number": 200, "time": ANCHOR_TIME, "not_before": [NOT_BEFORE], **more}
        names = {"contract": self.contract, "log_id": self.log_id}
        logs = more.pop("logs", None) or [
            mini_chain.event(size, root_of(self.leaves[:size]), old_size=EARLY, **names)
        ]
        return mini_chain.anchor(logs, **{**names, **more})


def node_of(leaves):
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


def cose_receipt(log, index, size, key=None):
    key, root = key or log.key, root_of(log.leaves[:size])
    key_id = Verifier(log.origin, key.public_key().public_bytes_raw()).key_id
    signature = sign_root(Checkpoint(log.origin, size, root), key)
    return CoseReceipt(log.origin, size, key_id, index, log.path(index, size), signature)


def json_proof(log, index, size, opened=0):
    opened = log.openings[index][:opened]
    statement, note = log.statements[index].encode(), log.checkpoint(size)
    return JsonProof(statement, opened, index, size, log.path(index, size), note)


def genesis(log):
    body = bodies.Genesis(
        vkey(log.origin, log.key),
        vkey(receipt_key_name(log.origin), log.receipt_key),
        "0x" + "22" * 20,
        mini_chain.CHAIN_ID,
        "0x" + log.contract.hex(),
        log.log_id,
    )
    return log.statement("genesis", body, at=0)


def event(log):
    return log.statement("event", at=1, fields={"phase": "identity", "actor": "甲方"})


def document_body(data=CONTRACT, **changes):
    values = digest_stream(io.BytesIO(data)).values
    taken = {name: values[name] for name in ("sha-256", "sm3")}
    body = bodies.Document(True, taken, {"sha-512": values["sha-512"]}, len(data), "application/pdf")
    return replace(body, **changes)


def document(log):
    block = decode_header(NOT_BEFORE, "ethereum")
    fields = {
        "matter": "M-2026-001",
        "phase": "signed",
        "holder": "乙方",
        "metadata": {"pages": 3, "tags": []},
    }
    return log.altered(
        log.statement(
            "document",
            document_body(),
            at=DOCUMENT,
            fields=fields,
            not_before=Block(mini_chain.CHAIN_ID, block.number, block.hash, block.time),
        )
    )


def incident(log):
    return log.statement("incident", bodies.Incident("clock_step", bytes(32)), at=3, fields={"detail": "2 s"})


def report(log):
    return log.statement("report", document_body(b"report"), at=4, previous=log.entries[DOCUMENT])


def inspection(log):
    found = {"inspection": {"signatures": 2, "all_covered": True}}
    return log.statement("inspection", at=INSPECTION, fields=found, previous=log.entries[DOCUMENT])


def key_change(log):
    body = bodies.KeyChange("log", "retired", vkey(log.origin, ed25519("an old key")), 3)
    return log.statement("key", body, at=6)


@cache
def log():
    return Log()


def files(log):
    """The files of a complete package."""
    return first_files(log) | log.revocation("tsa-a", EARLY) | log.revocation("tsa-b", EARLY)


def first_files(log):
    """What a complete package was before revocation data had a place in it: the golden vectors are of this."""
    anchor = log.anchor(LATE)
    return {
        "data/statement.json": log.statements[DOCUMENT].encode(),
        "data/openings.json": encode_openings(log.openings[DOCUMENT][:2]),
        "receipt.txt": log.receipt(),
        f"heads/{EARLY}/checkpoint": log.checkpoint(EARLY),
        f"heads/{EARLY}/inclusion.tlog-proof": log.proof(DOCUMENT, EARLY),
        f"heads/{EARLY}/tokens/tsa-a.tsr": log.token("tsa-a", EARLY),
        f"heads/{EARLY}/tokens/tsa-b.tsr": log.token("tsa-b", EARLY, gen_time=moment(12, 5)),
        f"heads/{LATE}/checkpoint": log.checkpoint(LATE),
        f"heads/{LATE}/inclusion.tlog-proof": log.proof(DOCUMENT, LATE),
        f"heads/{LATE}/anchor.json": encode_evidence(anchor),
        f"heads/{LATE}/header.rlp": anchor.header,
        "consistency.json": encode_consistency((log.consistency(EARLY, LATE),)),
        "inspection/statement.json": log.statements[INSPECTION].encode(),
        "inspection/openings.json": encode_openings(log.openings[INSPECTION]),
        "inspection/inclusion.tlog-proof": log.proof(INSPECTION, LATE),
        "README.en.txt": b"verify with: notary verify\n",
    }


def key_table(kind, name, key, *more):
    return "\n".join((f"[[{kind}]]", f'vkey = "{vkey(name, key)}"', *more, ""))


def chain_table(log, *more, blocks, code_hash=mini_chain.CODE_HASH, profile="ethereum"):
    lines = ["[[chain]]", f"chain_id = {mini_chain.CHAIN_ID}", f'contract = "0x{log.contract.hex()}"']
    lines += [
        f'log_id = "0x{log.log_id.hex()}"',
        f'code_hash = "0x{code_hash.hex()}"',
        f'profile = "{profile}"',
        *more,
    ]
    for raw in blocks:
        block = decode_header(raw, profile)
        lines += ["[[chain.block]]", f"number = {block.number}", f'hash = "0x{block.hash.hex()}"']
    return "\n".join([*lines, ""])


def tsa_table(name, authority, *more):
    lines = [
        "[[tsa]]",
        f'name = "{name}"',
        f'organisation = "{name} Ltd"',
        f"roots = ['''\n{authority.pem}''']",
    ]
    return "\n".join([*lines, *more, ""])


def trust_tables(log):
    """The tables of a trust file by name, to be changed and joined."""
    return {
        "top": f'version = 1\norigin = "{log.origin}"\ntest_only = true\n',
        "log_key": key_table("log_key", log.origin, log.key),
        "receipt_key": key_table("receipt_key", receipt_key_name(log.origin), log.receipt_key),
        "chain": chain_table(log, blocks=[log.anchor(LATE).header]),
        "tsa-a": tsa_table("tsa-a", tsa(log.who + "tsa-a")),
        "tsa-b": tsa_table("tsa-b", tsa(log.who + "tsa-b")),
    }


def trust_text(log, **changes):
    """The trust file; a table given as None is left out."""
    tables = trust_tables(log) | {name.replace("tsa_", "tsa-"): text for name, text in changes.items()}
    return "".join(text for text in tables.values() if text)


def trust(log, **changes):
    return parse_trust(trust_text(log, **changes).encode())


def packed(contents, document=("contract.pdf", CONTRACT)):
    """Through the ZIP and back: manifest and checksums are right whatever the files hold."""
    return read_package(io.BytesIO(write_package(contents, document)))


def check(contents, trusted, *, document=("contract.pdf", CONTRACT), given=None):
    return verify(packed(contents, document), trusted, given)
