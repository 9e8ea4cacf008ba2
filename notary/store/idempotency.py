"""Requests that were answered, by tenant and Idempotency-Key."""

from datetime import datetime

from sqlalchemy import Connection, select

from notary.errors import Conflict
from notary.store.sql import insert_new
from notary.store.tables import idempotency


def stored_answer(connection: Connection, tenant_id: int, key: str, request_sha256: bytes) -> bytes | None:
    """The answer that this request was given before, or None.

    Raises:
        Conflict: the key was used for another request.
    """
    query = select(idempotency.c.request_sha256, idempotency.c.answer).where(
        idempotency.c.tenant_id == tenant_id, idempotency.c.key == key
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        raise Conflict("this idempotency key was used for another request: take a new one")
    answer: bytes = row.answer
    return answer


def store_answer(
    connection: Connection, tenant_id: int, key: str, request_sha256: bytes, answer: bytes, now: datetime
) -> bool:
    """Claim a key for good.

    Returns:
        Whether it was free. If not, the caller must not commit: the one who has it has the answer. On
        PostgreSQL this waits for a transaction that claims the same key to end.
    """
    values = {
        "tenant_id": tenant_id,
        "key": key,
        "request_sha256": request_sha256,
        "answer": answer,
        "created_at": now,
    }
    return insert_new(connection, idempotency, values)
