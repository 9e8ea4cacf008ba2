"""Logging and the table of metrics."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

SUBMISSIONS = Counter("notary_submissions_total", "Submissions answered, by kind and source.", ["kind"])
CLOSED_ENTRIES = Counter(
    "notary_closed_entries_total", "Entries that came under a checkpoint in this process."
)
LOG_SIZE = Gauge("notary_log_size", "Entries under the newest checkpoint that this process has seen.")
PENDING = Gauge("notary_pending_entries", "Entries that wait for a checkpoint.")
ANCHOR_MOVES = Counter(
    "notary_anchor_moves_total", "Moves of anchorings, by new state.", ["anchor", "state"]
)
STEP_SECONDS = Histogram("notary_step_seconds", "Duration of one run of a worker's step.", ["step"])
STEP_FAILURES = Counter(
    "notary_step_failures_total", "Runs of a step that ended in an error.", ["step", "code"]
)


def set_up(*, human: bool) -> None:
    """Log to standard error: text for a person, JSON lines for machines. No secret and no query string is logged."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if human
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if not human else structlog.processors.ExceptionRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
