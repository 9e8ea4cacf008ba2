"""Sealed headers: hashed without their seals, and good only with those of two thirds of the trusted validators."""

from dataclasses import replace

import pytest
import rlp

from notary.errors import ChainError
from notary.evidence import chain_seals, secp256k1
from notary.evidence.chain_bft import SEALED
from notary.evidence.chain_header import PROFILES, decode_header
from notary.evidence.chain_seals import ValidatorSet, check_seals, validators_at
from notary.evidence.keccak import keccak256
from notary.evidence.secp256k1 import signer
from tests.evidence import mini_chain
from tests.evidence.bft import EXTRA, STRANGER, VALIDATORS, addresses, sealed, twin, validator

PLAIN = mini_chain.header(200, 1_700_001_200)
TRUSTED = ValidatorSet(0, addresses())


def check(raw, profile="qbft", validators=TRUSTED):
    return check_seals(raw, decode_header(raw, profile), profile, validators)


def with_field(raw, at, value):
    fields = rlp.decode(raw)
    fields[at] = value
    return rlp.encode(fields)


def with_extra(raw, at, value):
    items = rlp.decode(rlp.decode(raw)[EXTRA])
    items[at] = value
    return with_field(raw, EXTRA, rlp.encode(items))


# Hashes


@pytest.mark.parametrize("profile", SEALED)
def test_the_hash_is_the_same_whoever_sealed_it_and_in_whatever_round(profile):
    hashes = set()
    for signers, number in ((VALIDATORS[:3], 0), (VALIDATORS[1:], 0), (VALIDATORS, 1), ([], 7)):
        raw, expected = sealed(PLAIN, signers, profile=profile, number=number)
        header = decode_header(raw, profile)
        assert header.hash == expected != keccak256(raw)
        assert (header.number, header.time) == (200, 1_700_001_200)
        hashes.add(header.hash)
    assert len(hashes) == 1


@pytest.mark.parametrize("profile", SEALED)
@pytest.mark.parametrize("vote", ["none", "add", "drop"])
def test_what_validators_and_votes_it_names_is_part_of_the_hash(profile, vote):
    somebody = addresses([STRANGER])[0]
    drop = b"" if profile == "qbft" else b"\x00"
    votes = {"none": None, "add": [somebody, b"\xff"], "drop": [somebody, drop]}
    raw, expected = sealed(PLAIN, profile=profile, vote=votes[vote])
    assert decode_header(raw, profile).hash == expected
    assert (expected == sealed(PLAIN, profile=profile)[1]) == (vote == "none")
    assert sealed(PLAIN, profile=profile, listed=addresses()[1:])[1] != sealed(PLAIN, profile=profile)[1]
    assert check(raw, profile) == 3


@pytest.mark.parametrize("profile", SEALED)
def test_the_first_block_is_hashed_whole_and_bears_no_seals(profile):
    raw, _ = sealed(mini_chain.header(0, 0), [], profile=profile)
    header = decode_header(raw, profile)
    assert header.hash == keccak256(raw)
    with pytest.raises(ChainError, match="block 0 bears no seals"):
        check_seals(raw, header, profile, TRUSTED)


# Profiles


def test_a_header_is_of_one_kind_of_chain():
    plain = with_field(PLAIN, 1, keccak256(b"\xc0"))
    for profile in PROFILES:
        if profile in SEALED:
            good, bad = sealed(plain, profile=profile)[0], plain
        else:
            good, bad = plain, sealed(plain)[0]
        assert decode_header(good, profile).number == 200
        with pytest.raises(ChainError, match=f"not a header of profile {profile}: it has"):
            decode_header(bad, profile)
    with pytest.raises(
        ChainError, match="profile 'clique' cannot be hashed here; known: ethereum, op, qbft, ibft2"
    ):
        decode_header(PLAIN, "clique")


def test_the_header_of_one_sealed_profile_is_none_of_the_other():
    for profile, other in (("qbft", "ibft2"), ("ibft2", "qbft")):
        raw, _ = sealed(PLAIN, profile=profile, number=1)
        with pytest.raises(ChainError, match="vote in the extra data is malformed"):
            decode_header(raw, other)


@pytest.mark.parametrize(
    ("at", "value"), [(7, b"\x01"), (14, b"\x00" * 7 + b"\x01"), (1, bytes(32)), ("cut", 15)]
)
def test_a_rollup_has_no_miners(at, value):
    fields = rlp.decode(PLAIN)
    fields[1] = keccak256(b"\xc0")
    decode_header(rlp.encode(fields), "op")
    if at == "cut":
        fields = fields[:value]
    else:
        fields[at] = value
    raw = rlp.encode(fields)
    assert decode_header(raw, "ethereum").number == 200
    with pytest.raises(ChainError, match="not a header of profile op: it has difficulty, nonce or ommers"):
        decode_header(raw, "op")


def test_a_sealed_header_has_difficulty_one():
    with pytest.raises(ChainError, match="not a header of profile qbft: its difficulty is not 1"):
        decode_header(with_field(sealed(PLAIN)[0], 7, b"\x02"), "qbft")


# Extra data


@pytest.mark.parametrize(
    ("profile", "raw", "reason"),
    [
        ("qbft", with_field(sealed(PLAIN)[0], EXTRA, b""), "cut short"),
        ("qbft", with_field(sealed(PLAIN)[0], EXTRA, b"geth"), "RLP: 3 bytes follow"),
        ("qbft", with_field(sealed(PLAIN)[0], EXTRA, rlp.encode([bytes(32), [], [], b""])), "does not have 4 items"),
        ("qbft", with_field(sealed(PLAIN)[0], EXTRA, rlp.encode([b""] * 6)), "does not have 6 items"),
        ("qbft", with_field(sealed(PLAIN)[0], EXTRA, rlp.encode([b""] * 512)), "more values than there can be"),
        ("qbft", with_extra(sealed(PLAIN)[0], 0, bytes(31)), "vanity in the extra data is not 32 bytes"),
        ("qbft", with_extra(sealed(PLAIN)[0], 0, []), "vanity in the extra data is not 32 bytes"),
        ("qbft", with_extra(sealed(PLAIN)[0], 1, b""), "validators in the extra data are not a list of 20 bytes"),
        ("qbft", with_extra(sealed(PLAIN)[0], 1, [bytes(19)]), "validators in the extra data are not a list of 20"),
        ("qbft", with_extra(sealed(PLAIN)[0], 1, [[]]), "validators in the extra data are not a list of 20 bytes"),
        ("qbft", with_extra(sealed(PLAIN)[0], 2, b""), "vote in the extra data is malformed"),
        ("qbft", with_extra(sealed(PLAIN)[0], 2, [bytes(20)]), "vote in the extra data is malformed"),
        ("qbft", with_extra(sealed(PLAIN)[0], 2, [bytes(19), b"\xff"]), "vote in the extra data is malformed"),
        ("qbft", with_extra(sealed(PLAIN)[0], 2, [bytes(20), b"\x00"]), "vote in the extra data is malformed"),
        ("qbft", with_extra(sealed(PLAIN)[0], 2, [bytes(20), []]), "vote in the extra data is malformed"),
        ("ibft2", with_extra(sealed(PLAIN, profile="ibft2")[0], 2, [bytes(20), b""]), "vote in the extra data is"),
        ("qbft", with_extra(sealed(PLAIN)[0], 3, b"\x00"), "not a whole number in its shortest form"),
        ("qbft", with_extra(sealed(PLAIN)[0], 3, b"\x01" * 5), "a number is larger than 4294967295"),
        ("qbft", with_extra(sealed(PLAIN)[0], 3, []), "round in the extra data is malformed"),
        ("ibft2", with_extra(sealed(PLAIN, profile="ibft2")[0], 3, b"\x01"), "round in the extra data is malformed"),
        ("qbft", with_extra(sealed(PLAIN)[0], 4, b""), "seals in the extra data are not a list of 65 bytes each"),
        ("qbft", with_extra(sealed(PLAIN)[0], 4, [bytes(64)]), "seals in the extra data are not a list of 65"),
    ],
)  # fmt: skip
def test_extra_data_of_another_form_is_refused(profile, raw, reason):
    with pytest.raises(ChainError, match=reason):
        decode_header(raw, profile)


# Seals


@pytest.mark.parametrize("profile", SEALED)
@pytest.mark.parametrize("number", [0, 1, 255, 256])
def test_two_thirds_of_the_validators_are_enough_in_any_round(profile, number):
    for signers in (VALIDATORS, VALIDATORS[:3], VALIDATORS[1:]):
        assert check(sealed(PLAIN, signers, profile=profile, number=number)[0], profile) == len(signers)


@pytest.mark.parametrize(
    ("count", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7), (100, 67)]
)
def test_a_quorum_is_two_thirds_rounded_up(count, quorum):
    assert ValidatorSet(0, tuple(bytes([at]) * 20 for at in range(count))).quorum == quorum


@pytest.mark.parametrize("count", range(1, 8))
def test_one_seal_fewer_than_two_thirds_is_too_few(count):
    signers = [validator(number) for number in range(count)]
    trusted = ValidatorSet(0, addresses(signers))
    raw, _ = sealed(PLAIN, signers[: trusted.quorum], listed=addresses(signers))
    assert check(raw, validators=trusted) == trusted.quorum
    raw, _ = sealed(PLAIN, signers[: trusted.quorum - 1], listed=addresses(signers))
    with pytest.raises(
        ChainError, match=f"bears {trusted.quorum - 1} seals: {trusted.quorum} of {count} validators"
    ):
        check(raw, validators=trusted)


@pytest.mark.parametrize("profile", SEALED)
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"signers": VALIDATORS[:2]}, "bears 2 seals: 3 of 4 validators must have sealed it"),
        ({"signers": []}, "bears 0 seals"),
        ({"signers": [*VALIDATORS[:2], VALIDATORS[1]]}, "sealed block 200 twice"),
        ({"signers": [*VALIDATORS, VALIDATORS[0]]}, "sealed block 200 twice"),
        ({"signers": [*VALIDATORS[:2], STRANGER]}, "not of a validator"),
        ({"signers": [*VALIDATORS, STRANGER]}, "not of a validator"),
        ({"number": 1, "claimed": 0}, "not of a validator"),
        ({"number": 0, "claimed": 1}, "not of a validator"),
        ({"altered": lambda seals: [twin(seals[0]), *seals[1:]]}, "s in the upper half"),
        ({"altered": lambda seals: [*seals, twin(seals[0])]}, "s in the upper half"),
        ({"altered": lambda seals: [bytes(65), *seals]}, "out of the range of the curve"),
        ({"altered": lambda seals: [seals[0][:64] + b"\x1b", *seals[1:]]}, "not r, s and 0 or 1"),
        ({"listed": addresses()[:3]}, "names 3 validators, and not the 4 that are trusted from block 0 on"),
        ({"listed": addresses([*VALIDATORS, STRANGER])}, "names 5 validators, and not the 4"),
        ({"listed": addresses([*VALIDATORS[:3], STRANGER])}, "names 4 validators, and not the 4"),
    ],
)  # fmt: skip
def test_other_seals_are_not_good(profile, made, reason):
    raw, _ = sealed(PLAIN, profile=profile, **made)
    with pytest.raises(ChainError, match=reason):
        check(raw, profile)


@pytest.mark.parametrize("profile", SEALED)
@pytest.mark.parametrize("at", [0, 3, 4, 5, 11])
def test_seals_of_another_header_are_not_good(profile, at):
    raw, _ = sealed(PLAIN, profile=profile)
    other = with_field(raw, at, b"\x65\x53\xf1\x00" if at == 11 else keccak256(b"other"))
    with pytest.raises(ChainError, match="not of a validator"):
        check(other, profile)


def test_seals_under_one_profile_are_none_under_the_other():
    qbft, _ = sealed(PLAIN)
    seals = rlp.decode(rlp.decode(qbft)[EXTRA])[4]
    raw, _ = sealed(PLAIN, profile="ibft2", altered=lambda _: seals)
    with pytest.raises(ChainError, match="not of a validator"):
        check(raw, "ibft2")


def test_seals_of_strangers_cost_no_more_than_the_first_of_them(monkeypatch):
    asked = []
    monkeypatch.setattr(
        chain_seals, "signer", lambda digest, seal: asked.append(seal) or signer(digest, seal)
    )
    raw, _ = sealed(PLAIN, [VALIDATORS[0], *[STRANGER] * 60])
    with pytest.raises(ChainError, match="not of a validator"):
        check(raw)
    assert len(asked) == 2


def test_where_a_contract_chooses_them_no_validators_are_named_and_their_seals_count():
    raw, _ = sealed(PLAIN, listed=[])
    assert check(raw) == 3
    with pytest.raises(ChainError, match="bears 2 seals"):
        check(sealed(PLAIN, VALIDATORS[:2], listed=[])[0])
    with pytest.raises(ChainError, match="not of a validator"):
        check(sealed(PLAIN, [*VALIDATORS[:2], STRANGER], listed=[])[0])


def test_whom_evidence_names_is_trusted_by_nobody():
    strangers = [validator(number) for number in range(10, 14)]
    raw, _ = sealed(PLAIN, strangers, listed=addresses(strangers))
    assert check(raw, validators=ValidatorSet(0, addresses(strangers))) == 4
    with pytest.raises(ChainError, match="names 4 validators, and not the 4 that are trusted"):
        check(raw)


def test_the_order_in_which_they_are_listed_does_not_matter():
    assert check(sealed(PLAIN)[0], validators=replace(TRUSTED, addresses=addresses()[::-1])) == 3


def test_the_set_of_a_block_is_the_last_that_began():
    first, second = ValidatorSet(10, (bytes(20),)), ValidatorSet(20, (b"\x01" * 20,))
    for number, expected in ((9, None), (10, first), (19, first), (20, second), (10**6, second)):
        assert validators_at(number, (second, first)) is expected
    assert validators_at(0, ()) is None


def test_who_made_a_seal_is_found_once_however_often_the_block_stands_in_a_package(monkeypatch):
    """Eight copies in each of 16 anchors, whose last seal stands twice, took half a minute for 100 validators."""
    many = [validator(f"many {number}") for number in range(20)]
    raw, _ = sealed(PLAIN, many, listed=addresses(many), altered=lambda seals: [*seals, seals[0]])
    secp256k1.signer.cache_clear()  # of an earlier run in the same process, as mutmut makes one
    found, summed = [], secp256k1._sum
    monkeypatch.setattr(secp256k1, "_sum", lambda *of: found.append(of) or summed(*of))
    for _ in range(8):
        with pytest.raises(ChainError, match="sealed block 200 twice"):
            check(raw, validators=ValidatorSet(0, addresses(many)))
    assert len(found) == len(many)
