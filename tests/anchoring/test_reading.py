"""Transactions are read in their one form, with the same result as the library that makes them."""

import pytest
import rlp
from eth_account import Account

from notary.anchoring.contract import ANCHOR, call_data
from notary.anchoring.reading import (
    AnchorCall,
    Transaction,
    head_signer,
    read_anchor_call,
    read_transaction,
    recover,
)
from notary.errors import ChainError
from tests.anchoring.local_chain import WALLET

TO = b"\x11" * 20
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELDS = {"chainId": 31337, "nonce": 7, "to": TO, "value": 3, "data": b"data", "gas": 100_000}
TYPED = {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 10**8}
SENDER = bytes.fromhex(WALLET.address[2:])


def signed(**fields):
    return bytes(WALLET.sign_transaction(FIELDS | (fields or TYPED)).raw_transaction)


@pytest.mark.parametrize("fees", [TYPED, {"gasPrice": 10**9}, {"gasPrice": 0}])
@pytest.mark.parametrize("chain_id", [1, 31337, 2**40])
def test_sender_and_fields_are_those_that_were_signed(fees, chain_id):
    for nonce in range(4):  # of either parity
        raw = signed(**fees, chainId=chain_id, nonce=nonce)
        assert read_transaction(raw) == Transaction(chain_id, nonce, TO, 3, b"data", SENDER)
        assert Account.recover_transaction(raw) == WALLET.address


def test_any_bit_of_a_transaction_makes_another_one_or_none():
    raw = signed()
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        try:
            assert read_transaction(changed).sender != SENDER
        except ChainError:
            continue


def changed(at, value, *, legacy=False):
    raw = signed(**({"gasPrice": 10**9} if legacy else {}))
    items = rlp.decode(raw if legacy else raw[1:])
    items[at] = value
    return (b"" if legacy else raw[:1]) + rlp.encode(items)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (bytes(128 * 1024 + 1), "a transaction of 131073 bytes is longer than 131072"),
        (b"", "RLP: cut short"),
        (b"\x01" + signed()[1:], "RLP: "),
        (signed() + b"\x00", "1 bytes follow the value"),
        (b"\x02" + rlp.encode([b""] * 11), "a transaction of this type has 12 fields, not 11"),
        (rlp.encode([b""] * 10), "a transaction of this type has 9 fields, not 10"),
        (changed(8, [[TO, []]]), "the transaction has an access list, and ours have none"),
        (changed(5, []), "a field of the transaction is a list"),
        (changed(7, [b"x"]), "a field of the transaction is a list"),
        (changed(1, b"\x00\x07"), "RLP: not a whole number in its shortest form"),
        (changed(1, b"\x01" + bytes(8)), "RLP: a number is larger than"),
        (changed(9, b"\x02"), "a signature is not in its one form"),
        (changed(11, b""), "a signature is not in its one form"),
        (changed(10, b""), "a signature is nobody's"),
        (changed(10, ORDER.to_bytes(32)), "a signature is nobody's"),
        (changed(10, b"\xff" * 32), "a signature is nobody's"),
        (changed(6, b"\x1b", legacy=True), "the transaction names no chain"),
    ],
)
def test_what_is_not_in_its_one_form_is_no_transaction(raw, why):
    with pytest.raises(ChainError, match=why):
        read_transaction(raw)


CALL = AnchorCall(b"\x01" * 32, 2**40, b"\x02" * 32, (b"\x03" * 32, b"\x04" * 32), b"\x05" * 65)


def encoded(call=CALL):
    return call_data(ANCHOR, call.log_id, call.size, call.root, list(call.consistency), call.signature)


def test_the_call_of_anchor_is_read_as_it_was_made():
    assert read_anchor_call(encoded()) == CALL


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the input is not that of a call of anchor"),
        (encoded()[:100], "the input is not that of a call of anchor"),
        (b"\x00" * 4 + encoded()[4:], "the input is not a call of anchor in its one form"),
        (encoded() + bytes(32), "the input is not a call of anchor in its one form"),
        (encoded()[:-1] + b"\x01", "the input is not"),
    ],
)
def test_another_call_is_refused(data, why):
    with pytest.raises(ChainError, match=why):
        read_anchor_call(data)


def test_the_signer_of_a_head_is_found():
    for digest in (bytes([number]) * 32 for number in range(1, 5)):
        signature = bytes(WALLET.unsafe_sign_hash(digest).signature)
        assert head_signer(digest, signature) == SENDER
        r, s = (int.from_bytes(signature[at : at + 32]) for at in (0, 32))
        # The other s of the same signature, which no contract of ours takes.
        with pytest.raises(ChainError, match="a signature is not in its one form"):
            recover(digest, 1 - (signature[64] - 27), r, ORDER - s)
        with pytest.raises(ChainError, match="a signature is not in its one form"):
            head_signer(digest, signature[:64] + bytes([signature[64] - 27]))
    with pytest.raises(ChainError, match="the signature of the head has 64 bytes, not 65"):
        head_signer(bytes(32), bytes(64))
