"""The embedded service's set-up, done again at each start."""

import json

from notary import keys
from notary.anchoring.blocks import block_at
from notary.anchoring.fields import octets, quantity
from notary.anchoring.rpc import Node
from notary.embedded import dev
from notary.embedded.children import CHAIN_ID, children
from notary.evidence.chain_header import PROFILES
from notary.evidence.keccak import keccak256
from notary.evidence.mpt import verify_proof


def test_starting_again_leaves_proofs_of_the_newest_block_whole(tmp_path):
    """An anchor that was mined before the stop has its evidence captured after the start."""
    with children(tmp_path) as found:
        dev.configure(tmp_path, found)
    with children(tmp_path) as found:
        node = Node(found.chain_url, CHAIN_ID)
        node.ask("evm_setAutomine", False)
        node.ask("evm_setIntervalMining", 0)
        dev.configure(tmp_path, found)
        contract = json.loads((tmp_path / "embedded.json").read_text())["contract"]
        number = quantity(node.ask("eth_blockNumber"))
        _raw, header = block_at(node, hex(number), PROFILES[0])
        shown = node.ask("eth_getProof", f"0x{contract}", [], hex(number))
        nodes = [octets(item) for item in shown["accountProof"]]
        assert verify_proof(header.state_root, keccak256(bytes.fromhex(contract)), nodes)


def test_an_empty_wallet_is_filled_at_the_start(tmp_path):
    with children(tmp_path) as found:
        dev.configure(tmp_path, found)
        node = Node(found.chain_url, CHAIN_ID)
        wallet = keys.load_secp256k1(tmp_path / "keys" / "wallet.key").address
        full = quantity(node.ask("eth_getBalance", wallet, "latest"))
        node.ask("anvil_setBalance", wallet, "0x1")
        dev.configure(tmp_path, found)
        assert quantity(node.ask("eth_getBalance", wallet, "latest")) >= full
