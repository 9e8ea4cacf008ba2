"""The busiest call: what it reads itself it answers as the general reader does, and all else it leaves to that one."""

import asyncio
import json
from dataclasses import dataclass
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from notary.api import hot as module
from notary.api import problems
from notary.api.hot import PATH, head_of
from notary.errors import DiskFailed, NumberTaken, Unavailable, WriterEnded
from notary.evidence.number import lookup_code, show_number
from notary.evidence.statement import entry_of, parse_statement
from notary.intake import writer
from notary.intake.told import Waiting, deliver
from tests.api.running import running
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


@dataclass
class Hot:
    """A service on a real server, whose key and whose log were looked at a moment ago, as they are while it is busy."""

    service: Any
    client: httpx.Client

    def send(self, body, path=PATH, **headers):
        return self.client.post(path, content=body, headers={**self.service.own, **JSON, **headers})


@pytest.fixture
def hot(service):
    service.accepted(b"before")
    with running(service.app) as (port, _), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield Hot(service, client)


@pytest.fixture
def read(monkeypatch):
    """Whether each request that the quick reader was asked to take was taken."""
    asked, take = [], module.Hot.take

    def watched(self, token, body, send):
        asked.append(take(self, token, body, send))
        return asked[-1]

    monkeypatch.setattr(module.Hot, "take", watched)
    return asked


@pytest.mark.parametrize("form", HOT)
def test_what_it_reads_itself_becomes_a_record_like_any_other(hot, read, form):
    service, body = hot.service, form % DIGEST.encode()
    answer = hot.send(body)
    assert (answer.status_code, read) == (202, [True])
    general = hot.send(body, **{"Idempotency-Key": "slow"})
    assert (general.status_code, read) == (202, [True])
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
    assert answer.headers.keys() == general.headers.keys()
    for name, value in general.headers.items():
        assert answer.headers[name] == value or name in ("content-length", "date")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    service.close()
    assert service.count() == 3


@pytest.mark.parametrize("form", LEFT)
def test_what_is_not_of_its_form_is_left_to_the_general_reader(hot, read, form):
    body = form % DIGEST.encode()
    answer = hot.send(body)
    again = hot.send(body, **{"Idempotency-Key": "so that the quick reader does not even look"})
    assert read == [False]
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
def test_headers_that_are_wrong_are_refused_as_ever(hot, read, headers, status, code):
    problem(hot.send(HOT[0] % DIGEST.encode(), **headers), status, code)
    assert True not in read


def test_the_digest_of_nothing_is_refused(hot, read):
    problem(hot.send(HOT[0] % sha256(b"").hexdigest().encode()), 400, "empty_document")
    assert read == [False]


def test_a_key_that_may_not_submit_is_refused(hot, read):
    key = hot.service.give_key("read")
    headers = {"Authorization": f"Bearer {key}"}
    hot.service.get("/v1/evidence", headers)  # it is known now
    problem(hot.send(HOT[0] % DIGEST.encode(), **headers), 403, "scope_missing")
    assert read == [False]


def test_a_key_that_was_revoked_is_refused_within_seconds(hot, monkeypatch):
    key = hot.service.give_key()
    headers = {"Authorization": f"Bearer {key}"}
    assert hot.send(HOT[0] % DIGEST.encode(), **headers).status_code == 202  # now it is known
    hot.service.services.tenants.revoke_key(key.split("_")[1])
    monkeypatch.setattr("notary.services.tenants.RECENT_SECONDS", -1)
    problem(hot.send(HOT[0] % DIGEST.encode(), **headers), 401, "key_invalid")


def test_what_cannot_be_queued_is_refused_by_the_general_reader(hot, read, monkeypatch):
    monkeypatch.setattr("notary.intake.writer.MAX_QUEUED", 0)
    answer = hot.send(HOT[0] % DIGEST.encode())
    problem(answer, 503, "busy")
    assert (answer.headers["Retry-After"], read) == ("1", [False])
    assert hot.service.services.submitting.writer._total == 0


def test_a_log_that_was_not_looked_at_for_long_is_looked_at_by_the_general_reader(hot, read, monkeypatch):
    monkeypatch.setattr("notary.intake.writer.STALE_SECONDS", -1)
    assert (hot.send(HOT[0] % DIGEST.encode()).status_code, read) == (202, [False])


def fail_once(monkeypatch, error):
    """Let the next group fail."""
    commit = writer.commit

    def failing(*_arguments):
        monkeypatch.setattr(writer, "commit", commit)
        raise error

    monkeypatch.setattr(writer, "commit", failing)


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("the database does not answer: of a test"),
        NumberTaken("a record number was drawn twice"),
    ],
)
def test_what_the_writer_says_is_answered_as_the_general_reader_answers(hot, read, monkeypatch, error):
    before = count(hot, status="503")
    fail_once(monkeypatch, error)
    taken = hot.send(HOT[0] % DIGEST.encode())
    fail_once(monkeypatch, error)
    general = hot.send(HOT[0] % DIGEST.encode(), **{"Idempotency-Key": "general"})
    problem(taken, 503, error.code)
    assert (taken.content, taken.headers["Retry-After"]) == (general.content, general.headers["Retry-After"])
    assert taken.headers.keys() == general.headers.keys()
    assert count(hot, status="503") == before + 2
    assert hot.send(HOT[0] % DIGEST.encode()).status_code == 202


def test_a_disk_that_failed_ends_what_it_takes(hot, read, monkeypatch):
    fail_once(monkeypatch, DiskFailed("the database file cannot be trusted any more"))
    assert hot.send(HOT[0] % DIGEST.encode()).status_code == 500
    assert hot.service.app.state.broken.error is not None
    problem(hot.send(HOT[0] % DIGEST.encode()), 503, "fatal")
    assert read == [True, False]


def test_a_writer_that_has_ended_ends_the_process(hot, read, monkeypatch):
    stopped = []
    hot.service.app.state.broken._stop = stopped.append
    monkeypatch.setattr(writer.Writer, "_take", lambda *_: 1 / 0)
    problem(hot.send(HOT[0] % DIGEST.encode()), 500, "error")
    assert [type(error) for error in stopped] == [WriterEnded]
    problem(hot.send(HOT[0] % DIGEST.encode()), 503, "fatal")
    problem(hot.client.get("/readyz"), 503, "fatal")


def test_who_was_answered_is_not_answered_again(hot):
    """The second answer would be taken for that to the connection's next request."""
    said = []
    told = module._Told(hot.service.app.hot, lambda *answer: said.append(answer), 0.0)
    told.set_exception(Unavailable("x"))
    waiting = Waiting(SimpleNamespace(outcome=Unavailable("y")), 1, 1, told)
    deliver([waiting])
    assert len(said) == 1


def test_an_answer_that_cannot_be_made_is_an_error_and_not_silence(hot, monkeypatch):
    said = []
    told = module._Told(hot.service.app.hot, lambda *answer: said.append(answer), 0.0)
    deliver([Waiting(SimpleNamespace(outcome=[]), 1, 1, told)])  # there is none of nothing
    ((head, _),) = said
    assert head.startswith(b"HTTP/1.1 500 ")


def test_a_fault_of_ours_is_told_as_ever():
    said = []
    told = module._Told(
        module.Hot(None, problems.Broken(None)), lambda head, body: said.append((head, body)), 0.0
    )
    assert not told.done()
    told.set_exception(ZeroDivisionError("of a test"))
    ((head, body),) = said
    assert head.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert json.loads(body)["code"] == "error"
    assert b"of a test" not in head + body


def test_what_an_answer_says_itself_is_not_said_twice():
    head = head_of(problems.answer(Unavailable("x")))
    assert head.count(b"cache-control") == 1
    assert b"x-content-type-options: nosniff\r\n" in head


def test_queries_are_for_the_general_reader(hot, read):
    answer = hot.send(HOT[0] % DIGEST.encode(), path=f"{PATH}?on_duplicate=return")
    assert (answer.status_code, read) == (202, [])


def test_it_is_counted_like_any_other(hot, read):
    before = count(hot)
    assert hot.send(HOT[0] % DIGEST.encode()).status_code == 202
    assert (count(hot), read) == (before + 1, [True])


def test_many_at_once_are_few_groups_and_each_gets_its_own(hot, read):
    digests = [sha256(b"%d" % number).hexdigest() for number in range(40)]

    async def all_at_once():
        limits = httpx.Limits(max_connections=40)
        async with httpx.AsyncClient(base_url=hot.client.base_url, limits=limits) as client:
            headers = {**hot.service.own, **JSON}
            bodies = [HOT[0] % digest.encode() for digest in digests]
            return await asyncio.gather(
                *(client.post(PATH, content=body, headers=headers) for body in bodies)
            )

    answers = asyncio.run(all_at_once())
    assert [answer.status_code for answer in answers] == [202] * 40
    found = [
        parse_statement(answer.json()["statement"].encode()).body.digests["sha-256"] for answer in answers
    ]
    assert found == digests
    assert len({answer.json()["number"] for answer in answers}) == 40
    assert True in read


def count(hot, status="202"):
    wanted = f'notary_request_seconds_count{{method="POST",route="/v1/evidence",status="{status}"}}'
    lines = hot.service.get("/metrics").text.split("\n")
    return float(next((line.split()[-1] for line in lines if line.startswith(wanted)), 0))
