"""Forms of a proof and choice of openings over HTTP."""

import io
import json

import pytest

from notary.evidence.commitments import name_of
from notary.evidence.cose import parse_receipt
from notary.evidence.exports import package_of_json
from notary.evidence.json_proof import parse_json_proof
from notary.evidence.package import read_package
from notary.evidence.verify import verify
from tests.api.service import problem


@pytest.fixture
def record(service):
    answer = service.accepted(title="secret", matter="M-1", visibility="public")
    service.close()
    return answer


def proof(service, record, headers=None, **asked):
    return service.get(f"/v1/evidence/{record['number']}/proof", headers, params=asked)


@pytest.mark.parametrize(
    ("form", "media_type", "ending"),
    [
        ("tlog-proof", "text/plain; charset=utf-8", "tlog-proof"),
        ("cose", 'application/cose; cose-type="cose-sign1"', "cose"),
        ("json", "application/json", "json"),
    ],
)
def test_a_proof_is_given_in_each_form_with_its_media_type(service, record, form, media_type, ending):
    answer = proof(service, record, format=form)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{record["number"]}.{ending}"'
    if form == "cose":
        assert parse_receipt(answer.content).size == 2
    if form == "tlog-proof":
        assert answer.content == proof(service, record).content


def test_a_form_that_there_is_not_is_told(service, record):
    assert "no OpenTimestamps file" in problem(proof(service, record, format="ots"), 404, "not_found")
    assert "format" in problem(proof(service, record, format="pdf"), 400, "bad_request")


def test_openings_of_a_json_proof_are_named(service, record):
    def opened(headers=None, **asked):
        answer = proof(service, record, headers, format="json", **asked)
        return sorted(name_of(item) for item in parse_json_proof(answer.content).openings)

    assert opened(service.own) == []
    assert opened(service.own, open="title") == ["title"]
    assert opened(service.own, open="title,matter") == opened(service.own, open=["title", "matter"])
    assert opened(service.own, open="all") == ["matter", "title"]
    assert opened(open="all") == []


def test_a_package_opens_all_unless_something_is_said(service, record):
    def opened(headers=None, **asked):
        path = f"/v1/evidence/{record['number']}/package"
        data = service.get(path, headers, params=asked).content
        return verify(read_package(io.BytesIO(data)), None)

    assert set(opened(service.own).openings) == {"title", "matter"}
    assert set(opened(service.own, open=["title"]).openings) == {"title"}
    assert opened(service.own, open="none").withheld == 2
    assert opened().withheld == 2


@pytest.mark.parametrize("what", ["proof", "package"])
@pytest.mark.parametrize(
    ("who", "name", "said"),
    [
        ("own", "name", "'name' cannot be opened"),
        ("own", "holder", "no opening of 'holder' for you"),
        ("other", "title", "no opening of 'title' for you"),
        ("nobody", "title", "no opening of 'title' for you"),
    ],
)
def test_what_cannot_be_opened_is_a_problem(service, record, what, who, name, said):
    headers = {} if who == "nobody" else getattr(service, who)
    asked = {"open": name} | ({"format": "json"} if what == "proof" else {})
    answer = service.get(f"/v1/evidence/{record['number']}/{what}", headers, params=asked)
    assert said in problem(answer, 400, "bad_request")


def test_too_many_or_too_long_words_are_refused(service, record):
    for words in (["title"] * 129, ["t" * 2001]):
        problem(proof(service, record, service.own, format="json", open=words), 400, "bad_request")


def test_a_json_proof_is_verified_and_a_receipt_is_sent_to_the_command_line(service, record):
    def check(data):
        return service.client.post("/v1/verify", files={"file": ("evidence", data)})

    data = proof(service, record, service.own, format="json", open="title").content
    answer = check(data).json()
    assert answer["outcome"] == "could_not_be_checked"
    assert (answer["openings"], answer["withheld"]) == ({"title": "secret"}, 1)
    assert (
        answer
        == verify(package_of_json(data), service.services.verifying.trust(package_of_json(data))).to_json()
    )
    changed = data.replace(b'"version":1}', b'"version":2}')
    assert check(changed).json()["outcome"] == "failed"
    receipt = proof(service, record, format="cose").content
    assert "beside its statement" in problem(check(receipt), 422, "format")


def test_the_openapi_document_names_forms_and_media_types(service):
    document = service.app.openapi()
    described = document["paths"]["/v1/evidence/{number}/proof"]["get"]
    content = described["responses"]["200"]["content"]
    assert {"application/json", "application/octet-stream"} < set(content)
    assert any(kind.startswith("application/cose") for kind in content)
    names = {each["name"] for each in described["parameters"]}
    assert {"format", "open", "size"} <= names
    assert "tlog-proof" in json.dumps(document["components"])
