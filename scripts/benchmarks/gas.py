"""What the contract's transactions cost on a local chain, in gas: the same on every machine."""

import socket
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from eth_account import Account

from benchmarks.harness import Context, Row, beside, with_goal
from notary.anchoring.contract import call_data, deploy, head_digest, log_id_of, signed_transaction
from notary.anchoring.fields import quantity, record
from notary.anchoring.rpc import Node
from notary.embedded.anvil import Anvil
from notary.merkle.hashing import hash_leaf, hash_node
from notary.merkle.proof import consistency_path
from notary.merkle.tree import CompactRange, range_nodes

CHAIN_ID = 31337
BATCH = 10_000
# The first account that anvil gives funds to; published with it.
WALLET = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
HEAD_KEY = Account.from_key("0x" + "17" * 32)
# Old sizes that make the longest proofs, with what an anchor of a batch may take there and, in the median, around it.
WORST = ((1023, 57_000, 56_000), (1_048_575, 67_000, 63_000), (2**30 - 1, 80_000, 69_000))
SAMPLES = 100
BASE, A_HASH = 43_000, 1_150
FIRST, OPENED, DEPLOYED, A_RECORD = 59_000, 55_000, 650_000, 8
# A tree whose leaves are all equal: one hash a level, so a tree of any size costs nothing to make.
_LEVELS = [hash_leaf(bytes(range(32)))]
for _ in range(40):
    _LEVELS.append(hash_node(_LEVELS[-1], _LEVELS[-1]))


@dataclass
class Chain:
    """A chain of the run's own, and the nonce of the one who sends."""

    node: Node
    contract: bytes = b""
    nonce: int = 0

    def send(self, data: bytes) -> int:
        """Gas that a call takes."""
        raw, ref = signed_transaction(self.node, WALLET, self.nonce, self.contract, data)
        self.node.ask("eth_sendRawTransaction", f"0x{raw.hex()}")
        self.nonce += 1
        while (receipt := self.node.ask("eth_getTransactionReceipt", f"0x{ref.hex()}")) is None:
            pass
        assert quantity(record(receipt)["status"]) == 1
        return quantity(record(receipt)["gasUsed"])

    def open(self, origin: str) -> tuple[bytes, int]:
        """A log of its own, and what opening it took."""
        used = self.send(call_data("open(string,address)", origin, HEAD_KEY.address))
        return log_id_of(WALLET.address, origin), used

    def anchor(self, log: bytes, old: int, new: int) -> tuple[int, int]:
        """Move a head: gas, and hashes in the proof."""
        root = CompactRange(new, tuple(_LEVELS[level] for level, _ in range_nodes(0, new))).root()
        proof = consistency_path(old, new, lambda level, _: _LEVELS[level]) if old else []
        digest = head_digest(CHAIN_ID, self.contract, log, new, root)
        signature = bytes(HEAD_KEY.unsafe_sign_hash(digest).signature)
        data = call_data("anchor(bytes32,uint64,bytes32,bytes32[],bytes)", log, new, root, proof, signature)
        return self.send(data), len(proof)


def gas(context: Context) -> Iterator[Row]:
    """Gas of each kind of transaction."""
    with TemporaryDirectory(dir=context.folder) as folder:
        anvil = Anvil(Path(folder), _free_port(), CHAIN_ID)
        anvil.start()
        try:
            yield from _rows(Chain(Node(anvil.url, CHAIN_ID)), context)
        finally:
            anvil.stop()


def _rows(chain: Chain, context: Context) -> Iterator[Row]:
    chain.contract = deploy(chain.node, WALLET)
    chain.nonce = quantity(chain.node.ask("eth_getTransactionCount", WALLET.address, "latest"))
    block = record(chain.node.ask("eth_getBlockByNumber", "latest", False))
    yield with_goal(_row("gas: deployment", quantity(block["gasUsed"])), DEPLOYED)
    log, used = chain.open("log.example.org/2026")
    yield with_goal(_row("gas: a log opened", used), OPENED)
    used, _ = chain.anchor(log, 0, BATCH)
    yield with_goal(_row("gas: a first anchor", used), FIRST)
    random, above, records = Random(4), list[float](), list[float]()
    for worst, most, median in WORST:
        runs = []
        for number in range(SAMPLES + 1):
            context.tell(f"from {worst:,}, {number} of {SAMPLES}")
            old = random.randrange(worst * 9 // 10, worst * 11 // 10) if number else worst
            log, _ = chain.open(f"{worst}.{number}.example.org")
            chain.anchor(log, 0, old)
            used, hashes = chain.anchor(log, old, old + BATCH)
            above.append(used - BASE - A_HASH * hashes)
            records.append(used / BATCH)
            runs.append(used)
        yield with_goal(_row(f"gas: an anchor of {BATCH:,} at {worst:,}, the worst size", runs[0]), most)
        middle = statistics.median(runs[1:])
        yield with_goal(_row(f"gas: the same, median of {SAMPLES} sizes around it", middle), median)
    yield with_goal(_row(f"gas: most above {BASE:,} and {A_HASH:,} a hash", max(above)), 0)
    yield with_goal(_row("gas: a record, at most", max(records)), A_RECORD)


def _row(name: str, used: float) -> Row:
    return beside(name, used, "gas", used / 21_000, "a transfer 21,000")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
