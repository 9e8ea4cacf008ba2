"""Whether what was measured also happened: fsck, a count, and a random part of all receipts and proofs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from benchmarks.harness import Row
from benchmarks.postload import Kept
from benchmarks.service import Place
from notary import wiring
from notary.errors import EvidenceError, NotaryError
from notary.evidence.bodies import Document
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.note import Verifier
from notary.evidence.number import parse_number
from notary.evidence.proof_file import RECEIPT, TLOG_PROOF, ProofFile, parse_proof_file
from notary.evidence.receipt import check_receipt, open_receipt, receipts_at
from notary.evidence.statement import entry_of, parse_statement
from notary.intake.receipts import decode_tree
from notary.log.fsck import fsck
from notary.log.index import index_digests
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_inclusion, inclusion_path
from notary.proving import Prover
from notary.store.engine import Database
from notary.store.groups import Group, entries_of, groups_after
from notary.store.places import seq_of
from notary.store.records import count_records, records_by_seq
from notary.wiring import Assembly

PART = 0.01  # of receipts and proofs
SHOWN = 3
_PAGE = 500  # groups


@dataclass(slots=True)
class Truth:
    """What was acknowledged on one database, compared with what is there.

    Attributes:
        place: the service.
        acknowledged: records that were answered for, or written past the service.
        kept: some of the answers.
        before: records at the start.
    """

    place: Place
    acknowledged: int = 0
    kept: list[Kept] = field(default_factory=list)
    before: int = field(init=False)

    def __post_init__(self) -> None:
        """Count what is there already."""
        with self.place.database() as database:
            self.before = _count(database)

    def verdict(self) -> str:
        """Close what waits, and look: an empty text, or what is wrong."""
        assembly = wiring.build(self.place.settings())
        try:
            found = list(self._problems(assembly))
        except NotaryError as error:
            found = [str(error)]
        finally:
            assembly.close()
        return "; ".join(found[:SHOWN])

    def _problems(self, assembly: Assembly) -> Iterator[str]:
        close_all(assembly)
        database = assembly.database
        log_keys = [Verifier.from_vkey(assembly.genesis.log_key)]
        receipt_keys = [Verifier.from_vkey(assembly.genesis.receipt_key)]
        _, objects = wiring.open_stores(assembly.settings)
        yield from fsck(database, objects, assembly.settings.origin, log_keys, receipt_keys).problems
        rows = _count(database) - self.before
        if rows != self.acknowledged:
            yield f"{self.acknowledged} records were acknowledged, {rows} are stored"
        assert assembly.sequencer is not None
        prover = Prover(
            database, assembly.services.log_proofs.prover.tiles, assembly.settings.origin, lambda: log_keys
        )
        checked = 0
        # Where no answer was kept, because none was given, of what is stored.
        for digest, statement, receipt in samples(self.kept) if self.kept else stored_samples(database):
            checked += 1
            try:
                _verify(digest, statement, receipt, prover, receipt_keys)
            except (EvidenceError, NotaryError, ValueError) as error:
                yield f"a receipt or proof of {digest}: {error}"
        if rows and not checked:
            yield "no receipt was looked at"


def counted(rows: Iterable[Row], verdict: str) -> list[Row]:
    """The rows, none of which counts if something was wrong afterwards."""
    if not verdict:
        return list(rows)
    return [replace(row, goal=row.goal or "true", ok=False, reference=f"NOT TRUE: {verdict}") for row in rows]


def close_all(assembly: Assembly) -> None:
    """Close what waits, to the last, and index it."""
    assert assembly.sequencer is not None
    while assembly.sequencer.sequence() is not None:
        pass
    index_digests(assembly.database)


def samples(kept: Sequence[Kept]) -> Iterator[tuple[str, bytes, bytes]]:
    """A random part of the records that were answered: digest as sent, statement, receipt.

    Of single answers all that were kept; of bulk answers, of which some were kept, that part of each that makes
    one in a hundred of all.
    """
    random = Random(7)
    for each in kept:
        answer = json.loads(each.answer)
        if "lines" not in answer:
            digest = each.body.partition(b'"sha-256":"')[2][:64].decode()
            yield digest, answer["statement"].encode(), answer["receipt"].encode()
            continue
        lines, rows = answer["lines"], decode_tree(answer["tree"])
        digests = _digests(each.body)
        wanted = max(1, round(len(lines) * min(1.0, PART / each.part)))
        for at in random.sample(range(len(lines)), wanted):
            receipt = _receipt(lines[at]["index"], rows, answer["receipt"])
            yield digests[at], lines[at]["statement"].encode(), receipt


def stored_samples(database: Database) -> Iterator[tuple[str, bytes, bytes]]:
    """A random part of the records that are stored, one at least: digest, statement, receipt from its group."""
    random, first = Random(7), True
    for group in _groups(database):
        chosen = [at for at in range(group.count) if random.random() < PART]
        if first:
            chosen, first = chosen or [random.randrange(group.count)], False
        if not chosen:
            continue
        with database.reading() as connection:
            records = records_by_seq(connection, [seq_of(group.id, at) for at in chosen])
            receipts = receipts_at(group.note or b"", entries_of(connection, group.id), chosen)
        for at, receipt in zip(chosen, receipts, strict=True):
            record = records[seq_of(group.id, at)]
            yield (record.sha256 or b"").hex(), record.statement, receipt


def _groups(database: Database) -> Iterator[Group]:
    """All commit groups with a promise; entry 0 was promised to nobody."""
    after = 0
    while True:
        with database.reading() as connection:
            page = groups_after(connection, after, _PAGE)
        if not page:
            return
        yield from (group for group in page if group.note is not None)
        after = page[-1].id


def _receipt(index: int, rows: Sequence[Sequence[bytes]], note: str) -> bytes:
    path = inclusion_path(index, len(rows[0]), lambda level, place: rows[level][place])
    return ProofFile(index, tuple(path), note.encode()).encode(RECEIPT)


def _digests(body: bytes) -> list[str]:
    if body.startswith(b"["):
        return [str(digest) for digest in json.loads(body)]
    return [json.loads(line)["sha-256"] for line in body.splitlines()]


def _verify(
    digest: str, statement: bytes, receipt: bytes, prover: Prover, receipt_keys: Sequence[Verifier]
) -> None:
    """As a stranger does who has the keys: receipt, then proof."""
    parsed = parse_statement(statement)
    if not isinstance(parsed.body, Document) or parsed.body.digests["sha-256"] != digest:
        raise ValueError("the statement is about another document")
    entry = entry_of(statement)
    promise, file = open_receipt(receipt, prover.origin, receipt_keys)
    check_receipt(promise, file, entry)
    proof = parse_proof_file(prover.prove(parse_number(parsed.number)), TLOG_PROOF)
    signed = open_checkpoint(proof.note, prover.origin, prover.keys()).checkpoint
    check_inclusion(hash_leaf(entry), proof.index, signed.size, proof.path, signed.root)


def _count(database: Database) -> int:
    with database.reading() as connection:
        return count_records(connection)
