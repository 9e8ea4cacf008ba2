"""A log with its intake and its sequencer, on a clock that tests move."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.evidence.bodies import Genesis
from notary.evidence.note import Verifier
from notary.evidence.receipt import receipt_key_name
from notary.intake.accept import Intake
from notary.intake.promises import Promises
from notary.intake.room import Room
from notary.intake.spool import Spool
from notary.intake.submission import Submission
from notary.log.fsck import FsckResult, fsck
from notary.log.fsck_around import Attesters
from notary.log.open import open_log
from notary.log.sequence import Sequencer
from notary.proving import Prover
from notary.store.engine import Database
from notary.store.files import FileObjects
from notary.store.objects import Objects
from notary.store.tenants import create_tenant
from notary.store.tiles import Tiles

ORIGIN = "log.example.org/2026"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RECEIPT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
LOG_VERIFIER = Verifier(ORIGIN, LOG_KEY.public_key().public_bytes_raw())
RECEIPT_VERIFIER = Verifier(receipt_key_name(ORIGIN), RECEIPT_KEY.public_key().public_bytes_raw())
GENESIS = Genesis(
    LOG_VERIFIER.vkey, RECEIPT_VERIFIER.vkey, "0x" + "11" * 20, 31337, "0x" + "22" * 20, bytes(32)
)
PROMISES = Promises(
    ORIGIN,
    RECEIPT_KEY,
    timedelta(seconds=60),
    timedelta(days=1),
    timedelta(days=1),
    max_pending=1000,
    margin=timedelta(seconds=60),
)


@dataclass
class Clock:
    """Stands still unless told otherwise."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def room_of(intake: Intake, **changes) -> Room:
    return Room(intake.database, **{"max_bytes": 10**9, "max_own": 10**6} | changes)


@dataclass
class Rig:
    database: Database
    folder: Path
    clock: Clock = field(default_factory=Clock)
    objects: Objects = None
    tenant: int = None
    intake: Intake = None
    random: Random = field(default_factory=lambda: Random(7))

    def __post_init__(self) -> None:
        self.objects = self.objects or FileObjects(self.folder / "log")
        self.intake = Intake(
            self.database,
            Spool(self.folder / "spool"),
            PROMISES,
            now=self.clock,
            random=self.random.randbytes,
        )

    def open(self) -> "Rig":
        open_log(self.database, self.objects, LOG_KEY, ORIGIN, GENESIS, self.clock(), self.random.randbytes)
        with self.database.writing() as connection:
            self.tenant = create_tenant(connection, "a company", self.clock()).id
        return self

    def passed(self) -> float:
        """No step of the clock: where tests move it, so much time has passed."""
        return self.clock().timestamp()

    def sequencer(self, holder: str = "one", kind: type[Sequencer] = Sequencer, **changes) -> Sequencer:
        values = {"database": self.database, "objects": self.objects, "passed": self.passed, **changes}
        return kind(key=LOG_KEY, origin=ORIGIN, now=self.clock, holder=holder, **values)

    def document(self, content: bytes = b"a contract", **changes) -> Submission:
        digests = {"sha-256": sha256(content).hexdigest()}
        return Submission(**{"tenant_id": self.tenant, "kind": "document", "digests": digests} | changes)

    def submit(self, count: int, first: int = 0):
        return [
            self.intake.accept(self.document(b"document %d" % number))
            for number in range(first, first + count)
        ]

    def fsck(self, attesters: Attesters | None = None) -> FsckResult:
        keys = [LOG_VERIFIER], [RECEIPT_VERIFIER]
        return fsck(self.database, self.objects, ORIGIN, *keys, attesters=attesters)

    def prover(self) -> Prover:
        return Prover(self.database, Tiles(self.objects), ORIGIN, lambda: [LOG_VERIFIER])
