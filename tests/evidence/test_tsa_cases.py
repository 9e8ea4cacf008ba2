"""Every case of the time-stamp suite gets the verdict that is right, by the check that is about it."""

import re

import pytest

from notary.errors import TimestampError
from notary.evidence.timestamp import check_token
from tests.evidence.tsa_case import NOTE, OURS
from tests.evidence.tsa_cases import CASES

NOT_MADE = {15, 22}  # revocation; serial numbers used once
REVOCATION = "revocation of the signer's certificate was not checked"


def checked(given):
    exchange = {"nonce": given.nonce, "sent": given.sent, "received": given.received}
    return check_token(given.response, given.data, given.authority, **exchange)


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@named([case for case in CASES if case.check is None])
def test_a_good_token_is_accepted_with_no_other_warning_than_it_deserves(case):
    given = case.make()
    assert given.data == NOTE
    warnings = [each for each in checked(given).warnings if each != REVOCATION]
    assert len(warnings) == bool(case.says), warnings
    assert all(re.search(case.says, each) for each in warnings)


@named([case for case in CASES if case.check is not None])
def test_a_bad_token_is_refused_by_its_check(case):
    with pytest.raises(TimestampError, match=case.says) as caught:
        checked(case.make())
    assert caught.value.check == case.check, caught.value


def test_the_suite_is_as_large_as_is_said_and_names_each_check_that_is_made():
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.check for case in CASES} - {None} == set(range(1, 25)) - NOT_MADE
    assert all(case.rule == OURS or re.fullmatch(r"RFC \d+ §[\d.]+", case.rule) for case in CASES)
    assert {case.needs for case in CASES} == {"", "status", "policy", "nonce", "time", "roots"}
