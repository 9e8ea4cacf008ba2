"""Operation: liveness, readiness, metrics; and the OpenAPI document."""

import json
import re
from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from notary import wiring
from notary.api import bodies, connections, unread
from notary.errors import Unavailable
from notary.intake.bulkline import MAX_LINE
from notary.intake.bulkparse import MAX_ARRAY, MAX_LINES, MAX_LINES_VALUES
from notary.intake.values import LIGHT_BYTES, LIGHT_VALUES, MAX_VALUES
from notary.intake.writer import MAX_QUEUED, SHARE
from notary.services import bulk, submitting, verifying
from notary.services.bulk import IN_FLIGHT, OF_ONE
from tests.api.service import DIGEST, ORIGIN

API = (Path(__file__).parents[2] / "docs/api.md").read_text()


def test_the_process_answers(service):
    assert service.get("/healthz").json() == {"status": "ok"}


def test_ready_says_which_step_is_late(service, monkeypatch):
    ready = service.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "late": [], "failing": [], "incidents": []},
    )
    assert ready.headers["Cache-Control"] == "no-store"
    service.accepted()
    assert service.get("/readyz").status_code == 200
    late = wiring.now() + timedelta(seconds=service.settings.close_promise_seconds)
    object.__setattr__(service.services.health, "now", lambda: late)
    answer = service.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "late", "late": ["close"], "failing": [], "incidents": []},
    )
    service.close()
    assert service.get("/readyz").status_code == 200


def test_without_a_database_the_process_lives_and_is_not_ready(service, monkeypatch):
    def away(*_args):
        raise Unavailable("gone")

    monkeypatch.setattr("notary.services.health.read_state", away)
    assert service.get("/readyz").json() == {
        "status": "late",
        "late": ["database"],
        "failing": [],
        "incidents": [],
    }
    monkeypatch.setattr("notary.services.health.read_state", lambda _connection: None)
    assert service.get("/readyz").json() == {
        "status": "late",
        "late": ["log"],
        "failing": [],
        "incidents": [],
    }
    assert service.get("/healthz").status_code == 200


def requests(service):
    families = text_string_to_metric_families(service.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for s in samples
        if s.name == "notary_request_seconds_count"
    }


def test_requests_are_counted_by_route_and_never_by_what_stands_in_them(service):
    before = requests(service)
    number = service.accepted()["number"]
    calls = [
        ("GET", f"/v1/evidence/{number}?code=SECRET", "/v1/evidence/{number}", 200, service.own),
        ("GET", f"/v1/lookup/sha-256/{DIGEST}", "/v1/lookup/{algorithm}/{digest}", 200, {}),
        ("HEAD", "/log/checkpoint", "/log/checkpoint", 200, {}),
        ("GET", "/wp-admin.php", "none", 404, {}),
        ("GET", "/v1/evidence", "/v1/evidence", 401, {}),
        ("BREW", "/healthz", "/healthz", 405, {}),
    ]
    for method, path, _, status, headers in calls:
        assert service.client.request(method, path, headers=headers).status_code == status
    after = requests(service)
    for method, _, route, status, _ in calls:
        label = (method if method != "BREW" else "other", route, str(status))
        assert after[label] == before.get(label, 0) + 1, label
    text = service.get("/metrics").text
    assert not [word for word in ("SECRET", DIGEST, number, "wp-admin", "BREW") if word in text]
    assert re.search(r'notary_submissions_total\{kind="document"\} [1-9]', text)


# --- OpenAPI

# design §5, without bulk; what a browser reads is no part of it
CALLS = {
    ("get", "/.well-known/notary-trust"),
    ("post", "/v1/evidence"),
    ("post", "/v1/evidence/bulk"),
    ("get", "/v1/evidence"),
    ("get", "/v1/evidence/{number}"),
    ("get", "/v1/evidence/{number}/statement"),
    ("get", "/v1/evidence/{number}/receipt"),
    ("get", "/v1/evidence/{number}/proof"),
    ("get", "/v1/evidence/{number}/package"),
    ("get", "/v1/evidence/{number}/report"),
    ("get", "/v1/evidence/{number}/validation/{position}"),
    ("get", "/v1/lookup/{algorithm}/{digest}"),
    ("post", "/v1/verify"),
    ("get", "/log/checkpoint"),
    ("get", "/log/tile/{path}"),
    ("get", "/log/tile/entries/{path}"),
    ("get", "/log/proof/inclusion"),
    ("get", "/log/proof/consistency"),
    ("get", "/log/anchors"),
    ("get", "/log/incidents"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}
KEYED = {call for call in CALLS if call[1].startswith(("/v1/evidence", "/v1/lookup"))}


def references(value):
    if isinstance(value, dict):
        found = [value["$ref"]] if "$ref" in value else []
        return found + [ref for item in value.values() for ref in references(item)]
    return [ref for item in value for ref in references(item)] if isinstance(value, list) else []


def test_the_openapi_document_lists_every_call(service):
    document = service.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert set(operations) == CALLS
    assert {call for call, operation in operations.items() if operation.get("security")} == KEYED
    assert len({operation["operationId"] for operation in operations.values()}) == len(CALLS)
    for (_, path), operation in operations.items():
        assert operation.get("description") or operation.get("summary")
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))
        assert "422" not in operation["responses"]  # ours is 400, and a problem
        assert operation["responses"]["default"]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    bodies = {
        call: set(op["requestBody"]["content"]) for call, op in operations.items() if "requestBody" in op
    }
    assert bodies == {
        ("post", "/v1/evidence"): {"application/json", "multipart/form-data"},
        ("post", "/v1/evidence/bulk"): {"application/json", "application/x-ndjson"},
        ("post", "/v1/verify"): {"multipart/form-data"},
    }
    for reference in references(document):
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_the_answers_are_of_the_types_that_the_document_says(service):
    number = service.accepted()["number"]
    service.close()
    document = service.get("/v1/openapi.json").json()
    said = {
        "statement": "application/json", "receipt": "text/plain",
        "package": "application/zip", "report": "application/pdf",
    }  # fmt: skip
    for what, media_type in said.items():
        content = document["paths"][f"/v1/evidence/{{number}}/{what}"]["get"]["responses"]["200"]["content"]
        assert list(content) == [media_type]
        answer = service.get(f"/v1/evidence/{number}/{what}", service.own)
        assert answer.headers["Content-Type"].partition(";")[0] == media_type
    assert list(document["paths"]["/log/tile/{path}"]["get"]["responses"]["200"]["content"]) == [
        "application/octet-stream"
    ]
    assert ORIGIN not in str(document)


# --- docs/api.md

CALL = re.compile(r"^### (GET|POST) (\S+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
DOCUMENTED = {(method.lower(), path): text for method, path, text in CALL.findall(API)}


def examples(call):
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENTED[call], re.DOTALL)]


def same_shape(shown, given):
    """The same keys; of lists, those of the first item, where both have one."""
    if isinstance(shown, dict):
        assert set(shown) == set(given)
        for key, value in shown.items():
            if key not in {"statement", "digests", "openings"}:
                same_shape(value, given[key])
    elif isinstance(shown, list) and shown and given and isinstance(given[0], dict):
        assert set(shown[0]) <= set(given[0])


def test_every_call_is_documented_with_its_scope():
    assert set(DOCUMENTED) == CALLS
    for (_, path), text in DOCUMENTED.items():
        first = text.strip().split(".")[0]
        if path.startswith(("/v1", "/log")):
            assert re.match(r"Scope `(submit|read|report)`|By visibility|Public", first), path
        assert "```sh" in text or not path.startswith("/v1"), path


def test_the_examples_of_answers_are_of_the_shape_of_answers(service):
    accepted = service.accepted(visibility="public")
    service.close()
    number = accepted["number"]
    package = service.get(f"/v1/evidence/{number}/package").content
    answers = {
        ("post", "/v1/evidence"): accepted,
        ("post", "/v1/evidence/bulk"): service.client.post(
            "/v1/evidence/bulk", json=[DIGEST], headers=service.own
        ).json(),
        ("get", "/v1/evidence"): service.get("/v1/evidence", service.own).json(),
        ("get", "/v1/evidence/{number}"): service.get(f"/v1/evidence/{number}").json(),
        ("get", "/v1/lookup/{algorithm}/{digest}"): service.get(f"/v1/lookup/sha-256/{DIGEST}").json(),
        ("post", "/v1/verify"): service.client.post("/v1/verify", files={"file": package}).json(),
        ("get", "/log/proof/inclusion"): service.get("/log/proof/inclusion?index=1&size=2").json(),
        ("get", "/log/proof/consistency"): service.get("/log/proof/consistency?old=1&new=2").json(),
        ("get", "/log/anchors"): service.get("/log/anchors").json(),
        ("get", "/log/incidents"): service.get("/log/incidents").json(),
        ("get", "/readyz"): service.get("/readyz").json(),
    }
    for call, text in DOCUMENTED.items():
        assert ("```json" in text) is (call in answers), call
    for call, answer in answers.items():
        shown, *others = examples(call)
        same_shape(shown, answer)
        for other in others:  # of a record of which little is told: tests/api/test_earlier_revisions.py
            assert call == ("get", "/v1/lookup/{algorithm}/{digest}")
            assert other.keys() == shown["records"][0].keys() | {"revision", "revisions", "length"}


def test_the_limits_are_those_of_the_settings(service):
    limits = re.search(r"^## Limits\n(.*?)^## ", API, re.MULTILINE | re.DOTALL).group(1)
    assert f"| document | {service.settings.max_document_bytes >> 20} MiB |" in limits
    assert f"| {service.settings.max_request_bytes >> 20} MiB | `NOTARY_MAX_REQUEST_BYTES`" in limits
    assert (
        f"{service.settings.max_bulk_bytes >> 20} MiB; {MAX_ARRAY >> 20} MiB | `NOTARY_MAX_BULK_BYTES`"
        in limits
    )
    assert f"| {MAX_LINES:,}; a line {MAX_LINE >> 10} KiB |" in limits
    assert f"one process takes in; of one organisation | {IN_FLIGHT}; {OF_ONE} |" in limits
    assert f"| of them, at work at a time | {bulk._AT_WORK}; the others" in limits
    assert f"the organisations in turn, for {bulk.TURN_SECONDS:.0f} s |" in limits
    assert f"| {bodies.ROOMS}; {bodies.ROOMS_OF_ONE}; of any other {bodies.WITHOUT >> 10} KiB, and" in limits
    assert f"at most {bodies.ROOM >> 20} MiB of each" in limits
    assert f"answers of which more than {unread.PIECE >> 10} KiB were not read after half a second" in limits
    assert (unread.PROMPT_SECONDS, unread.MOST >> 30, unread.OF_ONE >> 20) == (0.5, 1, 64)
    assert "| 1 GiB; 64 MiB; the connection" in limits
    assert f"| body of a bulk request | within {bulk.BODY_SECONDS:.0f} s |" in limits
    assert f"| body of a request without document | within {submitting.BODY_SECONDS:.0f} s |" in limits
    assert f"over {LIGHT_BYTES >> 10} KiB that one process has under way; of one organisation | " in limits
    assert f"| {submitting.MAX_BYTES >> 20} MiB; {submitting.BYTES_OF_ONE >> 20} MiB; each from" in limits
    assert f"| {MAX_VALUES:,}; {MAX_LINES_VALUES:,}; lists" in limits
    assert f"(over\n{LIGHT_BYTES >> 10} KiB or {LIGHT_VALUES} values" in limits
    assert f"| {submitting.IN_FLIGHT}; {submitting.OF_ONE} |" in limits
    assert f"| {verifying.IN_FLIGHT}; each within {verifying.BODY_SECONDS:.0f} s" in limits
    assert f"| {connections.LEAST_BYTES:,} bytes in each {connections.IDLE_SECONDS:.0f} s" in limits
    assert f"| {connections.MAX_HEAD >> 10} KiB, or what" in limits
    assert f"| {connections.MAX_CONNECTIONS}, and a quarter" in limits
    assert f"| {MAX_QUEUED:,}; of one organisation {SHARE:,} |" in limits
