"""Chains of each profile through the adapter: what is captured, what is final, and what is no block of the chain."""

from dataclasses import replace

import pytest
import rlp
from trie.hexary import HexaryTrie

from notary.anchoring.blocks import block_at, final_number, receipt_proof
from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.evidence.chain import check_code, check_receipt, decode_evidence, decode_header
from notary.evidence.chain_bft import SEALED
from notary.evidence.chain_head import StoredHead, head_slots, stored_head
from notary.evidence.chain_seals import ValidatorSet, check_seals
from notary.evidence.keccak import keccak256
from tests.anchoring.local_chain import HEAD_KEY, head, path, root
from tests.anchoring.local_chain import STRANGER as SENDER
from tests.anchoring.lying_node import lying_node
from tests.anchoring.sealed_node import sealed_node
from tests.anchoring.test_evm import anchored
from tests.evidence.bft import STRANGER, VALIDATORS, addresses, twin

TRUSTED = (ValidatorSet(0, addresses()),)
KEY = bytes.fromhex(HEAD_KEY.address[2:])


@pytest.fixture
def anchor(chain):
    """On a chain that has a block behind it."""
    made = chain.anchor(chain.open())
    chain.mine(2)
    return made


def through(anchor, url, profile="qbft", validators=TRUSTED):
    node = Node(url, 31337, validators=validators)
    return replace(anchor, node=node, profile=profile, finality="seals")


def not_before(anchor):
    """The newest block, as the worker polls it for statements to name."""
    return newest_finalized(Quorum((anchor.node,), 1, "seals", anchor.profile))


# Sealed chains


@pytest.mark.parametrize("profile", SEALED)
def test_what_its_validators_sealed_is_final_and_its_evidence_passes_every_check(chain, anchor, profile):
    with sealed_node(chain.url, profile, lambda number: {"number": number % 3}) as url:
        sealed = through(anchor, url, profile)
        earlier = not_before(sealed)
        sealed.not_before = lambda _head: [earlier.raw]
        seen = sealed.observe(head(7), [anchored(sealed, 7)])
    assert seen.step is Step.FINAL
    assert "final at 1 of 1 endpoints" in seen.detail
    evidence = decode_evidence(seen.evidence)
    header = decode_header(evidence.header, profile)
    assert evidence.profile == profile
    assert header.hash != decode_header(block_at(chain.node, "latest", "ethereum")[0], "ethereum").hash
    assert check_seals(evidence.header, header, profile, TRUSTED[0]) == 3
    assert check_receipt(evidence, header).new_root == root(7)
    check_code(evidence, header, CODE_HASH)
    assert stored_head(evidence, header) == StoredHead(7, root(7), KEY)
    # A chain made so has no hashes of sealed blocks in its state; the header bears its seals.
    (before,) = evidence.not_before
    assert decode_header(before.header, profile).hash == earlier.hash
    assert check_seals(before.header, decode_header(before.header, profile), profile, TRUSTED[0]) == 3


BAD = {
    "too few": ({"signers": VALIDATORS[:2]}, "bears 2 seals: 3 of 4"),
    "twice": ({"signers": [*VALIDATORS[:2], VALIDATORS[0]]}, "sealed block [0-9]+ twice"),
    "stranger": ({"signers": [*VALIDATORS, STRANGER]}, "not of a validator"),
    "twin": ({"altered": lambda seals: [*seals[1:], twin(seals[0])]}, "s in the upper half"),
    "round": ({"number": 0, "claimed": 1}, "not of a validator"),
    "set": ({"listed": addresses([*VALIDATORS, STRANGER])}, "names 5 validators, and not the 4"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_block_that_its_validators_did_not_seal_is_neither_mined_nor_named(chain, anchor, case):
    made, reason = BAD[case]
    attempt = anchored(anchor, 7)
    newest = chain.newest()
    with sealed_node(chain.url, seal=lambda number: made if number == newest else {}) as url:
        sealed = through(anchor, url)
        with pytest.raises(AnchorRejected, match=f"the node's block is not sealed: .*{reason}"):
            sealed.observe(head(7), [attempt])
        with pytest.raises(AnchorRejected, match="the node's block is not sealed"):
            not_before(sealed)
    with sealed_node(chain.url) as url:
        assert through(anchor, url).observe(head(7), [attempt]).step is Step.FINAL


def test_evidence_is_held_to_the_seals_that_it_has_itself(chain, anchor):
    """By number the node shows the block with enough seals, and by its hash, which leaves them out, with fewer."""
    attempt = anchored(anchor, 7)

    def fewer(block):
        *others, seals = rlp.decode(bytes.fromhex(block["extraData"][2:]))
        return block | {"extraData": f"0x{rlp.encode([*others, seals[1:]]).hex()}"}

    with sealed_node(chain.url) as good, lying_node(good, eth_getBlockByHash=fewer) as url:
        sealed = through(anchor, url)
        assert final_number(sealed.node, "seals", "qbft") == chain.newest()
        with pytest.raises(AnchorRejected, match=r"the node's block is not sealed: .* bears 2 seals"):
            sealed.observe(head(7), [attempt])


def test_a_later_good_block_does_not_make_up_for_the_seals_of_the_anchors_own(chain, anchor):
    attempt = anchored(anchor, 7)
    own = chain.newest()
    chain.mine(3)
    few = {"signers": VALIDATORS[:2]}
    with sealed_node(chain.url, seal=lambda number: few if number == own else {}) as url:
        sealed = through(anchor, url)
        assert final_number(sealed.node, "seals", "qbft") == own + 3
        with pytest.raises(AnchorRejected, match="bears 2 seals"):
            sealed.observe(head(7), [attempt])


def test_validators_are_those_of_the_settings_and_may_change(chain, anchor):
    attempt = anchored(anchor, 7)
    newest = chain.newest()
    with sealed_node(chain.url) as url:
        later = (ValidatorSet(newest + 1, addresses()),)
        with pytest.raises(AnchorRejected, match=f"no validators of block {newest} are configured"):
            through(anchor, url, validators=later).observe(head(7), [attempt])
        with pytest.raises(AnchorRejected, match="no validators of block"):
            through(anchor, url, validators=()).observe(head(7), [attempt])
        changed = (ValidatorSet(0, addresses([STRANGER])), ValidatorSet(newest, addresses()))
        assert through(anchor, url, validators=changed).observe(head(7), [attempt]).step is Step.FINAL


def test_the_first_block_is_sealed_by_nobody_and_final_for_nobody(chain):
    chain.node.ask("anvil_reset")
    with sealed_node(chain.url, seal=lambda number: {"signers": []}) as url:
        node = Node(url, 31337, validators=TRUSTED)
        assert block_at(node, "latest", "qbft")[1].number == 0
        assert final_number(node, "seals", "qbft") == -1
        with pytest.raises(AnchorUnavailable, match="no block is final yet"):
            newest_finalized(Quorum((node,), 1, "seals", "qbft"))


def test_endpoints_agree_on_a_block_whichever_seals_each_has(chain, anchor):
    with (
        sealed_node(chain.url) as first,
        sealed_node(chain.url, seal=lambda number: {"signers": VALIDATORS[1:], "number": 5}) as second,
        sealed_node(chain.url, seal=lambda number: {"signers": VALIDATORS[:2]}) as bad,
    ):
        sealed = through(anchor, first)
        others = [Node(url, 31337, validators=TRUSTED) for url in (second, bad)]
        attempt = anchored(sealed, 7)
        seen = replace(sealed, others=(others[0],), needed=2).observe(head(7), [attempt])
        assert (seen.step, seen.detail.rpartition("; ")[2]) == (Step.FINAL, "final at 2 of 2 endpoints")
        seen = replace(sealed, others=(others[1],), needed=2).observe(head(7), [attempt])
        assert seen.step is Step.MINED


def test_seals_tell_what_is_final_on_sealed_chains_only(chain):
    with pytest.raises(AnchorRejected, match="'seals' is not a rule of finality"):
        final_number(chain.node, "seals", "ethereum")


# A node of another kind of chain


def test_a_node_of_another_kind_of_chain_is_told(chain, anchor):
    attempt = anchored(anchor, 7)
    with pytest.raises(
        AnchorRejected, match="cannot be used: not a header of profile qbft: it has not the mix hash"
    ):
        through(anchor, chain.url).observe(head(7), [attempt])
    with sealed_node(chain.url) as url:
        for profile in ("ethereum", "op", "anvil"):
            plain = replace(anchor, node=Node(url, 31337), profile=profile, finality="depth:1")
            with pytest.raises(
                AnchorRejected, match=f"not a header of profile {profile}: it has the mix hash"
            ):
                plain.observe(head(7), [attempt])
        with pytest.raises(AnchorUnavailable, match="eth_getBlockByNumber: Unknown block"):
            final_number(Node(url, 31337), "finalized", "qbft")


@pytest.mark.parametrize("profile", ["op", "anvil"])
def test_chains_that_are_hashed_as_ethereum_is_are_final_by_their_tag(chain, anchor, profile):
    plain = replace(anchor, profile=profile)
    attempt = anchored(plain, 7)
    assert plain.observe(head(7), [attempt]).step is Step.MINED
    chain.mine(2)
    seen = plain.observe(head(7), [attempt])
    assert seen.step is Step.FINAL
    assert decode_evidence(seen.evidence).profile == profile


# Receipts of a rollup


def receipt(**more):
    return {
        "status": "0x1",
        "cumulativeGasUsed": "0xb1f2",
        "logsBloom": "0x" + "00" * 256,
        "logs": [],
        **more,
    }


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({}, []),
        ({"depositNonce": "0x2a"}, []),  # Regolith: shown, and no part of the trie
        ({"depositNonce": "0x2a", "depositReceiptVersion": "0x1"}, [b"\x2a", b"\x01"]),  # since Canyon
        ({"depositNonce": "0x0", "depositReceiptVersion": "0x1"}, [b"", b"\x01"]),
    ],
)
def test_receipts_of_deposits_hold_what_their_fork_has(more, fields):
    """Every block of an OP chain begins with a deposit; without it no proof in the block could be made."""
    trie = HexaryTrie({})
    body = [b"\x01", b"\xb1\xf2", bytes(256), []]
    trie[rlp.encode(0)] = b"\x7e" + rlp.encode([*body, *fields])
    trie[rlp.encode(1)] = b"\x02" + rlp.encode(body)
    shown = [receipt(type="0x7e", **more), receipt(type="0x2")]
    assert receipt_proof(shown, 1, trie.root_hash)
    with pytest.raises(AnchorRejected, match="do not have its receipts root"):
        receipt_proof(
            [receipt(type="0x7e", depositNonce="0x2b", depositReceiptVersion="0x1"), shown[1]],
            1,
            trie.root_hash,
        )


# The head in the contract's storage


def test_the_slots_of_the_head_are_captured_when_mined_and_again_after_a_reorg(chain, anchor):
    attempt = anchored(anchor, 7)
    before = decode_evidence(anchor.observe(head(7), [attempt]).evidence)
    assert stored_head(before, decode_header(before.header, "ethereum")) == StoredHead(7, root(7), KEY)
    chain.node.ask("anvil_reorg", 1, [])
    chain.mine(3)
    assert anchor.observe(head(7), [attempt]).step is Step.SENT
    anchor.send(head(7), attempt)
    chain.receipt(attempt.ref)
    after = decode_evidence(anchor.observe(head(7), [attempt]).evidence)
    assert after.header != before.header
    assert stored_head(after, decode_header(after.header, "ethereum")) == StoredHead(7, root(7), KEY)


def test_a_later_head_in_the_same_block_is_kept_as_it_is(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    first = anchor.sign(head(7), anchor.first_nonce(), [], 0)
    anchor.send(head(7), first)
    later = chain.data(anchor.log_id, 9, root(9), path(7, 9))
    chain.node.ask(
        "eth_sendTransaction",
        {
            "from": SENDER.address,
            "to": f"0x{chain.contract.hex()}",
            "data": f"0x{later.hex()}",
            "gas": hex(200_000),  # it pays less, and so comes second
            "maxPriorityFeePerGas": "0x0",
            "maxFeePerGas": hex(10**9),
        },
    )
    chain.mine()
    seen = anchor.observe(head(7), [first])
    assert seen.step is Step.MINED
    evidence = decode_evidence(seen.evidence)
    assert stored_head(evidence, decode_header(evidence.header, "ethereum")) == StoredHead(9, root(9), KEY)


def test_a_node_that_gives_no_storage_proof_costs_only_that(chain, anchor):
    attempt = anchored(anchor, 7)
    for lie in (
        lambda proof: proof | {"storageProof": []},
        lambda proof: proof | {"storageProof": proof["storageProof"][:1]},
    ):
        with lying_node(chain.url, eth_getProof=lie) as url:
            seen = replace(anchor, node=Node(url, 31337)).observe(head(7), [attempt])
        evidence = decode_evidence(seen.evidence)
        assert (seen.step, evidence.head_slots) == (Step.MINED, (None, None))
        assert evidence.account_proof is not None
        assert "the node gave no proof of the head in block" in seen.detail


def test_a_storage_proof_that_does_not_hold_is_a_lie(chain, anchor):
    attempt = anchored(anchor, 7)

    def swapped(proof):
        one, two = proof["storageProof"]
        return proof | {"storageProof": [one | {"proof": two["proof"]}, two | {"proof": one["proof"]}]}

    with (
        lying_node(chain.url, eth_getProof=swapped) as url,
        pytest.raises(AnchorRejected, match="the node's evidence does not hold: trie: "),
    ):
        replace(anchor, node=Node(url, 31337)).observe(head(7), [attempt])


@pytest.mark.parametrize(("slot", "value", "size"), [(1, "ee" * 32, 7), (0, "00" * 11 + "06" + KEY.hex(), 6)])
def test_a_state_in_which_the_contract_holds_something_else_is_no_anchor(chain, anchor, slot, value, size):
    """Whoever makes whole blocks of his own can make a receipt of a head that the contract never took."""
    attempt = anchored(anchor, 7)
    mined = chain.receipt(attempt.ref)
    receipts = chain.node.ask("eth_getBlockReceipts", mined["blockHash"])
    block = chain.node.ask("eth_getBlockByHash", mined["blockHash"], False)
    slots = [f"0x{each.hex()}" for each in head_slots(anchor.log_id)]
    chain.node.ask("anvil_setStorageAt", f"0x{chain.contract.hex()}", slots[slot], f"0x{value}")
    chain.mine()
    proof = chain.node.ask("eth_getProof", f"0x{chain.contract.hex()}", slots, "latest")
    state = chain.node.ask("eth_getBlockByNumber", "latest", False)["stateRoot"]
    fields = rlp.decode(block_at(chain.node, mined["blockNumber"], "ethereum")[0])
    fields[3] = bytes.fromhex(state[2:])
    block |= {"stateRoot": state, "hash": f"0x{keccak256(rlp.encode(fields)).hex()}"}
    lies = {
        "eth_getTransactionReceipt": lambda _: mined | {"blockHash": block["hash"]},
        "eth_getBlockByHash": lambda _: block,
        "eth_getBlockByNumber": lambda shown: block if shown["number"] == block["number"] else shown,
        "eth_getBlockReceipts": lambda _: receipts,
        "eth_getProof": lambda _: proof,
    }
    with (
        lying_node(chain.url, **lies) as url,
        pytest.raises(
            AnchorRejected, match=f"the contract holds a head of size {size}, not this one of size 7"
        ),
    ):
        replace(anchor, node=Node(url, 31337)).observe(head(7), [attempt])
