"""Endpoints that do not come to call final what another one does: one of the two lags for good, or lies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from notary.errors import AnchorRejected
from notary.observe import RPC_BEHIND

_log = structlog.get_logger()
# Honest endpoints differ by seconds, whatever the chain: they hear of the same final block one after another.
PATIENCE = timedelta(minutes=5)
_MOST = 1000  # claims that are remembered


@dataclass(slots=True)
class Behind:
    """Is told what each endpoint of a chain calls final, again and again.

    A disagreement holds nothing back but the one word that too few share, and is no incident: nothing final is
    contradicted by a block that is not final yet. But who is wrong should be known before it matters.

    Attributes:
        chain_id: EIP-155.
        now: UTC.
        patience: for so long one may be behind another.
    """

    chain_id: int
    now: Callable[[], datetime]
    patience: timedelta = PATIENCE
    # The highest number that was called final, as it grew, and when it was first heard.
    _claims: list[tuple[datetime, int]] = field(default_factory=list, init=False)
    _late: dict[int, int] = field(default_factory=dict, init=False)
    # What each said last, and when: one that answers but now and then gets no new patience by that.
    _last: dict[int, tuple[datetime, int]] = field(default_factory=dict, init=False)

    def hear(self, finals: Mapping[int, int]) -> None:
        """Take in the newest final number of each endpoint that answers, by its place in the settings from 1 on.

        One that does not answer stands where it stood for as long as one may be behind.
        """
        now = self.now()
        self._last |= {place: (now, number) for place, number in finals.items()}
        silent = [place for place, said in self._last.items() if now - said[0] > self.patience]
        for place in silent:
            del self._last[place]
            RPC_BEHIND.remove(str(self.chain_id), str(place))  # no figure is better than one of long ago
        if not self._last:
            self._late = {}  # nobody is behind anybody
            return
        known = {place: number for place, (_, number) in self._last.items()}
        highest, lowest = max(known.values()), min(known.values())
        # What nobody claims any more was taken back, and is nothing to be behind of.
        claims = [(since, number) for since, number in self._claims if number <= highest]
        if not claims or claims[-1][1] < highest:
            claims.append((now, highest))
        claims = [claim for claim in claims if claim[1] > lowest] or claims[-1:]
        self._claims = claims[:1] + claims[1:][1 - _MOST :]
        late = {}
        for place, number in known.items():
            waited = now - next((since for since, claimed in self._claims if claimed > number), now)
            if place in finals:
                RPC_BEHIND.labels(str(self.chain_id), str(place)).set(max(0.0, waited.total_seconds()))
            # Silence alone makes nobody late, and ends no alarm.
            if waited > self.patience and (place in finals or place in self._late):
                late[place] = number
        if late and not self._late:
            _log.error(
                "endpoints do not agree on what is final", chain=self.chain_id, detail=_told(late, highest)
            )
        self._late = late

    def require_agreement(self) -> None:
        """Assert that none has been behind for long.

        Raises:
            AnchorRejected: says which, and by what.
        """
        if self._late:
            raise AnchorRejected(_told(self._late, self._claims[-1][1]))


def _told(late: Mapping[int, int], highest: int) -> str:
    shown = ", ".join(f"endpoint {place} none after {number}" for place, number in sorted(late.items()))
    return f"one endpoint calls block {highest} final, {shown}: one of them lags or lies"
