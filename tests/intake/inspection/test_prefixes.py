"""Each revision is a prefix of the file, and the digests that are told of it are those of its bytes."""

import sys
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from pyhanko.pdf_utils.reader import PdfFileReader

from notary.errors import FormatError
from notary.intake.inspection import report
from notary.intake.inspection.digests import fill
from notary.intake.inspection.pdf import inspect_pdf
from notary.intake.inspection.prefixes import prefixes, revision_at

sys.path.insert(0, str(Path(__file__).parent))
import changing
import pdfs
import sound


def look(data):
    found = inspect_pdf(BytesIO(data), [sound.party()[0]], sound.AT)
    fill(found, BytesIO(data))
    assert report.check(found.report) == found.report
    return found


def sm3(data):
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize().hex()


def test_each_revision_can_be_cut_off_and_hashed():
    data = sound.signed_twice()
    found = look(data).report
    assert found["revisions"] == 3
    assert {row["revision"] for row in found["prefixes"]} == {1, 2, 3}
    for row in found["prefixes"]:
        prefix = data[: row["length"]]
        assert prefix.rstrip().endswith(b"%%EOF")
        assert (row["sha256"], row["sm3"]) == (sha256(prefix).hexdigest(), sm3(prefix))
    first, second = found["signatures"]
    ends = {row["length"]: row["revision"] for row in found["prefixes"]}
    assert first["revision"] == ends[sum(first["byte_range"][2:])] < second["revision"] == found["revisions"]
    assert first["covers_sha256"] == sha256(data[: sum(first["byte_range"][2:])]).hexdigest()


def test_a_revision_that_is_cut_off_is_told_as_the_whole_of_itself():
    data = sound.signed_twice()
    row = look(data).report["prefixes"][0]
    alone = look(data[: row["length"]]).report
    assert alone["prefixes"] == [row]
    assert alone["revisions"] == 1


@pytest.mark.parametrize("line_end", [b"", b"\n", b"\r", b"\r\n"])
def test_a_file_is_found_with_and_without_its_last_line_end(line_end):
    data = pdfs.plain().rstrip() + line_end
    rows = look(changing.appended({9: b"null"}, data=data)).report["prefixes"]
    assert len(data) in [row["length"] for row in rows if row["revision"] == 1]
    assert rows[0]["length"] == len(data) - len(line_end)


def test_the_sections_of_a_linearized_file_are_one_revision():
    """Its first section in the chain lies behind the second one in the file."""
    body = pdfs.plain()
    reader = PdfFileReader(BytesIO(body), strict=False)
    first = reader.xrefs.get_xref_container_info(0)

    class Twice:
        total_revisions = 2
        xrefs = reader.xrefs
        stream = reader.stream

    Twice.xrefs.get_xref_container_info = lambda _number: first
    number, rows = prefixes(Twice)
    assert (number, {row["revision"] for row in rows}) == (1, {1})


def test_a_length_beyond_the_file_is_of_no_prefix():
    found = report.Inspected(report.empty("no_signatures", None, "pyHanko 0"))
    found.report["prefixes"] = [
        {"revision": 1, "length": n, "sha256": "00" * 32, "sm3": "00" * 32} for n in (3, 9)
    ]
    fill(found, BytesIO(b"abcd"))
    assert [row["sha256"] for row in found.report["prefixes"]] == [sha256(b"abc").hexdigest(), None]


def test_what_the_sandbox_says_of_a_digest_is_not_believed():
    data = sound.signed()
    found = inspect_pdf(BytesIO(data), [], sound.AT)
    for row in (*found.report["prefixes"], *found.report["signatures"]):
        row |= {
            key: "ab" * 32 for key in ("sha256", "sm3", "covers_sha256", "validation_sha256") if key in row
        }
    fill(found, BytesIO(data))
    assert "ab" * 32 not in str(found.report)
    assert found.report["signatures"][0]["covers_sha256"] == sha256(data).hexdigest()


def test_more_revisions_than_a_report_names_are_counted():
    data = sound.unsigned()
    for _ in range(70):
        data = changing.appended({50: b"null"}, data=data)
    found = look(data).report
    assert (found["revisions"], len(found["prefixes"]), found["truncated"]) == (71, report.MAX_PREFIXES, True)
    assert revision_at(found["prefixes"], 5) is None


def test_a_report_that_names_all_revisions_is_not_cut():
    found = look(sound.signed_twice()).report
    assert (found["revisions"], found["truncated"]) == (3, False)


@pytest.mark.parametrize(
    "rows",
    [[(1, 5), (1, 5)], [(1, 5), (2, 4)], [(2, 5), (1, 9)], [(0, 5)], [(1, 5), (4, 9)]],
    ids=["one twice", "shorter", "an earlier revision", "of none", "of more than there are"],
)
def test_prefixes_that_do_not_rise_are_refused(rows):
    """Else the digest of one would be filed twice, and no try of the inspection come to its end."""
    found = report.empty("no_signatures", None, "pyHanko 0") | {"revisions": 3}
    found["prefixes"] = [{"revision": at, "length": n, "sha256": None, "sm3": None} for at, n in rows]
    with pytest.raises(FormatError, match="do not rise, or are of no revision"):
        report.check(found)
    found["prefixes"] = [{"revision": 1, "length": 5, "sha256": None, "sm3": None}]
    assert report.check(found)
    with pytest.raises(FormatError, match="do not rise, or are of no revision"):
        report.check(found | {"revisions": None})


def test_a_validation_report_has_its_digest_in_the_report():
    found = look(sound.signed_twice())
    assert sorted(found.validations) == [0, 1]
    for number, text in found.validations.items():
        told = found.report["signatures"][number]["validation_sha256"]
        assert told == sha256(text.encode()).hexdigest()
        assert "urn:etsi:019102:mainindication:indeterminate" in text
        assert "SIG_CONSTRAINTS_FAILURE" not in text
        assert "2026-06-01T12:00:00Z" in text, "the time of the inspection, and no other clock"


BAD = {
    "no list": ({}, "is not a pair"),
    "no pair": ([[0]], "is not a pair"),
    "no number": ([["0", "x"]], "is not a pair"),
    "of no signature": ([[1, "x"]], "is of no signature"),
    "no XML": ([[0, "x"]], "is no XML that may be kept"),
    "no text": ([[0, 1]], "is no XML that may be kept"),
}
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize("case", BAD)
def test_validation_reports_that_may_not_be_kept_are_refused(case):
    value, message = BAD[case]
    with pytest.raises(FormatError, match=message):
        report.check_validations(value, {"signatures": [{}]})


@pytest.mark.parametrize(
    "inside", ["<!DOCTYPE a>", "<?xml-stylesheet?>", "\x00", "\ud800", "x" * report.MAX_VALIDATION]
)
def test_xml_that_says_more_than_elements_is_refused(inside):
    assert report.check_validations([[0, f"{XML}<a/>"]], {"signatures": [{}]}) == {0: f"{XML}<a/>"}
    with pytest.raises(FormatError, match="is no XML that may be kept"):
        report.check_validations([[0, f"{XML}<a>{inside}</a>"]], {"signatures": [{}]})


def test_validation_reports_are_bounded_together():
    signatures = {"signatures": [{}] * 9}
    text = XML.ljust(report.MAX_VALIDATION)
    assert len(report.check_validations([[at, text] for at in range(4)], signatures)) == 4
    with pytest.raises(FormatError, match="the validation reports are longer than 1048576 characters"):
        report.check_validations([[at, text] for at in range(5)], signatures)
    with pytest.raises(FormatError, match="or of one that has one"):
        report.check_validations([[0, text], [0, text]], signatures)
