"""Assembles proofs and packages of one record from what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from notary.errors import NotFound, NotReady
from notary.evidence.assemble import assemble
from notary.evidence.bag import evidence_manifest
from notary.evidence.chain import ChainEvidence, NotBefore, decode_evidence, decode_header, encode_evidence
from notary.evidence.commitments import encode_openings
from notary.evidence.consistency import Consistency, encode_consistency
from notary.evidence.package_names import OPENINGS, REPORT, STATEMENT
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.statement import parse_statement
from notary.proving import Prover
from notary.services.kept_reports import KeptReports
from notary.services.package_tools import static_members
from notary.services.records import Records
from notary.services.types import Found, RecordView, Viewer
from notary.store import anchorings, openings, promises, stamps, views
from notary.store.anchorings import Anchoring
from notary.store.blocks import block_header
from notary.store.engine import Connection, Database
from notary.store.places import group_of

_LOOK_ON = 16  # final words of an anchor that are looked through for one that is whole


@dataclass(frozen=True, slots=True)
class Packages:
    """What a record's holder takes out: a function of the record, the heads that cover it, and the stored report."""

    database: Database
    records: Records
    prover: Prover
    kept: KeptReports | None = None  # without it no package holds a report

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

    def package(self, number: str, viewer: Viewer, heads: Sequence[int] | None = None) -> bytes:
        """The evidence package (docs/formats.md §11), without the document, with the report that was stored of it.

        Openings, receipt and report are only for the organisation that submitted the record.

        Args:
            number: of the record, in canonical form.
            viewer: who asks.
            heads: sizes of the checkpoints to prove it under, with what attests to each; None takes for each anchor
                the first that covers the record.

        Raises:
            NotFound, NotReady: as `proof`.
        """
        contents = self.members(number, viewer, heads)
        if self.kept is not None and self._is_own(self.records.view(number, viewer), viewer):
            report = self.kept.read(number, evidence_manifest(contents))
            contents |= {} if report is None else {REPORT: report}
        return assemble(contents | static_members())

    def members(self, number: str, viewer: Viewer, heads: Sequence[int] | None = None) -> dict[str, bytes]:
        """The members of the package that checks read, by name. Arguments and errors as `package`."""
        view = self.records.view(number, viewer)
        if view.index is None:
            raise NotReady("the record is in no checkpoint yet; ask again in a few seconds")
        own = self._is_own(view, viewer)
        with self.database.reading() as connection:
            inspected = views.inspection_of(connection, view.seq)
            # An incident is told beside the receipt that it is about.
            broken = promises.incident_of(connection, group_of(view.seq)) if own else None
        contents = {STATEMENT: view.statement}
        if heads is None:
            later = [each for each in (inspected, broken) if each is not None]
            contents |= self._heads(view, view.index, later)
        else:
            contents |= self._named_heads(view, view.index, sorted(set(heads)))
        if own:
            contents |= self._own(view)
        contents |= self._later("inspection", inspected, contents, own=own)
        contents |= self._later("incident", broken, contents, own=own)
        sizes = sorted({int(name.split("/")[1]) for name in contents if name.startswith("heads/")})
        if len(sizes) > 1:
            proofs = tuple(
                Consistency(old, new, tuple(self.prover.consistency(old, new)))
                for old, new in pairwise(sizes)
            )
            contents["consistency.json"] = encode_consistency(proofs)
        return contents

    @staticmethod
    def _is_own(view: RecordView, viewer: Viewer) -> bool:
        return viewer.tenant_id is not None and viewer.tenant_id == view.tenant_id

    def _named_heads(self, view: RecordView, index: int, sizes: Sequence[int]) -> dict[str, bytes]:
        """Exactly these heads, with every final word on each."""
        if sizes[0] <= index:
            raise NotReady(f"the record is entry {index}: a head of {sizes[0]} entries does not have it")
        contents: dict[str, bytes] = {}
        for size in sizes:
            contents |= self._head(index, size)
        with self.database.reading() as connection:
            found = anchorings.final_at(connection, sizes)
        for item in found:
            contents |= self._attestation(view, item)
        return contents

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

    def _own(self, view: RecordView) -> dict[str, bytes]:
        assert view.tenant_id is not None  # noqa: S101 - the caller compared it
        contents = {"receipt.txt": self.records.receipt(view.number, view.tenant_id)}
        with self.database.reading() as connection:
            opened = openings.openings_of(connection, view.seq)
        return contents | ({OPENINGS: encode_openings(opened)} if opened else {})

    def _later(
        self, folder: str, later: RecordView | None, contents: dict[str, bytes], *, own: bool
    ) -> dict[str, bytes]:
        if later is None or later.index is None:
            return {}
        with self.database.reading() as connection:
            opened = openings.openings_of(connection, later.seq) if own else ()
        sizes = sorted(int(n.split("/")[1]) for n in contents if n.endswith("/checkpoint"))
        size = next((size for size in sizes if size > later.index), None)
        if size is None:
            return {}
        path = tuple(self.prover.proof_at(later.index, size))
        proof = ProofFile(later.index, path, self.prover.checkpoint(size).note).encode(TLOG_PROOF)
        found = {f"{folder}/statement.json": later.statement, f"{folder}/inclusion.tlog-proof": proof}
        return found | ({f"{folder}/openings.json": encode_openings(opened)} if opened else {})


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
