"""A chain for tests: a node of its own that mines each transaction at once, the contract, and logs on it."""

import hashlib
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import pytest
from eth_account import Account

from notary.anchoring.contract import (
    call_data,
    deploy,
    head_digest,
    open_log,
    revert_reason,
    signed_transaction,
)
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.fields import quantity
from notary.anchoring.port import Head
from notary.anchoring.rpc import Node
from notary.embedded.anvil import find_anvil
from notary.errors import AnchorUnavailable
from notary.merkle.proof import consistency_path
from notary.merkle.tree import levels, root_of

# The first and second account that anvil gives funds to; published with it.
WALLET = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
STRANGER = Account.from_key("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
HEAD_KEY = Account.from_key("0x" + "17" * 32)
LEAVES = [hashlib.sha256(bytes([0, number])).digest() for number in range(130)]
ROWS = {size: levels(LEAVES[:size]) for size in range(1, len(LEAVES) + 1)}
ANCHOR = "anchor(bytes32,uint64,bytes32,bytes32[],bytes)"


def root(size):
    return root_of(LEAVES[:size])


def path(old, new):
    return consistency_path(old, new, lambda level, index: ROWS[new][level][index]) if old else []


def head(size, origin="test.example/log"):
    return Head(origin, size, root(size), b"")


def refused(chain, data, reason):
    answer = chain.attempt(data)
    assert answer.error is not None, "the contract accepts it"
    assert revert_reason(answer) == f"the contract refuses: {reason}"


def accepted(chain, data):
    answer = chain.attempt(data)
    assert answer.error is None, revert_reason(answer)


@cache
def signed_by(key, digest):
    """The signature, which is the same each time; to make one takes longer than to ask the contract about it."""
    return bytes(key.unsafe_sign_hash(digest).signature)


@dataclass
class LocalChain:
    node: Node
    url: str
    contract: bytes = b""

    def mine(self, blocks=1):
        self.node.ask("anvil_mine", hex(blocks))

    def newest(self):
        return quantity(self.node.ask("eth_blockNumber"))

    def open(self, origin="test.example/log", key=HEAD_KEY):
        return open_log(self.node, WALLET, self.contract, origin, key.address, timeout=10)

    def data(self, log_id, size, new_root, proof, *, key=HEAD_KEY, chain_id=None, signature=None):
        digest = head_digest(chain_id or self.node.chain_id, self.contract, log_id, size, new_root)
        made = signed_by(key, digest) if signature is None else signature
        return call_data(ANCHOR, log_id, size, new_root, list(proof), made)

    def attempt(self, data, sender=STRANGER):
        """What the contract says to this input; changes nothing."""
        call = {"from": sender.address, "to": f"0x{self.contract.hex()}", "data": f"0x{data.hex()}"}
        return self.node.try_ask("eth_call", call, "latest")

    def send(self, data, sender=STRANGER):
        """Send it, have it mined, and return the receipt."""
        nonce = quantity(self.node.ask("eth_getTransactionCount", sender.address, "latest"))
        raw, ref = signed_transaction(self.node, sender, nonce, self.contract, data)
        self.node.ask("eth_sendRawTransaction", f"0x{raw.hex()}")
        return self.receipt(ref)

    def receipt(self, ref):
        """The receipt of a transaction that was sent; the node mines at once, but not before it answers."""
        for _ in range(200):
            found = self.node.ask("eth_getTransactionReceipt", f"0x{ref.hex()}")
            if found is not None:
                return found
            time.sleep(0.02)
        pytest.fail("a transaction is not mined")

    def anchor(self, log_id, not_before=(), **more):
        return EvmAnchor(
            "test", self.node, self.contract, log_id, HEAD_KEY, WALLET, lambda _head: list(not_before), **more
        )


@contextmanager
def running(chain_id=31337, *arguments, kept=64):
    """A chain of its own; `kept` is how many states of the past it can give proofs of and go back to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [find_anvil(), "--host", "127.0.0.1", "--port", port, "--chain-id", chain_id, "--quiet"]
    command += ["--slots-in-an-epoch", 1, "--prune-history", kept, *arguments]
    process = subprocess.Popen([*map(str, command)])
    try:
        chain = LocalChain(Node(f"http://127.0.0.1:{port}", chain_id), f"http://127.0.0.1:{port}")
        for _ in range(400):
            try:
                chain.node.require_chain()
                break
            except AnchorUnavailable:
                assert process.poll() is None, "anvil does not start"
                time.sleep(0.05)
        chain.contract = deploy(chain.node, WALLET, timeout=10)
        yield chain
    finally:
        process.terminate()
        process.wait()
