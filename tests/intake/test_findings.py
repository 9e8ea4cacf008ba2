"""What is found beside the report: earlier revisions for the look-up, validation reports, and how they are erased."""

from hashlib import sha256

import pytest
from sqlalchemy import text

from notary.errors import NotFound
from notary.evidence.digests import Digester
from notary.evidence.number import lookup_code
from notary.evidence.statement import parse_statement
from notary.intake.inspect import inspect_next
from notary.intake.inspection.digests import fill
from notary.intake.inspection.report import Inspected, empty
from notary.services.erasing import Erasing
from notary.services.records import Records
from notary.services.types import Found, Grown, Viewer
from notary.store.findings import earlier_revisions, validation_reports
from notary.store.lookups import Earlier
from notary.store.records import record_by_seq
from tests.rig import Rig

DRAFT, SIGNED, FINAL = b"%PDF-1.7 draft", b"%PDF-1.7 draft signed", b"%PDF-1.7 draft signed by both"
XML = "<a/>"


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


def found_in(data, *, doc_mdp=None):
    """A report on FINAL: the draft, signed by one in its second revision, by both in its third."""
    report = empty("inspected", None, "test") | {"cms": True, "revisions": 3}
    report["prefixes"] = [
        {"revision": at, "length": len(each), "sha256": None, "sm3": None}
        for at, each in enumerate((DRAFT, SIGNED, FINAL), 1)
    ]
    row = {
        "kind": "signature",
        "covers": "revision",
        "doc_mdp": doc_mdp,
        "byte_range": [0, 5, 9, len(SIGNED) - 9],
    }
    report["signatures"] = [row | {"covers_sha256": None, "validation_sha256": None}]
    found = Inspected(report, {0: XML})
    with data.open("rb") as file:
        fill(found, file)
    return found


def submit(rig, inspector=lambda path, _kind: found_in(path), **changes):
    made = rig.intake.spool.receive([FINAL], 1000)
    values = {"seen": True, "digests": made.digests, "size": made.size, "media_type": "application/pdf"}
    accepted = rig.intake.accept(rig.document(**values, spooled=made.path, **changes))
    assert inspect_next(rig.intake, inspector)
    return accepted


def digests(data):
    digester = Digester(["sha-256", "sm3"])
    digester.update(data)
    return digester.hex()


def look_up(rig, data, algorithm="sha-256", **viewer):
    value = bytes.fromhex(digests(data)[algorithm])
    found = Records(rig.database).lookup(algorithm, value, Viewer(digest=(algorithm, value), **viewer))
    told = [each if isinstance(each, Grown) else each.record for each in found]
    return [
        (of.number, each.earlier and (each.earlier.revision, each.earlier.length))
        for of, each in zip(told, found, strict=True)
    ]


def opened(rig, data, **viewer):
    """Whether the record is shown, of each that is found."""
    value = sha256(data).digest()
    found = Records(rig.database).lookup("sha-256", value, Viewer(digest=("sha-256", value), **viewer))
    return [isinstance(each, Found) for each in found]


@pytest.mark.parametrize("algorithm", ["sha-256", "sm3"])
def test_an_earlier_revision_leads_to_the_record_and_is_told_apart_from_the_document(rig, algorithm):
    number = submit(rig).number
    assert look_up(rig, FINAL, algorithm) == [(number, None)]
    assert look_up(rig, SIGNED, algorithm) == [(number, (2, len(SIGNED)))]
    assert look_up(rig, b"another", algorithm) == []
    rig.sequencer().sequence()
    assert look_up(rig, SIGNED, algorithm) == [(number, (2, len(SIGNED)))]
    assert rig.fsck().problems == []


def test_a_digest_is_looked_for_under_its_own_algorithm(rig):
    submit(rig)
    value = bytes.fromhex(digests(SIGNED)["sm3"])
    assert Records(rig.database).lookup("sha-256", value, Viewer(rig.tenant)) == []


def test_what_was_there_before_anybody_signed_opens_nothing_to_a_stranger(rig):
    accepted = submit(rig)
    code = Records(rig.database).view(accepted.number, Viewer(rig.tenant))
    assert look_up(rig, DRAFT) == []
    assert look_up(rig, DRAFT, tenant_id=rig.tenant) == [(accepted.number, (1, len(DRAFT)))]
    salt = parse_statement(code.statement).salt
    assert look_up(rig, DRAFT, code=lookup_code(salt)) == [(accepted.number, (1, len(DRAFT)))]


def test_a_copy_that_one_party_signed_shows_a_stranger_nothing_of_what_the_others_signed(rig):
    """It may be an offer that was sent to many."""
    accepted = submit(rig)
    value = sha256(SIGNED).digest()
    (found,) = Records(rig.database).lookup("sha-256", value, Viewer(digest=("sha-256", value)))
    received = Records(rig.database).view(accepted.number, Viewer(rig.tenant)).received
    assert found == Grown(accepted.number, received, Earlier(2, len(SIGNED), True, 3))
    salt = parse_statement(accepted.statement).salt
    assert opened(rig, SIGNED, tenant_id=rig.tenant + 1) == [False]
    assert opened(rig, SIGNED, code=lookup_code(bytes(32))) == [False]
    for viewer in ({"tenant_id": rig.tenant}, {"code": lookup_code(salt)}):
        assert opened(rig, SIGNED, **viewer) == [True]
    assert opened(rig, FINAL) == [True]


def test_whoever_submits_may_choose_that_earlier_revisions_open_too(rig):
    submit(rig, visibility="by-document")
    assert opened(rig, SIGNED) == [True]
    assert opened(rig, DRAFT) == []  # nobody had signed it


def test_what_is_erased_while_it_is_looked_up_is_no_earlier_revision(rig):
    accepted = submit(rig)
    with rig.database.writing() as connection:  # as one reads who reads each time anew
        connection.execute(text("DELETE FROM opening"))
    assert look_up(rig, SIGNED) == []
    assert look_up(rig, FINAL) == [(accepted.number, None)]


def test_a_certified_form_opens_nothing_to_a_stranger(rig):
    accepted = submit(rig, lambda path, _kind: found_in(path, doc_mdp=2))
    assert look_up(rig, SIGNED) == []
    assert look_up(rig, SIGNED, tenant_id=rig.tenant) == [(accepted.number, (2, len(SIGNED)))]


@pytest.mark.parametrize(("visibility", "seen"), [("private", False), ("by-code", False), ("public", True)])
def test_the_rules_of_visibility_hold_for_revisions_too(rig, visibility, seen):
    number = submit(rig, visibility=visibility).number
    assert look_up(rig, SIGNED) == ([(number, (2, len(SIGNED)))] if seen else [])
    assert look_up(rig, DRAFT) == ([(number, (1, len(DRAFT)))] if seen else [])


def test_documents_stand_before_those_that_grew_out_of_them(rig):
    grown = submit(rig).number
    alone = rig.intake.accept(
        rig.document(
            seen=True, digests=digests(SIGNED), size=len(SIGNED), media_type=None, visibility="public"
        )
    )
    assert look_up(rig, SIGNED) == [(alone.number, None), (grown, (2, len(SIGNED)))]


@pytest.mark.parametrize("many", [True, False])
def test_of_many_records_the_same_are_found(rig, many, monkeypatch):
    grown = submit(rig).number
    rig.sequencer().sequence()
    if many:
        monkeypatch.setattr("notary.store.lookups.MANY", 1)
    assert look_up(rig, SIGNED) == [(grown, (2, len(SIGNED)))]
    assert look_up(rig, DRAFT, tenant_id=rig.tenant) == [(grown, (1, len(DRAFT)))]


def test_a_validation_report_is_for_whoever_submitted_the_document(rig):
    accepted = submit(rig)
    records = Records(rig.database)
    assert records.validation(accepted.number, rig.tenant, 0) == XML.encode()
    with pytest.raises(NotFound, match="there is no validation report on this signature"):
        records.validation(accepted.number, rig.tenant, 1)
    with pytest.raises(NotFound, match="there is no record of this number that you may see"):
        records.validation(accepted.number, rig.tenant + 1, 0)


@pytest.mark.parametrize("names", [None, ["inspection"]])
@pytest.mark.parametrize("of", ["document", "inspection"])
def test_what_was_found_is_erased_with_the_report(rig, names, of):
    accepted = submit(rig)
    rig.sequencer().sequence()
    query = text("SELECT seq FROM record WHERE type = 'inspection'")
    with rig.database.reading() as connection:
        inspection = record_by_seq(connection, connection.execute(query).scalar_one()).number
    Erasing(rig.database, rig.intake.spool.discard).erase(
        accepted.number if of == "document" else inspection, names
    )
    with rig.database.reading() as connection:
        assert (
            earlier_revisions(connection, accepted.seq),
            validation_reports(connection, accepted.seq),
        ) == ([], {})
    assert look_up(rig, SIGNED) == []
    assert rig.fsck().problems == []


def test_erasing_something_else_leaves_them(rig):
    accepted = submit(rig, fields={"title": "Lease"})
    Erasing(rig.database, rig.intake.spool.discard).erase(accepted.number, ["title"])
    assert look_up(rig, SIGNED) == [(accepted.number, (2, len(SIGNED)))]


DAMAGE = {
    "UPDATE earlier_revision SET revision = 3": "its earlier revisions are not those of the report",
    "UPDATE earlier_revision SET length = length + 1": "its earlier revisions are not those of the report",
    "UPDATE earlier_revision SET signed = NOT signed": "its earlier revisions are not those of the report",
    "DELETE FROM earlier_revision": "its earlier revisions are not those of the report",
    "DELETE FROM validation_report": "its validation reports are not those of the report",
    "UPDATE validation_report SET position = 5": "its validation reports are not those of the report",
    "DELETE FROM opening": "nothing opens its report, and what was found is still there",
    "UPDATE earlier_revision SET seq = 1": "inspection of document 1: it was not made, and something was found",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_fsck_reads_what_was_found(rig, damage):
    submit(rig)
    rig.sequencer().sequence()
    assert rig.fsck().problems == []
    with rig.database.writing() as connection:
        connection.execute(text(damage))
    assert any(DAMAGE[damage] in problem for problem in rig.fsck().problems)


def test_a_report_without_a_place_for_them_has_none(rig):
    accepted = submit(rig, lambda *_: Inspected({"outcome": "no_signatures"}))
    assert look_up(rig, SIGNED) == []
    assert look_up(rig, FINAL, tenant_id=rig.tenant) == [(accepted.number, None)]
    assert sha256(FINAL).hexdigest() == digests(FINAL)["sha-256"]
