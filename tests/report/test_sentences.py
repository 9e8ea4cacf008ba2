"""What a report says, and what it does not say."""

import re
from datetime import timedelta

import pytest

from notary.evidence.outcome import Bound, Check, Claim, Interval, Outcome
from notary.report import phrases
from notary.report.details import check_rows, commands, inspection, merkle_rows, page_two
from notary.report.glyphs import shown
from notary.report.sentences import (
    bound_row,
    class_rows,
    conclusion,
    document_rows,
    missing,
    page_one,
    shown_bounds,
    timeline,
)
from tests.report import build
from tests.report.build import at, check, facts, signature


def english(pairs):
    return " ".join(pair["en"] for pair in pairs)


def placeholders(text):
    return set(re.findall(r"\{(\w+)\}", text))


def test_a_bound_by_a_bitcoin_block_says_what_it_is_in_both_languages():
    kind = bound_row(1, Bound("bitcoin", "bitcoin", "Bitcoin", at(5), 1024))["kind"]
    assert kind == {"zh": "比特币区块（OpenTimestamps）", "en": "Bitcoin block (OpenTimestamps)"}


def test_both_catalogues_have_the_same_keys_and_english_fills_in_nothing_more():
    zh, en = phrases.catalogue("zh"), phrases.catalogue("en")
    assert {s: set(keys) for s, keys in zh.items()} == {s: set(keys) for s, keys in en.items()}
    for section, keys in zh.items():
        for key, text in keys.items():
            assert placeholders(en[section][key]) <= placeholders(text), (section, key)


def test_the_font_has_every_character_of_both_catalogues():
    for language in phrases.LANGUAGES:
        for keys in phrases.catalogue(language).values():
            assert all(shown(text) == text for text in keys.values())


def test_braces_in_a_value_are_not_filled_in():
    assert phrases.phrase("document.as_submitted", name="{0} {name.__class__}")["zh"].startswith(
        "{0} {name.__class__}"
    )


def test_a_word_that_is_on_no_list_is_shown_itself():
    assert phrases.known("signature.trust", "novel") == {"zh": "novel", "en": "novel"}
    assert (
        phrases.check_name("99.9") == phrases.check_sentence("99.9", Outcome.PASSED) == phrases.same("99.9")
    )


def test_a_good_record_is_told_in_four_sentences():
    said = english(conclusion(facts()))
    assert "the one that was recorded: every recomputed digest is equal" in said
    assert "entry 517 of the log" in said
    assert "2 independent third parties, what was recorded existed at 2026-11-24 02:07:00 UTC" in said
    assert "made after 2026-11-24 01:59:00 UTC" in said


def test_beijing_time_stands_beside_utc():
    assert "北京时间 2026-11-24 10:07:00（2026-11-24 02:07:00 UTC）" in "".join(
        p["zh"] for p in conclusion(facts())
    )


def test_upper_bounds_are_rounded_up_and_lower_bounds_down():
    assert phrases.utc(at(0, 1), up=True) == "2026-11-24 02:00:01"
    assert phrases.utc(at(0), up=True) == phrases.utc(at(0, 999_999)) == "2026-11-24 02:00:00"


def test_a_record_in_no_checkpoint_says_what_is_missing_and_nothing_of_time_or_log():
    found = facts(build.pending(), heads=(), anchors=())
    said = english(conclusion(found))
    assert "existed" not in said
    assert "of the log" not in said
    assert "Not closed into a batch yet" in english(missing(found))
    assert "2 independent sources are needed, there are 0" in english(missing(found))
    assert merkle_rows(found) == []


def test_a_bound_too_few_is_counted():
    unchecked = build.replaced(check("8.1", Outcome.UNCHECKED, Claim.NOT_COVERED))
    found = facts(build.result(unchecked, Interval(None, "", None, 2, build.BOUNDS[:1])))
    assert "2 independent sources are needed, there are 1" in english(missing(found))
    assert "existed" not in english(conclusion(found))


def test_sources_are_counted_as_the_verifier_counts_them():
    def bound(name, *keys):
        return Bound("rfc3161", name, name, at(5), 1024, frozenset(keys))

    unchecked = check("8.1", Outcome.UNCHECKED, Claim.NOT_COVERED)
    for two, count in (
        ((bound("A Ltd"), bound("a ltd.")), 1),
        ((bound("A", b"1"), bound("B", b"1")), 1),
        ((bound("A", b"1"), bound("B", b"2")), 2),
    ):
        found = facts(build.result(build.replaced(unchecked), Interval(None, "", None, 3, two)))
        assert f"3 independent sources are needed, there are {count}" in english(missing(found))


def test_bounds_that_contradict_each_other_bound_nothing():
    found = facts(build.result(build.replaced(check("8.1", Outcome.FAILED, Claim.ATTESTED))))
    assert "existed" not in english(conclusion(found)).replace("Existence", "")
    line = timeline(found)
    assert line["by"] is None
    assert not any(mark["is_t"] for mark in line["marks"])


@pytest.mark.parametrize("id_", ["2.2", "2.3", "3.3", "5.1", "9.1"])
def test_no_times_are_shown_of_evidence_of_which_any_check_failed(id_):
    found = facts(build.result((*build.CHECKS, check(id_, Outcome.FAILED))))
    said = english(conclusion(found))
    assert "No times are shown, since a check failed." in said
    assert "2026" not in said
    rows = {row["what"]["en"]: row for row in class_rows(found)}
    for what in ("Content existed at T at the latest", "Record was made after the block named"):
        assert rows[what]["mark"] == "could_not_be_checked"
        assert rows[what]["claim"]["en"] == "not covered"
    page = page_one(found)
    assert page["bounds"] == page_two(found)["more_bounds"] == page["timeline"]["marks"] == []
    assert page["bounds_more"] == 0
    assert page["no-bounds"]["zh"] == page["timeline"]["rule"]["zh"] == "有检查未通过，不显示时间。"
    assert page["timeline"]["after"] is page["timeline"]["by"] is None
    assert page["timeline"]["after_block"] == ""


def test_times_wait_for_every_required_check():
    found = facts(build.result(build.replaced(check("2.3", Outcome.UNCHECKED, Claim.NOT_COVERED))))
    assert "2026" not in english(conclusion(found))
    assert [mark["is_t"] for mark in timeline(found)["marks"]] == [False, False, False]
    assert page_one(found)["no-bounds"]["en"] == "No third party attests a time yet."
    assert "2026-11-24 02:07:00 UTC" in english(conclusion(facts()))


@pytest.mark.parametrize("id_", ["2.2", "3.1", "3.2", "3.3"])
def test_a_log_that_was_rewritten_or_is_another_is_not_said_to_hold_the_record_unchanged(id_):
    found = facts(build.result((*build.CHECKS, check(id_, Outcome.FAILED, subject="head 4"))))
    assert "has not changed" not in english(conclusion(found))
    assert "入册之后未被更改" not in "".join(pair["zh"] for pair in conclusion(found))
    assert class_rows(found)[1]["mark"] == "failed"


def test_one_source_is_one_and_independent_of_nobody():
    one = Interval(at(-1), "", at(5), 1, build.BOUNDS[:1])
    found = facts(build.result(interval=one))
    said = [*conclusion(found), timeline(found)["rule"]]
    assert "On the word of one third party, what was recorded existed" in english(said)
    assert "independent" not in english(said)
    assert "独立" not in "".join(pair["zh"] for pair in said)
    assert "by which one source attests" in timeline(found)["rule"]["en"]
    event = build.statement(type="event")
    del event["document"]
    of_record = english(conclusion(facts(build.result(interval=one, statement=event))))
    assert "On the word of one third party, this record existed" in of_record
    unchecked = build.replaced(check("8.1", Outcome.UNCHECKED, Claim.NOT_COVERED))
    none = facts(build.result(unchecked, Interval(None, "", None, 1, ())))
    assert "one source is needed, there is none" in english(missing(none))


def test_bounds_of_one_source_share_a_row_however_their_organisations_are_spelt():
    two_names = (
        Bound("rfc3161", "a", "Mini Ltd", at(5), 10),
        Bound("rfc3161", "b", "MINI LTD.", at(6), 10),
        Bound("rfc3161", "c", "One Key", at(7), 10, frozenset([b"key"])),
        Bound("rfc3161", "d", "The Same Key", at(8), 10, frozenset([b"key"])),
    )
    found = facts(build.result(interval=Interval(None, "", at(7), 2, two_names)))
    assert [bound.source for _, bound in shown_bounds(found)] == ["a", "c"]
    assert page_one(found)["bounds_more"] == 2


def test_another_document_is_said_to_be_another():
    found = facts(build.result(build.replaced(check("2.3", Outcome.FAILED))), computed={"sha-256": "00" * 32})
    said = english(conclusion(found))
    assert "is not the one that was recorded" in said
    assert "Checks failed: 1 (Document equals the record)" in said
    assert missing(found) == []
    assert any(row["value"]["zh"] == "00" * 32 for row in document_rows(found))


def test_without_the_document_nothing_is_said_to_be_equal():
    found = facts(build.result(build.replaced(check("2.3", Outcome.UNCHECKED, Claim.NOT_COVERED))))
    assert "No document was given" in english(conclusion(found))
    assert "equal" not in english(conclusion(found))


def test_a_record_without_a_document_is_called_an_event():
    event = build.statement(type="event")
    del event["document"]
    found = facts(build.result(statement=event))
    assert "This record has no document" in english(conclusion(found))
    assert "this record existed at" in english(conclusion(found))
    assert document_rows(found)[0]["value"]["en"] == "event (no document)"
    assert not any("DOCUMENT" in step["command"] for step in commands(found))


def test_digests_alone_are_said_to_be_all_that_was_seen():
    body = build.statement()["document"] | {"seen": False, "size": None, "media_type": None}
    shown_rows = document_rows(facts(build.result(statement=build.statement(document=body))))
    assert any("never saw the document" in row["value"]["en"] for row in shown_rows)


def test_nothing_that_was_not_checked_rests_on_anybodys_word():
    rows = {row["what"]["en"]: row for row in class_rows(facts(build.pending()))}
    assert rows["Content existed at T at the latest"]["claim"]["en"] == "not covered"
    assert rows["Content existed at T at the latest"]["mark"] == "could_not_be_checked"
    rows = {row["what"]["en"]: row for row in class_rows(facts())}
    assert rows["Content existed at T at the latest"]["claim"]["zh"] == "第三方证明"
    assert rows["Document equals the record"]["claim"]["zh"] == "密码学核验一致"
    assert rows["Content, identity, when first signed"]["claim"]["zh"] == "未覆盖"


def test_a_check_that_could_not_be_made_is_listed_as_not_covered():
    skipped = check("6.5", Outcome.UNCHECKED, detail="no account proof was captured")
    rows = {row["id"]: row for row in check_rows(facts(build.result(build.replaced(skipped))))}
    assert rows["6.5"]["claim"]["zh"] == "未覆盖"
    assert rows["6.4"]["claim"]["zh"] == "密码学核验一致"


def test_a_failed_log_is_not_said_to_hold_the_record():
    found = facts(build.result(build.replaced(check("3.2", Outcome.FAILED))))
    assert "of the log" not in english(conclusion(found))
    assert class_rows(found)[1]["mark"] == "failed"


def test_the_time_line_marks_t_and_is_in_order():
    line = timeline(facts())
    assert [mark["number"] for mark in line["marks"]] == ["1", "2", "3"]
    assert [mark["is_t"] for mark in line["marks"]] == [False, True, False]
    assert line["after"]["utc"] == "2026-11-24 01:59:00"
    assert timeline(facts(build.pending()))["marks"] == []


def test_page_one_shows_the_earliest_of_each_organisation_and_t_among_them():
    many = tuple(Bound("rfc3161", f"tsa-{i}", f"organisation {i}", at(i), 1024) for i in range(7))
    again = tuple(
        Bound("rfc3161", "tsa-0", "organisation 0", at(i) + timedelta(seconds=1), 2048) for i in range(3)
    )
    found = facts(build.result(interval=Interval(None, "", at(5), 6, many + again)))
    assert [bound.source for _, bound in shown_bounds(found)] == ["tsa-0", "tsa-1", "tsa-2", "tsa-5"]
    assert page_one(found)["bounds_more"] == 6
    first, more = (
        [row["number"] for row in rows]
        for rows in (page_one(found)["bounds"], page_two(found)["more_bounds"])
    )
    assert sorted(map(int, first + more)) == list(range(1, 11))
    assert page_two(facts())["more_bounds"] == []


def test_checks_that_passed_alike_share_a_row_and_one_that_did_not_has_its_own():
    made = [check("3.1", subject=f"head {size}") for size in (2, 3, 5)]
    made += [check("3.2", subject="head 2"), check("3.2", Outcome.FAILED, subject="head 3")]
    made += [
        check("5.1", claim=Claim.ATTESTED, subject="tsa@2"),
        check("5.1", claim=Claim.STATED, subject="x"),
    ]
    rows = [(row["id"], row["mark"], row["subject"]) for row in check_rows(facts(build.result(tuple(made))))]
    assert [row for row in rows if row[0] in {"3.1", "3.2", "5.1"} and row[2]] == [
        ("3.1", "passed", "head 2, head 3, head 5"),
        ("3.2", "passed", "head 2"),
        ("3.2", "failed", "head 3"),
        ("5.1", "passed", "tsa@2"),
        ("5.1", "passed", "x"),
    ]


def test_every_check_made_is_listed_by_id_and_every_required_one():
    rows = check_rows(
        facts(build.result((check("8.1"), check("2.3", Outcome.FAILED, detail="the digest differs"))))
    )
    assert [row["id"] for row in rows] == ["1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2", "8.1"]
    assert rows[4]["sentence"]["en"] == "the digest differs"
    assert rows[4]["mark"] == "failed"
    assert rows[0]["mark"] == "could_not_be_checked"
    assert rows[7]["sentence"] is None


@pytest.mark.parametrize(
    "more",
    [
        {"trust": "unrecognised"},
        {"trust": "untrusted"},
        {"integrity": "broken"},
        {"integrity": "could_not_be_checked"},
        {"covers": "partial"},
        {"covers": "revision", "changes_after": "suspicious"},
    ],
)
def test_a_signature_is_not_called_valid_against_its_own_findings(more):
    found = inspection(facts(inspection=build.inspection(signature(validity="passed", **more))))
    assert found["signatures"][0]["validity"]["en"] == "not found valid"


@pytest.mark.parametrize("more", [{}, {"covers": "revision", "changes_after": "allowed"}])
def test_a_sound_signature_is_called_valid(more):
    found = inspection(facts(inspection=build.inspection(signature(**more))))
    assert found["signatures"][0]["validity"]["zh"] == "有效"


def test_what_is_unknown_of_a_signature_is_said_to_be():
    empty = signature(signer=None, issuer=None, claimed_time=None, stamped_time=None, stamp=None)
    row = inspection(facts(inspection=build.inspection(empty)))["signatures"][0]
    assert row["signer"]["en"] == row["issuer"]["en"] == "(not readable)"
    assert row["claimed"]["en"] == row["stamped"]["en"] == "none"


def test_a_stamp_that_is_not_recognised_is_never_shown_alone():
    row = inspection(facts(inspection=build.inspection(signature(stamp="unrecognised"))))["signatures"][0]
    assert row["stamped"]["en"] == "2026-11-24T01:58:02Z (not recognised)"


@pytest.mark.parametrize(
    "outcome", ["inspected", "no_signatures", "not_a_pdf", "could_not_be_inspected", "novel"]
)
def test_every_outcome_of_an_inspection_has_a_sentence(outcome):
    found = inspection(facts(inspection=build.inspection(outcome=outcome, reason="encrypted")))
    assert found["summary"]["en"]
    assert "{" not in found["summary"]["en"]


def test_commands_carry_no_text_of_a_submitter():
    hostile = facts(document_name="; rm -rf /", inspection=build.inspection(signature(signer="$(id)")))
    lines = [step["command"] for step in commands(hostile)]
    assert not any("rm -rf" in line or "$(" in line for line in lines)
    assert "heads/1024/tokens/tsa-north.tsr" in lines[2]
    assert '"eth_getBlockByNumber"' in lines[3]
    assert '["0x8c1e19", false]' in lines[3]


def test_a_check_that_we_do_not_know_is_listed_by_its_id():
    rows = check_rows(facts(build.result((*build.CHECKS, Check("99.9", Outcome.FAILED, Claim.STATED)))))
    assert rows[-1]["name"] == phrases.same("99.9")


def test_long_text_is_cut_and_says_how_long_it_was():
    assert phrases.cut("x" * 161) == "x" * 160 + "… (161)"
    assert phrases.cut("x" * 160) == "x" * 160
