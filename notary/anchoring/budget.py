"""The share of a day that a wallet may spend, counted from what is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from notary.anchoring.funds import most_spent
from notary.anchoring.sending import attempt_of
from notary.store import outbox
from notary.store.engine import Database

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Budget:
    """What one wallet may spend on one anchor in any 24 hours.

    Attributes:
        lane: address of the wallet.
        per_day: wei.
    """

    database: Database
    anchor: str
    lane: str
    per_day: int
    now: Callable[[], datetime]

    def left(self, nonce: int, data: int = 0) -> int:
        """Wei that a transaction with this nonce may take: the day's share without what all others may take.

        `data` is what each of them is counted with beside its gas, wei.
        """
        now = self.now()
        with self.database.reading() as connection:
            stored = outbox.attempts_since(connection, self.anchor, self.lane, now - _DAY, now)
        return max(0, self.per_day - most_spent(map(attempt_of, stored), nonce, data))
