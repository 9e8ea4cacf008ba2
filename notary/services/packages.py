"""Assembles proofs and packages of one record from what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from notary.errors import NotFound, NotReady
from notary.evidence.chain import ChainEvidence, NotBefore, decode_evidence, decode_header, encode_evidence
from notary.evidence.commitments import Opening, encode_openings
from notary.evidence.consistency import Consistency, encode_consistency
from notary.evidence.package import write_package
from notary.evidence.package_names import OPENINGS, STATEMENT
from notary.evidence.previous import MAX_PREVIOUS
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.statement import parse_statement
from notary.proving import Prover
from notary.services.opening import Choice
from notary.services.package_tools import static_members
from notary.services.records import Records, may_see
from notary.services.types import Found, RecordView, Viewer
from notary.store import anchorings, openings, promises, records, stamps, views
from notary.store.anchorings import Anchoring
from notary.store.blocks import block_header
from notary.store.engine import Connection, Database
from notary.store.places import group_of
from notary.store.records import Record

_MAX_EARLIER = 16 * 1024 * 1024  # bytes of openings of earlier statements
_LOOK_ON = 16  # final words of an anchor that are looked through for one that is whole


@dataclass(frozen=True, slots=True)
class Packages:
    """What a record's holder takes out. Everything is a function of the record and the heads that cover it."""

    database: Database
    records: Records
    prover: Prover

    def proof(self, number: str, viewer: Viewer, size: int | None = None) -> bytes:
        """A tlog-proof, with the statement in `extra`.

        Args:
            number: of the record, in canonical form.
            viewer: who asks.
            size: of the checkpoint to prove it under; None takes the first that covers the record.

        Raises:
            NotFound: `viewer` may not see the record, or there is no checkpoint of that size.
            NotReady: it is in no checkpoint yet, or in none of that size.
        """
        view = self.records.view(number, viewer)
        if view.index is None or view.size is None:
            raise NotReady("the record is in no checkpoint yet; ask again in a few seconds")
        return self.prover.prove_read(view, view.size if size is None else size)

    def proof_found(self, found: Found) -> bytes | None:
        """The same of a record that was just looked up, for someone who may see it; None while there is none."""
        if found.closing is None:
            return None
        try:
            return self.prover.prove_closed(found.record, found.closing)
        except NotReady:  # its checkpoint is being published at this moment
            return None

    def package(self, number: str, viewer: Viewer, choice: Choice | None = None) -> bytes:
        """The evidence package (docs/formats.md §11), without the document.

        Openings and receipt are only for the organisation that submitted the record.

        Args:
            number: of the record, in canonical form.
            viewer: who asks.
            choice: which commitments are opened; None opens all that are for `viewer`.

        Raises:
            NotFound, NotReady: as `proof`.
            RequestError: what is to be opened is not there for `viewer`.
        """
        choice = choice or Choice()
        view = self.records.view(number, viewer)
        if view.index is None:
            raise NotReady("the record is in no checkpoint yet; ask again in a few seconds")
        own = viewer.tenant_id is not None and viewer.tenant_id == view.tenant_id
        with self.database.reading() as connection:
            inspected = views.inspection_of(connection, view.seq)
            # An incident is told beside the receipt that it is about.
            broken = promises.incident_of(connection, group_of(view.seq)) if own else None
        contents = {STATEMENT: view.statement} | static_members()
        contents |= self._heads(view, view.index, [each for each in (inspected, broken) if each is not None])
        if own:
            contents |= self._own(view, choice)
        for folder, later in (("inspection", inspected), ("incident", broken)):
            contents |= self._beside(folder, later, contents, choice if own else None)
        contents |= self._earlier(view, viewer, contents, choice)
        choice.check()
        sizes = sorted({int(name.split("/")[1]) for name in contents if name.startswith("heads/")})
        if len(sizes) > 1:
            proofs = tuple(
                Consistency(old, new, tuple(self.prover.consistency(old, new)))
                for old, new in pairwise(sizes)
            )
            contents["consistency.json"] = encode_consistency(proofs)
        return write_package(contents)

    def _heads(self, view: RecordView, index: int, later: Sequence[RecordView]) -> dict[str, bytes]:
        """For each anchor its earliest final word on a head with this entry, and one on each `later` entry.

        Of calendars that have no final word yet, the file that anybody can ask them for more with.
        """
        with self.database.reading() as connection:
            earliest = anchorings.earliest_final(connection, index)
            wanted = {item.id: item for item in (_whole(connection, found) for found in earliest)}
            pending = anchorings.earliest_pending(connection, index, {item.anchor for item in earliest})
            for place in sorted(each.index for each in later if each.index is not None):
                if all(item.size <= place for item in wanted.values()):
                    wanted |= {item.id: item for item in anchorings.earliest_final(connection, place)[:1]}
        contents: dict[str, bytes] = {}
        for item in (*wanted.values(), *pending):
            contents |= self._attestation(view, item)
        if not wanted:
            # Nothing attests it, yet or ever: what the log itself shows, of the record and of what followed it.
            closed = (view.size, *(each.size for each in later))
            for size in {size for size in closed if size is not None}:
                contents |= self._head(index, size)
        for size in {item.size for item in (*wanted.values(), *pending)}:
            contents |= self._head(index, size)
        return contents

    def _head(self, index: int, size: int) -> dict[str, bytes]:
        note = self.prover.checkpoint(size).note
        proof = ProofFile(index, tuple(self.prover.proof_at(index, size)), note)
        return {
            f"heads/{size}/checkpoint": note,
            f"heads/{size}/inclusion.tlog-proof": proof.encode(TLOG_PROOF),
        }

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

    def _own(self, view: RecordView, choice: Choice) -> dict[str, bytes]:
        assert view.tenant_id is not None  # noqa: S101 - the caller compared it
        contents = {"receipt.txt": self.records.receipt(view.number, view.tenant_id)}
        with self.database.reading() as connection:
            opened = choice.of(openings.filed_openings(connection, view.seq))
        return contents | ({OPENINGS: encode_openings(opened)} if opened else {})

    def _beside(
        self,
        folder: str,
        other: RecordView | Record | None,
        contents: dict[str, bytes],
        choice: Choice | None,
        back: int = 0,
    ) -> dict[str, bytes]:
        """Another statement with its proof under the smallest head that has it; nothing where none has."""
        if other is None or other.index is None:
            return {}
        sizes = sorted(int(n.split("/")[1]) for n in contents if n.endswith("/checkpoint"))
        size = next((size for size in sizes if size > other.index), None)
        if size is None:
            return {}
        opened: tuple[Opening, ...] = ()
        if choice is not None:
            with self.database.reading() as connection:
                opened = choice.of(openings.filed_openings(connection, other.seq), back)
        path = tuple(self.prover.proof_at(other.index, size))
        proof = ProofFile(other.index, path, self.prover.checkpoint(size).note).encode(TLOG_PROOF)
        found = {f"{folder}/statement.json": other.statement, f"{folder}/inclusion.tlog-proof": proof}
        return found | ({f"{folder}/openings.json": encode_openings(opened)} if opened else {})

    def _earlier(
        self, view: RecordView, viewer: Viewer, contents: dict[str, bytes], choice: Choice
    ) -> dict[str, bytes]:
        """The statements that this one follows, back to the first or to one that `viewer` may not see.

        Openings of all of them are held to `_MAX_EARLIER` together, so that the package stays within its own limit;
        what passes it is withheld.
        """
        found: dict[str, bytes] = {}
        room = _MAX_EARLIER
        with self.database.reading() as connection:
            chain = records.earlier(connection, view.seq, MAX_PREVIOUS)
        for back, record in enumerate(chain, 1):
            if not may_see(record, viewer):
                break
            own = viewer.tenant_id is not None and viewer.tenant_id == record.tenant_id
            folder = f"previous/{back}"
            files = self._beside(folder, record, contents, choice if own else None, back)
            if not files:
                break
            room -= len(files.get(f"{folder}/openings.json", b""))
            if room < 0:
                files.pop(f"{folder}/openings.json", None)
            found |= files
        return found


def _whole(connection: Connection, item: Anchoring) -> Anchoring:
    """The same anchor's next word that shows the contract's code, where this one does not.

    A node forgets states. What was mined while the service was down may be final without a proof of the code, and
    a package with it could never be checked to the end; each later anchor covers the same record.
    """
    if _shows_code(item):
        return item
    later = anchorings.final_words(connection, item.anchor, above=item.size, most=_LOOK_ON)
    return next((word for word in later if _shows_code(word)), item)


def _shows_code(item: Anchoring) -> bool:
    if item.kind != "evm" or item.evidence is None:
        return True
    return decode_evidence(item.evidence).account_proof is not None
