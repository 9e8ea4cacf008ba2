"""Who waits for what the writer commits, and how each is told of his outcome."""

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from notary.intake.bulk import BulkItem
from notary.intake.group import Item

_log = structlog.get_logger()


class Told(Protocol):
    """Who is told of an outcome, once, like a future."""

    def done(self) -> bool:
        """Whether nobody waits any more, or he was told."""

    def set_result(self, result: Any) -> None:
        """It is durable."""

    def set_exception(self, exception: Exception) -> None:
        """It is not, or that is not certain."""


@dataclass(slots=True)
class Waiting:
    """An item of `records` records that waits for the writer, and who waits for its outcome."""

    item: Item | BulkItem
    records: int
    tenant_id: int | None
    future: "Future[Any] | asyncio.Future[Any] | Told"
    loop: asyncio.AbstractEventLoop | None = None  # where the future may be touched; none: anywhere


def deliver(group: list[Waiting]) -> None:
    """Tell each his outcome, where he may be told: in the loop of his future, if that has one."""
    for waiting in group:
        if waiting.future.done():
            continue  # who asked has gone
        outcome = waiting.item.outcome
        try:
            if isinstance(outcome, Exception):
                waiting.future.set_exception(outcome)
            else:
                waiting.future.set_result(outcome)
        except Exception as error:  # noqa: BLE001 - what one makes of it keeps no other from being told
            _log.error("who waits could not be told", kind=type(error).__name__, exc_info=error)
            if not waiting.future.done():  # nothing was sent: it is durable, and he would wait for ever
                with suppress(Exception):
                    waiting.future.set_exception(error)
