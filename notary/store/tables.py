"""The tables. Only this package reads them; migrations/ makes them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Utc(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite drops the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: which zone they are in can only be guessed."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone has no place in the database")
        value = None if value is None else value.astimezone(UTC)
        return value.replace(tzinfo=None) if value and dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# SQLite counts only a column declared INTEGER up by itself; it holds 64 bits all the same.
Serial = BigInteger().with_variant(Integer, "sqlite")
_COUNTED = {"sqlite_autoincrement": True}  # a number is never given twice, even after its row is gone
_GIVEN = {"autoincrement": False}  # we say the number, the database does not


def _where(condition: str) -> dict[str, Any]:
    """An index over some rows only, spelt for both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _bytes(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_type=LargeBinary, nullable=nullable, index=index)


def _time(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_type=Utc, nullable=nullable)


def _big(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_type=BigInteger, nullable=nullable)


class TenantRow(SQLModel, table=True):
    """A customer organisation."""

    __tablename__ = "tenant"
    __table_args__ = _COUNTED
    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = _time()


class ApiKeyRow(SQLModel, table=True):
    """An API key: a public id and the SHA-256 of its secret, which has at least 128 bits."""

    __tablename__ = "api_key"
    id: str = Field(primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id", index=True)
    secret_sha256: bytes = _bytes()
    scopes: str  # separated by spaces
    created_at: datetime = _time()
    expires_at: datetime | None = _time(nullable=True)
    revoked_at: datetime | None = _time(nullable=True)
    used_at: datetime | None = _time(nullable=True)  # never written: each use would be a write


class GroupRow(SQLModel, table=True):
    """A commit group: records that became durable together, under one signed promise.

    Closed as a whole: `first_idx` is the place of its first record in the log, given once. A record's `seq`
    is the group's id and its position in it, so nothing needs to be written for each record.
    """

    __tablename__ = "commit_group"
    __table_args__ = (
        # What waits is few among many: this index holds nothing else.
        Index("ix_commit_group_waiting", "id", **_where("first_idx IS NULL")),
        _COUNTED,
    )
    id: int = Field(default=None, primary_key=True, sa_type=Serial)
    count: int  # records, 1 to 10,000
    note: bytes | None = _bytes(nullable=True)  # the signed promise; entry 0 has none
    created_at: datetime = _time()
    not_before_number: int | None = _big(nullable=True)  # block that the statements name
    first_idx: int | None = Field(default=None, sa_type=BigInteger, unique=True, nullable=True)


class RecordRow(SQLModel, table=True):
    """A statement, durable. Its row is written once; only `visibility` changes.

    No foreign keys and no index but those that grow at their end: a bulk of 10,000 is one COPY.
    """

    __tablename__ = "record"
    __table_args__ = (
        Index("ix_record_tenant_id_number", "tenant_id", "number"),
        Index("ix_record_follows_seq", "follows_seq", **_where("follows_seq IS NOT NULL")),
    )
    seq: int = Field(primary_key=True, sa_type=Serial, sa_column_kwargs=_GIVEN)  # see `seq_of`
    number: str = Field(unique=True)
    tenant_id: int | None = None  # none: the service's
    type: str
    statement: bytes = _bytes()
    entry: bytes = _bytes()
    sha256: bytes | None = _bytes(nullable=True)  # digest of the document
    sm3: bytes | None = _bytes(nullable=True)  # only where the bytes were seen
    visibility: str
    visibility_chosen: bool  # by the submitter; a default may become another after inspection
    follows_seq: int | None = _big(nullable=True)


class DigestRow(SQLModel, table=True):
    """A digest of a document in the log: written after its batch is closed, never while it is submitted."""

    __tablename__ = "digest_index"
    __table_args__ = (PrimaryKeyConstraint("digest", "seq"), {"sqlite_with_rowid": False})
    digest: bytes = _bytes()  # SHA-256 or SM3
    seq: int = Field(sa_type=BigInteger)


class DigestStateRow(SQLModel, table=True):
    """How far the index of digests goes: every record with a place below `size` is in it."""

    __tablename__ = "digest_state"
    id: int = Field(primary_key=True, sa_column_kwargs=_GIVEN)
    size: int = _big()


class OpeningRow(SQLModel, table=True):
    """An opening of a commitment. Deleting the row destroys its salt, and the value with it."""

    __tablename__ = "opening"
    __table_args__ = (PrimaryKeyConstraint("seq", "position"),)
    seq: int = Field(sa_type=BigInteger)
    position: int  # index among the commitments
    name: str
    disclosure: str
    path: bytes = _bytes()  # hashes of 32 bytes, joined


class ClaimRow(SQLModel, table=True):
    """A request that was answered: the same claim never makes a second record."""

    __tablename__ = "claim"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "key"),)
    tenant_id: int
    key: str  # by its first letter: see `notary.store.claims`
    request_sha256: bytes = _bytes()
    first_seq: int = Field(sa_type=BigInteger)
    count: int
    created_at: datetime = _time()


class LogStateRow(SQLModel, table=True):
    """The one row that every close swaps: the newest checkpoint, and who may make the next."""

    __tablename__ = "log_state"
    id: int = Field(primary_key=True, sa_column_kwargs=_GIVEN)
    size: int = _big()
    root: bytes = _bytes()
    note: bytes = _bytes()
    staging: str | None = None  # tiles of the newest checkpoint, until they are at their names
    epoch: int = _big()  # counts the holders: a write under an older one touches nothing
    holder: str | None = None
    lease_until: datetime | None = _time(nullable=True)


class CheckpointRow(SQLModel, table=True):
    """A signed checkpoint; one root for one size, for ever."""

    __tablename__ = "checkpoint"
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs=_GIVEN)
    root: bytes = _bytes()
    note: bytes = _bytes()
    time: datetime = _time()
    cose: bytes | None = _bytes(nullable=True)  # the signature for COSE receipts; none of old checkpoints


class AnchoringRow(SQLModel, table=True):
    """A checkpoint on its way to a third party's word."""

    __tablename__ = "anchoring"
    __table_args__ = (
        Index("ix_anchoring_anchor_state_size", "anchor", "state", "size"),
        _COUNTED,
    )
    id: int = Field(default=None, primary_key=True)
    anchor: str  # name in the settings
    kind: str
    size: int = Field(sa_type=BigInteger, foreign_key="checkpoint.size", index=True)
    state: str
    detail: str = ""
    evidence: bytes | None = _bytes(nullable=True)
    not_after: datetime | None = _time(nullable=True)
    created_at: datetime = _time()
    updated_at: datetime = _time()


class AttemptRow(SQLModel, table=True):
    """What was sent, byte for byte, stored before the first byte left; never deleted."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_lane_nonce", "lane", "nonce"),
        Index("ix_attempt_lane_created_at", "lane", "created_at"),
        _COUNTED,
    )
    id: int = Field(default=None, primary_key=True)
    anchoring_id: int = Field(foreign_key="anchoring.id", index=True)
    ref: str = Field(unique=True)  # transaction hash, or what identifies a request
    raw: bytes = _bytes()
    nonce: int | None = _big(nullable=True)
    created_at: datetime = _time()
    lane: str = Field("", sa_column_kwargs={"server_default": ""})  # whose nonce; "" where they are random


class IncidentRow(SQLModel, table=True):
    """What must never happen and did; never deleted."""

    __tablename__ = "incident"
    __table_args__ = (UniqueConstraint("kind", "anchor", "subject"), _COUNTED)
    id: int = Field(default=None, primary_key=True)
    kind: str
    anchor: str
    subject: str  # address of a wallet, number of an anchoring, or size and root
    anchoring_id: int | None = Field(None, foreign_key="anchoring.id", index=True)
    detail: str
    created_at: datetime = _time()


class StampRow(SQLModel, table=True):
    """A final time stamp that was looked at again: its number, and whether it is still believed."""

    __tablename__ = "stamp"
    __table_args__ = (
        Index("ix_stamp_anchor_size", "anchor", "size"),
        Index("ix_stamp_authority_serial", "authority", "serial"),
        Index("ix_stamp_bad", "anchoring_id", **_where("verdict <> ''")),
    )
    anchoring_id: int = Field(primary_key=True, foreign_key="anchoring.id", sa_column_kwargs=_GIVEN)
    anchor: str  # name in the settings
    size: int = _big()
    authority: str  # under which serial numbers are counted
    serial: str  # decimal
    content: bytes = _bytes()  # SHA-256 of the TSTInfo
    gen_time: datetime = _time()
    signer: bytes = _bytes(index=True)  # digest of its certificate
    verdict: str = ""  # empty: nothing speaks against it; else reused, revoked or unreadable


class TsaCertificateRow(SQLModel, table=True):
    """A certificate that time stamps rest on, and how far what its CA says of it reaches."""

    __tablename__ = "tsa_certificate"
    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)  # SHA-256 of the DER
    der: bytes = _bytes()
    issuer: bytes | None = _bytes(nullable=True)  # digest of the certificate above it; none: a pinned root
    needed_at: datetime = _time()  # newest genTime that rests on it
    covered_at: datetime | None = _time(nullable=True)  # newest thisUpdate of its revocation data
    spoiled_from: datetime | None = _time(nullable=True)  # it was revoked: tokens from here on are bad


class RevocationRow(SQLModel, table=True):
    """What a CA said of a certificate, byte for byte; never deleted."""

    __tablename__ = "revocation"
    __table_args__ = (PrimaryKeyConstraint("certificate", "this_update", "kind"),)
    certificate: bytes = Field(sa_type=LargeBinary, foreign_key="tsa_certificate.digest")
    this_update: datetime = _time()
    kind: str  # crl or ocsp
    data: bytes = _bytes()


class LaneRow(SQLModel, table=True):
    """The next nonce of one wallet of an anchor."""

    __tablename__ = "lane"
    __table_args__ = (PrimaryKeyConstraint("anchor", "name"),)
    anchor: str
    name: str  # address of the wallet
    next_nonce: int = _big()


class StoppedLaneRow(SQLModel, table=True):
    """A wallet that did not anchor when it was last asked to."""

    __tablename__ = "stopped_lane"
    __table_args__ = (PrimaryKeyConstraint("anchor", "name"),)
    anchor: str
    name: str  # address of the wallet
    reason: str
    told_at: datetime = _time()


class HeartbeatRow(SQLModel, table=True):
    """When the worker that leads last ran a step, and when the step last did what it is for."""

    __tablename__ = "heartbeat"
    step: str = Field(primary_key=True)
    patience: float  # seconds without a run after which somebody should look
    ran_at: datetime = _time()
    succeeded_at: datetime | None = _time(nullable=True)


class BreakerRow(SQLModel, table=True):
    """Failures in a row of an anchor, the last of them, and when it is asked again."""

    __tablename__ = "breaker"
    anchor: str = Field(primary_key=True)
    failures: int
    failed_at: datetime = _time()
    resume_at: datetime = _time()
    reason: str


class BlockRow(SQLModel, table=True):
    """A finalized block, for the not-before of statements."""

    __tablename__ = "block"
    __table_args__ = (PrimaryKeyConstraint("chain_id", "number"),)
    chain_id: int = _big()
    number: int = _big()
    hash: bytes = _bytes()
    header: bytes = _bytes()
    time: int = Field(sa_type=BigInteger, index=True)  # seconds since 1970


class BitcoinBlockRow(SQLModel, table=True):
    """A Bitcoin block that an OpenTimestamps file leads to, by its header."""

    __tablename__ = "bitcoin_block"
    height: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs=_GIVEN)
    header: bytes = _bytes()


class BrokenPromiseRow(SQLModel, table=True):
    """A commit group that was closed later than its receipts promise, and the incident that says so in the log."""

    __tablename__ = "broken_promise"
    group_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs=_GIVEN)
    seq: int = Field(sa_type=BigInteger, unique=True)


class PromiseStateRow(SQLModel, table=True):
    """How far promises were looked at: every commit group with a place below `size` was."""

    __tablename__ = "promise_state"
    id: int = Field(primary_key=True, sa_column_kwargs=_GIVEN)
    size: int = _big()


class KeyChangeRow(SQLModel, table=True):
    """The `key` statements in their order; the numbers have no gap, so that two can never follow the same one."""

    __tablename__ = "key_change"
    number: int = Field(primary_key=True, sa_column_kwargs=_GIVEN)
    seq: int = Field(sa_type=BigInteger, unique=True)


class TrustStatementRow(SQLModel, table=True):
    """A version of the trust statement as it was signed, and the record of its digest."""

    __tablename__ = "trust_statement"
    version: int = Field(primary_key=True, sa_column_kwargs=_GIVEN)
    note: bytes = _bytes()
    seq: int = Field(sa_type=BigInteger, unique=True)


class InspectionRow(SQLModel, table=True):
    """A document whose signatures are to be looked at."""

    __tablename__ = "inspection"
    # What waits is few among many: this index holds nothing else.
    __table_args__ = (
        Index("ix_inspection_waiting", "tenant_id", "seq", "size", **_where("state = 'waiting'")),
    )
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs=_GIVEN)
    tenant_id: int
    path: str  # name in the spool
    size: int = _big()  # bytes there
    media_type: str
    state: str  # waiting, done or failed
    tries: int = 0
    taken_until: datetime | None = _time(nullable=True)
    reason: str = ""


class EarlierRevisionRow(SQLModel, table=True):
    """A digest of a prefix of a document that we saw: the document as it was at an earlier revision."""

    __tablename__ = "earlier_revision"
    __table_args__ = (PrimaryKeyConstraint("digest", "seq"), Index("ix_earlier_revision_seq", "seq"))
    digest: bytes = _bytes()  # SHA-256 or SM3
    seq: int = Field(sa_type=BigInteger)  # of the document
    algorithm: str
    revision: int  # from 1, the oldest
    length: int = _big()  # bytes of the prefix
    signed: bool  # by a party, so whoever has it has more than a form that many fill in


class ValidationReportRow(SQLModel, table=True):
    """A report on one signature by ETSI TS 119 102-2, whose SHA-256 is in the inspection report."""

    __tablename__ = "validation_report"
    __table_args__ = (PrimaryKeyConstraint("seq", "position"),)
    seq: int = Field(sa_type=BigInteger)  # of the document
    position: int  # of the signature in the inspection report, from 0
    data: bytes = _bytes()


_tables = SQLModel.metadata.tables
tenant = _tables["tenant"]
api_key = _tables["api_key"]
commit_group = _tables["commit_group"]
record = _tables["record"]
digest_index = _tables["digest_index"]
digest_state = _tables["digest_state"]
opening = _tables["opening"]
claim = _tables["claim"]
log_state = _tables["log_state"]
checkpoint = _tables["checkpoint"]
anchoring = _tables["anchoring"]
bitcoin_block = _tables["bitcoin_block"]
attempt = _tables["attempt"]
stamp = _tables["stamp"]
tsa_certificate = _tables["tsa_certificate"]
revocation = _tables["revocation"]
incident = _tables["incident"]
lane = _tables["lane"]
stopped_lane = _tables["stopped_lane"]
heartbeat = _tables["heartbeat"]
breaker = _tables["breaker"]
block = _tables["block"]
inspection = _tables["inspection"]
earlier_revision = _tables["earlier_revision"]
validation_report = _tables["validation_report"]
broken_promise = _tables["broken_promise"]
promise_state = _tables["promise_state"]
key_change = _tables["key_change"]
trust_statement = _tables["trust_statement"]
