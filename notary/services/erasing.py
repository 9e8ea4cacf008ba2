"""Erasing what commitments of a record open, for ever; every proof stays valid."""

from collections.abc import Sequence
from dataclasses import dataclass

from notary.errors import NotFound, NotReady, RequestError
from notary.evidence.commitments import NAMES
from notary.store.claims import claims_on, delete_claims
from notary.store.engine import Database
from notary.store.findings import erase_findings
from notary.store.inspections import inspection_state
from notary.store.key_changes import KEY
from notary.store.openings import erase_openings
from notary.store.records import inspections_of, record_by_number

_INSPECTION = "inspection"


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases on behalf of the organisation that submitted; whoever runs the service calls it."""

    database: Database

    def erase(self, number: str, names: Sequence[str] | None) -> list[str]:
        """Destroy the openings of a record, and what else could show or confirm their values.

        With them go the claims of the request: digests of all its values, without a salt. Reports that printed them
        cannot be decrypted any more (`notary.services.kept_reports`).

        Args:
            number: of the record, in canonical form.
            names: of its commitments, `inspection` among them for what its signatures say; None: all.

        Returns:
            The names of what was erased.

        Raises:
            RequestError: commitments have other names; or it is a statement on a key of the log.
            NotFound: there is no such record, or it has no opening of these names any more.
            NotReady: its signatures are to be erased, and are not inspected yet.
            Unavailable: the database does not answer, or is being read as it was; to be run again.
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
        with self.database.writing() as connection:
            if names is None or _INSPECTION in names:
                if inspection_state(connection, record.seq) == "waiting":
                    raise NotReady(
                        "the signatures of this document are not inspected yet, and what they say would be filed "
                        "afterwards; erase it in a few minutes, or once the inspection has ended"
                    )
                for following in inspections_of(connection, record.seq):
                    erased += erase_openings(connection, following, names)
                # Of the inspection's own number, too: what was found is filed under the document's.
                about = record.follows_seq if record.type == _INSPECTION else record.seq
                erase_findings(connection, record.seq if about is None else about)
            erased += erase_openings(connection, record.seq, names)
            if erased and record.tenant_id is not None:
                delete_claims(connection, record.tenant_id, keys)
        # Durable: the openings are gone, and the claims with them. A crash before leaves both.
        self.database.scrub()
        if not erased:
            raise NotFound(
                "there is nothing to erase: the record never had these values, or has them no more"
            )
        return sorted(erased)
