"""What must be true of API keys and of documents that wait for inspection: each belongs to something that is there."""

from collections.abc import Callable, Collection, Iterator

from notary.errors import EvidenceError, NotFound
from notary.evidence.bodies import Document
from notary.evidence.statement import parse_statement
from notary.log.fsck_findings import finding_problems, stray_problems
from notary.store.engine import Connection
from notary.store.inspections import STATES
from notary.store.records import inspections_of, record_by_seq
from notary.store.walks import StoredInspection, api_keys, inspections_after

_INSPECTIONS = 5000  # in memory at a time
_DIGEST = 32


def key_problems(connection: Connection, tenants: Collection[int]) -> Iterator[str]:
    """One sentence for each thing wrong with an API key."""
    for key in api_keys(connection):
        if key.tenant_id not in tenants:
            yield f"API key {key.id} is of organisation {key.tenant_id}, which is not there"
        if len(key.secret_sha256) != _DIGEST:
            yield f"API key {key.id} has no SHA-256 of its secret"


def inspection_problems(connection: Connection, count: Callable[[str, int], None]) -> Iterator[str]:
    """One sentence for each thing wrong with an inspection."""
    last = -1
    while page := inspections_after(connection, last, _INSPECTIONS):
        for item in page:
            for problem in _problems(connection, item):
                yield f"inspection of document {item.seq}: {problem}"
        count("inspections", len(page))
        last = page[-1].seq
    yield from stray_problems(connection)


def _problems(connection: Connection, item: StoredInspection) -> Iterator[str]:
    try:
        record = record_by_seq(connection, item.seq)
        body = parse_statement(record.statement).body
    except NotFound as error:
        yield str(error)
        return
    except EvidenceError:
        return  # which is told of the record
    if record.tenant_id != item.tenant_id:
        yield f"it is of organisation {item.tenant_id}, the document of another"
    if not isinstance(body, Document) or not body.seen:
        yield "the record is of no document that was seen"
    elif (body.size, body.media_type) != (item.size, item.media_type):
        yield f"it is of {item.size} bytes of {item.media_type}, the document is not"
    if item.state not in STATES:
        yield f"there is no state {item.state!r}"
    reports, wanted = inspections_of(connection, item.seq), int(item.state in STATES[1:])
    if len(reports) != wanted:
        yield f"it is {item.state}, and {len(reports)} reports follow the document"
    yield from finding_problems(connection, item.seq, item.size, reports)
