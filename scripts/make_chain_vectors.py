"""Record chain evidence from a real node for tests/evidence/test_chain.py: the same bytes every time.

Usage: python scripts/make_chain_vectors.py [folder, default tests/testdata/chain]
"""

import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from eth_account import Account

from notary.anchoring.blocks import block_at
from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.contract import deploy, open_log
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.port import Head, Observation
from notary.anchoring.rpc import Node
from notary.embedded.anvil import find_anvil
from notary.errors import AnchorUnavailable
from notary.evidence.chain import decode_evidence, decode_header, encode_evidence
from notary.merkle.proof import consistency_path
from notary.merkle.tree import levels, root_of

ORIGIN = "vectors.example/log"
LEAVES = [hashlib.sha256(bytes([0, number])).digest() for number in range(11)]


@contextmanager
def chain(chain_id: int) -> Iterator[Node]:
    """A chain from fixed state, with fixed times; it forgets all at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [find_anvil(), "--port", str(port), "--chain-id", str(chain_id), "--timestamp", "1700000000"]
    process = subprocess.Popen([*map(str, command), "--hardfork", "prague", "--quiet"])
    try:
        node = Node(f"http://127.0.0.1:{port}", chain_id)
        for _ in range(200):
            try:
                node.require_chain()
                break
            except AnchorUnavailable:
                time.sleep(0.05)
        node.ask("anvil_setBlockTimestampInterval", 12)
        yield node
    finally:
        process.terminate()
        process.wait()


def record(node: Node) -> tuple[dict[str, object], Observation]:
    """Anchor 3 and then 11 entries; the second is what is recorded."""
    wallet = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    head_key = Account.from_key("0x" + "17" * 32)
    contract = deploy(node, wallet)
    log_id = open_log(node, wallet, contract, ORIGIN, head_key.address)
    node.ask("anvil_mine", "0x3")
    earlier = [block_at(node, hex(number), "ethereum")[0] for number in (2, 4)]
    anchor = EvmAnchor("vectors", node, contract, log_id, head_key, wallet, lambda _head: earlier)
    rows = levels(LEAVES)
    for old, new in ((0, 3), (3, 11)):
        proof = consistency_path(old, new, lambda level, index: rows[level][index]) if old else []
        head = Head(ORIGIN, new, root_of(LEAVES[:new]), b"")
        attempt = anchor.sign(head, anchor.first_nonce(), proof, old)
        anchor.send(head, attempt)
        seen = anchor.observe(head, [attempt])
    assert seen.evidence is not None
    header = decode_header(decode_evidence(seen.evidence).header, "ethereum")
    return {
        "chain_id": node.chain_id, "contract": contract.hex(), "log_id": log_id.hex(),
        "code_hash": CODE_HASH.hex(), "block": header.number, "block_hash": header.hash.hex(),
        "old_size": 3, "new_size": 11, "new_root": root_of(LEAVES).hex(),
    }, seen  # fmt: skip


def main() -> None:
    """Write the files."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/testdata/chain")
    folder.mkdir(parents=True, exist_ok=True)
    with chain(31337) as node:
        facts, seen = record(node)
    assert seen.evidence is not None
    assert ";" not in seen.detail, seen.detail
    (folder / "anchor.json").write_bytes(seen.evidence)
    evidence = decode_evidence(seen.evidence)
    bare = replace(
        evidence,
        account_proof=None,
        history_proof=None,
        not_before=tuple(replace(item, storage_proof=None) for item in evidence.not_before),
    )
    (folder / "anchor-without-state.json").write_bytes(encode_evidence(bare))
    (folder / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    with chain(31338) as node:
        (folder / "other-chain.json").write_bytes(record(node)[1].evidence or b"")


if __name__ == "__main__":
    main()
