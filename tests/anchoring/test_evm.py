"""The adapter on a real chain: mined, final, undone and mined again; and a node that does not tell the truth."""

import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notary.anchoring.blocks import block_at, final_number, receipt_proof, receipts_of
from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.heads import transaction_of
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Anchor, Attempt, Head, Step
from notary.anchoring.quorum import Quorum
from notary.anchoring.replacing import MAX_REPLACEMENTS
from notary.anchoring.rpc import Answer, Node
from notary.anchoring.transaction import fields_of
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
from notary.evidence.chain_file import MAX_NOT_BEFORE
from notary.observe import ANCHOR_GAS, WALLET_WEI
from tests.anchoring.local_chain import HEAD_KEY, STRANGER, WALLET, LocalChain, head, path, root, running
from tests.anchoring.lying_node import Error, Lost, lying_node, raw_answer


@pytest.fixture
def anchor(chain):
    return chain.anchor(chain.open())


def signed(anchor, size, old=0):
    return anchor.sign(head(size), anchor.first_nonce(), path(old, size), old)


def anchored(anchor, size, old=0):
    return sent(anchor, signed(anchor, size, old), size)


def sent(anchor, attempt, size=7):
    """Send it, and where the node mines by itself wait until it has."""
    assert anchor.send(head(size), attempt).step is Step.SENT
    if anchor.node.ask("anvil_getAutomine"):
        LocalChain(anchor.node, "").receipt(attempt.ref)
    return attempt


def through(anchor, url):
    """The same anchor by another endpoint."""
    return replace(anchor, node=Node(url, anchor.node.chain_id))


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
    assert ANCHOR_GAS.labels("test")._value.get() == int(chain.receipt(attempt.ref)["gasUsed"], 16)


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
        (head(7), [], 0, "the head on chain is of size 5, the proof starts at 0"),
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
        stale_head = ["0x" + "00" * 64]  # as from a node that lags behind
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


# Observing


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
    assert anchor.replacement([first] * (MAX_REPLACEMENTS + 1), since) is None
    assert anchor.replacement([first] * MAX_REPLACEMENTS, since) is not None
    assert (
        anchor.replacement([replace(first, nonce=first.nonce + 1)], since) is None
    )  # one before it is missing
    anchor.node.fees = "free"
    assert anchor.replacement([first], since) is None


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


# A node that does not tell the truth


def changed(**fields):
    return lambda block: block and block | fields


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"eth_getBlockByHash": changed(timestamp="0x1")}, "does not have the hash the node gives"),
        ({"eth_getBlockByHash": changed(number="0xfffffffffffffffff")}, "header cannot be used"),
        ({"eth_getBlockByHash": changed(stateRoot="0x12")}, "header cannot be used"),
        ({"eth_getBlockByHash": changed(stateRoot=None)}, "not hexadecimal where it must be"),
        ({"eth_getBlockByHash": changed(gasUsed="21000")}, "not a number where it must be"),
        ({"eth_getBlockByHash": changed(hash="0x12")}, "has 1 bytes where 32 must be"),
        ({"eth_getBlockByHash": lambda _: "block"}, "not an object where it must be"),
        ({"eth_getBlockReceipts": lambda _: []}, "has no transaction 0"),
        ({"eth_getBlockReceipts": lambda r: [*r, *r]}, "do not have its receipts root"),
        ({"eth_getBlockReceipts": lambda r: [r[0] | {"status": "0x0"}]}, "do not have its receipts root"),
        ({"eth_getBlockReceipts": lambda r: [r[0] | {"type": "0x80"}]}, "a transaction of type 128"),
        ({"eth_getProof": changed(accountProof=["0x80"])}, "evidence does not hold: trie: "),
        ({"eth_getProof": changed(accountProof=None)}, "the node's answer has no accountProof"),
        ({"eth_chainId": lambda _: "0x1"}, "the node is of chain 1, not 31337"),
    ],
)
def test_a_lie_is_found_out_and_never_mined(chain, anchor, lies, reason):
    attempt = anchored(anchor, 7)
    with lying_node(chain.url, **lies) as url, pytest.raises(AnchorRejected, match=reason):
        through(anchor, url).observe(head(7), [attempt])


def test_a_block_of_too_many_receipts_is_refused():
    with pytest.raises(AnchorRejected, match="a block of 100001 receipts"):
        receipt_proof([{}] * 100_001, 0, bytes(32))


def test_a_receipt_of_another_head_is_not_evidence_of_this(chain, anchor):
    attempt = anchored(anchor, 7)
    with pytest.raises(AnchorRejected, match="the event is of size 7, not of the head of size 9"):
        anchor.observe(head(9), [attempt])
    forged = Head("test.example/log", 7, root(8), b"")
    with pytest.raises(AnchorRejected, match="not of the head of size 7"):
        anchor.observe(forged, [attempt])


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"eth_getBlockByHash": lambda _: None}, "the node has no longer block"),
        ({"eth_getBlockByNumber": lambda _: None}, "the node has no block finalized"),
    ],
)
def test_what_a_node_does_not_have_may_come_later(chain, anchor, lies, reason):
    attempt = anchored(anchor, 7)
    with lying_node(chain.url, **lies) as url, pytest.raises(AnchorUnavailable, match=reason):
        through(anchor, url).observe(head(7), [attempt])


def test_a_node_that_gives_receipts_one_by_one_is_asked_for_each(chain, anchor):
    chain.node.ask("evm_setAutomine", False)
    attempt = anchored(anchor, 7)
    more = {"from": STRANGER.address, "to": STRANGER.address, "value": "0x1"}
    chain.node.ask("eth_sendTransaction", more)
    chain.mine()

    def unknown(_):
        raise Error("the method eth_getBlockReceipts does not exist/is not available")

    asked = []
    with lying_node(chain.url, asked=asked, eth_getBlockReceipts=unknown) as url:
        seen = through(anchor, url).observe(head(7), [attempt])
    assert seen == anchor.observe(head(7), [attempt])
    assert asked.count("eth_getTransactionReceipt") == 3  # the attempt's own, then each of the block
    with (
        lying_node(chain.url, eth_getBlockReceipts=lambda _: None) as url,
        pytest.raises(AnchorUnavailable, match="the node has not the receipts of block 0x"),
    ):
        through(anchor, url).observe(head(7), [attempt])


def test_receipts_are_not_asked_for_one_by_one_without_end():
    class Endless:
        def try_ask(self, method, *_):
            return Answer(None, "method not found")

        def ask(self, *_):
            pytest.fail("asked for one of them")

    block = {"hash": "0x12", "transactions": ["0x34"] * 2001}
    with pytest.raises(AnchorUnavailable, match="the node has not the receipts of block 0x12"):
        receipts_of(Endless(), block)


def test_a_node_that_stops_naming_block_hashes_costs_only_them(chain, anchor):
    chain.mine(3)
    raw = newest_finalized(Quorum((chain.node,))).raw
    anchor.not_before = lambda _head: [raw]
    attempt = anchored(anchor, 7)
    answers = []

    def second_fails(result):
        answers.append(result)
        if len(answers) == 2:
            raise Error("pruned")
        return result

    with lying_node(chain.url, eth_getProof=second_fails) as url:
        seen = through(anchor, url).observe(head(7), [attempt])
    assert "no block hashes in the state" in seen.detail
    assert decode_evidence(seen.evidence).account_proof is not None


def test_another_chain_behind_the_same_address_is_refused_everywhere(chain, anchor):
    attempt = signed(anchor, 7)
    wrong = EvmAnchor(
        "test", Node(chain.url, 1), chain.contract, anchor.log_id, HEAD_KEY, WALLET, lambda _head: []
    )
    for ask in (
        lambda: wrong.sign(head(7), 0, [], 0),
        lambda: wrong.send(head(7), attempt),
        lambda: wrong.observe(head(7), [attempt]),
        wrong.attested_size,
        wrong.first_nonce,
        lambda: newest_finalized(Quorum((wrong.node,))),
    ):
        with pytest.raises(AnchorRejected, match="the node is of chain 31337, not 1"):
            ask()
    assert anchor.on_chain_head() == (0, bytes(32))


def test_a_node_that_is_not_there_is_unavailable(anchor):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = through(anchor, f"http://127.0.0.1:{probe.getsockname()[1]}/secret-key")
        with pytest.raises(AnchorUnavailable, match=r"^eth_chainId: no answer from the node \(\w+\)$"):
            gone.observe(head(7), [])


def test_an_error_for_an_answer_is_unavailable_and_an_answer_of_another_form_too(chain):
    with pytest.raises(AnchorUnavailable, match="eth_nonsense: "):
        chain.node.ask("eth_nonsense")
    with (
        lying_node(chain.url, eth_chainId=lambda _: None) as url,
        pytest.raises(AnchorRejected, match="not a number where it must be"),
    ):
        Node(url, 31337).require_chain()


@pytest.mark.parametrize("body", [b"[]", b'{"id": 1}', b'{"error": "no"}', b"<html>", b""])
def test_an_answer_that_is_not_json_rpc_is_unavailable(body):
    with (
        raw_answer(body) as url,
        pytest.raises(AnchorUnavailable, match=r"not JSON-RPC|no answer from the node"),
    ):
        Node(url, 31337).require_chain()


def test_logs_and_topics_of_null_are_refused(chain, anchor):
    refused = pytest.raises(AnchorRejected, match="not an array where it must be")
    with lying_node(chain.url, eth_getLogs=lambda _: None) as url, refused:
        transaction_of(Node(url, 31337), chain.contract, anchor.log_id, head(7), "ethereum")
    anchored(anchor, 7)
    block = chain.node.ask("eth_getBlockByNumber", "latest", False)
    (receipt,) = receipts_of(chain.node, block)
    receipt["logs"][0]["topics"] = None
    with pytest.raises(AnchorRejected, match="not an array where it must be"):
        receipt_proof([receipt], 0, bytes(32))


def test_the_root_that_the_contract_holds_is_what_enough_endpoints_say(chain, anchor):
    anchored(anchor, 7)
    assert anchor.held_root(7) == root(7)
    assert anchor.held_root(6) is None
    with lying_node(chain.url, eth_call=lambda said: said[:-2] + "00") as url:
        alone = through(anchor, url)
        assert alone.held_root(7) == root(7)[:-1] + b"\0"
        assert replace(alone, others=(chain.node,), needed=2).held_root(7) is None
        assert replace(alone, others=(chain.node, chain.node), needed=2).held_root(7) == root(7)
    with raw_answer(b"{}") as url:
        assert replace(through(anchor, url), others=(chain.node,)).held_root(7) == root(7)


def test_a_node_that_does_not_try_a_transaction_says_nothing_of_the_head(chain, anchor):
    def busy(_):
        raise Error("header not found")

    with (
        lying_node(chain.url, eth_estimateGas=busy) as url,
        pytest.raises(AnchorUnavailable, match="eth_estimateGas: header not found"),
    ):
        signed(through(anchor, url), 7)


def test_what_reverted_for_an_earlier_anchoring_does_not_reject_the_one_under_way(chain, anchor):
    earlier = anchored(anchor, 7)
    waiting = Attempt(b"\x01" * 32, earlier.raw, earlier.nonce + 1, earlier.lane)

    def reverted(receipt):
        return receipt and receipt | {"status": "0x0"}

    with lying_node(chain.url, eth_getTransactionReceipt=reverted, eth_getLogs=lambda _: []) as url:
        told = through(anchor, url)
        assert told.observe(head(7), [earlier]).step is Step.REJECTED
        assert told.observe(head(7), [earlier, waiting]).step is Step.SENT
