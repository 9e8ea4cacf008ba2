"""Requests that were answered, reports that were logged: the same claim never makes a second record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, tuple_

from notary.errors import Conflict
from notary.store.sql import insert
from notary.store.tables import claim


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request may be told from its repetition by.

    Attributes:
        tenant_id: who sent it.
        key: `k` and the client's Idempotency-Key; `d` and the SHA-256 of the request, where the client wants
            the record of an equal request; or `r` and the SHA-256 of a report.
        request_sha256: 32 bytes, of the whole request in canonical form, or of the report.
    """

    tenant_id: int
    key: str
    request_sha256: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """The records that a claim was answered with: `count` from `first_seq` on, of one commit group."""

    request_sha256: bytes
    first_seq: int
    count: int

    def check(self, request: Claim) -> None:
        """Compare the request with the one that made the records.

        Raises:
            Conflict: it was another.
        """
        if self.request_sha256 != request.request_sha256:
            raise Conflict("this idempotency key was used for another request: take a new one")


def stored_claims(connection: Connection, wanted: Sequence[Claim]) -> dict[tuple[int, str], Claimed]:
    """Those of these claims that were made before, by tenant and key."""
    if not wanted:
        return {}
    keys = [(item.tenant_id, item.key) for item in wanted]
    query = select(
        claim.c.tenant_id, claim.c.key, claim.c.request_sha256, claim.c.first_seq, claim.c.count
    ).where(tuple_(claim.c.tenant_id, claim.c.key).in_(keys))
    found = connection.execute(query).all()
    return {(tenant, key): Claimed(digest, seq, count) for tenant, key, digest, seq, count in found}


def claims_after(
    connection: Connection, after: tuple[int, str] | None, limit: int
) -> list[tuple[Claim, Claimed]]:
    """Claims in the order of organisation and key, from the one after `after`: for going through all."""
    query = select(
        claim.c.tenant_id, claim.c.key, claim.c.request_sha256, claim.c.first_seq, claim.c.count
    ).order_by(claim.c.tenant_id, claim.c.key)
    if after is not None:
        query = query.where(tuple_(claim.c.tenant_id, claim.c.key) > after)
    return [
        (Claim(tenant, key, digest), Claimed(digest, seq, count))
        for tenant, key, digest, seq, count in connection.execute(query.limit(limit))
    ]


def overlapping(connection: Connection, limit: int) -> list[int]:
    """The organisations of claims that begin within the records of another: each record was made for one request."""
    end = (claim.c.first_seq + claim.c.count).label("end")
    before = func.lag(end).over(order_by=(claim.c.first_seq, claim.c.count)).label("before")
    ordered = select(claim.c.tenant_id, claim.c.first_seq, before).subquery()
    query = select(ordered.c.tenant_id).where(ordered.c.before > ordered.c.first_seq).limit(limit)
    return list(connection.execute(query).scalars())


def claims_on(connection: Connection, tenant_id: int, seq: int) -> list[str]:
    """The keys of an organisation's claims that were answered with this record, among others perhaps.

    All claims of the organisation are looked through: few ask, and no index has to grow with each request.
    """
    first = claim.c.first_seq
    query = select(claim.c.key).where(
        claim.c.tenant_id == tenant_id, first <= seq, first + claim.c.count > seq
    )
    return list(connection.execute(query).scalars())


def delete_claims(connection: Connection, tenant_id: int, keys: Sequence[str]) -> None:
    """Forget claims: the same request makes other records from now on."""
    connection.execute(delete(claim).where(claim.c.tenant_id == tenant_id, claim.c.key.in_(keys)))


def store_claims(connection: Connection, made: Sequence[tuple[Claim, Claimed]], now: datetime) -> bool:
    """Make claims for good.

    Returns:
        Whether all were free. If not, the caller must not commit: another process has one of them. On
        PostgreSQL this waits for a transaction that makes the same claim to end.
    """
    rows = [
        {
            "tenant_id": item.tenant_id,
            "key": item.key,
            "request_sha256": item.request_sha256,
            "first_seq": answer.first_seq,
            "count": answer.count,
            "created_at": now,
        }
        # In one order everywhere, so that two processes never wait for each other.
        for item, answer in sorted(made, key=lambda pair: (pair[0].tenant_id, pair[0].key))
    ]
    if not rows:
        return True
    statement = insert(connection, claim).on_conflict_do_nothing().returning(claim.c.key)
    return len(connection.execute(statement, rows).all()) == len(rows)
