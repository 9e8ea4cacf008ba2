"""The adapter on a real chain: mined, final, undone and mined again; what is signed and sent."""

from dataclasses import replace

import pytest

from notary.anchoring.blocks import block_at, final_number
from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Anchor, Step
from notary.anchoring.quorum import Quorum
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.evidence.chain import (
    ChainTrust,
    check_binding,
    check_block,
    check_code,
    check_history,
    check_receipt,
    decode_evidence,
    decode_header,
)
from notary.observe import ANCHOR_GAS, ANCHOR_GAS_PER_RECORD, WALLET_WEI
from tests.anchoring.evm_steps import anchored, sent, signed, through
from tests.anchoring.local_chain import HEAD_KEY, STRANGER, WALLET, head, path, root
from tests.anchoring.lying_node import Error, Lost, lying_node

# The way to final


def test_an_anchor_is_mined_then_final_and_its_evidence_passes_every_check(chain, anchor):
    chain.mine(3)
    earlier = newest_finalized(Quorum((chain.node,)))
    anchor.not_before = lambda _head: [earlier.raw]
    assert anchor.attested_size() == 0
    attempt = anchored(anchor, 7)
    seen = anchor.observe(head(7), [attempt])
    assert (seen.step, seen.detail) == (Step.MINED, f"block {chain.newest()}")
    evidence = decode_evidence(seen.evidence)
    header = decode_header(evidence.header, "ethereum")
    trust = ChainTrust(
        31337, chain.contract, anchor.log_id, CODE_HASH, "ethereum", ((header.number, header.hash),)
    )
    check_binding(evidence, trust)
    assert check_block(header, trust)
    event = check_receipt(evidence, header)
    assert (event.old_size, event.new_size, event.new_root) == (0, 7, root(7))
    check_code(evidence, header, CODE_HASH)
    check_history(evidence, header, decode_header(earlier.raw, "ethereum"))
    assert evidence.transaction == attempt.ref
    chain.mine()
    assert anchor.observe(head(7), [attempt]).step is Step.MINED
    chain.mine()
    final = anchor.observe(head(7), [attempt])
    assert (final.step, final.evidence) == (Step.FINAL, seen.evidence)
    assert anchor.on_chain_head() == (7, root(7))


def test_what_the_wallet_holds_and_what_an_anchor_took_are_measured(chain, anchor):
    attempt = signed(anchor, 7)
    held = int(chain.node.ask("eth_getBalance", WALLET.address, "latest"), 16)
    assert WALLET_WEI.labels("test", WALLET.address)._value.get() == float(held)
    anchor.observe(head(7), [sent(anchor, attempt)])
    used = int(chain.receipt(attempt.ref)["gasUsed"], 16)
    assert ANCHOR_GAS.labels("test")._value.get() == used
    assert ANCHOR_GAS_PER_RECORD.labels("test")._value.get() == used / 7
    later = anchored(anchor, 100, old=7)
    anchor.observe(head(100), [later])
    used = int(chain.receipt(later.ref)["gasUsed"], 16)
    assert ANCHOR_GAS_PER_RECORD.labels("test")._value.get() == used / 93


def test_the_adapter_is_an_anchor_of_the_port(anchor):
    as_port: Anchor = anchor
    assert (as_port.name, as_port.kind) == ("test", "evm")


def test_a_later_head_extends_the_one_on_chain(chain, anchor):
    anchored(anchor, 7)
    attempt = anchored(anchor, 100, old=7)
    assert anchor.observe(head(100), [attempt]).step is Step.MINED
    assert anchor.attested_size() == 100


def test_nothing_is_final_while_mining_stands_still(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    chain.node.ask("evm_setIntervalMining", 0)
    attempt = anchored(anchor, 7)
    assert anchor.observe(head(7), [attempt]).step is Step.SENT
    chain.mine()
    for _ in range(3):
        assert anchor.observe(head(7), [attempt]).step is Step.MINED
    chain.mine(2)
    assert anchor.observe(head(7), [attempt]).step is Step.FINAL


def test_finality_by_depth_counts_the_block_itself(chain, anchor):
    anchor.finality = "depth:3"
    attempt = anchored(anchor, 7)
    steps = []
    for _ in range(3):
        steps.append(anchor.observe(head(7), [attempt]).step)
        chain.mine()
    assert steps == [Step.MINED, Step.MINED, Step.FINAL]


@pytest.mark.parametrize("rule", ["depth:0", "depth:x", "seals", "depth:", "safe"])
def test_other_rules_of_finality_are_refused(chain, rule):
    with pytest.raises(AnchorRejected, match="is not a rule of finality"):
        final_number(chain.node, rule, "ethereum")


def test_no_block_is_final_before_there_are_enough(chain):
    with pytest.raises(AnchorUnavailable, match="no block is final yet"):
        newest_finalized(Quorum((chain.node,), finality="depth:1000"))


def test_the_newest_final_block_is_hashed_here(chain):
    chain.mine(5)
    found = newest_finalized(Quorum((chain.node,)))
    assert found.number == chain.newest() - 2
    assert decode_header(found.raw, "ethereum").hash == found.hash
    assert found.chain_id == 31337


# Reorganisations


def test_a_reorg_brings_it_back_to_sent_and_the_stored_bytes_are_mined_again(chain, anchor):
    attempt = anchored(anchor, 7)
    first = anchor.observe(head(7), [attempt])
    assert first.step is Step.MINED
    chain.node.ask("anvil_reorg", 1, [])
    assert anchor.observe(head(7), [attempt]).step is Step.SENT
    sent(anchor, attempt)
    again = anchor.observe(head(7), [attempt])
    assert again.step is Step.MINED
    blocks = [
        decode_header(decode_evidence(seen.evidence).header, "ethereum").hash for seen in (first, again)
    ]
    assert blocks[0] != blocks[1]
    chain.mine(2)
    assert anchor.observe(head(7), [attempt]).step is Step.FINAL


def test_a_reorg_into_another_block_gives_the_evidence_of_that_block(chain, anchor):
    chain.mine(3)
    attempt = anchored(anchor, 7)
    chain.mine()
    first = anchor.observe(head(7), [attempt])
    chain.node.ask("anvil_reorg", 2, [[f"0x{attempt.raw.hex()}", 1]])
    second = anchor.observe(head(7), [attempt])
    assert second.step is Step.MINED
    header = decode_header(decode_evidence(second.evidence).header, "ethereum")
    assert header.hash == block_at(chain.node, hex(header.number), "ethereum")[1].hash
    assert header.hash != decode_header(decode_evidence(first.evidence).header, "ethereum").hash


def test_a_block_that_is_replaced_while_it_is_looked_at_is_not_believed(chain, anchor):
    attempt = anchored(anchor, 7)
    replaced = []

    def reorder(receipts):
        if not replaced:
            replaced.append(chain.node.ask("anvil_reorg", 1, []))
        return receipts

    with (
        lying_node(chain.url, eth_getBlockReceipts=reorder) as url,
        pytest.raises(AnchorUnavailable, match="was replaced while it was looked at"),
    ):
        through(anchor, url).observe(head(7), [attempt])
    assert anchor.observe(head(7), [attempt]).step is Step.SENT


# Signing


def test_nothing_is_sent_by_signing(chain, anchor):
    asked = []
    with lying_node(chain.url, asked=asked) as url:
        signed(through(anchor, url), 7)
    assert "eth_sendRawTransaction" not in asked
    assert anchor.on_chain_head() == (0, bytes(32))


def test_the_same_head_and_nonce_give_the_same_bytes(chain, anchor):
    nonce = anchor.first_nonce()
    first, second = (anchor.sign(head(7), nonce, [], 0) for _ in range(2))
    assert first == second
    assert first.nonce == nonce


@pytest.mark.parametrize(
    ("new", "proof", "old", "reason"),
    [
        (head(5), [], 5, "the head on chain is of size 5, no smaller than 5"),
        (head(7), path(5, 7)[:-1], 5, "does not extend the one on chain"),
        (replace(head(7), root=root(8)), path(5, 7), 5, "does not extend the one on chain"),
    ],
)
def test_a_head_that_does_not_extend_the_one_on_chain_is_never_signed(chain, anchor, new, proof, old, reason):
    anchored(anchor, 5)
    anchor.head_key = NoSignature()
    with pytest.raises(AnchorRejected, match=reason):
        anchor.sign(new, anchor.first_nonce(), proof, old)


def test_where_another_size_was_told_than_the_head_that_is_tried_has_it_is_tried_again(anchor):
    anchored(anchor, 5)
    anchor.head_key = NoSignature()
    for proof, old in (([], 0), (path(3, 7), 3), (path(6, 7), 6)):  # by an endpoint behind, or ahead
        with pytest.raises(AnchorUnavailable, match=f"is of size 5, the proof starts at {old}"):
            anchor.sign(head(7), anchor.first_nonce(), proof, old)


class NoSignature:
    """The head key's address, and nothing that could sign."""

    address = HEAD_KEY.address


def test_a_first_head_has_no_proof(anchor):
    anchor.head_key = NoSignature()
    with pytest.raises(AnchorRejected, match="nothing to be consistent with"):
        anchor.sign(head(7), 0, [bytes(32)], 0)


def test_another_head_key_is_noticed_before_it_signs(anchor):
    anchor.head_key = STRANGER
    with pytest.raises(AnchorRejected, match=r"the log's head key is 0x.*, ours is 0x7099"):
        signed(anchor, 7)


def test_what_the_contract_would_refuse_is_not_signed_by_the_wallet(chain, anchor):
    anchored(anchor, 5)
    with lying_node(chain.url, eth_call=lambda _: stale_head.pop(0) if stale_head else _) as url:
        stale_head = ["0x" + "00" * 64] * 2  # as from a node that lags behind
        with pytest.raises(AnchorRejected, match="the contract refuses: NotLarger"):
            signed(through(anchor, url), 5)


# Sending


def test_sending_twice_is_harmless(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    attempt = signed(anchor, 7)
    assert [anchor.send(head(7), attempt).step for _ in range(2)] == [Step.SENT, Step.SENT]
    chain.mine()
    assert anchor.send(head(7), attempt).step is Step.SENT
    assert anchor.observe(head(7), [attempt]).step is Step.MINED


def test_a_lost_answer_leaves_it_open_and_the_transaction_is_found(chain, anchor):
    def lost(_):
        raise Lost

    attempt = signed(anchor, 7)
    with (
        lying_node(chain.url, eth_sendRawTransaction=lost) as url,
        pytest.raises(AnchorUnavailable, match="eth_sendRawTransaction: no answer from the node"),
    ):
        through(anchor, url).send(head(7), attempt)
    chain.receipt(attempt.ref)
    assert anchor.observe(head(7), [attempt]).step is Step.MINED


def test_the_words_of_a_node_count_for_nothing_once_it_has_the_transaction(chain, anchor):
    def words(_):
        raise Error("nonce too low: next nonce 9, tx nonce 8")

    attempt = signed(anchor, 7)
    with lying_node(chain.url, eth_sendRawTransaction=words) as url:
        seen = through(anchor, url).send(head(7), attempt)
    assert (seen.step, seen.detail) == (Step.SENT, "the node had the transaction already")


def test_a_nonce_that_went_to_another_transaction_is_told(chain, anchor):
    attempt = signed(anchor, 7)
    chain.send(chain.data(anchor.log_id, 3, root(3), []), WALLET)
    with pytest.raises(AnchorRejected, match=f"^nonce {attempt.nonce} went to another transaction$"):
        anchor.send(head(7), attempt)
    waiting = anchor.observe(head(7), [attempt])
    assert waiting.step is Step.SENT
    assert "by none of our transactions" in waiting.detail


def test_an_empty_wallet_burns_nothing_and_the_same_bytes_work_later(chain, anchor):
    attempt = signed(anchor, 7)
    chain.node.ask("anvil_setBalance", WALLET.address, "0x0")
    with pytest.raises(
        LaneStopped, match=rf"wallet {WALLET.address} holds 0 wei, and the transaction may take \d+"
    ):
        anchor.send(head(7), attempt)
    chain.node.ask("anvil_setBalance", WALLET.address, hex(10**20))
    sent(anchor, attempt)
    assert anchor.observe(head(7), [attempt]).step is Step.MINED
