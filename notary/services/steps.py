"""A step that a worker runs again and again, and when it last did."""

from collections.abc import Callable
from dataclasses import dataclass

_LEAST_PATIENCE = 60.0


def patience_of(period: float) -> float:
    """For how long a step of this period may be silent, in seconds: twice as long, and a minute at least."""
    return max(2 * period, _LEAST_PATIENCE)


@dataclass(slots=True)
class Step:
    """One call; `period` in seconds. The times are of the worker's monotonic clock.

    `patience` is how long it may be silent, in seconds: as `patience_of`, unless it says.
    """

    name: str
    period: float
    run: Callable[[], None]
    end: Callable[[], None] | None = None  # breaks off what takes long
    patience: float = 0.0
    poked: float = 0.0
    succeeded: float = 0.0
    running: bool = False

    def __post_init__(self) -> None:
        self.patience = self.patience or patience_of(self.period)
