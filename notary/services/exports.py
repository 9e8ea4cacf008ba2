"""The proof of one record in other forms than a tlog-proof (docs/formats.md §7)."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from notary.errors import NotFound, NotReady, RequestError
from notary.evidence.checkpoint import parse_checkpoint
from notary.evidence.cose import parse_receipt
from notary.evidence.json_proof import JsonProof
from notary.evidence.note import parse_note
from notary.evidence.proof_file import TLOG_PROOF, ProofFile, parse_proof_file
from notary.proving import Prover
from notary.services.believing import believed, believed_pending, first_believed
from notary.services.opening import Choice
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.types import RecordView, Viewer
from notary.store import anchorings, openings
from notary.store.anchorings import Anchoring
from notary.store.checkpoints import receipted_checkpoint
from notary.store.engine import Connection, Database
from notary.store.final_words import earliest_final

_OTS = "opentimestamps"


class Format(StrEnum):
    """How a proof is written; also how its file name ends."""

    TLOG_PROOF = "tlog-proof"
    COSE = "cose"
    JSON = "json"
    OTS = "ots"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file, and the size of the checkpoint that it is under."""

    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Exports:
    """Writes proofs for whoever may see the record; all but openings say the same to all of them."""

    database: Database
    records: Records
    packages: Packages
    prover: Prover

    def export(self, number: str, viewer: Viewer, form: Format, size: int | None, choice: Choice) -> Exported:
        """The proof of a record.

        Args:
            number: of the record, in canonical form.
            viewer: who asks.
            form: how it is written.
            size: of the checkpoint; None takes the first that serves.
            choice: what is opened, in the JSON form. Openings are for the organisation that submitted.

        Raises:
            NotFound: `viewer` may not see the record, there is no checkpoint of that size, or no such file over it.
            NotReady: it is in no checkpoint yet, in none of that size, or in none that this form can be of.
            RequestError: what is to be opened is not there for `viewer`, or the form holds no openings.
        """
        view = self.records.view(number, viewer)
        if form is not Format.JSON and choice.names != frozenset():
            raise RequestError("openings have a place in the JSON form of a proof alone, and in a package")
        match form:
            case Format.JSON:
                return self._json(view, viewer, size, choice)
            case Format.COSE:
                data = self.prover.cose_receipt(view, self._receipted(view) if size is None else size)
                return Exported(data, parse_receipt(data).size)
            case Format.OTS:
                return self._ots(view, size)
            case Format.TLOG_PROOF:
                data = self.packages.proof(number, viewer, size)
                return Exported(data, _size_of(parse_proof_file(data, TLOG_PROOF)))

    def _receipted(self, view: RecordView) -> int | None:
        """Of the first checkpoint that is believed and was signed for receipts; None where there is none at all."""
        with self.database.reading() as connection, suppress(NotFound):
            if view.index is not None:
                return first_believed(connection, view.index, receipted_checkpoint).size
        return None  # the prover says what is missing

    def _json(self, view: RecordView, viewer: Viewer, size: int | None, choice: Choice) -> Exported:
        file = parse_proof_file(self.packages.proof(view.number, viewer, size), TLOG_PROOF)
        filed = []
        if viewer.tenant_id is not None and viewer.tenant_id == view.tenant_id:
            with self.database.reading() as connection:
                filed = openings.filed_openings(connection, view.seq)
        opened, under = choice.of(filed), _size_of(file)
        choice.check()
        proof = JsonProof(view.statement, opened, file.index, under, file.path, file.note)
        return Exported(proof.encode(), under)

    def _ots(self, view: RecordView, size: int | None) -> Exported:
        if view.index is None:
            raise NotReady("the record is in no checkpoint yet; ask again in a few seconds")
        if size is not None and size <= view.index:
            raise NotReady(f"record {view.number} is not in a checkpoint of size {size} yet")
        with self.database.reading() as connection:
            found = _calendars(connection, view.index, size)
        for item in found:
            if item.evidence:
                return Exported(item.evidence, item.size)
        raise NotFound("there is no OpenTimestamps file for this record, or none over that checkpoint")


def _size_of(file: ProofFile) -> int:
    return parse_checkpoint(parse_note(file.note).text).size


def _calendars(connection: Connection, index: int, size: int | None) -> list[Anchoring]:
    """Calendars' words on a head with entry `index`, those that lead to a block before those that do not yet."""
    if size is not None:
        return [
            item
            for state in ("final", "sent")
            for item in anchorings.anchorings_of_sizes(connection, [size], _OTS, state)
        ]
    earliest = believed(connection, earliest_final(connection, index))
    final = [item for item in earliest if item.kind == _OTS]
    return [*final, *believed_pending(connection, index, {item.anchor for item in final}, ())]
