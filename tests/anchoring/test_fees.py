"""What a transaction pays, by the chain's rule; the node is a real one with the fees of each kind of chain."""

import pytest

from notary.anchoring.fees import fee_fields
from notary.anchoring.rpc import MAX_FEE, Node
from notary.errors import AnchorUnavailable
from tests.anchoring.local_chain import WALLET, running
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
