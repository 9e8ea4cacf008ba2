"""Reading records: who may see what."""

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from notary.errors import BadNumber, NotFound, UnknownAlgorithm
from notary.evidence.number import lookup_code, parse_number
from notary.services.types import AttestedHead, Found, Grown, Viewer
from notary.store import lookups, standing, views
from notary.store.engine import Connection, Database
from notary.store.findings import validation_reports
from notary.store.records import Record
from notary.store.sound import require_own_entry
from notary.store.standing import Reached
from notary.store.views import RecordView

_MAX_LOOKUP = 100
_REACHED_SECONDS = 0.2  # a look-up's word on stamps and anchors may be this old
_LOOKED_UP = ("sha-256", "sm3")
_OPENED_BY_CODE = ("by-code", "by-document")
# As long as the statement of a document. Its code opens nothing, since no record has it.
_NOBODYS = json.dumps({"padding": "0" * 700, "salt": bytes(32).hex()}).encode()
_HIDDEN = "there is no record of this number that you may see; compare the number, or present the document"


@dataclass(frozen=True, slots=True)
class Records:
    """Reads with the rules of visibility: what may not be seen is as if it were not there."""

    database: Database
    clock: Callable[[], float] = time.monotonic
    _reached: list[tuple[Reached, float]] = field(default_factory=list, repr=False)

    def view(self, number: str, viewer: Viewer) -> RecordView:
        """One record.

        Raises:
            NotFound: there is none, or `viewer` may not see it; which of the two is not told.
            Fatal: its statement is not that of its entry.
        """
        eyes = _Eyes(viewer)
        with self.database.reading() as connection:
            found = views.by_number(connection, number, eyes)
        eyes.rest()
        if found is None:
            raise NotFound(_HIDDEN)
        require_own_entry(found.number, found.statement, found.entry)
        return found

    def own(self, number: str, tenant_id: int) -> RecordView:
        """One of an organisation's own records, whoever else may see it.

        Raises:
            NotFound: it has no such record.
        """
        found = self.view(number, Viewer(tenant_id))
        if found.tenant_id != tenant_id:
            raise NotFound(_HIDDEN)
        return found

    def page(
        self, tenant_id: int, *, after: str | None, limit: int, kind: str | None, sha256: bytes | None
    ) -> list[RecordView]:
        """An organisation's own records, oldest first.

        Args:
            tenant_id: of the organisation.
            after: the record number behind which to go on; None: from the first.
            limit: how many at most.
            kind: of this type alone: document, event, inspection or report; None: of any.
            sha256: of documents with this digest (32 bytes) alone.
        """
        with self.database.reading() as connection:
            return views.page(connection, tenant_id, after=after, limit=limit, kind=kind, sha256=sha256)

    def lookup(self, algorithm: str, value: bytes, viewer: Viewer) -> list[Found | Grown]:
        """Documents with this digest that `viewer` may see, earliest first; 100 at most.

        Behind them those that were it at an earlier revision: as `Grown` where that alone is not enough to see them.
        One question to the database, of a miss and of a hit. A code is tried on the 1000 earliest; that of a later one
        opens it by its number.

        Raises:
            UnknownAlgorithm: others are claimed by submitters, and nothing is found by a claim.
            Fatal: a statement that was found is not that of its entry.
        """
        if algorithm not in _LOOKED_UP:
            raise UnknownAlgorithm(f"documents are looked up by {' or '.join(_LOOKED_UP)}")
        eyes = _Eyes(viewer)
        with self.database.reading() as connection:
            found = lookups.by_digest(
                connection,
                algorithm,
                value,
                _MAX_LOOKUP,
                visibilities=("public", "by-document", *(("by-code",) if viewer.code else ())),
                tenant_id=viewer.tenant_id,
                reached=self._how_far(connection),
                shown=eyes.found,
            )
        eyes.rest()
        for each in found:
            require_own_entry(each.record.number, each.record.statement, each.record.entry)
        return [eyes.shown(each) for each in found]

    def validation(self, number: str, tenant_id: int, position: int) -> bytes:
        """The report (XML, ETSI TS 119 102-2) on a signature of an organisation's own document.

        Raises:
            NotFound: it has no such record, or there is no such report: it was not made, or erased.
        """
        view = self.own(number, tenant_id)
        with self.database.reading() as connection:
            found = validation_reports(connection, view.seq).get(position)
        if found is None:
            raise NotFound("there is no validation report on this signature")
        return found

    def receipt(self, number: str, tenant_id: int) -> bytes:
        """The receipt of an organisation's own record.

        Raises:
            NotFound: it has no such record, or the record has no receipt.
            Fatal: what is stored is not what was signed.
        """
        with self.database.reading() as connection:
            found = views.receipt(connection, number, tenant_id)
        if found is None:
            raise NotFound(_HIDDEN)
        return found

    def attested_heads(self) -> list[AttestedHead]:
        """The newest heads that third parties attest, the largest first."""
        with self.database.reading() as connection:
            return [AttestedHead(*row) for row in standing.attested_heads(connection)]

    def _how_far(self, connection: Connection) -> Reached:
        """How far the words of anchors go: the same for all records, so all look-ups of a moment share it."""
        now = self.clock()
        if self._reached and 0 <= now - self._reached[0][1] <= _REACHED_SECONDS:
            return self._reached[0][0]
        found = standing.reached(connection)
        self._reached[:] = [(found, now)]
        return found


@dataclass(slots=True)
class _Eyes:
    """Says which records a viewer may see, and takes as long where there is none as for one that is hidden."""

    viewer: Viewer
    compared: bool = False

    def __call__(self, record: RecordView) -> bool:
        self.compared = self.compared or record.visibility in _OPENED_BY_CODE
        return may_see(record, self.viewer)

    def found(self, found: Found) -> bool:
        """The same of what was looked up, or may be told of: a revision that a party had signed leads to its document.

        One that nobody had signed does not: a form that many fill in would show who did.
        """
        return self(found.record) or _signed_before(found)

    def _opened(self, found: Found) -> bool:
        """Whether what was found is shown, and not only told of.

        Not by a copy that one party signed, which may be an offer to many: each would see what the others signed. It
        is, like the document, where the submitter chose `by-document` and not the inspection.
        """
        return may_see(found.record, self.viewer) or (
            _signed_before(found) and found.record.visibility_chosen
        )

    def shown(self, found: Found) -> Found | Grown:
        """What is handed on of what `found` let through."""
        if found.earlier is None or self._opened(found):
            return found
        return Grown(found.record.number, found.record.received, found.earlier)

    def rest(self) -> None:
        """Compare the code with that of no record, unless it was compared with another."""
        if not self.compared:
            _is_code_of(_NOBODYS, self.viewer)


def _signed_before(found: Found) -> bool:
    return found.earlier is not None and found.earlier.signed and found.record.visibility == "by-document"


def may_see(record: RecordView | Record, viewer: Viewer) -> bool:
    """Whether `viewer` may see statement and proofs (design §2, visibility)."""
    if viewer.tenant_id is not None and viewer.tenant_id == record.tenant_id:
        return True
    match record.visibility:
        case "public":
            return True
        case "by-document":
            # The code, too: it was given out before the default changed to this (notary.intake.inspect).
            return _presents_document(record, viewer) or _presents_code(record, viewer)
        case "by-code":
            return _presents_code(record, viewer)
    return False


def _presents_document(record: RecordView | Record, viewer: Viewer) -> bool:
    if viewer.digest is None:
        return False
    algorithm, value = viewer.digest
    known = {"sha-256": record.sha256, "sm3": record.sm3}.get(algorithm)
    return known is not None and hmac.compare_digest(known, value)


def _presents_code(record: RecordView | Record, viewer: Viewer) -> bool:
    return _is_code_of(record.statement, viewer)


def _is_code_of(statement: bytes, viewer: Viewer) -> bool:
    if viewer.code is None:
        return False
    try:
        typed = parse_number(viewer.code)
    except BadNumber:
        return False
    # Not parsed as strictly as evidence is: these bytes are our own, and a code may be tried on many.
    salt = bytes.fromhex(json.loads(statement)["salt"])
    return hmac.compare_digest(typed, lookup_code(salt))
