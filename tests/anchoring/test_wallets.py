"""A second wallet takes over where the first cannot go on, and whatever the first sent may be mined all the same."""

from dataclasses import replace

import pytest

from notary.anchoring.compiled import CODE
from notary.anchoring.fields import quantity
from notary.anchoring.port import Step
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.observe import LANE_STOPPED, RPC_CONTRADICTIONS
from notary.store import outbox
from notary.store.incidents import FOREIGN_NONCE, incidents
from tests.anchoring.local_chain import STRANGER, WALLET
from tests.anchoring.lying_node import Error, lying_node
from tests.anchoring.test_failing_over import GONE
from tests.rig import ORIGIN

SECOND = STRANGER  # has funds, and no authority over anything
FULL = hex(10**20)


@pytest.fixture
def first(chain):
    return chain.anchor(chain.open(ORIGIN))


@pytest.fixture
def second(first):
    return replace(first, wallet=SECOND)


@pytest.fixture
def advance(log, first, second):
    return log.advance(first, reserves=[second])


def fund(chain, wei, wallet=WALLET):
    chain.node.ask("anvil_setBalance", wallet.address, wei)


def by_hand(chain):
    """Nothing is mined but by `chain.mine`."""
    chain.node.ask("evm_setAutomine", False)
    chain.node.ask("evm_setIntervalMining", 0)


def foreign(chain, nonce=None, wallet=WALLET):
    """A transaction that somebody else made with the key of a wallet of ours, by default the first one."""
    fields = {"from": wallet.address, "to": wallet.address, "value": "0x0", "maxFeePerGas": hex(10**11)}
    chain.node.ask("eth_sendTransaction", fields | ({} if nonce is None else {"nonce": hex(nonce)}))


def payers(log, item=None):
    return [attempt.lane for attempt in log.attempts(item or log.newest("test"))]


def stopped(wallet=WALLET):
    return LANE_STOPPED.labels("test", wallet.address)._value.get()


def status(chain, attempt):
    return quantity(chain.node.ask("eth_getTransactionReceipt", f"0x{attempt.ref}")["status"])


def to_final(chain, log, advance):
    for _ in range(4):
        advance.step()
        chain.mine(2)
    assert log.newest("test").state == "final"


def test_an_empty_wallet_is_passed_over_and_used_again_once_it_is_filled(chain, log, advance, first):
    before = first.first_nonce()
    fund(chain, "0x0")
    log.close()
    to_final(chain, log, advance)
    assert (payers(log), first.first_nonce(), stopped()) == ([SECOND.address], before, 1)
    fund(chain, FULL)
    log.close()
    log.wait()
    to_final(chain, log, advance)
    assert (payers(log), stopped()) == ([WALLET.address], 0)
    assert log.attempts(log.newest("test"))[0].nonce == before


def test_a_wallet_at_its_days_cap_is_passed_over(chain, log, first, second):
    advance = log.advance(replace(first, allowance=lambda _nonce, _data: 1), reserves=[second])
    log.close()
    to_final(chain, log, advance)
    assert (payers(log), stopped()) == ([SECOND.address], 1)


def test_where_no_wallet_can_pay_the_first_ones_reason_is_given_and_no_nonce_is_taken(chain, log, advance):
    fund(chain, "0x0")
    fund(chain, "0x1", SECOND)
    log.close()
    with pytest.raises(LaneStopped, match=f"wallet {WALLET.address} holds 0 wei"):
        advance.step()
    assert (log.one("test").state, log.attempts(log.one("test"))) == ("due", [])
    assert (stopped(), stopped(SECOND)) == (1, 1)


def test_a_wallet_that_was_emptied_after_it_signed_is_taken_over_for_the_same_anchoring(
    chain, log, first, second
):
    emptied = Emptied(chain, first)
    advance = log.advance(emptied, reserves=[second])
    by_hand(chain)
    size = log.close()
    advance.step()
    item = log.one("test")
    assert (item.state, payers(log)) == ("sent", [WALLET.address, SECOND.address])
    to_final(chain, log, advance)
    assert first.on_chain_head()[0] == size
    # Filled again, the first wallet's transaction uses its nonce and fails, made again for what the chain asks by then:
    # the contract has the head.
    fund(chain, FULL)
    later = log.close()
    log.wait()
    to_final(chain, log, log.advance(first, reserves=[second]))
    assert (first.on_chain_head()[0], payers(log)) == (later, [SECOND.address])
    ours, _, again = log.attempts(item)
    assert (again.lane, again.nonce) == (ours.lane, ours.nonce)
    assert status(chain, again) == 0
    log.close()
    log.wait()
    to_final(chain, log, log.advance(first, reserves=[second]))
    assert payers(log) == [WALLET.address]


def test_both_wallets_transactions_may_be_mined_and_the_head_is_anchored_once(chain, log, first, second):
    by_hand(chain)
    size = log.close()
    advance = log.advance(first, reserves=[second])
    advance.step()
    (ours,) = log.attempts(log.one("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{ours.ref}")
    fund(chain, "0x0")
    log.wait(31)
    advance.step()
    assert payers(log) == [WALLET.address, SECOND.address]
    fund(chain, FULL)
    first.node.ask("eth_sendRawTransaction", f"0x{ours.raw.hex()}")  # somebody had kept it
    to_final(chain, log, advance)
    assert sorted(status(chain, attempt) for attempt in log.attempts(log.one("test"))) == [0, 1]
    assert log.states("test") == [(size, "final")]
    later = log.close()
    log.wait()
    to_final(chain, log, advance)
    assert (payers(log), first.on_chain_head()[0]) == ([WALLET.address], later)


def test_a_stolen_key_that_took_our_nonce_stops_nothing_but_its_wallet(chain, log, advance, first):
    by_hand(chain)
    log.close()
    advance.step()
    (ours,) = log.attempts(log.one("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{ours.ref}")
    foreign(chain, ours.nonce)
    chain.mine()
    log.wait(31)
    advance.step()
    assert payers(log) == [WALLET.address, SECOND.address]
    to_final(chain, log, advance)
    with log.rig.database.reading() as connection:
        (incident,) = incidents(connection)
    assert (incident.kind, incident.subject) == (FOREIGN_NONCE, f"{WALLET.address} {ours.nonce}")
    assert stopped() == 1


@pytest.mark.parametrize(("honest", "needed"), [(0, 1), (1, 1), (2, 2)])
def test_an_endpoint_that_accepts_anything_hides_no_stolen_nonce(chain, log, first, honest, needed):
    by_hand(chain)
    log.close()
    with lying_node(chain.url, eth_sendRawTransaction=lambda _: "0x" + "11" * 32) as relay:
        node, *others = (Node(url, 31337) for url in [chain.url] * honest + [relay])
        asked = replace(first, node=node, others=tuple(others), needed=needed)
        advance = log.advance(asked, reserves=[replace(asked, wallet=SECOND)])
        advance.step()
        (ours,) = log.attempts(log.one("test"))
        chain.node.ask("anvil_dropTransaction", f"0x{ours.ref}")
        foreign(chain, ours.nonce)
        chain.mine()
        log.wait(31)
        advance.step()
        assert (payers(log), stopped()) == ([WALLET.address, SECOND.address], 1)
        to_final(chain, log, advance)
    with log.rig.database.reading() as connection:
        assert [incident.kind for incident in incidents(connection)] == [FOREIGN_NONCE]


def test_a_stolen_key_that_is_used_on_and_on_leaves_every_anchor_to_the_second_wallet(
    chain, log, advance, first
):
    log.close()
    to_final(chain, log, advance)
    assert payers(log) == [WALLET.address]
    for _ in range(2):
        foreign(chain)
        chain.mine()
        size = log.close()
        log.wait()
        to_final(chain, log, advance)
        assert payers(log) == [SECOND.address]
        assert first.on_chain_head() == (size, log.head(size).root)
    with log.rig.database.reading() as connection:
        lane = outbox.next_nonce(connection, "test", WALLET.address)
        assert [incident.subject for incident in incidents(connection)] == [f"{WALLET.address} {lane}"]
        assert outbox.next_nonce(connection, "test", SECOND.address) is not None


def test_a_wallet_that_may_not_pay_more_for_what_waits_is_taken_over(chain, log, first, second):
    by_hand(chain)
    log.close()
    log.advance(first).step()
    capped = replace(first, allowance=lambda _nonce, _data: 1)
    chain.node.ask("evm_setNextBlockTimestamp", int(log.rig.clock().timestamp()) + 10**9)
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(10**11))
    chain.mine()
    log.wait(49)
    advance = log.advance(capped, reserves=[second])
    advance.step()
    assert payers(log) == [WALLET.address, SECOND.address]
    to_final(chain, log, advance)


def test_a_wallet_that_was_taken_out_of_the_settings_is_taken_over(chain, log, first, second):
    by_hand(chain)
    log.close()
    log.advance(first).step()
    (ours,) = log.attempts(log.one("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{ours.ref}")
    log.wait(49)
    log.advance(second).step()
    assert payers(log) == [WALLET.address, SECOND.address]
    to_final(chain, log, log.advance(second))


def test_nobody_takes_over_what_was_mined_meanwhile(chain, log, first, second):
    class Mistaken(Emptied):
        def send(self, head, attempt, *earlier):
            if not self.done:
                self.done = True
                self.anchor.send(head, attempt, *earlier)
                self.chain.mine()
                raise LaneStopped("nonce 2 went to another transaction", foreign=True)
            return self.anchor.send(head, attempt, *earlier)

    by_hand(chain)
    log.close()
    advance = log.advance(Mistaken(chain, first), reserves=[second])
    advance.step()
    assert (log.one("test").state, payers(log)) == ("mined", [WALLET.address])
    to_final(chain, log, advance)
    assert payers(log) == [WALLET.address]
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []


def test_nobody_takes_over_with_what_the_contract_would_refuse(chain, log, first, second):
    by_hand(chain)
    log.close()
    foreign_head_key = replace(second, head_key=STRANGER)
    advance = log.advance(Emptied(chain, first), reserves=[foreign_head_key])
    with pytest.raises(LaneStopped, match="holds 0 wei"):
        advance.step()
    assert (log.one("test").state, payers(log)) == ("signed", [WALLET.address])
    fund(chain, FULL)
    to_final(chain, log, advance)


def test_an_attempt_that_failed_long_ago_does_not_count_as_sent(chain, log, advance):
    """Its wallet pays again where another wallet's nonce, which the head waited for, went to somebody else."""
    by_hand(chain)
    size = log.close()
    advance.step()
    (old,) = log.attempts(log.one("test"))
    contract = f"0x{advance.anchor.contract.hex()}"
    chain.node.ask("anvil_setCode", contract, "0x60006000fd")  # fails whatever is asked
    chain.mine()
    chain.node.ask("anvil_setCode", contract, f"0x{CODE.hex()}")
    with pytest.raises(AnchorRejected, match="the transaction reverted"):
        advance.step()
    fund(chain, "0x0")
    log.wait(60)
    advance.step()
    assert (log.states("test"), payers(log)) == ([(size, "rejected"), (size, "sent")], [SECOND.address])
    (taken,) = log.attempts(log.newest("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{taken.ref}")
    foreign(chain, taken.nonce, SECOND)
    chain.mine()
    fund(chain, FULL)
    log.wait(31)
    advance.step()
    assert payers(log) == [SECOND.address, WALLET.address]
    assert (stopped(), stopped(SECOND)) == (0, 1)  # of the first one nothing is wrong
    to_final(chain, log, advance)
    with log.rig.database.reading() as connection:
        assert [each.subject for each in incidents(connection)] == [f"{SECOND.address} {taken.nonce}"]
    assert log.attempts(log.newest("test"))[-1].nonce == old.nonce + 1


def failed(chain, log, first):
    """An attempt of the first wallet that is in a block, and failed."""
    attempt = first.sign(log.head(log.close()), first.first_nonce(), [], 0)
    contract = f"0x{first.contract.hex()}"
    chain.node.ask("anvil_setCode", contract, "0x60006000fd")
    chain.node.ask("eth_sendRawTransaction", f"0x{attempt.raw.hex()}")
    assert chain.receipt(attempt.ref)["status"] == "0x0"
    chain.node.ask("anvil_setCode", contract, f"0x{CODE.hex()}")
    return attempt


def unknown(_):
    raise Error("nonce too low")


def test_that_an_attempt_failed_is_believed_of_as_many_as_must_agree_and_of_none_beside_one_that_has_it(
    chain, log, first
):
    attempt = failed(chain, log, first)
    head, told = log.head(log.newest_size()), RPC_CONTRADICTIONS.labels("31337")._value

    def send(*urls, needed=1):
        node, *others = (Node(url, 31337) for url in urls)
        return replace(first, node=node, others=tuple(others), needed=needed).send(head, attempt)

    reason = f"^nonce {attempt.nonce} went to a transaction of ours, which failed"
    accuses = {"eth_sendRawTransaction": unknown, "eth_getTransactionByHash": lambda _: None}
    free = accuses | {"eth_getTransactionCount": lambda _: hex(attempt.nonce)}
    waits = {
        "eth_sendRawTransaction": unknown,
        "eth_getTransactionByHash": lambda t: t | {"blockHash": None},
    }
    relay = {"eth_sendRawTransaction": lambda _: f"0x{attempt.ref.hex()}", "eth_getTransactionCount": unknown}
    before = told.get()
    with lying_node(chain.url, **relay) as takes_anything:
        for urls, needed in (
            ((chain.url,), 1),
            ((chain.url, chain.url), 2),
            ((takes_anything, chain.url), 1),
        ):
            with pytest.raises(LaneStopped, match=f"{reason}$") as said:
                send(*urls, needed=needed)
            assert (said.value.failed, said.value.foreign) == (True, False)
    with pytest.raises(AnchorUnavailable, match=f"{reason}, say 1 of 2 endpoints: 2 must agree"):
        send(chain.url, GONE, needed=2)
    assert told.get() == before
    with lying_node(chain.url, **accuses) as liar, pytest.raises(LaneStopped, match=f"{reason}$"):
        send(liar, chain.url)
    assert told.get() == before + 1  # ours has the nonce
    with (
        lying_node(chain.url, **free) as behind,
        pytest.raises(AnchorUnavailable, match="say 1 of 2 endpoints, and another one that it is free"),
    ):
        send(chain.url, behind)
    with lying_node(chain.url, **waits) as other:
        assert send(chain.url, other).step is Step.SENT


class Emptied:
    """The first wallet, which somebody empties between its signature and the sending."""

    def __init__(self, chain, anchor):
        self.chain, self.anchor, self.done = chain, anchor, False

    def __getattr__(self, name):
        return getattr(self.anchor, name)

    def send(self, head, attempt, *earlier):
        if not self.done:
            self.done = True
            fund(self.chain, "0x0")
        return self.anchor.send(head, attempt, *earlier)
