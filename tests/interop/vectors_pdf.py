"""Other people's signed, changed and damaged PDF files: each gets a report, in time, and a truthful one."""

from datetime import UTC, datetime

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader

from notary.intake.inspection import report
from notary.intake.inspection.digests import fill
from notary.intake.inspection.pdf import inspect_pdf
from notary.intake.inspection.sandbox import inspect
from tests.intake.inspection.measured import LIMITS, measure

# Outcome or reason, then for each signature: integrity, what it covers, changes after it.
EXPECTED = {
    # a certifying signature, after which a field for the second was added, which pyHanko's rules do not know
    "DSS1376-rev_n": ["intact revision suspicious", "intact whole_file none"],
    "EmptyPage-corrupted": "malformed",
    "Signature-P-HU_MIC-1": ["intact whole_file none"],
    "certified-changes-permitted": ["intact whole_file none"],
    "doc-firmado-LT": ["intact revision allowed"],
    "doc-firmado-T": ["intact whole_file none"],
    "doc-firmado": ["intact revision allowed", "intact whole_file none"],
    "encrypted": ["intact whole_file none"],
    "not_signed_pdfa": "no_signatures",
    # its first trailer says /Prev 0, where no table is
    "pades-5-signatures-and-1-document-timestamp": "unreadable",
    "pades_infinite_loop": "malformed",
    # the second signature's two ranges overlap its own contents
    "pdf-byterange-overlap": ["intact revision allowed", "broken unclear unclear"],
    "pdf-signed-added-page": ["intact revision suspicious"],
    "pdf-with-empty-sig": ["could_not_be_checked unclear unclear"],
    "pkcs7": ["intact whole_file none"],
    # a text field was refilled after signing, and hides what was signed
    "replace": ["intact revision suspicious"],
    # signature wrapping: the second range was moved, and other objects stand in between
    "siwa": ["intact unclear unclear"],
}
# Of `make test`: an unreadable one, an encrypted one, and one with more than one signature; `make test-hostile` all.
IN_SANDBOX = ("EmptyPage-corrupted", "encrypted", "doc-firmado")
WITHOUT_CMS = {"pdf-with-empty-sig"}  # its /Contents is zeros
CHANGED = ("DSS1376-rev_n", "pdf-byterange-overlap", "pdf-signed-added-page", "replace", "siwa")


def told(found):
    if not found["signatures"]:
        return found["reason"] or found["outcome"]
    return [f"{row['integrity']} {row['covers']} {row['changes_after']}" for row in found["signatures"]]


def roots_of(path):
    """The topmost certificates that the file itself brings: the most trusting view there is."""
    with path.open("rb") as file:
        reader = PdfFileReader(file, strict=False)
        if reader.encrypted:
            reader.decrypt(b"")
        certs = [
            cert.chosen
            for signature in [*reader.embedded_regular_signatures, *reader.embedded_timestamp_signatures]
            for cert in signature.signed_data["certificates"]
            if isinstance(cert.chosen, x509.Certificate)
        ]
        return [cert.dump() for cert in certs]


def test_every_file_has_an_expectation(vectors):
    assert {path.stem for path in (vectors / "signed-pdfs").glob("*.pdf")} == set(EXPECTED)


AT = datetime(2026, 1, 1, tzinfo=UTC)


def alone(path):
    with path.open("rb") as file:
        inspected = inspect_pdf(file, [], AT)
        fill(inspected, file)
        return inspected


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_told_as_it_is(vectors, name):
    found = alone(vectors / "signed-pdfs" / f"{name}.pdf").report
    assert report.check(found) == found
    assert told(found) == EXPECTED[name]
    assert all(row["validity"] != "passed" for row in found["signatures"])
    assert all(row["trust"] == "unrecognised" for row in found["signatures"])


@pytest.mark.parametrize(
    "name",
    [name if name in IN_SANDBOX else pytest.param(name, marks=pytest.mark.hostile) for name in EXPECTED],
)
def test_the_sandbox_changes_nothing(vectors, name):
    path = vectors / "signed-pdfs" / f"{name}.pdf"
    assert inspect(path, "application/pdf", limits=LIMITS, at=AT) == alone(path)


@pytest.mark.hostile
@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_told_within_its_bounds(vectors, tmp_path, name, request):
    """By its own roots, which is the most work that it can make; never passed where it was changed."""
    path = tmp_path / f"{name}.pdf"
    path.write_bytes((vectors / "signed-pdfs" / f"{name}.pdf").read_bytes())
    roots = [] if name in WITHOUT_CMS or isinstance(EXPECTED[name], str) else roots_of(path)
    found, used = measure(path, roots, datetime.now(UTC))
    request.node.user_properties.append(("used", f"{used}: {name}"))
    assert told(found) == EXPECTED[name]
    for row in found["signatures"]:
        unchanged = row["covers"] == "whole_file" or row["changes_after"] == "allowed"
        assert row["validity"] != "passed" or unchanged
    assert used.within_bounds(), used


def judged(path, at):
    """By its own roots, and outside of the sandbox."""
    with path.open("rb") as file:
        return inspect_pdf(file, roots_of(path), at).report


@pytest.mark.parametrize("name", CHANGED)
def test_what_was_changed_after_signing_never_passes_even_by_its_own_roots(vectors, name):
    path = vectors / "signed-pdfs" / f"{name}.pdf"
    rows = judged(path, datetime.now(UTC))["signatures"]
    assert rows
    for row, expected in zip(rows, EXPECTED[name], strict=True):
        assert row["validity"] != "passed" or expected.endswith(("none", "allowed"))
    assert rows[-1]["validity"] != "passed" or name == "DSS1376-rev_n"


def test_a_sound_file_does_pass_by_its_own_roots(vectors):
    path = vectors / "signed-pdfs" / "pkcs7.pdf"
    (row,) = judged(path, datetime(2015, 6, 1, tzinfo=UTC))["signatures"]
    assert (row["trust"], row["stamp"], row["validity"]) == ("trusted", "trusted", "passed")
