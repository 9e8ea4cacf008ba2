"""Rotation of a key, step by step; whoever is stopped at any of them runs it again and it goes on from there.

The order is: the new key in its file, durable → said in the log, closed under the old key → told in a trust
statement that both sign → the old key's work done → its end said in the log → told in a trust statement.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from notary.errors import RequestError, Unavailable
from notary.evidence.bodies import KeyChange
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.key_history import ADDED, COMPROMISED, HEAD, LOG, RETIRED, KeyHistory
from notary.intake.accept import Intake
from notary.intake.key_statement import log_key_change
from notary.services.trust_statements import FindKey, TrustStatements
from notary.store.anchorings import anchor_names, anchorings, earliest_anchoring, move
from notary.store.checkpoints import checkpoint_at, checkpoint_covering, newest_checkpoint
from notary.store.engine import Database
from notary.store.key_changes import known_history
from notary.store.trust_statements import trust_statement_waits

_UNDER_WAY = ("due", "signed", "sent", "mined")
_GONE = "its anchor was taken out of the settings before it was asked, and the key that signed this head has ended"
_VERSIONS = 3  # of the trust statement, that a rotation may make
_LOOK_SECONDS = 0.2


def _nothing(_old: str, _new: str) -> None:
    pass


def _no_contract() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Rotating:
    """Changes keys of a log that is open.

    Attributes:
        database, intake: where statements on keys become records.
        close: closes a batch if no other process does; harmless to call at any time.
        trust: makes trust statements.
        find_key: gives the private key of a log key.
        make: makes the file of the key with this number of its role, durably, or finds it made; gives its
            public form. It shows that the key can be used.
        take_over: by role, what makes the new key (second) work in the place of the old one (first).
        head_on_chain: gives the address that the contract takes heads of; None without a chain.
        anchors: names of those that are asked still; what others were to attest is not waited for. None: all.
        patience: seconds for each thing that is waited for.
        pause: sleeps so many seconds.
    """

    database: Database
    intake: Intake
    close: Callable[[], object]
    trust: TrustStatements
    find_key: FindKey
    make: Callable[[str, int], str]
    take_over: Mapping[str, Callable[[str, str], None]]
    head_on_chain: Callable[[], str | None] = _no_contract
    anchors: Collection[str] | None = None
    patience: float = 120.0
    pause: Callable[[float], None] = time.sleep

    def rotate(self, role: str, key: str | None = None, *, finish: bool = False) -> bool:
        """Bring a new key of a role into force and end the old one; or finish what was begun, and no more.

        Args:
            role: whose key.
            key: the one that `make` will give, where that is known; the newest of the role is not added again.
            finish: begin nothing, whatever there is to finish.

        Returns:
            Whether a new key was made; False where an earlier run was brought to its end.

        Raises:
            SettingsError: a key file cannot be made or is not at hand; or the trust file is too large to be published.
            Unavailable: something is not done yet, says what: run it again.
            RequestError, Conflict, AnchorRejected: it cannot be done so.
        """
        idle = not self._waits()
        self.wait_closed()
        history = self._history()
        if key in history.keys(role)[:-1]:
            raise RequestError(
                f"{key} was a {role} key of this log before, and no key comes back: no rotation was begun, and "
                f"{history.in_force(role)} is in force"
            )
        # Told to the end, or nothing was ever said: then this run is a new rotation.
        told = not history.events or (idle and self.trust.keys_told())
        new = told and history.unfinished(role) is None and not finish and key not in history.keys(role)
        if new:
            self.trust.require_room(_VERSIONS)
        self.publish()  # before the first rotation, too: the old key's word on what it was
        if new:
            self._add(role)
        old = self._history().unfinished(role)
        if old is not None:
            self._end(role, old)
        return new

    def compromise(self, role: str, key: str, last_good_size: int, until: datetime | None) -> None:
        """Say that others have, or may have, a key that is not in force any more.

        Args:
            role: of the key.
            key: vkey or address.
            last_good_size: no larger tree was signed by it in good faith; the size of a checkpoint, or 0.
            until: from when on others had it; None: from now on.

        Raises:
            RequestError: not such a key, the key in force, or a size or moment that cannot be.
            Unavailable: as `rotate`.
        """
        self.wait_closed()
        history = self._history()
        self._check_end(history, role, key, last_good_size, until)
        # Else the log would name a key that the contract does not take, and no head be anchored again.
        if role == HEAD and history.unfinished(HEAD) == key and self.head_on_chain() == key:
            raise RequestError(
                "the contract still takes this head key: run `notary key rotate head` to its end first"
            )
        # Logged whether or not a trust statement has room for it: `notary trust` writes it for verifiers all the same.
        log_key_change(self.intake, KeyChange(role, COMPROMISED, key, last_good_size), self.find_key, until)
        self.wait_closed()
        self.publish()

    def publish(self) -> None:
        """Publish a trust statement where the newest does not say what is so, and wait until it is in the log."""
        if self.trust.publish(self.intake, self.find_key) is not None:
            self.wait_closed()

    def wait_closed(self) -> None:
        """Wait until every statement on keys and every version of the trust statement has its place in the log.

        Raises:
            Unavailable: nobody closes batches.
        """

        def closed() -> bool:
            self.close()
            return not self._waits()

        self._wait(closed, "the log does not close what was accepted: run this again while a worker runs")

    def _add(self, role: str) -> None:
        number = len(self._history().keys(role)) + 1
        # Durable: the key file. A crash from here on leaves a key that nobody knows, which the next run takes.
        key = self.make(role, number)
        log_key_change(self.intake, KeyChange(role, ADDED, key, None), self.find_key)
        self.wait_closed()
        # Closed under the old key. From here on the new one signs; both are known by the log.
        self.publish()

    def _end(self, role: str, old: str) -> None:
        new = self._history().keys(role)[-1]
        self.publish()
        self.take_over.get(role, _nothing)(old, new)
        size = self._wait_attested() if role == LOG else None
        log_key_change(self.intake, KeyChange(role, RETIRED, old, size), self.find_key)
        self.wait_closed()
        self.publish()

    def _wait_attested(self) -> int:
        """Wait until no head of the old log key is on its way to a third party, which would date it too late.

        Returns:
            The size of the last checkpoint that the old key signed.
        """
        with self.database.reading() as connection:
            events = known_history(connection).events
            added = [e.index for e in events if (e.change.role, e.change.action) == (LOG, ADDED)][-1]
            assert added is not None  # noqa: S101 - it was waited for
            last = checkpoint_covering(connection, added).size

        def attested() -> bool:
            with self.database.reading() as connection:
                names = anchor_names(connection) if self.anchors is None else self.anchors
                found = [earliest_anchoring(connection, name, _UNDER_WAY) for name in names]
            return all(item is None or item.size > last for item in found)

        self._wait(
            attested,
            f"heads up to size {last}, signed by the old key, are still on their way to authorities or chains: "
            "the new key signs already; run this again later to retire the old one",
        )
        self._give_up(last)
        return last

    def _give_up(self, last: int) -> None:
        """Nothing is due at an anchor that was taken out of the settings: if it comes back, the newest head is."""
        if self.anchors is None:
            return
        now = self.intake.now()
        with self.database.writing() as connection:
            for name in set(anchor_names(connection)) - set(self.anchors):
                for item in anchorings(connection, anchor=name, states=("due",)):
                    if item.size <= last:
                        move(connection, item.id, "due", "rejected", now, detail=_GONE)

    def _check_end(self, history: KeyHistory, role: str, key: str, size: int, until: datetime | None) -> None:
        periods = {period.key: period for period in history.periods(role)}
        since = periods[key].since if key in periods else None
        if until is not None and (until > self.intake.now() or (since is not None and until < since)):
            raise RequestError("the moment from which on others had the key is not within its period")
        with self.database.reading() as connection:
            newest = newest_checkpoint(connection).size
            if size > newest:
                raise RequestError(f"the log has {newest} entries, and nothing was signed of {size}")
            if role != LOG or size == 0:
                return
            note = checkpoint_at(connection, size).note
        if open_checkpoint(note, history.origin, history.verifiers(LOG)).verifier.vkey != key:
            raise RequestError(f"the checkpoint of size {size} was signed by another key")

    def _waits(self) -> bool:
        with self.database.reading() as connection:
            waits = any(event.index is None for event in known_history(connection).events)
            return waits or trust_statement_waits(connection)

    def _history(self) -> KeyHistory:
        with self.database.reading() as connection:
            return known_history(connection)

    def _wait(self, done: Callable[[], bool], otherwise: str) -> None:
        left = self.patience
        while not done():
            if left <= 0:
                raise Unavailable(otherwise)
            self.pause(_LOOK_SECONDS)
            left -= _LOOK_SECONDS
