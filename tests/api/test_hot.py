"""The busiest call: what it reads itself it answers as the general reader does, and all else it leaves to that one."""

import json
from hashlib import sha256

import pytest

from notary.api import hot
from notary.evidence.number import lookup_code, show_number
from notary.evidence.statement import entry_of, parse_statement
from tests.api.service import DIGEST, problem

JSON = {"Content-Type": "application/json"}
HOT = [
    b'{"digests":{"sha-256":"%s"}}',
    b' { "digests" : { "sha-256" : "%s" } }\n',
    b'{"digests": {"sha-256": "%s"}, "size": 123456}',
    b'{"digests":{"sha-256":"%s"},"size":1}',
]
LEFT = [
    b'{"size":1,"digests":{"sha-256":"%s"}}',
    b'{"digests":{"sha-256":"%s"},"size":0}',
    b'{"digests":{"sha-256":"%s"},"size":01}',
    b'{"digests":{"sha-256":"%s"},"size":1000000000000000}',
    b'{"digests":{"sha-256":"%s"},"size":1,"size":2}',
    b'{"digests":{"sha-256":"%s","sha-256":"00"}}',
    b'{"digests":{"sha-256":"%s"},"title":"Lease"}',
    b'{"digests":{"sha-256":"%s"}} x',
    b'{"digests":{"sha-256":"X%s"}}',
    b'{"digests":{"sha-256":"%s"}',
    b'{"digests":\x0c{"sha-256":"%s"}}',
    b'{"digests":{"sha-256":"%s"}}\x0b',
]


@pytest.fixture
def hot_service(service):
    """One whose key and whose log were looked at a moment ago, as they are while it is busy."""
    service.accepted(b"before")
    return service


def send(service, body, **headers):
    return service.client.post("/v1/evidence", content=body, headers={**service.own, **JSON, **headers})


@pytest.fixture
def read(monkeypatch):
    """Which requests were answered by the quick reader."""
    answered = []
    quick = hot.single

    async def watched(services, scope, receive, send):
        await quick(services, scope, receive, send)
        answered.append(scope["path"])

    monkeypatch.setattr(hot, "single", watched)
    return answered


@pytest.mark.parametrize("form", HOT)
def test_what_it_reads_itself_becomes_a_record_like_any_other(hot_service, read, form):
    service, body = hot_service, form % DIGEST.encode()
    answer = send(service, body)
    assert (answer.status_code, len(read)) == (202, 1)
    general = service.post(json.loads(body), headers={"Idempotency-Key": "slow"})
    assert (general.status_code, len(read)) == (202, 1)
    assert answer.json().keys() == general.json().keys()
    for one in (answer.json(), general.json()):
        statement = parse_statement(one["statement"].encode())
        assert (statement.body.digests, statement.body.size) == (
            {"sha-256": DIGEST},
            json.loads(body).get("size"),
        )
        assert one["entry"] == entry_of(one["statement"].encode()).hex()
        assert one["number"] == show_number(statement.number)
        assert one["lookup_code"] == show_number(lookup_code(statement.salt))
        assert one["visibility"] == "by-code"
        assert one["close_by"] in one["receipt"]
        assert service.get(f"/v1/evidence/{one['number']}/receipt", service.own).text == one["receipt"]
    for name, value in general.headers.items():
        assert answer.headers[name] == value or name == "content-length"
    service.close()
    assert service.count() == 3


@pytest.mark.parametrize("form", LEFT)
def test_what_is_not_of_its_form_is_left_to_the_general_reader(hot_service, read, form):
    body = form % DIGEST.encode()
    answer = send(hot_service, body)
    again = send(hot_service, body, **{"Idempotency-Key": "so that the quick reader does not even look"})
    assert read == []
    assert answer.status_code == again.status_code
    if answer.status_code != 202:
        assert answer.content == again.content


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer nk_0000000000000000_" + "x" * 43}, 401, "key_invalid"),
        ({"Authorization": "Bearer nk_" + "x" * 300}, 401, "key_invalid"),
        ({"Authorization": "Basic abc"}, 401, "key_missing"),
        ({"Content-Type": "text/plain"}, 400, "bad_request"),
    ],
)
def test_headers_that_are_wrong_are_refused_as_ever(hot_service, read, headers, status, code):
    problem(send(hot_service, HOT[0] % DIGEST.encode(), **headers), status, code)
    assert read == []


def test_the_digest_of_nothing_is_refused(hot_service, read):
    problem(send(hot_service, HOT[0] % sha256(b"").hexdigest().encode()), 400, "empty_document")
    assert read == []


def test_a_key_that_may_not_submit_is_refused(hot_service, read):
    key = hot_service.give_key("read")
    headers = {"Authorization": f"Bearer {key}"}
    hot_service.get("/v1/evidence", headers)  # it is known now
    problem(send(hot_service, HOT[0] % DIGEST.encode(), **headers), 403, "scope_missing")
    assert read == []


def test_a_key_that_was_revoked_is_refused_within_seconds(hot_service, read, monkeypatch):
    key = hot_service.give_key()
    headers = {"Authorization": f"Bearer {key}"}
    assert send(hot_service, HOT[0] % DIGEST.encode(), **headers).status_code == 202  # now it is known
    hot_service.services.tenants.revoke_key(key.split("_")[1])
    monkeypatch.setattr("notary.services.tenants.RECENT_SECONDS", -1)
    problem(send(hot_service, HOT[0] % DIGEST.encode(), **headers), 401, "key_invalid")


def test_a_log_that_cannot_keep_a_promise_gives_none(hot_service, read, monkeypatch):
    writer = hot_service.services.submitting.writer
    hot_service.accepted()
    monkeypatch.setattr("notary.intake.writer.MAX_QUEUED", 0)
    answer = send(hot_service, HOT[0] % DIGEST.encode())
    problem(answer, 503, "busy")
    assert answer.headers["Retry-After"] == "1"
    assert writer._total == 0


def test_a_body_in_pieces_is_put_together(hot_service, read):
    body = HOT[0] % DIGEST.encode()
    answer = hot_service.client.post(
        "/v1/evidence", content=iter([body[:20], body[20:]]), headers={**hot_service.own, **JSON}
    )
    assert answer.status_code == 202
    assert read in ([], ["/v1/evidence"])  # a client may join what it is given


def test_queries_are_for_the_general_reader(hot_service, read):
    answer = hot_service.client.post(
        "/v1/evidence?on_duplicate=return",
        content=HOT[0] % DIGEST.encode(),
        headers={**hot_service.own, **JSON},
    )
    assert (answer.status_code, read) == (202, [])


def test_it_is_counted_like_any_other(hot_service, read):
    before = count(hot_service)
    assert send(hot_service, HOT[0] % DIGEST.encode()).status_code == 202
    assert (count(hot_service), len(read)) == (before + 1, 1)


def count(service):
    wanted = 'notary_request_seconds_count{method="POST",route="/v1/evidence",status="202"}'
    text = service.get("/metrics").text
    return float(next(line.split()[-1] for line in text.split("\n") if line.startswith(wanted)))
