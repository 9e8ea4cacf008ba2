"""The service's own trust file says what a verifier reads."""

from notary.evidence.chain import ChainTrust
from notary.evidence.chain_seals import ValidatorSet
from notary.evidence.note import Verifier
from notary.evidence.receipt import receipt_key_name
from notary.evidence.timestamp import Authority
from notary.services.trust_file import TrustSource
from tests.evidence import build
from tests.ots_world import header

ORIGIN = "log.example.org/2026"
LOG = Verifier(ORIGIN, bytes(range(32)))
RECEIPT = Verifier(receipt_key_name(ORIGIN), bytes(range(1, 33)))
BLOCKS = [(1, 7, b"\x07" * 32), (1, 9, b"\x09" * 32), (2, 8, b"\x08" * 32)]


VALIDATORS = (ValidatorSet(0, (b"\x01" * 20, b"\x02" * 20)), ValidatorSet(90, (b"\x03" * 20,)))
HEAD_KEYS = (b"\x41" * 20, b"\x42" * 20)


def chain(chain_id, profile="ethereum", **more):
    return ChainTrust(chain_id, b"\x11" * 20, b"\x22" * 32, b"\x33" * 32, profile, (), **more)


def authority(name, **changes):
    tsa = build.tsa(name)
    roots = (tsa.root.public_bytes(build.Encoding.DER),)
    return Authority(
        **{"name": name, "organisation": name, "roots": roots, "policies": (), "accuracy_ms": None} | changes
    )


def source(**changes):
    values = {"origin": ORIGIN, "log_key": LOG, "receipt_key": RECEIPT, "chains": (), "authorities": ()}
    return TrustSource(**values | {"test_only": False} | changes)


def test_keys_alone_are_a_trust_file():
    trust = source().trust()
    assert (trust.origin, trust.test_only, trust.chains, trust.authorities) == (ORIGIN, False, (), ())
    assert [key.verifier for key in trust.log_keys] == [LOG]
    assert [key.verifier for key in trust.receipt_keys] == [RECEIPT]


def test_chains_and_authorities_come_back_as_they_were():
    middle = build.tsa("b").middle.public_bytes(build.Encoding.DER)
    authorities = (
        authority("a", organisation='国家授时中心 "TSA" \\ Ltd'),
        authority("b", policies=("1.2.3", "1.2.4"), accuracy_ms=0, intermediates=(middle,), strict=True),
        authority("c", roots=(*authority("c").roots, *authority("d").roots), accuracy_ms=1000),
    )
    sealed = chain(2, "qbft", head_keys=HEAD_KEYS, validators=VALIDATORS)
    made = source(chains=(chain(1), sealed), authorities=authorities, test_only=True)
    trust = made.trust(BLOCKS)
    assert trust.authorities == authorities
    assert trust.test_only
    first, second = trust.chains
    assert (first.chain_id, first.contract, first.log_id, first.code_hash) == (
        1,
        b"\x11" * 20,
        b"\x22" * 32,
        b"\x33" * 32,
    )
    assert (first.profile, second.profile) == ("ethereum", "qbft")
    assert first.blocks == ((7, b"\x07" * 32), (9, b"\x09" * 32))
    assert second.blocks == ((8, b"\x08" * 32),)
    assert (first.head_keys, first.validators) == ((), ())
    assert (second.head_keys, second.validators) == (HEAD_KEYS, VALIDATORS)
    assert made.file().index("head_keys") < made.file().index("[[chain.validators]]")


def test_blocks_are_not_made_up():
    assert source(chains=(chain(1),)).trust().chains[0].blocks == ()


def test_the_headers_of_bitcoin_blocks_come_back_as_they_were():
    raw = header(b"\x07" * 32, 1772366400)
    found = source().trust(BLOCKS, [(800_001, raw)]).bitcoin_blocks
    assert [(height, block.raw) for height, block in found] == [(800_001, raw)]


def test_text_that_would_end_its_string_does_not():
    trust = source(authorities=(authority("a", organisation='x" name = "evil'),)).trust()
    assert trust.authorities[0].organisation == 'x" name = "evil'


def test_the_file_says_what_it_is():
    text = source().file()
    assert text.startswith("# What a verifier trusts, from outside the evidence.")
    assert "test_only = false" in text
