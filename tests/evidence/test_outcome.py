"""Outcomes: three values, and what follows from them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import ChainError, FormatError, TimestampError, TrustError
from notary.evidence.catalogue import CHECKS
from notary.evidence.collect import Collector
from notary.evidence.outcome import Bound, Check, Claim, Interval, Outcome, Report, kth_bound, rfc3339

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSED, FAILED, UNCHECKED = Outcome


def report(*found, required=("1.1", "2.1")):
    checks = tuple(Check(id_, outcome, Claim.RECOMPUTED) for id_, outcome in found)
    return Report(checks, required=frozenset(required))


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([("1.1", PASSED), ("2.1", PASSED)], PASSED),
        ([("1.1", PASSED), ("2.1", PASSED), ("5.1", UNCHECKED)], PASSED),
        ([("1.1", PASSED), ("2.1", PASSED), ("2.1", UNCHECKED)], PASSED),
        ([("1.1", PASSED), ("2.1", PASSED), ("5.1", FAILED)], FAILED),
        ([("1.1", PASSED), ("2.1", PASSED), ("2.1", FAILED)], FAILED),
        ([("1.1", PASSED), ("2.1", UNCHECKED)], UNCHECKED),
        ([("1.1", PASSED)], UNCHECKED),
        ([], UNCHECKED),
        ([("1.1", FAILED), ("2.1", UNCHECKED)], FAILED),
    ],
)
def test_one_failure_fails_and_every_required_check_must_pass(found, outcome):
    assert report(*found).outcome is outcome


def test_a_report_that_requires_nothing_has_not_passed():
    assert report(("1.1", PASSED), required=()).outcome is UNCHECKED


def test_failures_are_in_their_order():
    failed = report(("2.3", FAILED), ("1.1", PASSED), ("2.1", FAILED)).failures()
    assert [check.id for check in failed] == ["2.3", "2.1"]


bounds = st.lists(
    st.builds(
        Bound,
        st.just("rfc3161"),
        st.text(max_size=3),
        st.sampled_from("abcd"),
        st.integers(0, 100).map(lambda minutes: NOON + timedelta(minutes=minutes)),
        st.integers(1, 9),
    ),
    max_size=8,
)


@given(bounds, st.integers(-1, 6))
def test_the_bound_is_the_kth_earliest_of_different_organisations(found, k):
    by = kth_bound(found, k)
    earliest = sorted(
        min(b.not_after for b in found if b.organisation == name) for name in {b.organisation for b in found}
    )
    assert by == (earliest[k - 1] if 1 <= k <= len(earliest) else None)
    if by is not None:  # at least k organisations say so, and no earlier moment has k
        assert len({b.organisation for b in found if b.not_after <= by}) >= k
        assert len({b.organisation for b in found if b.not_after < by}) < k


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (None, None),
        (NOON, "2026-03-01T12:00:00Z"),
        (NOON + timedelta(microseconds=1), "2026-03-01T12:00:01Z"),
        (NOON + timedelta(seconds=59, microseconds=999_999), "2026-03-01T12:01:00Z"),
        (datetime(2026, 3, 1, 20, tzinfo=timezone(timedelta(hours=8))), "2026-03-01T12:00:00Z"),
    ],
)
def test_an_upper_bound_is_shown_rounded_up(moment, shown):
    assert rfc3339(moment) == shown


def test_the_json_names_every_part():
    bound = Bound("rfc3161", "tsa", "TSA Ltd", NOON + timedelta(milliseconds=1), 4)
    interval = Interval(None, "", NOON, 2, (bound,))
    check = Check("1.1", PASSED, Claim.RECOMPUTED, "subject", "detail")
    value = Report(
        (check,), interval, {"type": "event"}, "ab", 2, {"matter": 1}, withheld=3, required=frozenset({"1.1"})
    ).to_json()
    assert value == {
        "version": 1,
        "outcome": "passed",
        "test_only": False,
        "checks": [
            {
                "id": "1.1",
                "outcome": "passed",
                "claim": "recomputed",
                "subject": "subject",
                "sentence": {"zh": CHECKS["1.1"].passed_zh, "en": CHECKS["1.1"].passed_en},
                "detail": "detail",
                "required": True,
            }
        ],
        "statement": {"type": "event"},
        "entry": "ab",
        "index": 2,
        "openings": {"matter": 1},
        "withheld": 3,
        "time": {
            "made_after": None,
            "made_after_block": "",
            "existed_by": "2026-03-01T12:00:00Z",
            "sources_needed": 2,
            "bounds": [
                {
                    "kind": "rfc3161",
                    "source": "tsa",
                    "organisation": "TSA Ltd",
                    "not_after": "2026-03-01T12:00:01Z",
                    "size": 4,
                }
            ],
        },
    }
    assert Report(()).to_json()["time"] is None


def collect(error=None, skip=""):
    out = Collector()
    with out.check("2.1", Claim.RECOMPUTED, "subject") as done:
        done.detail, done.skip = "detail", skip
        if error:
            raise error
    (check,) = out.checks
    assert (check.id, check.claim, check.subject) == ("2.1", Claim.RECOMPUTED, "subject")
    return done.ok, check.outcome, check.detail


def test_a_check_has_passed_unless_it_says_otherwise():
    assert collect() == (True, PASSED, "detail")
    assert collect(skip="no node") == (True, UNCHECKED, "no node")
    assert collect(FormatError("odd")) == (False, FAILED, "format: odd")
    assert collect(ChainError("odd"), skip="no node") == (False, FAILED, "chain: odd")
    assert collect(TimestampError(14, "odd")) == (False, FAILED, "timestamp check 14: odd")


@pytest.mark.parametrize("error", [ValueError("odd"), RecursionError(), KeyError("x"), OverflowError()])
def test_what_a_parser_did_not_expect_fails_its_check(error):
    assert collect(error) == (False, FAILED, f"cannot be read ({type(error).__name__})")


def test_a_fault_of_the_trust_file_or_the_machine_is_no_fault_of_the_evidence():
    with pytest.raises(MemoryError):
        collect(MemoryError())
    with pytest.raises(TrustError, match="odd"):
        collect(TrustError("odd"))
    with pytest.raises(KeyboardInterrupt):
        collect(KeyboardInterrupt())


def test_every_check_has_its_words_in_both_languages():
    for text in CHECKS.values():
        for language in ("zh", "en"):
            assert text.name(language)
            assert len({text.sentence(outcome, language) for outcome in Outcome}) == 3
