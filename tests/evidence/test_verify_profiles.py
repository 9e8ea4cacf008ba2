"""Checks 6.6 and 6.7, and what the profile of a chain changes of the others."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import rlp

from notary.errors import TrustError
from notary.evidence.catalogue import CHECKS
from notary.evidence.chain import NotBefore, decode_header, encode_evidence
from notary.evidence.chain_bft import SEALED
from notary.evidence.keccak import keccak256
from notary.evidence.outcome import Outcome
from notary.evidence.statement import Block
from notary.merkle.tree import root_of
from tests.evidence import build, mini_chain
from tests.evidence.bft import EXTRA, STRANGER, VALIDATORS, addresses, sealed
from tests.evidence.build import LATE, NOT_BEFORE, NOT_BEFORE_TIME

FORMATS = Path(__file__).parents[2] / "docs/formats.md"
HEAD_KEY, OTHER_KEY = b"\x51" * 20, b"\x52" * 20
PASSED, FAILED, UNCHECKED = Outcome.PASSED, Outcome.FAILED, Outcome.UNCHECKED
HEAD_KEYS = f'head_keys = ["0x{HEAD_KEY.hex()}"]'


def shown(keys):
    return ", ".join(f'"0x{address.hex()}"' for address in keys)


def validators(keys=VALIDATORS, from_block=0):
    return f"[[chain.validators]]\nfrom_block = {from_block}\naddresses = [{shown(addresses(keys))}]"


class Chain:
    """A log anchored on a chain of a profile, with a not-before block of the same chain."""

    def __init__(self, profile, **made):
        def seal(raw):
            if profile in SEALED:
                return sealed(raw, profile=profile)[0]
            fields = rlp.decode(raw)
            fields[1] = keccak256(b"\xc0")  # no ommers
            return rlp.encode(fields)

        self.profile, self.before = profile, seal(NOT_BEFORE)
        block = decode_header(self.before, profile)
        named = Block(mini_chain.CHAIN_ID, block.number, block.hash, NOT_BEFORE_TIME)
        self.log = build.Log(altered=lambda statement: replace(statement, not_before=named))
        self.root = root_of(self.log.leaves[:LATE])
        made = {"stored": (LATE, self.root, HEAD_KEY), "seal": seal, "not_before": [self.before], **made}
        self.evidence = self.log.anchor(LATE, profile=profile, **made)
        self.files = build.files(self.log)

    def check(self, *more, evidence=None, blocks=None, own=True):
        """The report on a package with this anchor; `more` stands in the `[[chain]]` of the trust file."""
        evidence = self.evidence if evidence is None else evidence
        folder = f"heads/{LATE}"
        anchor = {f"{folder}/anchor.json": encode_evidence(evidence), f"{folder}/header.rlp": evidence.header}
        blocks = ([] if self.profile in SEALED else [evidence.header]) if blocks is None else blocks
        more = ([validators()] if self.profile in SEALED and own else []) + list(more)
        table = build.chain_table(self.log, *sorted(more, reverse=True), blocks=blocks, profile=self.profile)
        return build.check(self.files | anchor, build.trust(self.log, chain=table))


@pytest.fixture(scope="module")
def plain():
    return Chain("ethereum")


@pytest.fixture(scope="module")
def qbft():
    return Chain("qbft")


def outcome(report, id_):
    (found,) = [check.outcome for check in report.checks if check.id == id_]
    return found


def detail(report, id_):
    (found,) = [check.detail for check in report.checks if check.id == id_]
    return found


def failures(report):
    return [check.id for check in report.failures()]


def bounded(report):
    return [bound.source for bound in report.interval.bounds if bound.kind == "chain"]


def classes():
    """The class of each check's claim, by docs/formats.md §12."""
    letters = {"C": "recomputed", "A": "attested", "S": "stated"}
    found = {}
    for ids, said in re.findall(
        r"^\| (\d\.\d[\d., …]*) \| [^|]*\| ([CAS][CAS ]*) \|", FORMATS.read_text(), re.MULTILINE
    ):
        first, last = re.findall(r"\d\.(\d)", ids)[0], re.findall(r"\d\.(\d)", ids)[-1]
        names = [f"{ids[0]}.{at}" for at in range(int(first), int(last) + 1)]
        found |= dict(zip(names, (letters[each] for each in said.split()), strict=True))
    return found


def test_the_class_of_each_claim_is_that_of_the_document(plain, qbft):
    stated = classes()
    assert stated.keys() == CHECKS.keys()
    for report in (plain.check(HEAD_KEYS), qbft.check(HEAD_KEYS)):
        assert {check.id: check.claim for check in report.checks} == {
            check.id: stated[check.id] for check in report.checks
        }
    assert {"6.6", "6.7"} <= {check.id for check in report.checks}


# 6.6: the storage of the contract


def test_the_contract_held_the_head_of_the_checkpoint(plain):
    report = plain.check(HEAD_KEYS)
    assert (report.outcome, outcome(report, "6.6")) == (PASSED, PASSED)
    assert detail(report, "6.6") == f"size {LATE}, head key 0x{HEAD_KEY.hex()}"
    assert "6.7" not in {check.id for check in report.checks}
    assert bounded(report) == ["chain 31337"]


def test_a_turn_of_the_head_key_is_no_part_of_the_size(plain):
    assert (
        plain.log.anchor(LATE, stored=(LATE, plain.root, HEAD_KEY, 9)).head_slots != plain.evidence.head_slots
    )
    turned = Chain("ethereum", stored=(LATE, plain.root, HEAD_KEY, 2**32 - 1))
    assert outcome(turned.check(HEAD_KEYS), "6.6") is PASSED


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ((LATE - 1, None, HEAD_KEY), f"the contract holds size {LATE - 1} root"),
        ((LATE, bytes(31) + b"\x01", HEAD_KEY), f"the contract holds size {LATE} root 0000"),
        ((LATE, None, OTHER_KEY), f"head key of the log is 0x{OTHER_KEY.hex()}, which is not trusted"),
        ((LATE + 1, None, OTHER_KEY), f"head key of the log is 0x{OTHER_KEY.hex()}, which is not trusted"),
    ],
)
def test_a_contract_that_held_something_else_fails_6_6_and_bounds_nothing(plain, stored, reason):
    size, root, key = stored
    report = Chain("ethereum", stored=(size, root or plain.root, key)).check(HEAD_KEYS)
    assert failures(report) == ["6.6"]
    assert reason in detail(report, "6.6")
    assert bounded(report) == []


def test_without_head_keys_in_the_trust_file_whoever_has_the_head_is_shown(plain):
    report = Chain("ethereum", stored=(LATE, plain.root, OTHER_KEY)).check()
    assert (report.outcome, outcome(report, "6.6")) == (PASSED, PASSED)
    assert detail(report, "6.6").endswith(OTHER_KEY.hex())


def test_a_later_head_in_the_same_block_leaves_6_6_open():
    report = Chain("ethereum", stored=(LATE + 1, keccak256(b"later"), HEAD_KEY)).check(HEAD_KEYS)
    assert (report.outcome, outcome(report, "6.6")) == (PASSED, UNCHECKED)
    assert f"a later head, of size {LATE + 1}" in detail(report, "6.6")
    assert bounded(report) == ["chain 31337"]


@pytest.mark.parametrize("slots", [(None, None), ("first", None), (None, "second")])
def test_a_proof_that_was_not_captured_is_shown_as_missing(plain, slots):
    kept = tuple(proof and plain.evidence.head_slots[at] for at, proof in enumerate(slots))
    report = plain.check(evidence=replace(plain.evidence, head_slots=kept))
    assert (report.outcome, outcome(report, "6.6")) == (PASSED, UNCHECKED)
    assert "no storage proof of the head was captured" in detail(report, "6.6")
    assert bounded(report) == ["chain 31337"]


@pytest.mark.parametrize("slots", [None, (None, None)])
@pytest.mark.parametrize("key", [HEAD_KEY, OTHER_KEY])
def test_who_leaves_the_proof_away_does_not_get_past_the_head_keys_that_are_trusted(plain, slots, key):
    """Of version 1 or without the proof: which head key signed is open, so the anchor bounds nothing."""
    chain = Chain("ethereum", stored=(LATE, plain.root, key))
    report = chain.check(HEAD_KEYS, evidence=replace(chain.evidence, head_slots=slots))
    assert outcome(report, "6.6") is UNCHECKED
    assert "whether the head key was a trusted one is open" in detail(report, "6.6")
    assert bounded(report) == []


def test_without_the_account_the_slots_show_nothing(plain):
    report = plain.check(evidence=replace(plain.evidence, account_proof=None))
    assert (outcome(report, "6.5"), outcome(report, "6.6")) == (UNCHECKED, UNCHECKED)
    assert detail(report, "6.6") == "no storage proof of the head was captured"
    assert bounded(report) == []


def test_evidence_of_version_1_knows_no_such_proof(plain):
    report = plain.check(evidence=replace(plain.evidence, head_slots=None))
    assert report.outcome is PASSED
    assert "6.6" not in {check.id for check in report.checks}


def test_the_slots_are_those_of_this_log_and_of_no_other(plain):
    first, second = plain.evidence.head_slots
    for slots in ((second, first), (first, first), ((), second), (first, second[:-1])):
        report = plain.check(evidence=replace(plain.evidence, head_slots=slots))
        assert failures(report) == ["6.6"], slots
    other = Chain("ethereum", stored=(LATE, plain.root, HEAD_KEY))
    forged = replace(other.evidence, log_id=keccak256(b"another log"))
    assert failures(other.check(evidence=forged)) == ["6.1"]


# 6.7: seals


@pytest.mark.parametrize("profile", SEALED)
def test_a_sealed_block_needs_nobody_to_name_it(profile):
    report = Chain(profile).check(HEAD_KEYS)
    assert report.outcome is PASSED
    assert {check.id for check in report.checks} == set(CHECKS) - {"5.3", "5.4", "9.2", "9.3"}
    assert (outcome(report, "6.2"), outcome(report, "6.7")) == (UNCHECKED, PASSED)
    assert detail(report, "6.7") == "block 200, sealed by 3 of 4 validators"
    assert bounded(report) == ["chain 31337"]
    assert report.interval.made_after_block.startswith("chain 31337 block 100 0x")


BAD_SEALS = {
    "one too few": {"signers": VALIDATORS[:2]},
    "one twice": {"signers": [*VALIDATORS[:2], VALIDATORS[0]]},
    "a stranger": {"signers": [*VALIDATORS[:2], STRANGER]},
    "other validators": {"listed": addresses([*VALIDATORS[:3], STRANGER])},
    "another round": {"number": 1, "claimed": 2},
}


@pytest.mark.parametrize("bad", BAD_SEALS.values(), ids=BAD_SEALS)
def test_bad_seals_fail_6_7_and_nobody_can_mend_them_by_naming_the_block(bad):
    chain = Chain("qbft", seal=lambda raw: sealed(raw, **bad)[0])
    for blocks in ([], [chain.evidence.header]):
        report = chain.check(blocks=blocks)
        assert failures(report) == ["6.7"]
        assert bounded(report) == []
        assert outcome(report, "6.2") is (PASSED if blocks else UNCHECKED)


def test_seals_of_another_block_fail_6_7(qbft):
    fields, other = rlp.decode(qbft.evidence.header), rlp.decode(sealed(mini_chain.header(200, 1))[0])
    fields[EXTRA] = other[EXTRA]
    report = qbft.check(evidence=replace(qbft.evidence, header=rlp.encode(fields)))
    assert failures(report) == ["6.7"]


def test_a_sealed_block_that_the_trust_file_names_otherwise_fails_6_2(qbft):
    other = sealed(mini_chain.header(200, 1))[0]
    report = qbft.check(blocks=[other])
    assert (failures(report), outcome(report, "6.7")) == (["6.2"], PASSED)
    assert bounded(report) == []


@pytest.mark.parametrize(
    ("sets", "seals", "good"),
    [
        ([validators()], PASSED, True),
        ([validators([STRANGER]), validators(VALIDATORS, 50)], PASSED, True),
        ([validators(), validators([STRANGER], 201)], PASSED, True),
        ([validators(), validators([STRANGER], 200)], FAILED, False),
        ([validators(VALIDATORS, 201)], UNCHECKED, False),
        ([validators(VALIDATORS[:3])], FAILED, False),
    ],
)
def test_the_validators_are_those_that_the_trust_file_names_for_the_block(qbft, sets, seals, good):
    report = qbft.check(*sets, own=False)
    assert outcome(report, "6.7") is seals
    assert bounded(report) == (["chain 31337"] if good else [])


def test_where_validators_are_open_a_named_block_is_still_good(qbft):
    late = validators(VALIDATORS, 201)
    report = qbft.check(late, own=False, blocks=[qbft.evidence.header])
    assert (outcome(report, "6.2"), outcome(report, "6.7")) == (PASSED, UNCHECKED)
    assert bounded(report) == ["chain 31337"]


def test_a_not_before_block_is_good_by_its_own_seals(qbft):
    evidence = replace(qbft.evidence, history_proof=None, not_before=(NotBefore(qbft.before, None),))
    report = qbft.check(evidence=evidence)
    assert outcome(report, "7.2") is PASSED
    assert detail(report, "7.2") == "3 of 4 validators sealed it"
    few = sealed(NOT_BEFORE, VALIDATORS[:2])[0]
    report = qbft.check(evidence=replace(evidence, not_before=(NotBefore(few, None),)))
    assert (outcome(report, "7.1"), outcome(report, "7.2")) == (PASSED, FAILED)
    assert "bears 2 seals" in detail(report, "7.2")
    report = qbft.check(validators(VALIDATORS, 150), own=False, evidence=evidence)
    assert (outcome(report, "6.7"), outcome(report, "7.2")) == (PASSED, UNCHECKED)


# Profiles


@pytest.mark.parametrize("profile", ["ethereum", "op", "anvil"])
def test_evidence_passes_under_its_profile_and_no_other(profile):
    chain = Chain(profile)
    assert chain.check().outcome is PASSED
    report = chain.check(evidence=replace(chain.evidence, profile="ibft2"))
    assert failures(report) == ["6.1"]
    assert f"evidence is of profile ibft2, trusted is {profile}" in detail(report, "6.1")


def test_a_header_of_another_kind_of_chain_fails_6_1(plain, qbft):
    report = plain.check(
        evidence=replace(plain.evidence, header=qbft.evidence.header), blocks=[plain.evidence.header]
    )
    assert failures(report) == ["6.1"]
    assert "not a header of profile ethereum: it has the mix hash" in detail(report, "6.1")
    report = qbft.check(evidence=replace(qbft.evidence, header=plain.evidence.header))
    assert failures(report) == ["6.1"]
    assert "not a header of profile qbft: it has not the mix hash" in detail(report, "6.1")


def test_a_local_chain_is_for_tests_only():
    log = build.log()
    table = build.chain_table(log, blocks=[], profile="anvil")
    assert build.trust(log, chain=table).chains[0].profile == "anvil"
    top = build.trust_tables(log)["top"].replace("test_only = true", "test_only = false")
    with pytest.raises(
        TrustError, match="a chain of profile anvil proves nothing, and test_only is not true"
    ):
        build.trust(log, chain=table, top=top)


def test_a_not_before_block_that_stands_there_twice_is_proved_by_the_one_with_a_proof(plain):
    (item,) = plain.evidence.not_before
    bare = NotBefore(item.header, None)
    for items in ((item,), (bare, item), (item, bare)):
        report = plain.check(evidence=replace(plain.evidence, not_before=items))
        assert outcome(report, "7.2") is PASSED
    assert outcome(plain.check(evidence=replace(plain.evidence, not_before=(bare,))), "7.2") is UNCHECKED
