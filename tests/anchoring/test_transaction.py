"""Our own transactions are those that an independent library makes of the same fields, byte for byte."""

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.anchoring.transaction import cost_of, fields_of, signed
from tests.anchoring.local_chain import WALLET

NUMBERS = st.integers(0, 2**64)
COMMON = {
    "chainId": st.integers(1, 2**32),
    "nonce": st.integers(0, 2**32),
    "gas": st.integers(21_000, 10**8),
    "to": st.binary(min_size=20, max_size=20),
    "value": st.integers(0, 2**80),
    "data": st.binary(max_size=200),
}
TYPED = st.fixed_dictionaries(COMMON | {"maxFeePerGas": NUMBERS, "maxPriorityFeePerGas": NUMBERS})
LEGACY = st.fixed_dictionaries(COMMON | {"gasPrice": NUMBERS})


@settings(max_examples=40, deadline=None)
@given(fields=st.one_of(TYPED, LEGACY), creates=st.booleans())
def test_it_is_what_another_library_makes(fields, creates):
    if creates:
        fields = {name: value for name, value in fields.items() if name != "to"}
    raw, ref = signed(fields, WALLET)
    theirs = WALLET.sign_transaction(fields)
    assert (raw, ref) == (bytes(theirs.raw_transaction), bytes(theirs.hash))
    assert Account.recover_transaction(raw) == WALLET.address


@pytest.mark.parametrize("kind", ["typed", "legacy"])
def test_it_is_read_again_and_says_what_it_may_take(kind):
    fees = {"maxFeePerGas": 7, "maxPriorityFeePerGas": 2} if kind == "typed" else {"gasPrice": 7}
    fields = {"nonce": 3, "gas": 21_000, "to": bytes(20), "value": 5, "data": b"\x01", **fees}
    raw, _ = signed(fields | {"chainId": 9}, WALLET)
    assert fields_of(raw) == fields | ({"chainId": 9} if kind == "typed" else {})
    assert cost_of(fields_of(raw)) == 21_000 * 7 + 5


def test_a_transaction_of_a_chain_without_fees_takes_nothing():
    raw, _ = signed(
        {"chainId": 9, "nonce": 0, "gas": 10**6, "to": bytes(20), "value": 0, "data": b"", "gasPrice": 0},
        WALLET,
    )
    assert cost_of(fields_of(raw)) == 0
