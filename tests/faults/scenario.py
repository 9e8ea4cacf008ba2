"""What the sweeps do to a log: the only file of theirs that knows how a log is made, written and read.

`main([step, folder, …])` runs one step in the process; `begin` and `end` are printed around the part that counts.
"""

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notary.errors import NotaryError, NotFound, Unavailable
from notary.evidence.checkpoint import open_checkpoint
from notary.log import extends, publish, sequence, staging
from notary.log.index import index_digests
from notary.log.open import open_log
from notary.store import connecting, engine
from notary.store.checkpoints import checkpoints_after, newest_checkpoint
from notary.store.connecting import open_database
from notary.store.files import FileObjects
from notary.store.inspections import spooled_names
from notary.store.migrate import migrate
from notary.store.objects import CHECKPOINT
from notary.store.tenants import create_tenant, tenants
from notary.store.tiles import Tiles
from tests.databases import Statements
from tests.faults.submissions import KEYS, Answered, Stored, submitting
from tests.faults.tracee import say
from tests.rig import GENESIS, LOG_KEY, LOG_VERIFIER, ORIGIN, Rig

DATABASE = "notary.db"
_TRIES = 3
_STATEMENTS = (
    Statements()
)  # compiled before the processes under test are forked, which takes a third of the time of each


@contextmanager
def opened(folder: str, seed: str) -> Iterator[Rig]:
    """The log in a folder, made if there is none: what every start does."""
    database = open_database(f"sqlite:///{folder}/{DATABASE}")
    database.engine.update_execution_options(compiled_cache=_STATEMENTS)
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
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(10)  # those of an event loop end by themselves, after it
    assert threading.active_count() == 1


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
    """One after the other, each in a transaction of its own: a digest, a group, a document to be inspected."""
    _answered(folder, "submit")


def write(folder: str) -> None:
    """Through the writer and its thread: three that come at once, a digest, a document, a bulk request."""
    _answered(folder, "write")


def _answered(folder: str, step: str) -> None:
    with opened(folder, step) as rig, submitting(rig) as answers:
        say("begin")
        for key in KEYS[step]:
            acknowledge(key, _tried(lambda key=key: answers(key)))
        say("end")


def acknowledge(key: str, answered: Answered) -> None:
    say(f"acknowledged {key} {answered.digest} {' '.join(answered.numbers)}")


def _tried(call):
    """What a call returns, with further tries where its error allows them."""
    for left in reversed(range(_TRIES)):
        try:
            return call()
        except Unavailable as error:
            say(f"refused {error}")
            if not left:
                raise
    raise AssertionError


def close(folder: str) -> None:
    """Close what waits, and index its digests."""
    with opened(folder, "close") as rig:
        rig.clock.advance(2)
        sequencer = rig.sequencer()
        say("begin")
        checkpoint = _tried(sequencer.sequence)
        say(f"closed {checkpoint.size if checkpoint else 'nothing'}")
        say(f"indexed {_tried(lambda: index_digests(rig.database))}")
        say("end")


def recover(folder: str, *lines: str) -> None:
    """Start again after a fault; print what `check` finds."""
    say(json.dumps(check(folder, *lines)))


def check(folder: str, *lines: str) -> dict:
    """Start again, submit again, close, and tell what is wrong, and every root that the log has signed."""
    problems: list[str] = []
    acknowledged = [line.split(" ")[1:] for line in lines if line.startswith("acknowledged")]
    with opened(folder, "recover") as rig, submitting(rig) as answers:
        rig.clock.advance(3)
        problems += _look_for(rig, acknowledged)
        again = {key: answers(key) for keys in KEYS.values() for key in keys}
        sequencer = rig.sequencer()
        assert sequencer.acquire()
        while sequencer.sequence():
            pass
        index_digests(rig.database)
        sequencer.release()
        problems += _look_for(rig, acknowledged)
        for key, digest, *numbers in acknowledged:
            if again[key].numbers != numbers:
                problems.append(f"{key} was made a second time")
            elif again[key].digest != digest:
                problems.append(f"{key} was answered with other bytes the second time")
        result = rig.fsck()
        problems += result.problems
        with rig.database.reading() as connection:
            roots = {stored.size: stored.root.hex() for stored in checkpoints_after(connection, 0, 1000)}
            problems += [f"{name} is gone" for name in sorted(_missing(rig, spooled_names(connection)))]
        return {"problems": problems, "roots": roots, "records": result.counts["records"]}


def _look_for(rig: Rig, acknowledged) -> Iterator[str]:
    """What was acknowledged and is not there, byte for byte."""
    stored = Stored(rig)
    with rig.database.reading() as connection:
        for key, digest, *numbers in acknowledged:
            try:
                found = stored.digest(connection, key, numbers)
            except NotFound as error:
                yield f"{key} was acknowledged and is lost: {error}"
                continue
            if found != digest:
                yield f"{key} was acknowledged with other bytes"


def _missing(rig: Rig, names: set[str]) -> set[str]:
    return {name for name in names if not (rig.folder / "spool" / name).exists()}


# --- negative controls: the same steps without a guard


def careless(step: str, *arguments: str) -> None:
    """On a database that syncs its log only now and then."""
    prepare = connecting._prepare_sqlite

    def prepare_less(connection, record):
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=NORMAL")

    connecting._prepare_sqlite = prepare_less
    main([step, *arguments])


def hasty(step: str, *arguments: str) -> None:
    """Publishing a checkpoint whose tiles are not at their names."""
    staging.apply = lambda _objects, _name: True
    main([step, *arguments])


def deaf(step: str, *arguments: str) -> None:
    """Taking a sync that failed for a database that does not answer: it is tried again."""
    engine._ours = lambda error: Unavailable(f"the database does not answer: {error}")
    main([step, *arguments])


def forgetful(step: str, *arguments: str) -> None:
    """Without a look at what was published."""
    nothing = lambda *_: True  # noqa: E731 - in the place of three functions
    sequence.check_published = publish.check_published = extends.require_published = nothing
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
    note = FileObjects(folder / "log").read(CHECKPOINT)
    if note is not None:
        found = open_checkpoint(note, ORIGIN, [LOG_VERIFIER]).checkpoint
        Tiles(FileObjects(folder / "log")).check_edge(found.size, found.root)


# Tables and columns that nothing signed speaks of: a flipped bit there cannot be told from an honest value.
UNSIGNED = {
    "alembic_version": {"version_num"},  # the next start refuses it
    "tenant": {"name", "created_at"},
    "commit_group": {"created_at"},
    "record": {"tenant_id", "visibility_chosen"},  # of another organisation that is there
    "digest_state": {"id", "size"},  # a smaller size costs time alone; a larger one is found by what it hides
    "claim": {"tenant_id", "key", "request_sha256", "count", "created_at"},
    "inspection": {"path", "tries", "taken_until", "reason"},
    "log_state": {"id", "staging", "epoch", "holder", "lease_until"},
    "checkpoint": {"time"},
    "sqlite_sequence": {"name", "seq"},
    "api_key": {"id", "secret_sha256", "scopes", "created_at", "expires_at", "revoked_at", "used_at"},
    "anchoring": {"detail", "created_at", "updated_at"},  # and `not_after`, which nothing sets
    "attempt": {"id", "created_at"},
}
# An anchoring that is due has sent nothing yet that names it, its authority or its head.
UNSIGNED_WHILE_DUE = {"id", "anchor", "size"}
# What the settings call an authority stands in no token; where they know the name, the token must be of its roots.
UNSIGNED_OF_TOKENS = {"anchor"}
# How fsck names what is wrong in a table; at least one problem must read so.
NAMED = {
    "tenant": r"^record \w+: it is of organisation \d+, which is not there",
    "inspection": r"^inspection of document \d+: ",
    "commit_group": r"^commit group \d+",
    "record": r"^record \w+: |^commit group \d+",
    "digest_index": r"^digest \w+ is indexed|^record \w+ is not found by its digest",
    "opening": r"^record \w+: |^\d+ openings are stored",
    "claim": r"^a claim of organisation \d+ ",
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
