"""Logging and the table of metrics."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server

from notary.errors import SettingsError

SUBMISSIONS = Counter("notary_submissions_total", "Submissions answered, by kind and source.", ["kind"])
PENDING = Gauge("notary_pending_entries", "Entries that wait for a checkpoint.")
ANCHOR_MOVES = Counter(
    "notary_anchor_moves_total",
    "Moves of anchorings, by new state, and what was done for them beside.",
    ["anchor", "state"],
)
ANCHOR_PENDING = Gauge(
    "notary_anchor_pending_seconds",
    "How long heads have been asked of an anchor without a final word; 0 while none is.",
    ["anchor"],
)
ANCHOR_ATTEMPTS = Gauge(
    "notary_anchor_attempts",
    "Attempts that were made for the head that is under way at an anchor; 0 while none is.",
    ["anchor"],
)
ANCHOR_FINAL_AGE = Gauge(
    "notary_anchor_final_age_seconds",
    "Age of the newest head that is final at an anchor; of the log, before the first.",
    ["anchor"],
)
STAMPED_AGE = Gauge(
    "notary_stamped_age_seconds",
    "Age of the newest head that as many organisations as are needed have stamped; of the log, before the first.",
)
TSA_TOKENS = Counter(
    "notary_tsa_tokens_total",
    "Requests to time-stamping authorities, by outcome: stamped, rejected or unavailable.",
    ["anchor", "outcome"],
)
TSA_BREAKER = Gauge(
    "notary_tsa_breaker",
    "0: an authority is asked; 1: the next request decides; 2: it failed and is left alone.",
    ["anchor"],
)
STAMPS_BAD = Counter(
    "notary_stamps_bad_total",
    "Final time stamps that are not believed any more, by why.",
    ["anchor", "verdict"],
)
REVOCATION_AGE = Gauge(
    "notary_revocation_age_seconds",
    "Age of the oldest revocation data that newer time stamps wait for, or of the stamp that waits for the first.",
)
WALLET_WEI = Gauge(
    "notary_wallet_wei",
    "What a wallet that pays for an anchor held when it was last asked.",
    ["anchor", "wallet"],
)
LANE_STOPPED = Gauge(
    "notary_lane_stopped",
    "1 while a wallet does not anchor: empty, at its cap, or its key is used by somebody else.",
    ["anchor", "wallet"],
)
ANCHOR_GAS = Gauge(
    "notary_anchor_gas", "Gas of the newest transaction of an anchor that was mined.", ["anchor"]
)
INCIDENTS = Counter(
    "notary_incidents_total", "What must never happen and did, as this process saw it.", ["anchor", "kind"]
)
PENDING_SECONDS = Gauge(
    "notary_pending_seconds", "How long the oldest entry has been waiting for a checkpoint."
)
RPC_CONTRADICTIONS = Counter(
    "notary_rpc_contradictions_total",
    "Final blocks, anchored heads, or counts of a wallet's transactions, that endpoints of one chain do not agree on.",
    ["chain_id"],
)
RPC_BEHIND = Gauge(
    "notary_rpc_behind_seconds",
    "How long another endpoint has called a block final that this one, by its place in rpc_urls, does not.",
    ["chain_id", "endpoint"],
)
RPC_PASSED_OVER = Counter(
    "notary_rpc_passed_over_total",
    "Times that an endpoint, by its place in rpc_urls, gave no answer and the next one was asked.",
    ["chain_id", "endpoint"],
)
ANCHOR_GAS_PER_RECORD = Gauge(
    "notary_anchor_gas_per_record",
    "Gas of that transaction for each record that it anchored and none before it did.",
    ["anchor"],
)
REQUEST_SECONDS = Histogram(
    "notary_request_seconds",
    "Duration of HTTP requests, by method, route and status.",
    ["method", "route", "status"],
)
STEP_SECONDS = Histogram("notary_step_seconds", "Duration of one run of a worker's step.", ["step"])
STEP_FAILURES = Counter(
    "notary_step_failures_total", "Runs of a step that ended in an error.", ["step", "code"]
)
BROKEN_PROMISES = Counter(
    "notary_broken_promises",
    "Commit groups whose receipts' promise was found broken and logged as an incident.",
)
OVERDUE = Gauge(
    "notary_overdue_groups",
    "Commit groups in no checkpoint though their receipts promised it, up to a thousand.",
)
FSCK_PROBLEMS = Gauge("notary_fsck_problems", "Contradictions that the last check of the whole log found.")
FSCK_FINISHED = Gauge("notary_fsck_finished_seconds", "When that check ended, in seconds since 1970.")

# What a worker alone sets. A process that only serves would show 0 for each, which is what no alarm waits for.
_WORKERS = (
    *(ANCHOR_PENDING, ANCHOR_ATTEMPTS, ANCHOR_FINAL_AGE, STAMPED_AGE, RPC_PASSED_OVER, ANCHOR_GAS_PER_RECORD),
    *(ANCHOR_MOVES, ANCHOR_GAS, TSA_TOKENS, TSA_BREAKER, STAMPS_BAD, REVOCATION_AGE),
    *(WALLET_WEI, LANE_STOPPED, INCIDENTS, PENDING, PENDING_SECONDS, RPC_CONTRADICTIONS, RPC_BEHIND),
    *(STEP_SECONDS, STEP_FAILURES, BROKEN_PROMISES, OVERDUE, FSCK_PROBLEMS, FSCK_FINISHED),
)


def without_worker() -> None:
    """In a process without a worker: show none of its metrics."""
    for metric in _WORKERS:
        with suppress(KeyError):  # it was called before
            REGISTRY.unregister(metric)


@contextmanager
def metrics_at(host: str, port: int | None) -> Iterator[int | None]:
    """Serve the metrics of this process over HTTP, to whoever reaches `host`; None: nowhere. Gives the port.

    Raises:
        SettingsError: nobody can listen there.
    """
    if port is None:
        yield None
        return
    try:
        server, thread = start_http_server(port, host)
    except OSError as error:
        raise SettingsError(
            f"metrics cannot be served at {host} port {port}: {error.strerror}; see NOTARY_METRICS_PORT"
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def to_standard_error() -> None:
    """Keep log lines of a command out of its output, which a machine may read; for those that never call `set_up`."""
    structlog.configure(
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr), cache_logger_on_first_use=False
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
            # Without the values of local variables: keys and documents are among them.
            structlog.processors.ExceptionRenderer()
            if human
            else structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # A step that takes longer than its period is not worth a line each time, nor is a malformed upload.
    for name in ("apscheduler", "httpx", "python_multipart"):
        logging.getLogger(name).setLevel(logging.ERROR)
