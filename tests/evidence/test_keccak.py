"""Keccak-256, against values published with the Ethereum yellow paper and used by every client."""

import hashlib

import pytest

from notary.evidence.keccak import keccak256


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        # The code hash of accounts without code: yellow paper §4.1, Keccak-256 of nothing.
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        # The root of an empty trie: Keccak-256 of the RLP of nothing.
        (b"\x80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"),
        # The hash of the list of no ommers.
        (b"\xc0", "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_published_digests_are_found(data, digest):
    assert keccak256(data).hex() == digest


def test_it_is_not_the_sha3_of_the_standard():
    assert keccak256(b"abc") != hashlib.sha3_256(b"abc").digest()
