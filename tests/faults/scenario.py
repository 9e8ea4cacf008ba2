"""What the sweeps do to a log: the only file of theirs that knows how a log is made, written and read.

`main([step, folder, …])` runs one step in the process; `begin` and `end` are printed around the part that counts.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from notary.errors import NotaryError, NotFound, Unavailable
from notary.evidence.checkpoint import open_checkpoint
from notary.intake.submission import Idempotency
from notary.log import staging
from notary.log.open import open_log
from notary.store import engine
from notary.store.checkpoints import checkpoints_after, newest_checkpoint
from notary.store.engine import open_database
from notary.store.inspections import spooled_names
from notary.store.migrate import migrate
from notary.store.objects import CHECKPOINT, Objects
from notary.store.records import record_by_number
from notary.store.tenants import create_tenant, tenants
from notary.store.tiles import Tiles
from tests.faults.tracee import say
from tests.rig import GENESIS, LOG_KEY, LOG_VERIFIER, ORIGIN, Rig

DATABASE = "notary.db"
_PDF = b"%PDF-1.7\nnot much of one\n"
_TRIES = 3


@contextmanager
def opened(folder: str, seed: str) -> Iterator[Rig]:
    """The log in a folder, made if there is none: what every start does."""
    database = open_database(f"sqlite:///{folder}/{DATABASE}")
    try:
        migrate(database)
        rig = Rig(database, Path(folder))
        rig.random.seed(seed)  # the same calls in every run, and no number of another step
        open_log(database, rig.objects, LOG_KEY, ORIGIN, GENESIS, rig.clock(), rig.random.randbytes)
        with database.writing() as connection:
            known = tenants(connection)
            rig.tenant = (known[0] if known else create_tenant(connection, "a company", rig.clock())).id
        yield rig
    finally:
        database.dispose()


def warm() -> None:
    """What is loaded at first use, before the processes under test are forked."""
    with tempfile.TemporaryDirectory() as folder:
        setup(folder, "2", "1")
        check(folder)


def setup(folder: str, closed: str, waiting: str) -> None:
    """A log with so many closed entries, and so many that wait."""
    with opened(folder, "setup") as rig:
        rig.submit(int(closed) - 1)
        sequencer = rig.sequencer()
        sequencer.sequence()
        rig.submit(int(waiting), first=int(closed))
        sequencer.release()


def more(folder: str) -> None:
    """Two that wait, after a close."""
    with opened(folder, "more") as rig:
        rig.clock.advance(4)
        rig.submit(2, first=1000)


def create(folder: str) -> None:
    """Tables, entry 0, an organisation."""
    say("begin")
    with opened(folder, "create"):
        say("opened")
    say("end")


def submit(folder: str) -> None:
    """One after the other: a digest, a group, a document that waits for inspection."""
    with opened(folder, "submit") as rig:
        say("begin")
        for key in KEYS:
            for left in reversed(range(_TRIES)):
                try:
                    acknowledge(key, _submit(rig, key))
                    break
                except Unavailable as error:
                    say(f"refused {error}")
                    if not left:
                        raise
        say("end")


KEYS = ("single", "group", "document")


def _submit(rig: Rig, key: str):
    """Submit what belongs to an idempotency key; a second time, the first answer comes."""
    digest = sha256(key.encode()).digest()
    idempotency = Idempotency(key, digest)
    if key == "single":
        return [rig.intake.accept(rig.document(digest, fields={"title": "Lease"}), idempotency)]
    if key == "group":
        return rig.intake.accept_all([rig.document(digest + bytes([n])) for n in range(5)], idempotency)
    spooled = rig.intake.spool.receive([_PDF], 1000)
    document = rig.document(
        _PDF, seen=True, digests=spooled.digests, size=spooled.size, media_type=spooled.media_type, spooled=spooled.path
    )  # fmt: skip
    return [rig.intake.accept(document, idempotency)]


def acknowledge(key: str, accepted) -> None:
    numbers = " ".join(one.number for one in accepted)
    bodies = sha256(b"".join(one.statement + one.receipt for one in accepted)).hexdigest()
    say(f"acknowledged {key} {bodies} {numbers}")


def close(folder: str) -> None:
    """Close what waits, with a second try where the error allows one."""
    with opened(folder, "close") as rig:
        rig.clock.advance(2)
        sequencer = rig.sequencer()
        say("begin")
        for left in reversed(range(_TRIES)):
            try:
                checkpoint = sequencer.sequence()
                say(f"closed {checkpoint.size if checkpoint else 'nothing'}")
                break
            except Unavailable as error:
                say(f"refused {error}")
                if not left:
                    raise
        say("end")


def recover(folder: str, *lines: str) -> None:
    """Start again after a fault; print what `check` finds."""
    say(json.dumps(check(folder, *lines)))


def check(folder: str, *lines: str) -> dict:
    """Start again, submit again, close, and tell what is wrong, and every root that the log has signed."""
    problems: list[str] = []
    with opened(folder, "recover") as rig:
        rig.clock.advance(3)
        problems += _look_for(rig, lines)
        again = {key: _submit(rig, key) for key in KEYS}
        sequencer = rig.sequencer()
        assert sequencer.acquire()
        while sequencer.sequence():
            pass
        sequencer.release()
        problems += _look_for(rig, lines)
        for line in lines:
            if line.startswith("acknowledged"):
                _, key, _, *numbers = line.split(" ")
                if [one.number for one in again[key]] != numbers:
                    problems.append(f"{key} was made a second time")
        result = rig.fsck()
        problems += result.problems
        with rig.database.reading() as connection:
            roots = {stored.size: stored.root.hex() for stored in checkpoints_after(connection, 0, 1000)}
            problems += [f"{name} is gone" for name in sorted(_missing(rig, spooled_names(connection)))]
        return {"problems": problems, "roots": roots, "records": result.counts["records"]}


def _look_for(rig: Rig, lines) -> Iterator[str]:
    """What was acknowledged and is not there, byte for byte."""
    for line in lines:
        if not line.startswith("acknowledged"):
            continue
        _, key, bodies, *numbers = line.split(" ")
        try:
            with rig.database.reading() as connection:
                found = [record_by_number(connection, number, rig.tenant) for number in numbers]
        except NotFound as error:
            yield f"{key} was acknowledged and is lost: {error}"
            continue
        if sha256(b"".join(one.statement + one.receipt for one in found)).hexdigest() != bodies:
            yield f"{key} was acknowledged with other bytes"


def _missing(rig: Rig, names: set[str]) -> set[str]:
    return {name for name in names if not (rig.folder / "spool" / name).exists()}


# --- negative controls: the same steps without a guard


def careless(step: str, *arguments: str) -> None:
    """On a database that syncs its log only now and then."""
    prepare = engine._prepare_sqlite

    def prepare_less(connection, record):
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=NORMAL")

    engine._prepare_sqlite = prepare_less
    main([step, *arguments])


def hasty(step: str, *arguments: str) -> None:
    """Publishing a checkpoint whose tiles are not at their names."""
    staging.apply = lambda _objects, _name: True
    main([step, *arguments])


def main(arguments: list[str]) -> None:
    step, *rest = arguments
    getattr(sys.modules[__name__], step)(*rest)


# --- what the tests ask of a folder at rest


def check_readable(folder: Path) -> None:
    """The tiles of the published checkpoint are there and lead to its root.

    Raises:
        Fatal: they are not, or do not.
    """
    note = Objects(folder / "log").read(CHECKPOINT)
    if note is not None:
        found = open_checkpoint(note, ORIGIN, [LOG_VERIFIER]).checkpoint
        Tiles(Objects(folder / "log")).check_edge(found.size, found.root)


# Tables and columns that nothing signed speaks of: a flipped bit there cannot be told from an honest value.
UNSIGNED = {
    "alembic_version": {"version_num"},  # the next start refuses it
    "tenant": {"id", "name", "created_at"},
    "record": {"tenant_id", "visibility", "visibility_chosen", "created_at"},
    "idempotency": {"tenant_id", "key", "request_sha256", "answer", "created_at"},
    "opening": {"name"},  # a copy of what the disclosure says, for erasing by name
    "inspection": {"seq", "path", "media_type", "state", "tries", "taken_until", "reason"},
    "log_state": {"id", "staging", "epoch", "holder", "lease_until"},
    "checkpoint": {"time"},
    "sqlite_sequence": {"name", "seq"},
}
# How fsck names what is wrong in a table; at least one problem must read so.
NAMED = {
    "record": r"^record \w+: |^checkpoint \d+: |^sequence \d+ |leaves",
    "pending": r"^sequence \d+ waits|^record \w+: ",
    "leaf": r"^leaf \d+|^checkpoint \d+|^record \w+: |leaves",
    "opening": r"^record \w+: ",
    "log_state": r"^the state of the log ",
    "checkpoint": r"^checkpoint \d+|^the state of the log ",
}


def problems(folder: Path) -> list[str]:
    """What fsck says; also when it gives up."""
    database = open_database(f"sqlite:///{folder}/{DATABASE}")
    try:
        return Rig(database, folder).fsck().problems
    except NotaryError as error:
        return [str(error)]
    finally:
        database.dispose()


def refused_proofs(folder: Path) -> dict[int, str]:
    """Of every entry of the newest checkpoint whose proof is not given, its index and why."""
    database = open_database(f"sqlite:///{folder}/{DATABASE}")
    refused = {}
    try:
        prover = Rig(database, folder).prover()
        with database.reading() as connection:
            size = newest_checkpoint(connection).size
        for index in range(size):
            try:
                prover.proof_at(index, size)
            except NotaryError as error:
                refused[index] = str(error)
        return refused
    finally:
        database.dispose()
