"""Caps: at them no nonce is taken, somebody is told, and it goes on by itself."""

from dataclasses import replace

import pytest

from notary.anchoring.budget import Budget
from notary.anchoring.funds import most_spent
from notary.anchoring.port import Attempt
from notary.anchoring.rpc import Node
from notary.anchoring.sending import attempt_of
from notary.anchoring.transaction import cost_of, fields_of, signed
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.observe import LANE_STOPPED
from notary.store import outbox
from tests.anchoring.local_chain import WALLET
from tests.anchoring.lying_node import lying_node
from tests.rig import ORIGIN

DAY = 86_400


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def capped(log, anchor, per_day):
    budget = Budget(log.rig.database, anchor.name, anchor.lane, per_day, log.rig.clock)
    return replace(anchor, allowance=budget.left)


def to_final(chain, log, anchor):
    advance = log.advance(anchor)
    advance.step()
    chain.receipt(bytes.fromhex(log.attempts(log.newest("test"))[-1].ref))
    chain.mine(2)
    advance.step()
    assert log.newest("test").state == "final"


def cost(log, number=-1):
    (attempt,) = log.attempts(log.all("test")[number])
    return cost_of(fields_of(attempt.raw))


def stopped():
    return LANE_STOPPED.labels("test", WALLET.address)._value.get()


def next_nonce(log):
    with log.rig.database.reading() as connection:
        return outbox.next_nonce(connection, "test", WALLET.address)


def test_at_the_days_cap_no_nonce_is_taken_and_the_next_day_goes_on_by_itself(chain, log, on_chain):
    log.close()
    to_final(chain, log, on_chain)
    anchor = capped(log, on_chain, 3 * cost(log) // 2)  # enough for one of them
    size, nonce = log.close(), next_nonce(log)
    log.wait()
    advance = log.advance(anchor)
    for _ in range(3):
        with pytest.raises(
            LaneStopped, match=r"may spend \d+ wei more today, and the transaction may take \d+"
        ):
            advance.step()
        found = log.newest("test")
        assert (found.size, found.state, log.attempts(found)) == (size, "due", [])
        assert "wei more today" in found.detail
        assert (next_nonce(log), anchor.first_nonce(), stopped()) == (nonce, nonce, 1)
        log.wait(3600)
    log.wait(DAY)
    to_final(chain, log, anchor)
    assert log.attempts(log.newest("test"))[0].nonce == nonce
    assert (len(log.all("test")), stopped()) == (2, 0)


def test_what_is_in_flight_counts_at_its_worst_however_old_it_is(chain, log, on_chain):
    chain.node.ask("evm_setAutomine", False)
    log.close()
    log.advance(on_chain).step()
    budget = Budget(log.rig.database, "test", WALLET.address, 10**18, log.rig.clock)
    (attempt,) = log.attempts(log.one("test"))
    taken = cost(log)
    for waited in (0, 3 * DAY):
        log.wait(waited)
        assert budget.left(attempt.nonce + 1) == 10**18 - taken
        assert budget.left(attempt.nonce) == 10**18  # a replacement takes its place
    chain.mine(3)
    log.advance(on_chain).step()
    assert log.one("test").state == "final"
    assert budget.left(attempt.nonce + 1) == 10**18
    assert Budget(log.rig.database, "test", "0xother", 5, log.rig.clock).left(0) == 5


def test_of_one_nonce_the_dearest_attempt_counts():
    def attempt(nonce, price):
        fields = {"chainId": 1, "nonce": nonce, "gas": 10, "to": bytes(20), "value": 0, "data": b""}
        raw, ref = signed(fields | {"gasPrice": price}, WALLET)
        return Attempt(ref, raw, nonce, WALLET.address)

    attempts = [attempt(0, 5), attempt(0, 7), attempt(0, 6), attempt(1, 2)]
    assert most_spent(attempts, nonce=2) == 90
    assert most_spent(attempts, nonce=0) == 20


def test_a_replacement_beyond_the_days_cap_is_not_made_and_the_first_one_stands(chain, log, on_chain):
    chain.node.ask("evm_setAutomine", False)
    chain.node.ask("evm_setIntervalMining", 0)
    log.close()
    log.advance(on_chain).step()
    anchor = capped(log, on_chain, cost(log))
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(100 * 10**9))
    log.wait(49)
    chain.node.ask("evm_setNextBlockTimestamp", int(log.rig.clock().timestamp()) + 10**9)
    chain.mine()
    with pytest.raises(AnchorUnavailable, match="max fee per gas less than block base fee"):
        log.advance(anchor).step()
    (first,) = log.attempts(log.one("test"))
    assert (log.one("test").state, stopped()) == ("sent", 1)
    log.advance(on_chain).step()
    assert [attempt_of(each).nonce for each in log.attempts(log.one("test"))] == [first.nonce] * 2


def test_an_empty_wallet_burns_no_nonce_and_goes_on_once_it_is_filled(chain, log, on_chain):
    log.close()
    before = on_chain.first_nonce()
    chain.node.ask("anvil_setBalance", WALLET.address, hex(10**9))
    advance = log.advance(on_chain)
    for _ in range(3):
        with pytest.raises(LaneStopped, match=rf"wallet {WALLET.address} holds 1000000000 wei"):
            advance.step()
        assert (log.one("test").state, log.attempts(log.one("test"))) == ("due", [])
        assert (next_nonce(log), on_chain.first_nonce(), stopped()) == (None, before, 1)
    chain.node.ask("anvil_setBalance", WALLET.address, hex(10**20))
    to_final(chain, log, on_chain)
    assert (log.attempts(log.one("test"))[0].nonce, stopped()) == (before, 0)


def test_above_the_cap_for_a_unit_of_gas_nothing_is_signed_until_the_chain_asks_for_less(
    chain, log, on_chain
):
    log.close()
    anchor = replace(on_chain, node=Node(chain.url, 31337, max_fee=50 * 10**9))
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(60 * 10**9))
    chain.mine()
    with pytest.raises(AnchorUnavailable, match="more than max_fee_gwei allows"):
        log.advance(anchor).step()
    assert (log.one("test").state, next_nonce(log)) == ("due", None)
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    chain.mine()
    to_final(chain, log, anchor)


def test_what_a_clock_that_was_ahead_dated_in_the_future_counts_while_it_is_under_way(chain, log, on_chain):
    log.wait(400 * DAY)
    log.close()
    log.advance(on_chain).step()
    budget = Budget(log.rig.database, "test", WALLET.address, 10**18, log.rig.clock)
    (attempt,) = log.attempts(log.one("test"))
    log.wait(-400 * DAY)
    assert budget.left(attempt.nonce + 1) == 10**18 - cost(log)
    chain.receipt(bytes.fromhex(attempt.ref))
    chain.mine(2)
    log.advance(on_chain).step()
    assert log.one("test").state == "final"
    assert budget.left(attempt.nonce + 1) == 10**18


def test_that_what_waits_may_not_be_paid_more_for_is_said_of_the_anchoring(chain, log, on_chain):
    chain.node.ask("evm_setAutomine", False)
    chain.node.ask("evm_setIntervalMining", 0)
    log.close()
    log.advance(on_chain).step()
    (first,) = log.attempts(log.one("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{first.ref}")
    chain.node.ask("evm_setNextBlockTimestamp", int(log.rig.clock().timestamp()) + 10**9)
    chain.mine()
    offered = fields_of(first.raw)["maxFeePerGas"]
    capped = log.advance(replace(on_chain, node=Node(chain.url, 31337, max_fee=offered)))
    for waited in (49, 5):
        log.wait(waited)
        capped.step()
        found = log.one("test")
        assert (found.state, log.attempts(found)) == ("sent", [first])
        assert f"more than max_fee_gwei allows ({offered})" in found.detail
    assert chain.node.ask("eth_getTransactionByHash", f"0x{first.ref}") is not None  # it was sent again
    log.advance(on_chain).step()
    assert len(log.attempts(log.one("test"))) == 2


def test_an_answer_that_is_no_number_rejects_no_head(chain, log, on_chain):
    log.close()
    with lying_node(chain.url, eth_maxPriorityFeePerGas=lambda _: "a lot") as url:
        step = log.advance(replace(on_chain, node=Node(url, 31337))).step
        for _ in range(2):
            with pytest.raises(AnchorRejected, match="not a number where it must be"):
                step()
            found = log.one("test")
            assert (found.state, found.detail) == (
                "due",
                "the node's answer is not a number where it must be",
            )
    assert next_nonce(log) is None
    to_final(chain, log, on_chain)
    assert len(log.all("test")) == 1
