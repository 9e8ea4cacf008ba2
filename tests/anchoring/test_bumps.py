"""A transaction that no block takes is made again eight times, each time for so much more that every node takes it."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from notary.anchoring import replacing
from notary.anchoring.fields import quantity
from notary.anchoring.rpc import Node
from notary.anchoring.sending import attempt_of
from notary.anchoring.transaction import fields_of
from tests.anchoring.lying_node import Error, lying_node
from tests.rig import ORIGIN

FEES = ("maxFeePerGas", "maxPriorityFeePerGas")
FULL, TOO_SMALL = hex(30_000_000), hex(50_000)  # gas limits of blocks: the second has no room for an anchor


@contextmanager
def strict(chain, refused):
    """An endpoint as most are: another transaction with a nonce must offer a tenth more, in both fields."""
    wire = []

    def judged(said):
        *earlier, raw = wire
        if raw in earlier:
            raise Error("already known")
        new = fields_of(raw)
        if any(10 * new[name] < 11 * fields_of(old)[name] for old in earlier for name in FEES):
            refused.append(raw)
            raise Error("replacement transaction underpriced")
        return said

    with lying_node(chain.url, wire=wire, eth_sendRawTransaction=judged) as url:
        yield url


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


@pytest.fixture
def left_out(chain, log, on_chain):
    """A step of an anchor whose transactions no block has room for; the node has each of them."""
    chain.node.ask("evm_setAutomine", False)
    chain.node.ask("evm_setNextBlockTimestamp", int(log.rig.clock().timestamp()) + 10**9)
    chain.mine()

    def step(url, max_fee):
        log.wait(49)
        chain.node.ask("evm_setBlockGasLimit", TOO_SMALL)
        chain.mine()
        chain.node.ask("evm_setBlockGasLimit", FULL)
        log.advance(replace(on_chain, node=Node(url, 31337, max_fee=max_fee))).step()
        return log.attempts(log.one("test"))

    log.close()
    return step


def test_eight_are_each_dearer_by_what_nodes_ask_for_up_to_the_cap_and_one_of_all_is_mined(
    chain, log, on_chain, left_out
):
    refused = []
    with strict(chain, refused) as url:
        (first,) = left_out(url, 10**12)
        cap = 31 * fields_of(first.raw)["maxFeePerGas"] // 10  # 1.15 eight times is 3.06
        for number in range(1, 9):
            assert len(left_out(url, cap)) == number + 1
        attempts = left_out(url, cap)
        log.advance(on_chain).step()
        assert log.one("test").detail.startswith("made again 8 times, each time for more, and in no block")
        offers = [fields_of(each.raw) for each in attempts]
        assert len(offers) == 9
        for old, new in pairwise(offers):
            assert all(100 * new[name] >= 115 * old[name] for name in FEES)
            assert {k: v for k, v in old.items() if k not in FEES} == {
                k: v for k, v in new.items() if k not in FEES
            }
        assert offers[-1]["maxFeePerGas"] <= cap

        # The chain asks for more than the last one offers, and the cap does not allow so much.
        chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(cap - 5 * 10**9))
        assert len(left_out(url, cap)) == 9
        chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(cap))
        assert len(left_out(url, 10**12)) == 10
        chain.mine(3)
        log.advance(on_chain).step()
    assert refused == []
    mined = [
        chain.node.ask("eth_getTransactionReceipt", f"0x{each.ref}") for each in log.attempts(log.one("test"))
    ]
    assert [found is not None for found in mined] == [False] * 9 + [True]
    assert quantity(mined[-1]["status"]) == 1
    assert log.one("test").state == "final"


def test_by_less_than_a_tenth_such_a_node_would_take_none(chain, log, left_out, monkeypatch):
    monkeypatch.setattr(replacing, "_RAISED_PERCENT", 9)
    refused = []
    with strict(chain, refused) as url:
        left_out(url, 10**12)
        _, second = left_out(url, 10**12)
    assert [attempt_of(second).raw] == refused
