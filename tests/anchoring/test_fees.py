"""What a transaction pays, by the chain's rule; the node is a real one with the fees of each kind of chain."""

import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from notary.anchoring.fees import fee_fields
from notary.anchoring.port import Attempt
from notary.anchoring.replacing import outbid
from notary.anchoring.rpc import MAX_FEE, MAX_TIP, Node
from notary.anchoring.transaction import fields_of
from notary.anchoring.transaction import signed as transaction
from notary.errors import AnchorUnavailable
from tests.anchoring.local_chain import WALLET, running
from tests.anchoring.lying_node import Error, lying_node, raw_answer
from tests.rig import ORIGIN


def node_of(chain, fees, **more):
    return Node(chain.url, 31337, fees=fees, **more)


def test_a_chain_without_fees_is_paid_nothing(shared_chain):
    assert fee_fields(node_of(shared_chain, "free")) == {"gasPrice": 0}


def test_a_legacy_chain_is_paid_its_gas_price(shared_chain):
    fields = fee_fields(node_of(shared_chain, "legacy"))
    assert set(fields) == {"gasPrice"}
    assert 0 < fields["gasPrice"] <= MAX_FEE


def test_a_chain_of_eip_1559_is_paid_twice_the_base_and_the_tip(shared_chain):
    node = node_of(shared_chain, "eip1559")
    fields = fee_fields(node)
    base = int(node.ask("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    assert fields["maxFeePerGas"] == 2 * base + fields["maxPriorityFeePerGas"]


def test_a_node_that_asks_for_too_much_is_not_believed(shared_chain):
    node = node_of(shared_chain, "legacy")
    node.ask = lambda *_: hex(MAX_FEE + 1)
    with pytest.raises(
        AnchorUnavailable, match=r"asks for \d+ wei for a unit of gas, more than max_fee_gwei"
    ):
        fee_fields(node)


def test_at_the_cap_a_transaction_offers_the_cap_and_above_it_there_is_none(shared_chain):
    base = int(shared_chain.node.ask("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    tip = fee_fields(shared_chain.node)["maxPriorityFeePerGas"]
    least = base + tip
    assert fee_fields(node_of(shared_chain, "eip1559", max_fee=least))["maxFeePerGas"] == least
    with pytest.raises(AnchorUnavailable, match=rf"asks for {least} wei .* allows \({least - 1}\)"):
        fee_fields(node_of(shared_chain, "eip1559", max_fee=least - 1))
    price = fee_fields(node_of(shared_chain, "legacy"))["gasPrice"]
    with pytest.raises(AnchorUnavailable, match=rf"asks for {price} wei"):
        fee_fields(node_of(shared_chain, "legacy", max_fee=price - 1))


TIPS = {"eip1559": "eth_maxPriorityFeePerGas", "legacy": "eth_gasPrice"}
PAID = {"eip1559": "maxPriorityFeePerGas", "legacy": "gasPrice"}


@contextmanager
def suggesting(chain, fees, *suggested):
    """Endpoints that suggest so many gwei each; None: what the chain does."""
    with ExitStack() as stack:
        lies = [
            {TIPS[fees]: lambda _, n=number: hex(n * 10**9)} if number is not None else {}
            for number in suggested
        ]
        urls = [stack.enter_context(lying_node(chain.url, **lie)) for lie in lies]
        yield [Node(url, 31337, fees=fees) for url in urls]


@pytest.mark.parametrize("fees", ["eip1559", "legacy"])
@pytest.mark.parametrize(
    ("suggested", "first", "later"),
    [
        ((40, 3, 4), 4, 4),
        ((0, 3, 4), 3, 3),
        ((3, 40), 3, 40),
        ((40, 3), 3, 40),
        ((0, 3), 0, 3),
        ((40, 40, 3, 2), 3, 40),
        ((40,), 40, 40),
    ],
)
def test_what_is_paid_in_full_is_the_middle_one_of_what_endpoints_suggest(
    shared_chain, fees, suggested, first, later
):
    with suggesting(shared_chain, fees, *suggested) as nodes:
        for again, expected in ((False, first), (True, later)):
            assert fee_fields(nodes[0], nodes, again=again)[PAID[fees]] == expected * 10**9


@pytest.mark.parametrize("fees", ["eip1559", "legacy"])
def test_whoever_gives_no_answer_or_is_of_another_chain_suggests_nothing(shared_chain, fees):
    with suggesting(shared_chain, fees, 9, 2, 2, 2) as nodes, raw_answer(b"{}") as silent:
        nodes[1].chain_id = 5
        nodes[2]._away_until = time.monotonic() + 90
        assert nodes[2].away
        asked = [nodes[0], *nodes[1:3], Node("http://127.0.0.1:9", 31337), Node(silent, 31337)]
        assert fee_fields(nodes[0], asked)[PAID[fees]] == 9 * 10**9
        assert fee_fields(nodes[0], [*asked, nodes[3]])[PAID[fees]] == 2 * 10**9


def test_of_an_endpoint_that_knows_no_tips_those_of_the_others_count_and_without_any_it_is_a_gwei(
    shared_chain,
):
    def unknown(_):
        raise Error("the method does not exist")

    with (
        lying_node(shared_chain.url, eth_maxPriorityFeePerGas=unknown) as url,
        suggesting(shared_chain, "eip1559", 7) as nodes,
    ):
        alone = Node(url, 31337)
        assert fee_fields(alone, [alone, *nodes])["maxPriorityFeePerGas"] == 7 * 10**9
        assert fee_fields(alone, [alone])["maxPriorityFeePerGas"] == 10**9
        assert fee_fields(Node(url, 31337, max_tip=5))["maxPriorityFeePerGas"] == 5


def test_no_suggestion_makes_a_tip_higher_than_its_cap(shared_chain):
    with suggesting(shared_chain, "eip1559", 900, 900, 900) as nodes:
        fields = fee_fields(nodes[0], nodes)
        assert fields["maxPriorityFeePerGas"] == MAX_TIP == 50 * 10**9
        nodes[0].max_tip = 10**10
        fields = fee_fields(nodes[0], nodes, again=True)
        assert fields["maxPriorityFeePerGas"] == 10**10 < fields["maxFeePerGas"]


def basing(chain, stack, *bases):
    """Endpoints whose newest block asks for so many gwei each; None: for what it does."""

    def lies(number):
        def told(block):
            return block | {"baseFeePerGas": hex(number * 10**9)}

        return {} if number is None else {"eth_getBlockByNumber": told}

    return [
        Node(
            stack.enter_context(
                lying_node(chain.url, eth_maxPriorityFeePerGas=lambda _: "0x1", **lies(each))
            ),
            31337,
        )
        for each in bases
    ]


@pytest.mark.parametrize(
    ("bases", "first", "later"),
    [
        ((0, 30, 31), 30, 30),
        ((9000, 30, 31), 31, 31),
        ((0, 30), 0, 30),  # what blocks then leave out is made again by the higher one
        (
            (9000, 30),
            30,
            None,
        ),  # what is made first may be mined, and is made again for no price that is not true
        ((30,), 30, 30),
    ],
)
def test_a_base_fee_is_the_middle_one_of_what_endpoints_say(shared_chain, bases, first, later):
    with ExitStack() as stack:
        nodes = basing(shared_chain, stack, *bases)
        assert fee_fields(nodes[0], nodes)["maxFeePerGas"] == 2 * first * 10**9 + 1
        if later is None:
            with pytest.raises(AnchorUnavailable, match="asks for 9000000000001 wei for a unit of gas"):
                fee_fields(nodes[0], nodes, again=True)
        else:
            assert fee_fields(nodes[0], nodes, again=True)["maxFeePerGas"] == 2 * later * 10**9 + 1


@pytest.mark.parametrize("lie", [0, 9000])
def test_by_a_base_fee_that_one_endpoint_of_three_invents_no_eighth_replacement_waits_for_ever(
    shared_chain, lie
):
    def attempt(base):
        fields = {"chainId": 31337, "nonce": 0, "gas": 10, "to": bytes(20), "value": 0, "data": b""}
        raw, ref = transaction(fields | {"maxFeePerGas": base * 10**9, "maxPriorityFeePerGas": 1}, WALLET)
        return Attempt(ref, raw, 0, WALLET.address)

    with ExitStack() as stack:
        nodes = basing(shared_chain, stack, lie, 30, 30)
        assert outbid(nodes[0], nodes, attempt(20))
        assert not outbid(nodes[0], nodes, attempt(60))


def test_one_endpoint_of_three_makes_no_anchor_dearer(chain, log):
    on_chain = chain.anchor(chain.open(ORIGIN))
    log.close()
    with suggesting(chain, "eip1559", 49, None, None) as nodes:
        log.advance(replace(on_chain, node=nodes[0], others=tuple(nodes[1:]))).step()
    (attempt,) = log.attempts(log.one("test"))
    tip = int(chain.node.ask("eth_maxPriorityFeePerGas"), 16)
    assert fields_of(attempt.raw)["maxPriorityFeePerGas"] == tip < 49 * 10**9


@pytest.mark.parametrize(
    ("fees", "arguments", "kind"),
    [
        ("eip1559", (), "0x2"),
        ("legacy", (), "0x0"),
        ("free", ("--gas-price", 0, "--base-fee", 0), "0x0"),
    ],
)
def test_an_anchor_of_each_kind_of_chain_becomes_final(log, fees, arguments, kind):
    with running(31337, *arguments) as chain:
        chain.node.fees = fees
        anchor = chain.anchor(chain.open(ORIGIN))
        log.close()
        advance = log.advance(anchor)
        if fees == "free":
            chain.node.ask("anvil_setBalance", WALLET.address, "0x0")  # nothing is needed
        advance.step()
        (attempt,) = log.attempts(log.one("test"))
        receipt = chain.receipt(bytes.fromhex(attempt.ref))
        paid = int(receipt["effectiveGasPrice"], 16)
        chain.mine(2)
        advance.step()
    assert (receipt["type"], log.one("test").state) == (kind, "final")
    assert (paid == 0) == (fees == "free")
