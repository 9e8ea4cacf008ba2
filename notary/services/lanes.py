"""Turns for what takes long: a few at a time, and the organisations one after another."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


@dataclass(slots=True)
class _Lane:
    turn: CapacityLimiter
    cars: int = 0  # that have the turn or wait for it


@dataclass(slots=True)
class Lanes:
    """Each organisation waits in a lane of its own, and whoever is first in his lane waits with the other firsts.

    So one that sends a thousand requests at a time keeps another waiting for one of them, and not for all.

    Attributes:
        most: at work at a time.
        of_one: of them, those of one organisation.
    """

    most: int
    of_one: int = 1
    # Made by the first that comes, since a limiter belongs to its event loop.
    _all: CapacityLimiter | None = field(default=None, repr=False)
    _lanes: dict[int, _Lane] = field(default_factory=dict, repr=False)

    async def run(
        self, tenant_id: int, function: Callable[[*Arguments], Result], *arguments: *Arguments
    ) -> Result:
        """What `function` returns, from a thread, once it is this organisation's turn."""
        async with self._lane(tenant_id):
            return await to_thread.run_sync(function, *arguments, limiter=self._limiter())

    @asynccontextmanager
    async def turn(self, tenant_id: int) -> AsyncIterator[None]:
        """Until the block ends, it is this organisation's turn."""
        async with self._lane(tenant_id), self._limiter():
            yield

    @asynccontextmanager
    async def _lane(self, tenant_id: int) -> AsyncIterator[None]:
        lane = self._lanes.setdefault(tenant_id, _Lane(CapacityLimiter(self.of_one)))
        lane.cars += 1
        try:
            async with lane.turn:
                yield
        finally:
            lane.cars -= 1
            if not lane.cars:
                del self._lanes[tenant_id]

    def _limiter(self) -> CapacityLimiter:
        if self._all is None:
            self._all = CapacityLimiter(self.most)
        return self._all
