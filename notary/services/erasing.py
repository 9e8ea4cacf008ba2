"""Erasing what commitments of a record open, for ever; every proof stays valid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notary.errors import NotFound, RequestError, Unavailable
from notary.evidence.commitments import NAMES
from notary.store.claims import claims_on, delete_claims
from notary.store.engine import Connection, Database
from notary.store.findings import erase_findings
from notary.store.inspections import cancel_inspection
from notary.store.key_changes import KEY
from notary.store.openings import erase_openings
from notary.store.records import Record, inspections_of, record_by_number

_INSPECTION = "inspection"


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases on behalf of the organisation that submitted; whoever runs the service calls it.

    Attributes:
        database: where it is erased.
        discard: deletes a document of the spool, by its name there; one that is gone is no error.
    """

    database: Database
    discard: Callable[[str], object]

    def erase(self, number: str, names: Sequence[str] | None) -> list[str]:
        """Destroy the openings of a record, and what else could show or confirm their values.

        With them go the claims of the request: digests of all its values, without a salt. Reports that printed them
        cannot be decrypted any more (`notary.services.kept_reports`). A document whose signatures are to be erased
        before they were inspected is never inspected, and leaves the spool.

        Args:
            number: of the record, in canonical form.
            names: of its commitments, `inspection` among them for what its signatures say; None: all.

        Returns:
            The names of what was erased.

        Raises:
            RequestError: commitments have other names; or it is a statement on a key of the log.
            NotFound: there is no such record, or it has no opening of these names any more.
            Unavailable: the database does not answer, or is being read as it was, to be run again; or the document
                in the spool could not be deleted.
        """
        unknown = sorted(set(names or ()) - set(NAMES))
        if unknown:
            raise RequestError(f"{unknown[0][:40]!r} is not the name of a commitment: use {', '.join(NAMES)}")
        with self.database.reading() as connection:
            record = record_by_number(connection, number)
            if record.type == KEY:
                raise RequestError(
                    "what a statement on a key of the log commits to is not erased: no process works without it"
                )
            # Whole: a claim is made together with its record, or never.
            keys = [] if record.tenant_id is None else claims_on(connection, record.tenant_id, record.seq)
        erased: list[str] = []
        waited: str | None = None
        with self.database.writing() as connection:
            if names is None or _INSPECTION in names:
                waited, erased = _erase_inspections(connection, record, names)
            erased += erase_openings(connection, record.seq, names)
            if erased and record.tenant_id is not None:
                delete_claims(connection, record.tenant_id, keys)
        # Durable: the openings are gone, and the claims with them, and nobody waits for the document. A crash before
        # leaves all of it; one after may leave the document in the spool, where it is swept away after a day.
        self.database.scrub()
        if waited is not None:
            _discarded(self.discard, waited)
        if not erased:
            raise NotFound(
                "there is nothing to erase: the record never had these values, or has them no more"
            )
        return sorted(erased)


def _erase_inspections(
    connection: Connection, record: Record, names: Sequence[str] | None
) -> tuple[str | None, list[str]]:
    """The document of an inspection that had not ended, None where there is none; and the names of what is erased."""
    # First: an inspection that is under way at this moment finds nothing to end, and files no report.
    waited = cancel_inspection(connection, record.seq)
    erased = [] if waited is None else [_INSPECTION]
    for following in inspections_of(connection, record.seq):
        erased += erase_openings(connection, following, names)
    # Of the inspection's own number, too: what was found is filed under the document's.
    about = record.follows_seq if record.type == _INSPECTION else record.seq
    erase_findings(connection, record.seq if about is None else about)
    return waited, erased


def _discarded(discard: Callable[[str], object], name: str) -> None:
    try:
        discard(name)
    except OSError as error:
        raise Unavailable(
            f"what was stored is erased, but the document {name} in the spool could not be deleted "
            f"({error.strerror}): delete it, or wait a day until it is swept away"
        ) from error
