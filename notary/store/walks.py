"""Whole tables in the order of their keys, some rows at a time: for whoever reads all of them again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, tuple_

from notary.store.anchorings import Anchoring
from notary.store.outbox import Attempt
from notary.store.stamps import StoredStamp
from notary.store.tables import (
    anchoring,
    api_key,
    attempt,
    block,
    inspection,
    lane,
    revocation,
    stamp,
    tenant,
    tsa_certificate,
)

_STRAYS = 100  # more say nothing more


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A finalized block as it was kept: its RLP header, and what was read from it then."""

    chain_id: int
    number: int
    hash: bytes
    header: bytes
    time: int


@dataclass(frozen=True, slots=True)
class StoredInspection:
    """A document that is or was to be inspected; `size` in bytes."""

    seq: int
    tenant_id: int
    size: int
    media_type: str
    state: str


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An API key of an organisation, without its uses."""

    id: str
    tenant_id: int
    secret_sha256: bytes


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate that time stamps rest on, as `notary.store.tables.TsaCertificateRow` keeps it."""

    digest: bytes
    der: bytes
    issuer: bytes | None
    needed_at: datetime
    covered_at: datetime | None
    spoiled_from: datetime | None


@dataclass(frozen=True, slots=True)
class StoredRevocation:
    """What a CA said of the certificate of a digest as of a moment: kind of the data, and its bytes."""

    certificate: bytes
    this_update: datetime
    kind: str
    data: bytes


def anchorings_after(connection: Connection, identity: int, limit: int) -> list[Anchoring]:
    """Anchorings in the order of their ids, from the one after `identity`."""
    query = _select(Anchoring, anchoring).where(anchoring.c.id > identity).order_by(anchoring.c.id)
    return [Anchoring(*row) for row in connection.execute(query.limit(limit))]


def attempts_of_all(connection: Connection, first: int, last: int) -> dict[int, list[Attempt]]:
    """The attempts of the anchorings with ids first..last, the oldest first, by the id of the anchoring."""
    query = _select(Attempt, attempt).where(attempt.c.anchoring_id.between(first, last))
    found: dict[int, list[Attempt]] = {}
    for row in connection.execute(query.order_by(attempt.c.id)):
        found.setdefault(row.anchoring_id, []).append(Attempt(*row))
    return found


def stray_attempts(connection: Connection) -> list[str]:
    """What names attempts to the other side whose anchoring is not there, up to a hundred."""
    query = select(attempt.c.ref).outerjoin(anchoring, anchoring.c.id == attempt.c.anchoring_id)
    return list(connection.execute(query.where(anchoring.c.id.is_(None)).limit(_STRAYS)).scalars())


def lanes(connection: Connection) -> dict[tuple[str, str], int]:
    """The next nonce of each wallet, by anchor and address."""
    query = select(lane.c.anchor, lane.c.name, lane.c.next_nonce)
    return {(row.anchor, row.name): row.next_nonce for row in connection.execute(query)}


def blocks_after(connection: Connection, place: tuple[int, int], limit: int) -> list[StoredBlock]:
    """Blocks in the order of chain id and number, from the one after `place`."""
    at = tuple_(block.c.chain_id, block.c.number)
    query = _select(StoredBlock, block).where(at > place).order_by(block.c.chain_id, block.c.number)
    return [StoredBlock(*row) for row in connection.execute(query.limit(limit))]


def inspections_after(connection: Connection, seq: int, limit: int) -> list[StoredInspection]:
    """Inspections in the order of their documents, from the one after `seq`."""
    query = _select(StoredInspection, inspection).where(inspection.c.seq > seq).order_by(inspection.c.seq)
    return [StoredInspection(*row) for row in connection.execute(query.limit(limit))]


def stamps_after(
    connection: Connection, identity: int, limit: int
) -> list[tuple[StoredStamp, Anchoring | None]]:
    """Stamps that were looked at, each with its anchoring, in the order of its id, from the one after `identity`."""
    columns = [stamp.c[name] for name in StoredStamp.__slots__]
    query = select(*columns, *(anchoring.c[name] for name in Anchoring.__slots__))
    query = query.outerjoin(anchoring, anchoring.c.id == stamp.c.anchoring_id)
    query = query.where(stamp.c.anchoring_id > identity).order_by(stamp.c.anchoring_id).limit(limit)
    return [
        (StoredStamp(*row[: len(columns)]), Anchoring(*own) if (own := row[len(columns) :])[0] else None)
        for row in map(tuple, connection.execute(query))
    ]


def certificates(connection: Connection) -> list[StoredCertificate]:
    """All certificates behind time stamps, of which each authority has a few, by their digests."""
    query = _select(StoredCertificate, tsa_certificate).order_by(tsa_certificate.c.digest)
    return [StoredCertificate(*row) for row in connection.execute(query)]


def revocations(connection: Connection) -> Iterator[StoredRevocation]:
    """All that CAs said, one in memory at a time: each may have a megabyte."""
    columns = (revocation.c.certificate, revocation.c.this_update, revocation.c.kind)
    for key in connection.execute(select(*columns).order_by(*columns)).all():
        at = tuple_(*columns) == tuple_(*key)
        for row in connection.execute(_select(StoredRevocation, revocation).where(at)):
            yield StoredRevocation(*row)


def api_keys(connection: Connection) -> list[StoredKey]:
    """All API keys, revoked and expired ones too, by their ids."""
    return [StoredKey(*row) for row in connection.execute(_select(StoredKey, api_key).order_by(api_key.c.id))]


def tenant_ids(connection: Connection) -> frozenset[int]:
    """The ids of all organisations."""
    return frozenset(connection.execute(select(tenant.c.id)).scalars())


def _select(kind: type[Any], table: Any) -> Select[Any]:
    return select(*(table.c[name] for name in kind.__slots__))
