"""kill -9 of an anchor run at its system calls: one mined transaction for a nonce, and nothing left unstored.

Counted are the calls that change the folder of the log or send by a socket. What left is what a proxy before the node
saw. After each kill another process goes on.
"""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from notary.store import anchorings, outbox
from notary.store.connecting import open_database
from tests.anchoring.anchored import Anchored
from tests.anchoring.local_chain import LocalChain, running
from tests.anchoring.lying_node import lying_node
from tests.databases import with_tables
from tests.faults.counts import count
from tests.faults.inject import Fault, How, run
from tests.faults.watch import Tracee
from tests.rig import ORIGIN, START, Rig

KILLED = -9


@dataclass
class Prepared:
    """A log with one checkpoint that is due, and a chain on which nothing is mined by itself."""

    folder: Path
    chain: LocalChain
    log_id: bytes
    tracee: Tracee

    def run(self, folder, at=None, kind="careful"):
        """Run on a copy, killed before call `at`; what happened, and the raw transactions that left."""
        shutil.copytree(self.folder, folder)
        wire, fault = [], None if at is None else Fault(at, How.KILL_BEFORE)
        with lying_node(self.chain.url, wire=wire) as url:
            arguments = [str(folder), url, self.chain.contract.hex(), self.log_id.hex(), kind]
            return run(self.tracee, arguments, folder, fault, sockets=True), wire

    def killed(self, folder, at, kind="careful"):
        """Kill it before call `at`, have another process go on, and judge; the call."""
        snapshot = self.chain.node.ask("evm_snapshot")
        try:
            outcome, wire = self.run(folder, at, kind)
            assert outcome.ended.status == KILLED, outcome.ended.stderr
            self._judge(folder, wire)
        except AssertionError as error:
            error.add_note(f"killed before call {at}")
            raise
        finally:
            assert self.chain.node.ask("evm_revert", snapshot)
        return outcome.hit

    def _judge(self, folder, wire):
        database = open_database(f"sqlite:///{folder / 'notary.db'}")
        try:
            log, anchor = Anchored(Rig(database, folder)), self.chain.anchor(self.log_id)
            nonce = anchor.first_nonce()
            before = stored(log)
            assert set(wire) <= set(before), "sent what is not stored"
            advance = log.advance(anchor)
            for _ in range(4):
                log.wait(31)
                advance.step()
                self.chain.mine(2)
            (item,) = log.all("test")
            assert (item.state, anchor.on_chain_head()[0]) == ("final", item.size)
            assert stored(log)[: len(before)] == before
            assert len(stored(log)) == 1, "two transactions for one head"
            assert anchor.first_nonce() == self.first == log.attempts(item)[0].nonce + 1, (
                "not one mined transaction"
            )
            assert nonce in (self.first - 1, self.first)
        finally:
            database.dispose()

    first: int = 0


def stored(log):
    with log.rig.database.reading() as connection:
        found = anchorings.anchorings(connection, anchor="test")
        return [attempt.raw for item in found for attempt in outbox.attempts_of(connection, item.id)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed") / "log"
    folder.mkdir()
    database = with_tables(f"sqlite:///{folder / 'notary.db'}")
    Anchored(Rig(database, folder).open()).close()
    database.dispose()
    # An hour behind the log, whose clock stands still: by blocks that seem made since, one that has just been sent
    # would have waited through three of them, and be made again for more.
    behind = "--timestamp", int((START - timedelta(hours=1)).timestamp())
    with running(31337, *behind) as chain, Tracee("tests.anchoring.killed") as tracee:
        log_id = chain.open(ORIGIN)
        chain.node.ask("evm_setAutomine", False)
        made = Prepared(folder, chain, log_id, tracee)
        made.first = chain.anchor(log_id).first_nonce() + 1
        yield made


@pytest.fixture
def calls(prepared, tmp_path):
    """The calls of a run that nobody disturbs."""
    snapshot = prepared.chain.node.ask("evm_snapshot")
    outcome, wire = prepared.run(tmp_path / "whole")
    assert (outcome.ended.status, outcome.ended.stderr, len(wire)) == (0, "", 1)
    assert prepared.chain.anchor(prepared.log_id).first_nonce() == prepared.first
    assert prepared.chain.node.ask("evm_revert", snapshot)
    return outcome.calls


def everywhere(prepared, tmp_path, points):
    for at in points:
        assert prepared.killed(tmp_path / str(at), at)
        shutil.rmtree(tmp_path / str(at))
        count("anchor run, killed before a call", calls=1)


def test_a_kill_at_some_calls(prepared, tmp_path, calls):
    assert calls.count("sendto(socket)") > 10
    assert calls.count("fdatasync(notary.db-wal)") >= 4
    kinds = {call: at for at, call in enumerate(calls, start=1)}  # the last of each kind
    everywhere(prepared, tmp_path, sorted({*kinds.values(), *range(1, len(calls) + 1, 24)}))


@pytest.mark.anchoring
@pytest.mark.timeout(3600)
def test_a_kill_at_any_call(prepared, tmp_path, calls):
    everywhere(prepared, tmp_path, range(1, len(calls) + 1))


def test_the_sweep_finds_what_is_sent_before_it_is_stored(prepared, tmp_path):
    snapshot = prepared.chain.node.ask("evm_snapshot")
    outcome, _ = prepared.run(tmp_path / "whole", kind="hasty")
    assert prepared.chain.node.ask("evm_revert", snapshot)
    # The first change of the database after a sending; there are few, and one comes after the transaction's.
    found = [
        at + 1
        for at, (one, two) in enumerate(zip(outcome.calls, outcome.calls[1:], strict=False), start=1)
        if one == "sendto(socket)" != two
    ]

    def sweep():
        for at in found:
            prepared.killed(tmp_path / str(at), at, "hasty")

    with pytest.raises(AssertionError, match="sent what is not stored"):
        sweep()
