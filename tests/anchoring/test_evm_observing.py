"""What the adapter sees on a real chain: left out, anchored by others, reverted; and the evidence that it makes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog

from notary.anchoring.blocks import block_at
from notary.anchoring.fields import quantity
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Attempt, Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.replacing import MAX_REPLACEMENTS, outbid
from notary.anchoring.rpc import Node
from notary.anchoring.transaction import fields_of
from notary.errors import AnchorUnavailable
from notary.evidence.chain import (
    check_receipt,
    decode_evidence,
    decode_header,
)
from notary.evidence.chain_file import MAX_NOT_BEFORE
from tests.anchoring.evm_steps import anchored, sent, signed, through
from tests.anchoring.local_chain import STRANGER, head, root, running
from tests.anchoring.lying_node import lying_node


def waiting(chain, anchor, base_fee=None):
    """A transaction that is in the pool and in no block, and a block that left it out."""
    chain.node.ask("evm_setAutomine", False)
    attempt = sent(anchor, signed(anchor, 7))
    since = datetime.fromtimestamp(block_at(chain.node, "latest", "ethereum")[1].time - 1, UTC)
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(base_fee or 100 * 10**9))
    chain.mine()
    assert anchor.observe(head(7), [attempt]).step is Step.SENT
    return attempt, since


def test_what_a_block_left_out_is_made_again_for_more_and_mined(chain, anchor):
    first, since = waiting(chain, anchor)
    second = anchor.replacement([first], since)
    old, new = fields_of(first.raw), fields_of(second.raw)
    fees = ("maxFeePerGas", "maxPriorityFeePerGas")
    assert all(new[name] >= old[name] * 1.15 for name in fees)
    assert {k: v for k, v in old.items() if k not in fees} == {k: v for k, v in new.items() if k not in fees}
    assert second.nonce == first.nonce
    sent(anchor, second)
    chain.mine()
    seen = anchor.observe(head(7), [first, second])
    assert seen.step is Step.MINED
    assert anchor.attested_size() == 7
    assert anchor.replacement([first, second], since) is None  # its nonce is used


def test_three_blocks_after_it_are_counted_from_when_it_was_made(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    first = sent(anchor, signed(anchor, 7))
    newest = block_at(chain.node, "latest", "ethereum")[1].time
    since = datetime.fromtimestamp(newest, UTC)
    for number in (1, 2, 3):
        assert anchor.replacement([first], since, 3) is None, f"{number - 1} of three blocks"
        chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(100 * 10**9))
        chain.node.ask("evm_setNextBlockTimestamp", newest + 2 * number)
        chain.mine()
        assert anchor.replacement([first], since, 1) is not None
    assert anchor.replacement([first], since, 3) is not None
    assert anchor.replacement([first], since, 10**6) is None  # more than the chain has


def test_a_legacy_transaction_is_made_again_too(chain, anchor):
    anchor.node.fees = "legacy"
    first, since = waiting(chain, anchor, 50 * 10**9)
    second = anchor.replacement([first], since)
    assert fields_of(second.raw)["gasPrice"] >= fields_of(first.raw)["gasPrice"] * 1.15
    sent(anchor, second)
    chain.mine()
    assert anchor.observe(head(7), [first, second]).step is Step.MINED


def test_more_than_nothing_is_something(chain, anchor):
    anchor.node.fees = "free"
    first, since = signed(anchor, 7), datetime.fromtimestamp(0, UTC)
    anchor.node.fees = "legacy"
    anchor.node.ask = lambda method, *_, ask=anchor.node.ask: (
        "0x0" if method == "eth_gasPrice" else ask(method, *_)
    )
    assert fields_of(anchor.replacement([first], since).raw)["gasPrice"] == 1


def test_nothing_is_made_again_where_it_would_be_of_no_use(chain, anchor):
    first, since = waiting(chain, anchor)
    newest = block_at(chain.node, "latest", "ethereum")[1].time
    assert anchor.replacement([first], datetime.fromtimestamp(newest, UTC)) is None  # no block since
    dear = anchor.replacement([first], since)
    assert anchor.replacement([*[first] * MAX_REPLACEMENTS, dear], since) is None
    with structlog.testing.capture_logs() as logs:
        assert anchor.replacement([first] * (MAX_REPLACEMENTS - 1), since) is not None
        assert logs == []
        assert anchor.replacement([first] * MAX_REPLACEMENTS, since) is not None
    assert [line["event"] for line in logs] == ["a transaction is made again for the eighth time"]
    seen = anchor.observe(head(7), [first] * MAX_REPLACEMENTS)
    assert (seen.step, seen.detail) == (Step.SENT, "")
    seen = anchor.observe(head(7), [first] * (MAX_REPLACEMENTS + 1))
    assert seen.detail == (
        "made again 8 times, each time for more, and in no block: it is made again once the chain asks for more than "
        "it offers, up to max_fee_gwei"
    )
    assert (
        anchor.replacement([replace(first, nonce=first.nonce + 1)], since) is None
    )  # one before it is missing
    anchor.node.fees = "free"
    assert anchor.replacement([first], since) is None


@pytest.mark.parametrize("fees", ["eip1559", "legacy"])
def test_after_eight_it_is_made_again_where_a_block_costs_more_than_it_offers_and_the_cap_allows_it(
    chain, anchor, fees
):
    anchor.node.fees = fees
    anchor.node.max_fee = 400 * 10**9
    first, since = waiting(chain, anchor, 300 * 10**9)
    eight = [first] * (MAX_REPLACEMENTS + 1)
    better = anchor.replacement(eight, since)
    bound = "gasPrice" if fees == "legacy" else "maxFeePerGas"
    assert 260 * 10**9 < fields_of(better.raw)[bound] <= 400 * 10**9
    assert anchor.replacement([*eight, better], since) is None  # a block may take it
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(600 * 10**9))
    chain.mine()
    with pytest.raises(AnchorUnavailable, match="more than max_fee_gwei allows"):
        anchor.replacement([*eight, better], since)
    anchor.node.max_fee = 10**12
    best = anchor.replacement([*eight, better], since)
    assert fields_of(best.raw)[bound] > 520 * 10**9
    sent(anchor, best)
    chain.mine()
    assert anchor.observe(head(7), [*eight, better, best]).step is Step.MINED


def test_one_of_two_endpoints_that_suggests_too_little_holds_nothing_up_for_longer_than_one_attempt(
    chain, anchor
):
    tip = quantity(chain.node.ask("eth_maxPriorityFeePerGas"))
    with lying_node(chain.url, eth_maxPriorityFeePerGas=lambda _: "0x0") as url:
        both = replace(through(anchor, url), others=(chain.node,))
        first, since = waiting(chain, both)
        second = both.replacement([first], since)
        chain.node.ask("anvil_setNextBlockBaseFeePerGas", "0x7")
        chain.mine()
        assert both.replacement([first] * (MAX_REPLACEMENTS + 1), since) is not None
    assert [fields_of(each.raw)["maxPriorityFeePerGas"] for each in (first, second)] == [0, tip]


def test_after_eight_it_is_made_again_where_the_tip_alone_costs_more_than_it_offers(chain, anchor):
    """As on chains whose base fee says next to nothing."""
    first, since = waiting(chain, anchor)
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", "0x7")
    chain.mine()
    eight = [first] * (MAX_REPLACEMENTS + 1)
    offered = fields_of(first.raw)["maxPriorityFeePerGas"]
    for tip in (0, offered):
        with lying_node(chain.url, eth_maxPriorityFeePerGas=lambda _, n=tip: hex(n)) as url:
            assert through(anchor, url).replacement(eight, since) is None
    with lying_node(chain.url, eth_maxPriorityFeePerGas=lambda _: hex(30 * 10**9)) as url:
        better = through(anchor, url).replacement(eight, since)
        assert fields_of(better.raw)["maxPriorityFeePerGas"] == 30 * 10**9
        assert through(anchor, url).replacement([*eight, better], since) is None  # a block may take it


def test_after_eight_it_is_made_again_where_the_gas_price_of_a_chain_without_base_fees_is_higher(
    chain, anchor
):
    anchor.node.fees = "legacy"
    first, since = waiting(chain, anchor, 50 * 10**9)
    eight, offered = [first] * (MAX_REPLACEMENTS + 1), fields_of(first.raw)["gasPrice"]

    def unpriced(block):
        return block | {"baseFeePerGas": None}

    for price, outbidden in ((offered, False), (offered + 1, True)):
        lies = {"eth_gasPrice": lambda _, n=price: hex(n), "eth_getBlockByNumber": unpriced}
        with lying_node(chain.url, **lies) as url:
            node = Node(url, 31337, fees="legacy")
            assert outbid(node, (node,), eight[-1]) is outbidden
    with lying_node(chain.url, eth_gasPrice=lambda _: hex(2 * offered)) as url:
        legacy = replace(anchor, node=Node(url, 31337, fees="legacy"))
        assert fields_of(legacy.replacement(eight, since).raw)["gasPrice"] == 2 * offered


def test_a_fee_beyond_all_bounds_is_not_paid_to_be_mined(chain, anchor):
    first, since = waiting(chain, anchor, 1100 * 10**9)
    with pytest.raises(AnchorUnavailable, match=r"asks for \d+ wei for a unit of gas, more than"):
        anchor.replacement([first], since)


def test_without_attempts_it_is_due(anchor):
    assert anchor.observe(head(7), []).step is Step.DUE


def test_any_of_the_attempts_may_be_the_one(chain, anchor):
    lost = Attempt(bytes(32), b"", 0)
    attempt = anchored(anchor, 7)
    assert anchor.observe(head(7), [lost, attempt]).step is Step.MINED


def test_a_head_that_somebody_else_anchored_with_our_signature_counts(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    attempt = anchored(anchor, 7)
    # A copy from the pool, with a fee high enough to come first.
    data = chain.data(anchor.log_id, 7, root(7), [])
    chain.node.ask(
        "eth_sendTransaction",
        {
            "from": STRANGER.address,
            "to": f"0x{chain.contract.hex()}",
            "data": f"0x{data.hex()}",
            "maxPriorityFeePerGas": hex(50 * 10**9),
            "maxFeePerGas": hex(100 * 10**9),
        },
    )
    chain.mine()
    seen = anchor.observe(head(7), [attempt])
    assert seen.step is Step.MINED
    evidence = decode_evidence(seen.evidence)
    assert evidence.transaction != attempt.ref
    assert check_receipt(evidence, decode_header(evidence.header, "ethereum")).new_root == root(7)


def test_a_transaction_that_reverted_is_rejected(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    attempt = anchored(anchor, 7)
    data = chain.data(anchor.log_id, 9, root(9), [])
    chain.node.ask(
        "eth_sendTransaction",
        {
            "from": STRANGER.address,
            "to": f"0x{chain.contract.hex()}",
            "data": f"0x{data.hex()}",
            "maxPriorityFeePerGas": hex(50 * 10**9),
            "maxFeePerGas": hex(100 * 10**9),
        },
    )
    chain.mine()
    seen = anchor.observe(head(7), [attempt])
    assert (seen.step, seen.detail) == (Step.REJECTED, "the transaction reverted")


def test_state_is_there_for_sixty_blocks_and_then_said_to_be_missing(chain, anchor):
    attempt = anchored(anchor, 7)
    chain.mine(60)
    seen = anchor.observe(head(7), [attempt])
    assert decode_evidence(seen.evidence).account_proof is not None
    chain.mine(60)
    late = replace(anchor).observe(head(7), [attempt])
    evidence = decode_evidence(late.evidence)
    assert late.step is Step.FINAL
    assert "the node has no state of block" in late.detail
    assert (evidence.account_proof, evidence.history_proof) == (None, None)
    # What was captured while it was there is kept.
    assert anchor.observe(head(7), [attempt]).evidence == seen.evidence


def test_blocks_that_the_state_cannot_name_are_given_without_a_proof(chain, anchor):
    chain.mine(3)
    raw = newest_finalized(Quorum((chain.node,))).raw
    attempt = anchored(anchor, 7)
    own = block_at(chain.node, "latest", "ethereum")[0]
    anchor.not_before = lambda _head: [raw, own]
    seen = anchor.observe(head(7), [attempt])
    evidence = decode_evidence(seen.evidence)
    assert [item.storage_proof is None for item in evidence.not_before] == [False, True]
    assert "not among the 8191 before" in seen.detail
    anchor.not_before = lambda _head: [own]
    assert decode_evidence(replace(anchor).observe(head(7), [attempt]).evidence).history_proof is None


def test_of_more_blocks_than_one_file_holds_the_newest_are_kept(chain, anchor):
    chain.mine(MAX_NOT_BEFORE + 10)
    newest = chain.newest()
    numbers = range(newest, newest - MAX_NOT_BEFORE - 1, -1)
    headers = [block_at(chain.node, hex(number), "ethereum")[0] for number in numbers]
    anchor.not_before = lambda _head: headers
    seen = anchor.observe(head(7), [anchored(anchor, 7)])
    kept = decode_evidence(seen.evidence).not_before
    assert [item.header for item in kept] == headers[:-1]
    assert all(item.storage_proof is not None for item in kept)


def test_a_chain_without_block_hashes_in_its_state_gives_evidence_without_them():
    with running(31337, "--hardfork", "shanghai") as old:
        old.mine(3)
        raw = newest_finalized(Quorum((old.node,))).raw
        anchor = old.anchor(old.open(), [raw])
        seen = anchor.observe(head(7), [anchored(anchor, 7)])
    evidence = decode_evidence(seen.evidence)
    assert evidence.account_proof is not None
    assert (evidence.history_proof, evidence.not_before[0].storage_proof) == (None, None)
    assert "there is no account 0x0000f90827" in seen.detail


@pytest.mark.parametrize("hardfork", ["london", "shanghai", "cancun", "prague", "osaka"])
def test_headers_of_every_fork_are_rebuilt(hardfork):
    with running(31337, "--hardfork", hardfork) as old:
        old.mine(2)
        anchor = old.anchor(old.open())
        assert anchor.observe(head(7), [anchored(anchor, 7)]).step is Step.MINED
