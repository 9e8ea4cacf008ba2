"""Final time stamps under watch: serial numbers used once, and what CAs say of the certificates behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Select, exists, func, or_, select, update

from notary.store.anchorings import Anchoring
from notary.store.sql import insert, insert_new
from notary.store.tables import anchoring, revocation, stamp, tsa_certificate


@dataclass(frozen=True, slots=True)
class StoredStamp:
    """A time stamp: `verdict` is empty, or says why it is not believed: reused, revoked, unreadable."""

    anchoring_id: int
    anchor: str
    size: int
    authority: str
    serial: str
    content: bytes
    gen_time: datetime
    signer: bytes
    verdict: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A certificate whose revocation data does not reach up to `needed_at`, the newest genTime that rests on it."""

    digest: bytes
    der: bytes
    issuer: bytes  # DER
    needed_at: datetime
    covered_at: datetime | None


def newest_stamp(connection: Connection, anchor: str) -> int:
    """Size of the newest checkpoint whose stamp was looked at; 0 before the first."""
    query = select(func.max(stamp.c.size)).where(stamp.c.anchor == anchor)
    return connection.execute(query).scalar() or 0


def not_looked_at(connection: Connection, anchor: str, most: int) -> list[Anchoring]:
    """Final stamps of an anchor that were not looked at yet, of the smallest checkpoints first.

    No earlier one is among them than the newest that was: of that size there may be another, for one that was bad.
    """
    first = newest_stamp(connection, anchor)
    done = exists().where(stamp.c.anchoring_id == anchoring.c.id)
    query = (
        select(*(anchoring.c[name] for name in Anchoring.__slots__))
        .where(anchoring.c.anchor == anchor, anchoring.c.state == "final", anchoring.c.size >= first, ~done)
        .order_by(anchoring.c.size, anchoring.c.id)
        .limit(most)
    )
    return [Anchoring(*row) for row in connection.execute(query)]


def add_stamp(connection: Connection, made: StoredStamp) -> bool:
    """Keep what was seen; says whether it was not there yet."""
    return insert_new(connection, stamp, {name: getattr(made, name) for name in StoredStamp.__slots__})


def stamps_numbered(connection: Connection, authority: str, serial: str) -> list[StoredStamp]:
    """Stamps of an authority with one serial number, the first that was seen first."""
    query = _STAMP.where(stamp.c.authority == authority, stamp.c.serial == serial)
    return [StoredStamp(*row) for row in connection.execute(query.order_by(stamp.c.anchoring_id))]


def watch(connection: Connection, path: Sequence[bytes], gen_time: datetime) -> datetime | None:
    """Note that a stamp of that time rests on a path of DER certificates, the root last.

    Returns:
        The moment from which tokens of this path are spoiled, where one of its certificates was revoked.
    """
    digests = [digest_of(der) for der in path]
    for der, digest, issuer in zip(path, digests, [*digests[1:], None], strict=True):
        values = {"digest": digest, "der": der, "issuer": issuer, "needed_at": gen_time}
        if not insert_new(connection, tsa_certificate, values):
            row = update(tsa_certificate).where(tsa_certificate.c.digest == digest)
            connection.execute(row.values(issuer=issuer))
            connection.execute(row.where(tsa_certificate.c.needed_at < gen_time).values(needed_at=gen_time))
    return spoiled_from(connection, path)


def spoiled_from(connection: Connection, path: Sequence[bytes]) -> datetime | None:
    """The moment from which tokens of a path of DER certificates are spoiled, where one of them was revoked."""
    digests = [digest_of(der) for der in path]
    query = select(func.min(tsa_certificate.c.spoiled_from)).where(tsa_certificate.c.digest.in_(digests))
    spoiled: datetime | None = connection.execute(query).scalar()
    return spoiled


def revoked_authorities(connection: Connection) -> list[str]:
    """Anchors of which the newest stamp is not believed since a certificate was revoked, by their names."""
    later = stamp.alias()
    newer = exists().where(later.c.anchor == stamp.c.anchor, later.c.anchoring_id > stamp.c.anchoring_id)
    query = select(stamp.c.anchor).where(stamp.c.verdict == "revoked", stamp.c.verdict != "", ~newer)
    return sorted(connection.execute(query).scalars())


def uncovered(connection: Connection) -> list[Watched]:
    """Certificates below a root for which there is no revocation data from the newest stamp's time or later."""
    above = tsa_certificate.alias()
    query = (
        select(
            tsa_certificate.c.digest,
            tsa_certificate.c.der,
            above.c.der,
            tsa_certificate.c.needed_at,
            tsa_certificate.c.covered_at,
        )
        .join(above, above.c.digest == tsa_certificate.c.issuer)
        .where(
            or_(
                tsa_certificate.c.covered_at.is_(None),
                tsa_certificate.c.covered_at < tsa_certificate.c.needed_at,
            )
        )
        .order_by(tsa_certificate.c.needed_at, tsa_certificate.c.digest)
    )
    return [Watched(*row) for row in connection.execute(query)]


def add_revocation(
    connection: Connection, certificate: bytes, this_update: datetime, kind: str, data: bytes
) -> None:
    """Keep what a CA said of the certificate of a digest; the first answer of one thisUpdate stays."""
    values = {"certificate": certificate, "this_update": this_update, "kind": kind, "data": data}
    connection.execute(insert(connection, revocation).on_conflict_do_nothing(), values)
    row = update(tsa_certificate).where(tsa_certificate.c.digest == certificate)
    reaches = tsa_certificate.c.covered_at
    connection.execute(
        row.where(or_(reaches.is_(None), reaches < this_update)).values(covered_at=this_update)
    )


def revoke(connection: Connection, certificate: bytes, since: datetime) -> list[StoredStamp]:
    """Spoil the stamps from `since` on that rest on the certificate of a digest.

    Returns:
        Those that were believed until now, the oldest first.
    """
    row = update(tsa_certificate).where(tsa_certificate.c.digest == certificate)
    known = tsa_certificate.c.spoiled_from
    connection.execute(row.where(or_(known.is_(None), known > since)).values(spoiled_from=since))
    resting = [certificate]
    for digest in resting:  # grows by those below
        below = select(tsa_certificate.c.digest).where(tsa_certificate.c.issuer == digest)
        resting += [each for (each,) in connection.execute(below) if each not in resting]
    spoiled = (stamp.c.signer.in_(resting), stamp.c.gen_time >= since, stamp.c.verdict == "")
    found = [
        StoredStamp(*each)
        for each in connection.execute(_STAMP.where(*spoiled).order_by(stamp.c.anchoring_id))
    ]
    connection.execute(update(stamp).where(*spoiled).values(verdict="revoked"))
    return found


def revocation_of(connection: Connection, anchoring_id: int) -> list[tuple[str, bytes]]:
    """Kind and bytes of the earliest revocation data from genTime on, for each certificate behind a stamp."""
    row = connection.execute(_STAMP.where(stamp.c.anchoring_id == anchoring_id)).one_or_none()
    if row is None:
        return []
    made, found = StoredStamp(*row), []
    path = _path(connection, made.signer)
    for digest, _ in pairwise(path):
        query = (
            select(revocation.c.kind, revocation.c.data)
            .where(revocation.c.certificate == digest, revocation.c.this_update >= made.gen_time)
            .order_by(revocation.c.this_update, revocation.c.kind)
            .limit(1)
        )
        found += [(kind, data) for kind, data in connection.execute(query)]
    return list(dict.fromkeys(found))  # one list may cover two certificates


def digest_of(der: bytes) -> bytes:
    """By which a certificate is found here."""
    return sha256(der).digest()


def _path(connection: Connection, signer: bytes) -> list[bytes]:
    path: list[bytes] = []
    digest: bytes | None = signer
    while digest is not None and digest not in path:
        path.append(digest)
        query = select(tsa_certificate.c.issuer).where(tsa_certificate.c.digest == digest)
        digest = connection.execute(query).scalar()
    return path


_STAMP: Select[Any] = select(*(stamp.c[name] for name in StoredStamp.__slots__))
