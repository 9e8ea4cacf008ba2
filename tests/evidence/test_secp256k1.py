"""Who signed: as two other implementations say, one that recovers keys and one that verifies with them."""

from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from eth_keys import keys

from notary.errors import ChainError
from notary.evidence.keccak import keccak256
from notary.evidence.secp256k1 import signer
from tests.evidence.bft import ORDER, twin

PRIME = 2**256 - 2**32 - 977
DIGEST = sha256(b"digest").digest()
KEY = keys.PrivateKey(sha256(b"key").digest())
SEAL = KEY.sign_msg_hash(DIGEST).to_bytes()


def with_values(r=None, s=None, v=None):
    r = SEAL[:32] if r is None else r.to_bytes(32, "big")
    s = SEAL[32:64] if s is None else s.to_bytes(32, "big")
    return r + s + bytes([SEAL[64] if v is None else v])


@pytest.mark.parametrize("number", range(40))
def test_the_signer_is_whom_another_implementation_finds(number):
    key = keys.PrivateKey(sha256(b"key %d" % number).digest())
    digest = sha256(b"digest %d" % number).digest()
    seal = key.sign_msg_hash(digest)
    assert signer(digest, seal.to_bytes()) == key.public_key.to_canonical_address()
    # With the other y it is of another key; it is found, or there is none.
    other = keys.Signature(seal.to_bytes()[:64] + bytes([1 - seal.v])).recover_public_key_from_msg_hash(
        digest
    )
    flipped = seal.to_bytes()[:64] + bytes([1 - seal.v])
    assert signer(digest, flipped) == other.to_canonical_address() != key.public_key.to_canonical_address()


@pytest.mark.parametrize("value", [1, 2, 3, ORDER - 1, ORDER - 2, ORDER // 2, ORDER // 2 + 1])
def test_keys_at_the_ends_of_the_range_sign_too(value):
    key = keys.PrivateKey(value.to_bytes(32, "big"))
    for digest in (
        DIGEST,
        bytes(32),
        b"\xff" * 32,
        ORDER.to_bytes(32, "big"),
        (ORDER + 1).to_bytes(32, "big"),
    ):
        assert signer(digest, key.sign_msg_hash(digest).to_bytes()) == key.public_key.to_canonical_address()


def test_who_is_found_can_be_verified_by_openssl():
    private = ec.derive_private_key(int.from_bytes(KEY.to_bytes(), "big"), ec.SECP256K1())
    der = private.sign(DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    r, s = utils.decode_dss_signature(der)
    found = {signer(DIGEST, with_values(r, min(s, ORDER - s), v)) for v in (0, 1)}
    public = private.public_key().public_numbers()
    point = public.x.to_bytes(32, "big") + public.y.to_bytes(32, "big")
    assert keccak256(point)[12:] in found
    private.public_key().verify(der, DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    with pytest.raises(InvalidSignature):
        private.public_key().verify(
            der, sha256(b"other").digest(), ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        )


def test_a_signature_over_something_else_is_of_somebody_else():
    assert signer(sha256(b"other").digest(), SEAL) != KEY.public_key.to_canonical_address()


def test_points_that_meet_on_the_way_are_added_as_they_must_be():
    """R = G, and R = -G: the table of steps doubles a point, and adds one to its opposite."""
    x, half = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798, ORDER // 2
    for v in (0, 1):
        for s in (1, 2, half):
            for digest in (DIGEST, (x % ORDER).to_bytes(32, "big"), bytes(32)):
                seal = with_values(x, s, v)
                expected = keys.Signature(seal).recover_public_key_from_msg_hash(digest)
                assert signer(digest, seal) == expected.to_canonical_address()


def test_a_signature_whose_key_would_be_no_point_is_of_no_key():
    # s · R = z · G, with R = G: nothing is left.
    x = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
    with pytest.raises(ChainError, match="a signature is of no key"):
        signer((5).to_bytes(32, "big"), with_values(x, 5, 0))


@pytest.mark.parametrize(
    ("seal", "reason"),
    [
        (SEAL[:64], "^a signature is not r, s and 0 or 1, in 65 bytes$"),
        (SEAL + b"\x00", "not r, s and 0 or 1, in 65 bytes"),
        (with_values(v=2), "not r, s and 0 or 1"),
        (with_values(v=27), "not r, s and 0 or 1"),
        (with_values(r=0), "^a signature is out of the range of the curve$"),
        (with_values(r=ORDER), "out of the range of the curve"),
        (with_values(s=0), "out of the range of the curve"),
        (with_values(s=ORDER), "out of the range of the curve"),
        (twin(SEAL), "^a signature is the twin of another, with s in the upper half$"),
        (with_values(r=5), "^a signature is of no key$"),  # 5 is the x of no point
    ],
)
def test_what_is_no_signature_is_refused(seal, reason):
    with pytest.raises(ChainError, match=reason):
        signer(DIGEST, seal)


def test_the_twin_is_of_the_same_key_and_so_must_be_refused():
    assert keys.Signature(twin(SEAL)).recover_public_key_from_msg_hash(DIGEST) == KEY.public_key
