"""Digests, against constants of their standards."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import BadDigest, UnknownAlgorithm
from notary.evidence.digests import ALGORITHMS, Digester, parse_digest

# FIPS 180-4 and FIPS 202 examples, GB/T 32905-2016 appendix A.1: each of "abc".
ABC = {
    "sha-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sm3": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    "sha-384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "sha-512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "sha3-256": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    "sha3-512": "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
    "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
}


def test_every_algorithm_gives_the_digest_of_its_standard():
    digester = Digester(ALGORITHMS)
    digester.update(b"abc")
    assert digester.hex() == ABC
    assert digester.size == 3


def test_every_algorithm_has_the_length_it_says():
    assert {name: length for name, (length, _) in ALGORITHMS.items()} == {
        name: len(text) // 2 for name, text in ABC.items()
    }


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_chunks_make_no_difference(chunks):
    digester = Digester(["sha-256", "sm3"])
    for chunk in chunks:
        digester.update(chunk)
    whole = Digester(["sm3"])
    whole.update(b"".join(chunks))
    assert digester.hex() == {"sha-256": hashlib.sha256(b"".join(chunks)).hexdigest()} | whole.hex()
    assert digester.size == sum(map(len, chunks))


@pytest.mark.parametrize("name", ["md5", "SHA-256", "", "sha256"])
def test_an_unknown_algorithm_is_refused(name):
    with pytest.raises(UnknownAlgorithm, match=f"we know: use {', '.join(ABC)}$"):
        Digester([name])
    with pytest.raises(UnknownAlgorithm, match="not a digest algorithm we know"):
        parse_digest(name, "00" * 32)


def test_of_a_long_name_the_beginning_is_shown():
    with pytest.raises(UnknownAlgorithm, match=f"^'{'m' * 40}' is not a digest algorithm"):
        Digester(["m" * 41])


@pytest.mark.parametrize(
    "text", ["", "0" * 63, "0" * 65, "0" * 62 + "0x", "g" * 64, " " + "0" * 63, "０" * 64]
)
def test_a_digest_of_another_form_is_refused(text):
    with pytest.raises(
        BadDigest, match="a sha-256 digest is 64 hexadecimal characters; check what you copied"
    ):
        parse_digest("sha-256", text)


def test_a_digest_is_read_in_either_case():
    assert parse_digest("sha-256", ABC["sha-256"].upper()).hex() == ABC["sha-256"]
