"""What a rollup takes beside gas counts for the wallet and for its day, and no node may ask for any sum."""

from contextlib import ExitStack, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog

from notary.anchoring.budget import Budget
from notary.anchoring.data_fee import _ORACLE, data_fee
from notary.anchoring.fields import quantity
from notary.anchoring.funds import most_spent
from notary.anchoring.port import Attempt
from notary.anchoring.rpc import Node
from notary.anchoring.sending import attempt_of
from notary.anchoring.transaction import cost_of, fields_of
from notary.anchoring.transaction import signed as transaction
from notary.errors import AnchorUnavailable, LaneStopped, NoAnswer
from tests.anchoring.evm_steps import signed
from tests.anchoring.local_chain import STRANGER, WALLET, head
from tests.anchoring.lying_node import Error, lying_node
from tests.rig import ORIGIN

FEE = 10**15  # of data, and as much of the operator


@pytest.fixture
def on_chain(chain):
    """On a chain that is taken for a rollup, before its oracle is there."""
    return chain.anchor(chain.open(ORIGIN), profile="op")


def tells(chain, wei):
    """The oracle answers each question with one number."""
    # PUSH32 number, PUSH1 0, MSTORE; PUSH1 32, PUSH1 0, RETURN
    chain.node.ask("anvil_setCode", _ORACLE, "0x7f" + wei.to_bytes(32).hex() + "60005260206000f3")


def fund(chain, wei, wallet=WALLET):
    chain.node.ask("anvil_setBalance", wallet.address, hex(wei))


def test_a_rollup_tells_what_it_takes_beside_gas_and_no_other_chain_is_asked(chain):
    tells(chain, FEE)
    asked = []
    with lying_node(chain.url, asked=asked) as url:
        node = Node(url, 31337)
        assert data_fee(node, "op", 1000, 100_000) == 2 * FEE
        assert asked == ["eth_call"] * 2
        assert data_fee(node, "ethereum", 1000, 100_000) == 0
        assert asked == ["eth_call"] * 2


def test_a_rollup_that_tells_nothing_is_told_of(chain):
    with structlog.testing.capture_logs() as logs:
        assert data_fee(chain.node, "op", 1000, 100_000) == 0
    assert [line["event"] for line in logs] == [
        "a rollup does not tell what data cost: what is paid for them is not bounded"
    ]
    chain.node.ask("anvil_setCode", _ORACLE, "0x60006000fd")  # it reverts
    assert data_fee(chain.node, "op", 1000, 100_000) == 0


def test_no_node_may_ask_for_more_than_all_of_the_gas_may_cost(chain):
    tells(chain, FEE)
    node = Node(chain.url, 31337, max_fee=2 * FEE // 100_000)
    assert data_fee(node, "op", 1000, 100_000) == 2 * FEE
    with pytest.raises(
        AnchorUnavailable, match=rf"asks for {2 * FEE} wei beside the gas .* max_fee_gwei allows"
    ):
        data_fee(node, "op", 1000, 99_999)


@pytest.mark.parametrize(
    ("told", "fee"),
    [
        ((FEE, 1, 2), 2),
        ((0, 5, 6), 5),
        ((FEE, 3), 3),
        ((3, FEE), 3),
        ((None, 4, 4), 4),
        ((4, None), 4),
        ((4,), 4),
    ],
)
def test_by_a_fee_that_one_of_several_endpoints_invents_no_head_is_kept_from_being_signed(chain, told, fee):
    """Each endpoint's oracle tells so much for data, and of no operator; None: it tells nothing."""
    tells(chain, 0)

    def lie(number):
        answers = [] if number is None else [number, 0] * 4
        return lambda _: f"0x{answers.pop(0).to_bytes(32).hex()}" if number is not None else "0x"

    with ExitStack() as stack:
        urls = [stack.enter_context(lying_node(chain.url, eth_call=lie(each))) for each in told]
        nodes = [Node(url, 31337, max_fee=10) for url in urls]
        assert data_fee(nodes[0], "op", 1000, 10, nodes) == fee
        alone = pytest.raises(AnchorUnavailable, match=f"asks for {FEE} wei beside the gas")
        with alone if told[0] == FEE else nullcontext():
            assert data_fee(nodes[0], "op", 1000, 10) == (told[0] or 0)


def test_one_endpoint_of_three_that_invents_the_fee_keeps_no_head_from_being_signed(chain, on_chain):
    tells(chain, 1)

    def huge(said):
        return f"0x{(10**30).to_bytes(32).hex()}" if said == f"0x{(1).to_bytes(32).hex()}" else said

    with lying_node(chain.url, eth_call=huge) as url:
        alone = replace(on_chain, node=Node(url, 31337))
        with pytest.raises(AnchorUnavailable, match="wei beside the gas of a transaction"):
            signed(alone, 7)
        assert signed(replace(alone, others=(chain.node, Node(chain.url, 31337))), 7)


def test_a_node_that_is_busy_says_nothing_of_the_fee(chain):
    def busy(_):
        raise Error("too many requests")

    with (
        lying_node(chain.url, eth_call=busy) as url,
        pytest.raises(NoAnswer, match="eth_call: too many requests"),
    ):
        data_fee(Node(url, 31337), "op", 1000, 100_000)


def test_a_wallet_that_can_pay_gas_and_not_the_data_burns_no_nonce(chain, on_chain):
    attempt = signed(on_chain, 7)
    cost = cost_of(fields_of(attempt.raw))
    tells(chain, FEE)
    fund(chain, cost + 4 * FEE - 1)  # twice, by the time that it is mined
    with pytest.raises(LaneStopped, match=rf"and the transaction may take {cost + 4 * FEE}$"):
        signed(on_chain, 7)
    assert signed(replace(on_chain, profile="ethereum"), 7) == attempt
    fund(chain, cost + 4 * FEE)
    assert signed(on_chain, 7) == attempt


def test_a_replacement_that_the_wallet_cannot_pay_with_its_data_stops_it(chain, on_chain):
    chain.node.ask("evm_setAutomine", False)
    attempt = signed(on_chain, 7)
    on_chain.send(head(7), attempt)
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(100 * 10**9))
    chain.mine()
    since = datetime.fromtimestamp(0, UTC)
    made = on_chain.replacement([attempt], since)
    tells(chain, FEE)
    fund(chain, cost_of(fields_of(made.raw)) + 4 * FEE - 1)
    with pytest.raises(LaneStopped, match=r"and the transaction may take \d+"):
        on_chain.replacement([attempt], since)


def test_a_node_that_refuses_for_want_of_the_data_fee_stops_the_wallet(chain, on_chain):
    """As op-geth does: the balance covers the gas, and the node refuses for the sum of both."""

    def refused(_):
        raise Error("insufficient funds for gas * price + value")

    attempt = signed(on_chain, 7)
    cost = cost_of(fields_of(attempt.raw))
    tells(chain, FEE)
    fund(chain, cost + 2 * FEE - 1)
    chain.node.ask("evm_setAutomine", False)
    lies = {"eth_sendRawTransaction": refused, "eth_getTransactionByHash": lambda _: None}
    with lying_node(chain.url, **lies) as url:
        poor = replace(on_chain, node=Node(url, 31337))
        with pytest.raises(
            LaneStopped, match=rf"holds {cost + 2 * FEE - 1} wei, .* may take {cost + 2 * FEE}"
        ):
            poor.send(head(7), attempt)
        with pytest.raises(AnchorUnavailable, match="does not take the transaction: insufficient funds"):
            replace(poor, profile="ethereum").send(head(7), attempt)


def test_the_next_wallet_pays_where_the_first_lacks_the_data_fee(chain, log, on_chain):
    tells(chain, FEE)
    log.close()
    fund(chain, 4 * FEE)  # and nothing for gas
    advance = log.advance(on_chain, reserves=[replace(on_chain, wallet=STRANGER)])
    advance.step()
    assert [attempt.lane for attempt in log.attempts(log.one("test"))] == [STRANGER.address]


def test_the_data_of_all_transactions_of_a_day_count_in_its_share(chain, log, on_chain):
    def attempt(nonce):
        fields = {"chainId": 1, "nonce": nonce, "gas": 10, "to": bytes(20), "value": 0, "data": b""}
        raw, ref = transaction(fields | {"gasPrice": 1}, WALLET)
        return Attempt(ref, raw, nonce, WALLET.address)

    assert most_spent([attempt(0), attempt(0), attempt(1)], 2, data=100) == 220
    assert most_spent([attempt(0), attempt(0), attempt(1)], 1, data=100) == 110
    log.close()
    log.advance(on_chain).step()
    (stored,) = log.attempts(log.one("test"))
    spent = cost_of(fields_of(stored.raw))
    tells(chain, FEE)
    nonce = quantity(chain.node.ask("eth_getTransactionCount", WALLET.address, "pending"))
    for more, enough in ((0, True), (-1, False)):
        share = Budget(log.rig.database, "test", WALLET.address, 2 * spent + 8 * FEE + more, log.rig.clock)
        node, fields = on_chain.node, fields_of(attempt_of(stored).raw)
        anchor = replace(on_chain, allowance=share.left)
        if enough:
            anchor._afford(node, nonce, fields, len(stored.raw))
        else:
            with pytest.raises(LaneStopped, match=r"may spend \d+ wei more today"):
                anchor._afford(node, nonce, fields, len(stored.raw))
