"""The heads of a package: checkpoints that a record is proved under, and what third parties say of them."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from notary.errors import FormatError, NotFound, NotReady
from notary.evidence.chain import ChainEvidence, NotBefore, decode_evidence, decode_header, encode_evidence
from notary.evidence.package_names import check_sizes
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.statement import parse_statement
from notary.proving import Prover
from notary.services.believing import believed, believed_pending, first_believed
from notary.services.types import RecordView
from notary.store import stamps
from notary.store.anchorings import Anchoring
from notary.store.blocks import block_header
from notary.store.engine import Connection, Database
from notary.store.final_words import earliest_final, final_at, final_words

_LOOK_ON = 16  # final words of an anchor that are looked through for one that is whole


@dataclass(frozen=True, slots=True)
class PackageHeads:
    """Members under `heads/` (docs/formats.md §11.1), by name."""

    database: Database
    prover: Prover

    def named(self, view: RecordView, index: int, sizes: Sequence[int]) -> dict[str, bytes]:
        """Exactly these heads, with every final word on each."""
        if sizes[0] <= index:
            raise NotReady(f"the record is entry {index}: a head of {sizes[0]} entries does not have it")
        contents: dict[str, bytes] = {}
        for size in sizes:
            contents |= self._head(index, size)
        with self.database.reading() as connection:
            found = final_at(connection, sizes)
        for item in found:
            contents |= self._attestation(view, item)
        return contents

    def first(self, view: RecordView, index: int, later: Sequence[RecordView]) -> dict[str, bytes]:
        """For each anchor its earliest final word on a head with this entry, and one on each `later` entry.

        Of calendars that have no final word yet, the file that anybody can ask them for more with. What would pass a
        limit of packages is left out.
        """
        with self.database.reading() as connection:
            earliest = believed(connection, earliest_final(connection, index))
            wanted = {item.id: item for item in (_whole(connection, found) for found in earliest)}
            for place in sorted(each.index for each in later if each.index is not None):
                if all(item.size <= place for item in wanted.values()):
                    further = believed(connection, earliest_final(connection, place))
                    wanted |= {item.id: item for item in further[:1]}
            pending = believed_pending(
                connection, index, {item.anchor for item in earliest}, {item.size for item in wanted.values()}
            )
            # Where nothing attests it, yet or ever: what the log itself shows, of the record and of what followed it.
            closed = () if wanted else _closing(connection, index, later)
        contents = self._attested(view, (*wanted.values(), *pending))
        for size in {*closed, *(item.size for item in (*wanted.values(), *pending))}:
            contents |= self._head(index, size)
        return contents

    def _head(self, index: int, size: int) -> dict[str, bytes]:
        note = self.prover.checkpoint(size).note
        proof = ProofFile(index, tuple(self.prover.proof_at(index, size)), note)
        return {
            f"heads/{size}/checkpoint": note,
            f"heads/{size}/inclusion.tlog-proof": proof.encode(TLOG_PROOF),
        }

    def _attested(self, view: RecordView, items: Iterable[Anchoring]) -> dict[str, bytes]:
        """What of these a package holds together: each is there whole, since a token without its lists may fail."""
        contents: dict[str, bytes] = {}
        for item in items:
            more = contents | self._attestation(view, item)
            with suppress(FormatError):
                check_sizes({name: len(data) for name, data in more.items()})
                contents = more
        return contents

    def _attestation(self, view: RecordView, item: Anchoring) -> dict[str, bytes]:
        folder = f"heads/{item.size}"
        if item.evidence is None:
            return {}
        if item.kind == "rfc3161":
            with self.database.reading() as connection:
                captured = stamps.revocation_of(connection, item.id)
            beside = {
                f"{folder}/revocation/{item.anchor}/{at}.{kind}": data
                for at, (kind, data) in enumerate(captured, 1)
            }
            return {f"{folder}/tokens/{item.anchor}.tsr": item.evidence} | beside
        if item.kind == "opentimestamps":
            return {f"{folder}/ots/{item.anchor}.ots": item.evidence}
        evidence = decode_evidence(item.evidence)
        evidence = replace(evidence, not_before=self._not_before(view, evidence))
        return {f"{folder}/anchor.json": encode_evidence(evidence), f"{folder}/header.rlp": evidence.header}

    def _not_before(self, view: RecordView, evidence: ChainEvidence) -> tuple[NotBefore, ...]:
        """The block that the record's statement names: with its proof as it was captured, else as it was polled.

        The evidence names blocks of the whole batch, and as many as one file may hold. Without a proof of state the
        header shows which block it is, and whoever trusts that block needs no more.
        """
        block = parse_statement(view.statement).not_before
        if block is None:
            return ()

        def is_meant(header: bytes) -> bool:
            return decode_header(header, evidence.profile).hash == block.hash

        kept = tuple(item for item in evidence.not_before if is_meant(item.header))
        if kept or block.chain_id != evidence.chain_id:
            return kept
        try:
            with self.database.reading() as connection:
                header = block_header(connection, block.chain_id, block.number)
        except NotFound:
            return ()
        return (NotBefore(header, None),) if is_meant(header) else ()


def _closing(connection: Connection, index: int, later: Sequence[RecordView]) -> set[int]:
    """The smallest checkpoints that are believed with the entry, and with each later one that has one."""
    sizes = {first_believed(connection, index).size}
    for each in later:
        if each.index is not None:
            with suppress(NotReady):  # then it is told in the next package
                sizes.add(first_believed(connection, each.index).size)
    return sizes


def _whole(connection: Connection, item: Anchoring) -> Anchoring:
    """The same anchor's next word that shows the contract's code, where this one does not.

    A node forgets states. What was mined while the service was down may be final without a proof of the code, and
    a package with it could never be checked to the end; each later anchor covers the same record.
    """
    if _shows_code(item):
        return item
    later = final_words(connection, item.anchor, above=item.size, most=_LOOK_ON)
    return next((word for word in believed(connection, later) if _shows_code(word)), item)


def _shows_code(item: Anchoring) -> bool:
    if item.kind != "evm" or item.evidence is None:
        return True
    return decode_evidence(item.evidence).account_proof is not None
