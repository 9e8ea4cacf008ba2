"""Whoever has an earlier revision of a document finds its record, apart from records of what he has."""

from hashlib import sha256
from xml.etree import ElementTree as ET

import pytest

from notary.api.schemas import Lookup
from notary.embedded.contract import make_contract
from tests.api.service import problem


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    make_contract(folder / "contract.pdf", folder / "keys")
    return (folder / "contract.pdf").read_bytes()


@pytest.fixture
def number(service, contract):
    answer = service.upload(contract, media_type="application/pdf").json()
    service.inspect()
    return answer["number"]


def found(service, data, headers=None):
    answer = service.get(f"/v1/lookup/sha-256/{sha256(data).hexdigest()}", headers or {})
    return Lookup.model_validate(answer.json())


def test_a_copy_that_one_party_signed_leads_to_the_record_of_what_both_signed(service, contract, number):
    ends = [place for place in range(len(contract)) if contract.startswith(b"%%EOF", place)]
    draft, by_one = contract[: ends[0] + 5], contract[: ends[1] + 6]  # what was signed ends in a newline
    told = found(service, by_one)
    assert told.records == []
    (record,) = told.earlier_revisions
    assert (record.number, record.revision, record.revisions, record.length) == (number, 2, 3, len(by_one))
    assert (record.entry, record.statement, record.state, record.proof) == (None,) * 4
    (own,) = found(service, by_one, service.own).earlier_revisions
    assert own.model_dump() | dict.fromkeys(("entry", "statement", "state", "proof")) == record.model_dump()
    assert (own.state, sha256(own.statement.encode()).hexdigest()) == ("received", own.entry)
    assert sha256(contract[: record.length]).hexdigest() == told.digest
    assert found(service, draft).earlier_revisions == [], "which may be a form that many fill in"
    assert [each.revision for each in found(service, draft, service.own).earlier_revisions] == [1]
    whole = found(service, contract)
    assert ([each.number for each in whole.records], whole.earlier_revisions) == ([number], [])


def test_a_copy_that_one_party_signed_is_no_report(service, contract, number):
    assert number
    ends = [place for place in range(len(contract)) if contract.startswith(b"%%EOF", place)]
    by_one = contract[: ends[1] + 6]
    assert found(service, by_one).earlier_revisions
    problem(service.client.post("/v1/verify", files={"file": by_one}), 404, "not_found")


def test_the_validation_report_is_handed_out_to_whoever_submitted_the_document(service, number):
    answer = service.get(f"/v1/evidence/{number}/validation/2", service.own)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    assert f"{number}.validation-2.xml" in answer.headers["content-disposition"]
    root = ET.fromstring(answer.content)
    assert root.tag == "{http://uri.etsi.org/19102/v1.2.1#}ValidationReport"
    for position, headers in ((3, service.own), (1, service.other)):
        problem(service.get(f"/v1/evidence/{number}/validation/{position}", headers), 404, "not_found")
    assert service.get(f"/v1/evidence/{number}/validation/1").status_code == 401
