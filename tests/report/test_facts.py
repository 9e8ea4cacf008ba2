"""What goes into a report, and what is refused."""

from types import SimpleNamespace

import pytest

from notary.errors import BadNumber, FormatError
from notary.evidence.outcome import Claim, Outcome
from notary.report.facts import HeadFact, by_number, heads_of
from tests.evidence import build as evidence
from tests.report import build
from tests.report.build import check, facts, inspection, signature


def test_a_number_is_taken_as_typed():
    typed = f"{build.NUMBER[:4]}-{build.NUMBER[4:]}".lower()
    assert facts(number=typed).number == build.NUMBER


def test_a_mistyped_number_is_refused():
    with pytest.raises(BadNumber, match="mistyped"):
        facts(number=build.NUMBER[:-1] + ("2" if build.NUMBER[-1] != "2" else "3"))


def test_the_result_of_another_record_is_refused():
    other = build.make_number(1_764_000_000_001, b"12345")
    with pytest.raises(FormatError, match=f"record number {other}, not {build.NUMBER}"):
        facts(build.result(statement=build.statement(number=other)))


def test_missing_are_the_required_checks_that_have_not_passed():
    assert facts().missing == ()
    assert facts(build.pending()).missing == ("3.1", "3.2", "8.1")


def test_ids_are_ordered_by_their_numbers():
    assert sorted(["3.10", "3.9", "10.1"], key=by_number) == ["3.9", "3.10", "10.1"]


def test_one_failure_outweighs_all_that_passed():
    found = facts(build.result((*build.CHECKS, check("5.1", Outcome.FAILED, Claim.ATTESTED))))
    assert found.outcome_of("5.1") is Outcome.FAILED
    assert found.outcome_of("2.4") is None


def test_bounds_are_in_order_of_time():
    interval = build.Interval(None, "", None, 2, build.BOUNDS[::-1])
    assert facts(build.result(interval=interval)).bounds == build.BOUNDS


def test_an_opened_inspection_is_used_and_is_no_opening():
    found = facts(build.result(openings={"title": "合同", "inspection": inspection(signature())}))
    assert found.inspection is not None
    assert found.inspection.signatures[0].signer == "CN=上海示例租赁有限公司,C=CN"
    assert found.openings == (("title", "合同"),)


@pytest.mark.parametrize("passed", [True, False])
def test_an_inspection_is_logged_only_if_its_check_passed(passed):
    outcome = Outcome.PASSED if passed else Outcome.FAILED
    checks = (*build.CHECKS, check("9.1", outcome, Claim.STATED))
    found = facts(build.result(checks), inspection=inspection()).inspection
    assert found is not None
    assert found.logged is passed


def test_an_inspection_of_another_version_is_refused():
    with pytest.raises(FormatError, match="inspection report version 3 is neither 1 nor 2"):
        facts(inspection=inspection(version=3))


def test_an_inspection_of_either_version_says_the_same():
    assert (
        facts(inspection=build.inspection_2()).inspection
        == facts(inspection=inspection(version=1)).inspection
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"version": 1},
        inspection({"field": "a"}),
        inspection("text"),
        inspection(version=2),
        build.inspection_2(signature(chain=[9])),
    ],
)
def test_what_is_no_inspection_is_refused(broken):
    with pytest.raises(FormatError, match="not an inspection report"):
        facts(inspection=broken)


def real_package(**changes):
    log = evidence.log()
    package = evidence.packed(evidence.files(log) | changes)
    return package, evidence.verify(package, evidence.trust(log), None)


def test_heads_are_those_of_the_signed_checkpoints():
    package, result = real_package()
    found = heads_of(package, result)
    assert [head.size for head in found] == package.sizes()
    assert found[0] == HeadFact(
        evidence.EARLY, evidence.root_of(evidence.log().leaves[: evidence.EARLY]).hex()
    )


def test_no_head_is_shown_when_a_checkpoint_failed():
    stranger = evidence.Log("stranger")
    package, result = real_package(
        **{f"heads/{evidence.EARLY}/checkpoint": stranger.checkpoint(evidence.EARLY)}
    )
    assert heads_of(package, result) == ()


def test_no_head_is_shown_when_none_was_checked():
    package, _ = real_package()
    assert heads_of(package, SimpleNamespace(checks=())) == ()
