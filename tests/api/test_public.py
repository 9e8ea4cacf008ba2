"""What a stranger may call: look-up by digest, and verification of what he holds."""

import io
import json
import zipfile
from hashlib import sha256

import pytest

from notary.api.schemas import Lookup
from notary.evidence.exports import package_of_proof
from notary.evidence.package import read_package, write_package
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.evidence.verify import verify
from tests.api.service import DIGEST, DOCUMENT, problem

PATH = f"/v1/lookup/sha-256/{DIGEST}"


def found(answer):
    assert answer.status_code == 200, answer.text
    return Lookup.model_validate(answer.json()).records


def test_records_of_a_digest_come_earliest_first_and_organisations_are_equal(service):
    first = service.accepted(visibility="public")["number"]
    theirs = service.post(
        {"digests": {"sha-256": DIGEST}, "visibility": "by-document"}, headers=service.other
    )
    third = service.accepted(visibility="by-document")["number"]
    expected = [first, theirs.json()["number"], third]
    for headers in ({}, service.own, service.other):
        answer = service.get(PATH, headers)
        assert [record.number for record in found(answer)] == expected
    assert not [
        word for word in ("tenant", "company", "lookup_code", "receipt") if word in service.get(PATH).text
    ]


def test_a_record_shows_its_proof_once_it_is_closed(service):
    service.accepted(visibility="public")
    (record,) = found(service.get(PATH))
    assert (record.state, record.proof) == ("received", None)
    service.close()
    (record,) = found(service.get(PATH))
    assert record.state == "closed"
    assert parse_proof_file(record.proof.encode(), TLOG_PROOF).extra == record.statement.encode()
    assert sha256(record.statement.encode()).hexdigest() == record.entry


def test_what_is_not_there_is_an_empty_list_and_no_error(service):
    assert found(service.get(PATH)) == []


def test_a_document_is_looked_up_by_sm3_where_it_was_seen(service):
    statement = json.loads(service.upload(request='{"visibility":"by-document"}').json()["statement"])
    sm3 = statement["document"]["digests"]["sm3"]
    assert len(found(service.get(f"/v1/lookup/sm3/{sm3.upper()}"))) == 1
    assert found(service.get(f"/v1/lookup/sha-256/{sm3}")) == []


def test_a_digest_that_is_only_claimed_finds_nothing(service):
    service.post({"digests": {"sha-256": DIGEST, "sm3": "ab" * 32}, "visibility": "public"})
    assert found(service.get(f"/v1/lookup/sm3/{'ab' * 32}")) == []


def test_hidden_records_of_a_digest_however_many_hide_no_other(service, monkeypatch):
    monkeypatch.setattr("notary.services.records._MAX_LOOKUP", 2)
    for visibility in ("private", "by-code", "private"):
        service.post({"digests": {"sha-256": DIGEST}, "visibility": visibility}, headers=service.other)
    number = service.accepted(visibility="public")["number"]
    assert [record.number for record in found(service.get(PATH))] == [number]
    assert len(found(service.get(PATH, service.other))) == 2


@pytest.mark.parametrize(
    ("path", "code", "detail"),
    [
        ("sha-256/00", "bad_digest", "64"),
        ("sha-256/" + "g" * 64, "bad_digest", "hexadecimal"),
        ("md5/" + "0" * 32, "unknown_algorithm", "sha-256"),
        ("sha-512/" + "0" * 128, "unknown_algorithm", "looked up by sha-256 or sm3"),
        ("SHA-256/" + "0" * 64, "unknown_algorithm", "sha-256"),
    ],
)
def test_a_digest_that_cannot_be_is_a_problem(service, path, code, detail):
    assert detail in problem(service.get(f"/v1/lookup/{path}"), 400, code)


def test_a_key_that_is_wrong_is_not_passed_over(service):
    problem(service.get(PATH, {"Authorization": "Bearer nk_x"}), 401, "key_invalid")


# --- verification


def check(service, data, name="file.zip", **more):
    return service.client.post("/v1/verify", files={"file": (name, data)}, **more)


def outcomes(answer):
    assert answer.status_code == 200, answer.text
    return {item["id"]: item["outcome"] for item in answer.json()["checks"]}


@pytest.fixture
def package(service):
    number = service.accepted()["number"]
    service.close()
    return service.get(f"/v1/evidence/{number}/package", service.own).content


def repacked(package, **changes):
    """The package with files changed, its manifest right again."""
    files = dict(read_package(io.BytesIO(package)).files)
    return write_package(files | changes)


def test_a_package_is_checked_with_this_services_own_trust(service, package):
    answer = check(service, package)
    by_id = outcomes(answer)
    assert {"1.1", "1.2", "2.1", "2.2", "3.1", "3.2"} <= {i for i, o in by_id.items() if o == "passed"}
    # No document, no anchors: what is missing is not passed, and not failed.
    assert (by_id["2.3"], by_id["8.1"]) == ("could_not_be_checked", "could_not_be_checked")
    assert answer.json()["outcome"] == "could_not_be_checked"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_proof_is_checked_like_a_package(service, package):
    files = read_package(io.BytesIO(package)).files
    number = json.loads(files["data/statement.json"])["number"]
    proof = service.get(f"/v1/evidence/{number}/proof", service.own).content
    assert outcomes(check(service, proof, "x.tlog-proof"))["3.2"] == "passed"
    trust = service.services.verifying.trust(package_of_proof(proof))
    assert verify(package_of_proof(proof), trust).to_json() == check(service, proof).json()


def test_one_changed_byte_is_a_failed_check_and_no_error(service, package):
    at = package.index(b'"type":"document"')
    answer = check(service, package[:at] + package[at:].replace(b"document", b"documenT", 1))
    assert answer.json()["outcome"] == "failed"
    assert outcomes(answer) == {"1.1": "failed"}


def test_another_statement_in_a_package_made_anew_fails_by_name(service, package):
    files = read_package(io.BytesIO(package)).files
    statement = files["data/statement.json"].replace(DIGEST.encode(), b"00" * 32)
    answer = check(service, repacked(package, **{"data/statement.json": statement}))
    assert answer.json()["outcome"] == "failed"
    assert outcomes(answer)["3.2"] == "failed"


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return stream.getvalue()


READABLE = [
    ("cut-off", lambda package: package[:-10]),
    ("cut-off-early", lambda package: package[:100]),
    ("four-bytes", lambda _: b"PK\x03\x04"),
    ("two-bytes", lambda _: b"PK"),
    ("trailing-bytes", lambda package: package + b"x"),
    ("empty-zip", lambda _: zipped()),
    ("another-zip", lambda _: zipped(word_xml=b"<w/>")),
    ("deep-manifest", lambda _: zipped(manifest_json=b'{"files":' + b"[" * 900_000)),
    ("proof-header-alone", lambda _: TLOG_PROOF.encode()),
    ("proof-without-statement", lambda _: f"{TLOG_PROOF}\nindex 0\n\nx\n".encode()),
    ("huge-proof", lambda _: TLOG_PROOF.encode() + b"x" * 10_000_000),
]


@pytest.mark.parametrize("damage", [r[1] for r in READABLE], ids=[r[0] for r in READABLE])
def test_what_begins_like_evidence_and_cannot_be_read_is_a_failed_check(service, package, damage):
    answer = check(service, damage(package))
    assert outcomes(answer) == {"1.1": "failed"}
    assert answer.json()["outcome"] == "failed"
    assert answer.json()["checks"][0]["detail"]
    assert set(answer.json()["checks"][0]["sentence"]) == {"zh", "en"}


@pytest.mark.parametrize("size", ["9" * 19, str(2**63), "99999"])
def test_a_package_of_a_size_that_no_log_has_fails(service, package, size):
    head = {f"heads/{size}/checkpoint": b"x", f"heads/{size}/inclusion.tlog-proof": b"x"}
    answer = check(service, repacked(package, **head))
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcome"] == "failed"


@pytest.mark.parametrize("data", [DOCUMENT, b"\x00", b"{}", b"c2sp.org/tlog-proof@v2\n", b"P"])
def test_what_is_no_evidence_at_all_is_a_problem(service, data):
    assert "neither an evidence package" in problem(check(service, data), 422, "format")


def test_nothing_is_a_problem(service):
    assert "the file is empty" in problem(check(service, b""), 400, "empty_document")


def test_a_pdf_that_is_no_report_is_not_found_and_not_called_forged(service):
    detail = problem(check(service, b"%PDF-1.7 a contract"), 404, "not_found")
    assert "no report of this service" in detail
    assert "forged" not in detail
    service.upload(b"%PDF-1.7 a contract", request='{"visibility":"public"}')  # a document is no report
    problem(check(service, b"%PDF-1.7 a contract"), 404, "not_found")


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ([("file", b"a"), ("file", b"b")], "'file' comes twice"),
        ([("package", b"a")], "a part is named 'package'; expected is 'file'"),
        ([("file", b"a"), ("trust", b"a")], "a part is named 'trust'"),
    ],
)
def test_a_form_that_is_wrong_is_a_problem(service, files, detail):
    assert detail in problem(service.client.post("/v1/verify", files=files), 400, "bad_request")


def test_a_body_that_is_no_form_is_a_problem(service, package):
    headers = {"Content-Type": "application/zip"}
    answer = service.client.post("/v1/verify", content=package, headers=headers)
    assert "the Content-Type is not multipart/form-data" in problem(answer, 400, "bad_request")


def test_an_upload_over_the_limit_is_a_problem(make_service):
    service = make_service(max_document_bytes=1000, max_request_bytes=1024)
    assert "larger than 67560 bytes" in problem(check(service, b"PK" + bytes(70_000)), 413, "too_large")
    assert service.spooled() == []


def test_a_large_upload_is_kept_on_the_disk_of_the_spool_and_gone_afterwards(service, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")  # often memory
    assert outcomes(check(service, b"PK" + bytes(3_000_000))) == {"1.1": "failed"}
    assert service.upload(b"x" * 3_000_000).status_code == 202
    assert service.spooled() == []
