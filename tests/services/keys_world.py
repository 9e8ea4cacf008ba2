"""A log whose keys lie in files and are rotated, with two authorities that stamp its heads."""

import io
import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from notary.evidence.chain import ChainTrust
from notary.evidence.key_history import HEAD, LOG, RECEIPT
from notary.evidence.note import Verifier
from notary.evidence.package import read_package
from notary.evidence.timestamp import Authority
from notary.evidence.verify import verify
from notary.intake.receipt_keys import ReceiptKeys
from notary.keyring import find_ed25519
from notary.keys import load_ed25519
from notary.proving import Prover
from notary.services.outstanding import Outstanding
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.rotating import Rotating
from notary.services.trust_file import TrustSource
from notary.services.trust_statements import TrustStatements
from notary.services.types import Viewer
from notary.store.anchorings import create_anchoring, move
from notary.store.checkpoints import newest_checkpoint
from notary.store.key_changes import known_history
from notary.store.tiles import Tiles
from notary.wiring.key_files import make_next
from tests.evidence import build
from tests.rig import LOG_KEY, LOG_VERIFIER, ORIGIN, PROMISES, RECEIPT_KEY, RECEIPT_VERIFIER, Rig

DAY = 86_400
TSAS = ("tsa-a", "tsa-b")


@dataclass(frozen=True)
class Paths:
    """The settings that `make_next` looks at."""

    folder: Path
    origin: str = ORIGIN

    def __getattr__(self, name):
        return {"log_key": self.folder / "log.pem", "receipt_key": self.folder / "receipt.pem",
                "head_key": self.folder / "head.key", "wallet_key": self.folder / "wallet.key",
                "chains": (), "seal_key": None}[name]  # fmt: skip


def write_key(path, key):
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)


@dataclass
class World:
    rig: Rig
    close: object = None
    handed: list = field(default_factory=list)

    @classmethod
    def make(cls, database, folder):
        keys = folder / "keys"
        keys.mkdir()
        write_key(keys / "log.pem", LOG_KEY)
        write_key(keys / "receipt.pem", RECEIPT_KEY)
        return cls(Rig(database, folder).open()).restarted()

    def restarted(self):
        """A new process: nothing is known but what is stored."""
        rig = self.rig
        keys = ReceiptKeys(partial(self.find, RECEIPT))
        rig.intake = replace(rig.intake, promises=replace(PROMISES, keys=keys))
        self.sequencer = rig.sequencer(find_key=partial(self.find, LOG))
        self.close = self.sequencer.sequence
        return self

    @property
    def paths(self):
        return Paths(self.rig.folder / "keys")

    def find(self, role, verifier: Verifier):
        return find_ed25519(getattr(self.paths, f"{role}_key"), verifier.public)

    def private(self, role, number):
        name = {LOG: "log", RECEIPT: "receipt"}[role]
        path = self.rig.folder / "keys" / (f"{name}.pem" if number == 1 else f"{name}-{number}.pem")
        return load_ed25519(path)

    @property
    def source(self):
        authorities = tuple(
            Authority(name, name, (build.tsa(name).root.public_bytes(Encoding.DER),), (), None)
            for name in TSAS
        )
        chain = ChainTrust(31337, b"\x22" * 20, bytes(32), bytes(32), "ethereum", (), (b"\x11" * 20,))
        return TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (chain,), authorities, test_only=True)

    @property
    def statements(self):
        return TrustStatements(self.rig.database, self.source)

    @property
    def history(self):
        with self.rig.database.reading() as connection:
            return known_history(connection)

    @property
    def trust(self):
        return self.statements.current().trust()

    def rotating(self, *, named=None, chained=True, gone=(), given_up=(), **changes):
        values = {
            "outstanding": Outstanding(self.rig.database, named, chained, gone, given_up),
            "database": self.rig.database,
            "intake": self.rig.intake,
            "close": self.close,
            "trust": self.statements,
            "find_key": partial(self.find, LOG),
            "make": lambda role, number: make_next(self.paths, None, role, number),
            "take_over": {HEAD: lambda old, new: self.handed.append((old, new))},
            "patience": 0.0,
            "pause": lambda _seconds: None,
        }
        return Rotating(**values | changes)

    def stamp(self):
        """Both authorities stamp the newest head, now."""
        with self.rig.database.reading() as connection:
            newest = newest_checkpoint(connection)
        now = self.rig.clock()
        with self.rig.database.writing() as connection:
            for name in TSAS:
                token = build.tsa(name).respond(newest.note, gen_time=now, tsa=True)
                made = create_anchoring(connection, name, "rfc3161", newest.size, now)
                move(
                    connection,
                    made.id,
                    "due",
                    "final",
                    now,
                    evidence=token,
                    not_after=now + timedelta(seconds=1),
                )
        return newest.size

    def record(self):
        """A record that is closed and stamped a minute later."""
        made = self.rig.intake.accept(self.rig.document(os.urandom(8)))
        self.sequencer.sequence()
        self.rig.clock.advance(60)
        self.stamp()
        return made

    def problems(self):
        """What `fsck` finds, but for the requests to authorities, which nobody has sent here."""
        return [problem for problem in self.rig.fsck().problems if not problem.startswith("anchoring")]

    @property
    def prover(self):
        def keys():
            return self.history.verifiers(LOG)

        return Prover(self.rig.database, Tiles(self.rig.objects), ORIGIN, keys)

    def package(self, number):
        packages = Packages(self.rig.database, Records(self.rig.database), self.prover)
        return packages.package(number, Viewer(self.rig.tenant))

    def check(self, data, trust=None):
        package = read_package(io.BytesIO(data)) if isinstance(data, bytes) else data
        report = verify(package, trust or self.trust)
        return replace(report, required=report.required - {"2.3"})  # no document is at hand
