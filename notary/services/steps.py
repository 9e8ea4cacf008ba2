"""A step that a worker runs again and again, and when it last did."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Step:
    """One call; `period` in seconds. The times are of the worker's monotonic clock."""

    name: str
    period: float
    run: Callable[[], None]
    end: Callable[[], None] | None = None  # breaks off what takes long
    poked: float = 0.0
    succeeded: float = 0.0
    running: bool = False
