"""The local chain: it goes on where it stopped, also after a crash, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from notary.anchoring.fields import quantity
from notary.anchoring.poll import newest_finalized
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.embedded import anvil
from notary.embedded.anvil import Anvil, find_anvil
from notary.embedded.guard import undisturbed, until_signal
from notary.errors import AnchorUnavailable, ToolMissing
from tests.anchoring.local_chain import WALLET, LocalChain

CHAIN_ID = 31999


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def make(tmp_path):
    made = []

    def start(folder=tmp_path / "chain"):
        made.append(Anvil(folder, free_port(), CHAIN_ID))
        made[-1].start()
        return made[-1]

    yield start
    for chain in made:
        chain.stop()


def ask(chain, method, *params):
    return Node(chain.url, CHAIN_ID).ask(method, *params)


def newest(chain):
    return quantity(ask(chain, "eth_blockNumber"))


def paid(chain):
    """Send something, and return the hash of the transaction once it is mined."""
    transaction = {"from": WALLET.address, "to": "0x" + "11" * 20, "value": "0x1"}
    ref = ask(chain, "eth_sendTransaction", transaction)
    LocalChain(Node(chain.url, CHAIN_ID), chain.url).receipt(bytes.fromhex(ref[2:]))
    return ref


def gone(pid):
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


def test_a_restart_keeps_blocks_receipts_and_finality(make):
    first = make()
    refs = [paid(first) for _ in range(4)]
    ask(first, "anvil_mine", "0x3")
    receipt = ask(first, "eth_getTransactionReceipt", refs[0])
    final = newest_finalized(Quorum((Node(first.url, CHAIN_ID),)))
    number = newest(first)
    first.stop()
    second = make()
    assert newest(second) >= number
    assert ask(second, "eth_getTransactionReceipt", refs[0]) == receipt
    assert newest_finalized(Quorum((Node(second.url, CHAIN_ID),))).number >= final.number
    block = ask(second, "eth_getBlockByNumber", hex(final.number), False)
    assert block["hash"] == f"0x{final.hash.hex()}"
    paid(second)


def test_stopping_ends_the_child_and_may_be_done_twice(make):
    chain = make()
    pid = chain._process.pid
    chain.stop()
    assert gone(pid)
    chain.stop()
    with pytest.raises(AnchorUnavailable):
        newest(chain)


def test_a_state_file_cut_short_is_replaced_by_the_newest_copy_that_works(make):
    first = make()
    ref = paid(first)
    first.stop()
    state = first.state.read_bytes()
    first.state.write_bytes(state[: len(state) // 2])
    second = make()
    assert ask(second, "eth_getTransactionReceipt", ref)["status"] == "0x1"
    second.stop()
    for path in (first.state, first.folder / "anvil.1.json"):
        path.write_bytes(b"{")
    third = make()
    assert ask(third, "eth_getTransactionReceipt", ref)["status"] == "0x1"


def test_a_copy_is_never_made_of_half_a_state(make):
    chain = make()
    paid(chain)
    chain.stop()
    good = (chain.folder / "anvil.1.json").read_bytes()
    chain.state.write_bytes(good[:100])
    chain._rotate()
    assert (chain.folder / "anvil.1.json").read_bytes() == good


def test_copies_are_made_while_it_runs(make, monkeypatch):
    monkeypatch.setattr(anvil, "_COPY_SECONDS", 0.2)
    monkeypatch.setattr(anvil, "_DUMP_SECONDS", 1)
    chain = make()
    ref = paid(chain)
    copy = chain.folder / "anvil.1.json"
    for _ in range(200):
        if copy.exists() and ref[2:] in copy.read_text():
            return
        time.sleep(0.05)
    pytest.fail("no copy holds the transaction")


def test_it_says_so_when_no_copy_works(make):
    chain = make()
    chain.stop()
    for name in ("anvil.json", "anvil.1.json", "anvil.2.json"):
        (chain.folder / name).write_bytes(b"{")
    with pytest.raises(AnchorUnavailable, match=r"anvil does not start: .+"):
        make()


def test_a_child_left_over_from_a_killed_run_is_ended(make):
    first = make()
    ref = paid(first)
    process, first._process = first._process, None  # as if this process had been killed
    first._stopping.set()
    second = make()
    assert process.wait(5) is not None
    assert ask(second, "eth_getTransactionReceipt", ref)["status"] == "0x1"


def test_a_program_that_only_names_the_state_is_left_alone(make, tmp_path):
    state = str(tmp_path / "chain" / "anvil.json")
    with subprocess.Popen(
        [sys.executable, "-c", "input()", "--state", state], stdin=subprocess.PIPE
    ) as reader:
        make()
        assert reader.poll() is None
        reader.communicate(b"\n")


def test_a_chain_of_another_user_is_told_and_left(make, monkeypatch):
    first = make()
    process, first._process = first._process, None
    first._stopping.set()

    def forbidden(_pid, _signal):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(anvil.os, "kill", forbidden)
        with pytest.raises(AnchorUnavailable, match=f"process {process.pid} of another user runs a chain on"):
            make()
    process.terminate()
    process.wait()


def test_a_kill_loses_at_most_what_was_not_dumped_yet(make, monkeypatch):
    monkeypatch.setattr(anvil, "_DUMP_SECONDS", 1)
    first = make()
    ref = paid(first)
    time.sleep(2.5)
    os.kill(first._process.pid, signal.SIGKILL)
    first._process.wait()
    assert ask(make(), "eth_getTransactionReceipt", ref)["status"] == "0x1"


def test_a_taken_port_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        chain = Anvil(tmp_path, taken.getsockname()[1], CHAIN_ID)
        with pytest.raises(AnchorUnavailable, match="is taken by another program"):
            chain.start()


def test_transactions_do_not_wait_for_the_next_block(make):
    chain = make()
    begun = time.monotonic()
    paid(chain)
    paid(chain)
    assert time.monotonic() - begun < anvil.BLOCK_SECONDS


def test_history_is_in_memory_only_and_bounded(make, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    chain = make()
    ask(chain, "anvil_mine", hex(300))
    account = "0x0000f90827f1c53a10cb7a02335b175320002935"
    node = Node(chain.url, CHAIN_ID)
    at = newest(chain)
    assert node.try_ask("eth_getProof", account, [], hex(at - 60)).error is None
    assert node.try_ask("eth_getProof", account, [], hex(at - 80)).error is not None
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]


def test_a_missing_program_is_told_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv(anvil.VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(ToolMissing, match=r"NOTARY_ANVIL=.*nothing is not a program.*run `npm ci`"):
        find_anvil()
    monkeypatch.delenv(anvil.VARIABLE)
    monkeypatch.setattr(anvil, "_PACKAGES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"not on the PATH\): install node and npm, then run `npm ci`"):
        Anvil(tmp_path, 1, CHAIN_ID).start()


def test_the_program_is_taken_from_the_variable_the_packages_or_the_path(monkeypatch, tmp_path):
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert "@foundry-rs" in str(find_anvil())
    monkeypatch.setenv(anvil.VARIABLE, str(program))
    assert find_anvil() == program
    monkeypatch.delenv(anvil.VARIABLE)
    monkeypatch.setattr(anvil, "_PACKAGES", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_anvil() == program


def test_a_signal_while_the_child_is_started_leaves_none_behind(tmp_path, monkeypatch):
    chain, started = Anvil(tmp_path / "chain", free_port(), CHAIN_ID), []
    popen = anvil.subprocess.Popen

    def interrupted(*arguments, **more):
        started.append(popen(*arguments, **more))
        os.kill(os.getpid(), signal.SIGTERM)  # before anybody knows of it
        time.sleep(0)
        return started[-1]

    monkeypatch.setattr(anvil.subprocess, "Popen", interrupted)
    reached = False
    with until_signal():
        try:
            chain.start()
            reached = True
        finally:
            chain.stop()
    assert not reached  # the signal was acted on
    assert len(started) == 1
    assert started[0].poll() is not None


def test_in_another_thread_signals_are_left_alone():
    handlers = []

    def look():
        with undisturbed():
            handlers.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert handlers == [before]
