"""The log read again from end to end: once, or each day by a process of its own that yields to all others."""

import json
import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess

import structlog

from notary import keys, wiring
from notary.errors import Fatal, NotaryError, SettingsError, Unavailable
from notary.evidence.bodies import Genesis
from notary.evidence.fields import moment, show_moment
from notary.evidence.key_history import HEAD, KeyHistory
from notary.evidence.note import Verifier
from notary.log.fsck import FsckResult, fsck
from notary.log.fsck_around import Attesters
from notary.log.open import read_genesis
from notary.observe import FSCK_FINISHED, FSCK_PROBLEMS
from notary.settings import Settings
from notary.store.key_changes import key_history
from notary.store.logstate import SMALL_STEP
from notary.wiring.trusting import authority, chain_trust, require_origin

_log = structlog.get_logger()
RESULT = "fsck.json"
_CONTEXT: SpawnContext | ForkContext = multiprocessing.get_context("spawn")
_TOLD = 20  # problems in the log of the process; all are in the file


def check_log(settings: Settings, progress: Callable[[str, int], None] | None = None) -> FsckResult:
    """Read everything that is stored and compare it.

    Raises:
        SettingsError: there is no log yet, or it has another name or chain than the settings say.
        Unavailable: database or disk do not answer; that says nothing about the log.
    """
    database, objects = wiring.open_made(settings)
    try:
        # Signed or not: what is wrong with statements on keys is a finding, and no reason to look at nothing.
        genesis = read_genesis(database)
        if genesis is None:
            raise SettingsError("there is no log to check: run `notary setup` first")
        require_origin(settings, genesis)
        log_key, receipt_key = (Verifier.from_vkey(vkey) for vkey in (genesis.log_key, genesis.receipt_key))
        with database.reading() as connection:
            try:
                history = key_history(connection)
            except Fatal:
                history = None
        found = attesters(settings, genesis, history)
        return fsck(database, objects, settings.origin, [log_key], [receipt_key], progress, found)
    finally:
        database.dispose()


def attesters(settings: Settings, genesis: Genesis, history: KeyHistory | None = None) -> Attesters:
    """The chains, authorities and head keys of settings and log.

    Raises:
        SettingsError: the log is on another chain, or a root cannot be read.
    """
    try:
        address = keys.load_secp256k1(settings.head_key).address
    except SettingsError:  # as where whoever checks has no key of the service
        head_keys: frozenset[bytes] = frozenset()
    else:
        head_keys = frozenset({bytes.fromhex(address[2:])})
    said = [] if history is None else [bytes.fromhex(key[2:]) for key in history.keys(HEAD)]
    return Attesters(
        chains={chain.name: chain_trust(chain, genesis, history) for chain in settings.chains},
        authorities={tsa.name: authority(tsa) for tsa in settings.trusted_tsas},
        head_keys=head_keys.union(said),
    )


@dataclass(slots=True)
class Checking:
    """Checks the log when the last check is older than the interval, in the one process that leads.

    The result is in `fsck.json` in the data folder, so that a restart does not begin anew; losing it costs a check.
    """

    settings: Settings
    leading: Callable[[], bool]
    now: Callable[[], datetime]
    _child: BaseProcess | None = field(default=None, init=False)
    _ended: bool = field(default=False, init=False)
    _unwritten: str | None = field(default=None, init=False, repr=False)

    def run(self) -> None:
        """Check, if it is time.

        Raises:
            Unavailable: the check came to no end, which says nothing about the log; or its result, which was told,
                cannot be kept.
        """
        if self._unwritten is not None:
            self._write(self._unwritten)
        if self._ended or not self.leading() or not self._due():
            return
        result = self._in_a_child()
        if result is None:
            return
        found = {
            "finished": show_moment(self.now()),
            "problems": result.problems,
            "counts": result.counts,
        }
        self._tell(self.now(), result.problems)
        self._write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")

    def end(self) -> None:
        """Break a check off; the process is about to stop."""
        self._ended = True
        child = self._child
        if child is not None and child.is_alive():
            child.terminate()

    def _write(self, found: str) -> None:
        """Keep a result; where it cannot be kept, it is tried again, and the whole log is not read again for it."""
        self._unwritten = found
        path = self.settings.data_dir / RESULT
        try:
            path.with_suffix(".new").write_text(found)
            path.with_suffix(".new").replace(path)
        except OSError as error:
            raise Unavailable(
                f"the log was checked, and its result cannot be written: {error.strerror}: {path}"
            ) from error
        self._unwritten = None

    def _due(self) -> bool:
        try:
            known = json.loads((self.settings.data_dir / RESULT).read_text())
            finished = moment(known["finished"], "the end of the last check")
            self._tell(finished, known["problems"], again=True)
        except (OSError, ValueError, KeyError, TypeError, NotaryError):
            return True  # never, or in no form that we know
        # One of a time to come is of a clock that was ahead, and would put off the next for as long.
        since = self.now() - finished
        return not -SMALL_STEP <= since < timedelta(seconds=self.settings.fsck_interval_seconds)

    def _in_a_child(self) -> FsckResult | None:
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        self._child = _CONTEXT.Process(target=_check, args=(self.settings, theirs), daemon=True)
        self._child.start()
        if self._ended:  # said while it was being started
            self._child.terminate()
        theirs.close()
        try:
            found: FsckResult | str = ours.recv()
        except EOFError:
            found = "it was ended before it had a result"
        finally:
            ours.close()
            self._child.join()
            self._child = None
        if isinstance(found, FsckResult):
            return found
        if self._ended:
            return None
        raise Unavailable(f"the log was not checked: {found}")

    @staticmethod
    def _tell(finished: datetime, problems: list[str], *, again: bool = False) -> None:
        FSCK_FINISHED.set(finished.timestamp())
        FSCK_PROBLEMS.set(len(problems))
        if again:
            return
        for problem in problems[:_TOLD]:
            _log.critical("the log does not agree with itself; see docs/operations.md", problem=problem)
        _log.info("the log was checked", problems=len(problems))


def _check(settings: Settings, answer: Connection) -> None:
    os.nice(19)  # whoever submits comes first
    parent = os.getppid()

    def alone(_what: str, _count: int) -> None:
        if os.getppid() != parent:  # killed, and nobody waits for the answer
            sys.exit()

    try:
        answer.send(check_log(settings, alone))
    except NotaryError as error:
        answer.send(str(error))
