"""Every case of the time-stamp suite gets the verdict that is right, by the check that is about it."""

import re

import pytest

from notary.errors import TimestampError
from notary.evidence.timestamp import check_token
from notary.evidence.timestamp_revocation import Standing, check_revocation
from notary.evidence.timestamp_serial import Serials
from tests.evidence.tsa_case import NOTE, OURS
from tests.evidence.tsa_cases import CASES


def checked(given):
    """All checks of one token; its warnings."""
    exchange = {"nonce": given.nonce, "sent": given.sent, "received": given.received}
    stamp = check_token(given.response, given.data, given.authority, **exchange)
    serials = Serials()
    for other in given.others:
        serials.add(check_token(other, given.data, given.authority), "Mini Ltd", "the other")
    serials.add(stamp, "Mini Ltd", "this")
    found = check_revocation(stamp.path, stamp.gen_time, given.revocation, strict=given.strict)
    captured = found.standing is Standing.NOT_REVOKED
    assert captured == given.strict, "what the strict policy lets pass was captured, and only that"
    return [*stamp.warnings, *([] if captured or not given.revocation else [found.detail])]


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@named([case for case in CASES if case.check is None])
def test_a_good_token_is_accepted_with_no_other_warning_than_it_deserves(case):
    given = case.make()
    assert given.data == NOTE
    warnings = checked(given)
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
    assert {case.check for case in CASES} - {None} == set(range(1, 25))
    assert all(case.rule == OURS or re.fullmatch(r"RFC \d+ §[\d.]+", case.rule) for case in CASES)
    assert {case.needs for case in CASES} == {
        "",
        "status",
        "policy",
        "nonce",
        "time",
        "roots",
        "crl",
        "ocsp",
        "serial",
    }
