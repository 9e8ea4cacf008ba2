"""What becomes of a time stamp once it is final: its number is compared, its certificates are watched.

A stamp is a matter of one answer. Whether its authority's certificates were revoked when it was made can only be
asked later: what a CA says counts from the moment of the stamp on (docs/formats.md §9, check 15). So it is asked
again and again, until it says it of that moment, and kept for the packages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from cryptography import x509

from notary.anchoring.revocation import Source, sources
from notary.errors import TimestampError, Unavailable
from notary.evidence.timestamp import Authority, Stamp, check_token
from notary.evidence.timestamp_certificate import read_certificate
from notary.evidence.timestamp_issuing import MAX_TAKEN_IN, Tries
from notary.evidence.timestamp_revocation import shows, spoils, statuses_of
from notary.evidence.timestamp_serial import issuer_of
from notary.evidence.timestamp_status import RevocationData, Status
from notary.observe import REVOCATION_AGE, STAMPS_BAD
from notary.store import stamps
from notary.store.anchorings import Anchoring
from notary.store.engine import Connection, Database
from notary.store.stamps import StoredStamp, Watched

_log = structlog.get_logger()
_BATCH = 64  # stamps that are looked at before others have their turn
_FIRST = timedelta(
    seconds=30
)  # until an authority's CA that did not answer is asked again; then twice as long
_ALL = datetime(1970, 1, 1, tzinfo=UTC)  # before any token

Fetch = Callable[[Source, x509.Certificate, x509.Certificate], RevocationData]


@dataclass(slots=True)
class StampWatch:
    """Looks at all final stamps of some authorities.

    Attributes:
        authorities: by the name of the anchor.
        note: the stamped bytes of a checkpoint by its size.
        fetch: asks one place; raises Unavailable.
        interval: between two questions about one certificate.
    """

    database: Database
    authorities: Mapping[str, Authority]
    note: Callable[[int], bytes]
    fetch: Fetch
    interval: timedelta
    now: Callable[[], datetime]
    # In memory alone: after a restart each place is asked once more than it need be.
    _next: dict[bytes, tuple[datetime, timedelta]] = field(default_factory=dict, init=False)

    def step(self) -> None:
        """Look at new stamps, then ask what is due to be asked.

        Raises:
            Unavailable: a CA gave no usable answer; whatever others said is kept.
        """
        for name, authority in self.authorities.items():
            with self.database.reading() as connection:
                items = stamps.not_looked_at(connection, name, _BATCH)
            for item in items:
                self._look(item, authority)
        self._collect()

    def _look(self, item: Anchoring, authority: Authority) -> None:
        note = self.note(item.size)
        try:
            made = check_token(item.evidence or b"", note, authority, tries=Tries(MAX_TAKEN_IN))
            with self.database.writing() as connection:
                # Durable after the commit: that this stamp was seen, under its number. A crash before it means that
                # it is looked at again.
                verdict = self._enter(connection, item, authority, made)
        except (
            TimestampError,
            UnicodeError,
        ) as error:  # a text that no database takes holds up no other stamp
            _log.error("a stored time stamp fails", anchor=item.anchor, size=item.size, detail=str(error))
            verdict = "unreadable"
            stored = StoredStamp(item.id, item.anchor, item.size, "", "", b"", item.created_at, b"", verdict)
            with self.database.writing() as connection:
                # Durable after the commit: that this stamp counts for nothing. A crash before it: as above.
                stamps.add_stamp(connection, stored)
        if verdict:
            STAMPS_BAD.labels(item.anchor, verdict).inc()

    def _enter(self, connection: Connection, item: Anchoring, authority: Authority, made: Stamp) -> str:
        counted = issuer_of(made, authority.organisation)
        others = stamps.stamps_numbered(connection, counted, str(made.serial))
        other = next((each for each in others if each.content != made.content), None)
        spoiled = stamps.watch(connection, made.path, made.gen_time)
        verdict = "" if spoiled is None or made.gen_time < spoiled else "revoked"
        if other is not None:
            verdict = "reused"
            _log.error(
                "an authority used a serial number twice; the later token is not believed",
                anchor=item.anchor,
                serial=made.serial,
                size=item.size,
                first_size=other.size,
            )
        signer = stamps.digest_of(made.path[0])
        stamps.add_stamp(
            connection,
            StoredStamp(
                item.id,
                item.anchor,
                item.size,
                counted,
                str(made.serial),
                made.content,
                made.gen_time,
                signer,
                verdict,
            ),
        )
        return verdict

    def _collect(self) -> None:
        now, problems = self.now(), []
        waiting = self._waiting(now)
        oldest = min((watched.covered_at or watched.needed_at for watched, _ in waiting), default=now)
        REVOCATION_AGE.set((now - oldest).total_seconds())
        for watched, certificate in waiting:
            due, delay = self._next.get(watched.digest, (now, _FIRST))
            if due > now:
                continue
            problem = self._ask(watched, certificate)
            if problem:
                problems.append(problem)
                self._next[watched.digest] = (now + delay, min(2 * delay, max(self.interval, _FIRST)))
            else:
                self._next[watched.digest] = (now + self.interval, _FIRST)
        if problems:
            raise Unavailable("; ".join(problems))

    def _waiting(self, now: datetime) -> list[tuple[Watched, x509.Certificate]]:
        """What can be asked about: certificates that name a place, and have not ended.

        A CA may leave what has expired out of its lists: what it says from then on shows nothing.
        """
        with self.database.reading() as connection:
            uncovered = stamps.uncovered(connection)
        found = []
        for each in uncovered:
            try:
                certificate, places = (parsed := x509.load_der_x509_certificate(each.der)), sources(parsed)
                x509.load_der_x509_certificate(each.issuer)  # which the question names
            except Exception as error:  # noqa: BLE001 - one that is odd in any way holds up no other
                _log.warning(
                    "a certificate cannot be asked about", digest=each.digest.hex(), detail=str(error)
                )
                continue
            if places and now <= certificate.not_valid_after_utc:
                found.append((each, certificate))
        return found

    def _ask(self, watched: Watched, certificate: x509.Certificate) -> str:
        """Ask one place after another until one speaks of the newest stamp; what was wrong where none spoke at all."""
        issuer = x509.load_der_x509_certificate(watched.issuer)
        asked, above = read_certificate(watched.der), read_certificate(watched.issuer)
        answered, problems = False, []
        for source in sources(certificate):
            try:
                data = self.fetch(source, certificate, issuer)
                statuses = statuses_of(data, asked, above)
            except (Unavailable, TimestampError) as error:
                problems.append(str(error))
                continue
            if not statuses:
                problems.append(f"{source.url} says nothing of {asked.title}")
                continue
            status = min(statuses, key=_badness)
            self._keep(watched, status, data)
            answered = True
            if status.revoked_at is not None or shows(status, asked, watched.needed_at):
                break
        return "" if answered else "; ".join(problems)

    def _keep(self, watched: Watched, status: Status, data: RevocationData) -> None:
        spoiled: list[StoredStamp] = []
        with self.database.writing() as connection:
            # Durable after the commit: the CA's word, and what it takes away. A crash before it asks again.
            if watched.covered_at is None or status.this_update > watched.covered_at:
                stamps.add_revocation(
                    connection, watched.digest, status.this_update, data.kind.value, data.data
                )
            if status.revoked_at is not None:
                since = _ALL if spoils(status, _ALL) else status.revoked_at
                spoiled = stamps.revoke(connection, watched.digest, since)
        for each in spoiled:
            _log.error(
                "a certificate behind a time stamp was revoked; it is not believed any more",
                anchor=each.anchor,
                size=each.size,
                reason=status.reason,
            )
            STAMPS_BAD.labels(each.anchor, "revoked").inc()


def _badness(status: Status) -> tuple[bool, bool, datetime]:
    """The least is the worst: revoked for ever, revoked from the earliest moment on, good as of the earliest."""
    since = status.revoked_at
    return since is None, not spoils(status, _ALL), since or status.this_update
