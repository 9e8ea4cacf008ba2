"""Every answer that is not a success is a problem, and a fault of ours shows nothing of itself."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from starlette.exceptions import HTTPException
from starlette.routing import Route

from notary import errors
from notary.api.problems import STATUSES, status_of
from notary.api.problems import problem as make_problem
from notary.errors import Fatal, SettingsError, ToolMissing, Unavailable
from tests.api.service import DIGEST, problem

API = (Path(__file__).parents[2] / "docs/api.md").read_text()
FORM = "multipart/form-data; boundary=B"
START = b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + bytes(2 << 20)
SECRET = "the secret of nk_0123"


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/evidence/", "/v1/evidence/x/y", "/log", "/docs", "/v1/bulk"]
)
def test_an_address_without_anything_is_a_problem(service, path):
    assert "nothing at this address" in problem(service.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/evidence", "POST"),
        ("DELETE", "/v1/evidence/x", "GET"),
        ("GET", "/v1/verify", "POST"),
        ("OPTIONS", "/v1/verify", "POST"),
        ("OPTIONS", "/v1/evidence", "POST"),
        ("POST", "/log/checkpoint", "GET"),
        ("DELETE", "/log/proof/inclusion", "GET"),
        ("TRACE", "/healthz", "GET"),
        ("BREW", "/healthz", "GET"),
    ],
)
def test_another_method_is_a_problem_that_names_the_right_one(service, method, path, allowed):
    answer = service.client.request(method, path)
    assert "header Allow" in problem(answer, 405, "method_not_allowed")
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/log/checkpoint", "/v1/openapi.json", "/nothing", f"/v1/lookup/sha-256/{DIGEST}", "/"],
)
def test_head_is_get_without_the_body(service, path):
    whole, head = service.get(path), service.client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert dict(head.headers) == dict(whole.headers)
    problem_ = service.client.head("/v1/verify")
    assert (problem_.status_code, problem_.headers["Content-Type"]) == (405, "application/problem+json")


# --- faults of ours


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(SECRET),
        Fatal(SECRET),
        ToolMissing(SECRET),
        SettingsError(SECRET),
        RecursionError(),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_inside_shows_nothing_outside_and_everything_in_the_log(service, monkeypatch, error):
    def broken(*_args, **_more):
        raise error

    number = service.accepted()["number"]
    monkeypatch.setattr("notary.store.views.by_number", broken)
    with structlog.testing.capture_logs() as lines:
        answer = service.get(f"/v1/evidence/{number}", service.own, params={"code": "SECRET-CODE"})
    detail = problem(answer, 500, "error")
    assert detail == "the service could not answer; the request can be sent again"
    assert SECRET not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["event"], line["kind"], line["exc_info"]) == ("request failed", type(error).__name__, error)
    assert "SECRET-CODE" not in str(line)
    assert service.get("/healthz").status_code == 200


def test_a_database_that_is_away_is_a_problem_to_be_tried_again(service, monkeypatch):
    def away(*_args):
        raise Unavailable("the database does not answer: gone")

    monkeypatch.setattr("notary.store.tenants.find_api_key", away)
    answer = service.get("/v1/evidence", service.own)
    assert "does not answer" in problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_what_breaks_after_the_answer_began_is_left_to_the_server(service):
    class Begun:
        async def __call__(self, scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError(SECRET)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    service.app.router.routes.insert(0, Route("/begun", Begun()))
    answer = service.raw("GET", "/begun", receive)
    assert (answer["status"], answer["body"]) == (200, b"")
    assert isinstance(answer["raised"], RuntimeError)


def test_other_statuses_of_the_framework_keep_their_headers(service):
    async def teapot(_request):
        raise HTTPException(418, "short and stout", {"X-Tea": "green"})

    service.app.add_route("/tea", teapot)
    answer = service.get("/tea")
    assert problem(answer, 418, "bad_request") == "short and stout"
    assert answer.headers["X-Tea"] == "green"


# --- a client that goes away


@pytest.mark.parametrize(
    ("path", "content_type", "start"),
    [
        ("/v1/evidence", "application/json", b'{"digests":'),
        ("/v1/evidence", FORM, START),
        ("/v1/verify", FORM, START),
    ],
)
def test_a_client_that_goes_away_leaves_nothing_and_alarms_nobody(service, path, content_type, start):
    messages = [
        {"type": "http.request", "body": start, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return messages.pop(0)

    with structlog.testing.capture_logs() as lines:
        answer = service.raw("POST", path, receive, {"Content-Type": content_type, **service.own})
    assert answer == {"status": None, "headers": {}, "body": b"", "raised": None}
    assert lines == []
    assert (service.count(), service.spooled()) == (0, [])


# --- headers


def test_every_answer_has_the_headers_that_bind_a_browser(service):
    for path in (
        "/",
        "/verify",
        "/healthz",
        "/nothing",
        "/log/checkpoint",
        "/v1/openapi.json",
        "/v1/evidence",
    ):
        headers = service.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"]
        assert "Set-Cookie" not in headers


def test_other_origins_may_read_public_gets_and_nothing_else(service):
    number = service.accepted(visibility="public")["number"]
    service.close()
    origin = {"Origin": "https://example.com"}
    tile = "/log/tile/0/000.p/2"
    proof = "/log/proof/inclusion?index=0"
    public = {
        "/log/checkpoint",
        "/log/anchors",
        "/log/incidents",
        tile,
        proof,
        f"/v1/lookup/sha-256/{DIGEST}",
    }
    others = {
        f"/v1/evidence/{number}",
        f"/v1/evidence/{number}/proof",
        "/v1/evidence",
        "/healthz",
        "/metrics",
        "/",
    }
    for path in public | others:
        answer = service.get(path, origin | service.own)
        assert answer.status_code == 200, path
        assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if path in public else None), path
        assert "Access-Control-Allow-Credentials" not in answer.headers
    posted = service.client.post("/v1/verify", files={"file": b"PK"}, headers=origin)
    assert posted.status_code == 200
    assert "Access-Control-Allow-Origin" not in posted.headers


@pytest.mark.parametrize(
    ("path", "status", "readable"),
    [
        ("/log/tile/0/001", 404, True),
        ("/log/proof/inclusion", 400, True),
        ("/log/nothing", 404, True),
        ("/v1/lookup/sha-256/x", 400, True),
        ("/v1/evidence/x", 400, False),
        ("/logs", 404, False),
    ],
)
def test_other_origins_may_read_the_problems_of_public_gets(service, path, status, readable):
    answer = service.get(path, {"Origin": "https://example.com"})
    assert answer.status_code == status
    assert ("Access-Control-Allow-Origin" in answer.headers) is readable


@pytest.mark.parametrize("path", ["/log/checkpoint", "/log/tile/0/000", f"/v1/lookup/sha-256/{DIGEST}"])
def test_a_browser_that_asks_first_is_told_what_it_may_send(service, path):
    asked = {"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}
    answer = service.client.options(path, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "If-None-Match, Notary-Lookup-Code"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_what_depends_on_the_caller_is_kept_by_nobody(service):
    number = service.accepted(visibility="public")["number"]
    service.close()
    paths = ["", "/statement", "/proof", "/package", "/receipt"]
    for path in [
        "/v1/evidence",
        f"/v1/lookup/sha-256/{DIGEST}",
        *(f"/v1/evidence/{number}{p}" for p in paths),
    ]:
        assert "no-store" in service.get(path, service.own).headers["Cache-Control"], path
    assert service.post({"kind": "event"}).headers["Cache-Control"] == "no-store"


# --- the documents


def test_the_table_of_problems_is_that_of_the_code():
    documented = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", API, re.MULTILINE))
    for kind, status in STATUSES.items():
        assert documented[kind.code] == str(status.value), kind
    sent = {code for code, status in documented.items() if status != "500"} | {"error"}
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and kind.__module__ == errors.__name__
    ]
    assert {kind.code for kind in kinds if status_of(kind.__new__(kind)).value != 500} | {"error"} == sent
    assert "`method_not_allowed`" in API


def test_a_problem_is_of_rfc_9457():
    answer = make_problem(STATUSES[errors.Conflict], "conflict", "why", more=1)
    assert answer.media_type == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "about:blank", "title": "Conflict", "status": 409, "code": "conflict", "detail": "why", "more": 1,
    }  # fmt: skip


def test_a_request_that_recurses_ends_itself_and_not_the_process(tmp_path):
    """Libraries raise the limit beyond what the stack holds; it must be back once everything is loaded."""
    code = (
        "import sys, notary.wiring, notary.api.app; from pathlib import Path; from notary.anchoring.rpc import Node\n"
        "from notary import keys; Node('http://127.0.0.1:1', 1); print(sys.getrecursionlimit())\n"
        f"folder = Path({str(tmp_path / 'keys')!r}); keys.create(folder); keys.load_secp256k1(folder / 'head.key')\n"
        "print(sys.getrecursionlimit())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["1000", "1000"]


def test_after_a_failed_disk_every_request_is_refused_and_the_process_told_to_end(service, monkeypatch):
    told = []
    service.app.state.broken._stop = told.append
    assert service.accepted()
    failing = OSError(errno.EIO, os.strerror(errno.EIO))

    def fail(_descriptor):
        raise failing

    monkeypatch.setattr(os, "fsync", fail)
    problem(service.upload(b"another"), 500, "error")
    monkeypatch.undo()
    for path in ("/healthz", "/readyz", "/log/checkpoint", "/nothing"):
        assert "stopping after a failure" in problem(service.get(path), 503, "fatal")
    assert "stopping" in problem(service.post({"digests": {"sha-256": DIGEST}}), 503, "fatal")
    (error,) = told
    assert isinstance(error, errors.DiskFailed)


@pytest.mark.parametrize("path", ["/readyz", f"/v1/lookup/sha-256/{DIGEST}"])
def test_a_damaged_database_is_the_end_of_the_process(service, path):
    told = []
    service.app.state.broken._stop = told.append
    assert service.accepted()
    service.assembly.database.dispose()
    (service.settings.data_dir / "notary.db").write_bytes(b"this is not a database at all" * 100)
    problem(service.get(path), 500, "error")
    assert "stopping" in problem(service.get("/healthz"), 503, "fatal")
    assert len(told) == 1


def test_another_fault_is_not_the_end_of_the_process(service):
    service.assembly.sequencer.sequence()
    (service.settings.data_dir / "log" / "checkpoint").write_bytes(b"not ours")
    service.get("/log/proof/consistency?old=1&new=1")
    assert service.app.state.broken.error is None
    assert service.get("/healthz").status_code == 200
