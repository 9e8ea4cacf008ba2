"""A request that takes long to read keeps nobody waiting but its own organisation."""

import asyncio
import json
import threading
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from notary.api import submit
from notary.evidence import canonical, commitments
from notary.intake.values import LIGHT_BYTES, LIGHT_VALUES, MAX_VALUES
from notary.services import submitting, wanted
from notary.services.submitting import BYTES_OF_ONE, MAX_BYTES
from notary.services.types import Principal
from tests.api.requests import FORM, SHA256, form, raw
from tests.api.service import problem

KEYED = {"Idempotency-Key": "a"}
LIGHT = {"digests": SHA256, "metadata": {"a": [1, 2, 3]}}
HEAVY = {
    "of-many-values": LIGHT | {"metadata": {"a": [0] * 2 * LIGHT_VALUES}},
    "of-many-bytes": LIGHT | {"metadata": {"a": "x" * LIGHT_BYTES}},
    "too-large": LIGHT | {"metadata": {"a": "x" * 200_000}},
    "of-too-many-values": LIGHT | {"metadata": {"a": [0] * (MAX_VALUES + 1)}},
    "unknown-fields": {f"f{n}": n for n in range(500)},
    "previous": LIGHT | {"metadata": {"a": "x" * LIGHT_BYTES}, "previous": "2222-2222-2222-2222"},
}
WORK = (
    (submit, "has_few"), (submit, "loads_unordered"), (submit.SubmitRequest, "model_validate"),
    (canonical, "_check"), (canonical.rfc8785, "dumps"), (commitments, "_disclosure"), (wanted, "sha256"),
)  # fmt: skip


@pytest.fixture
def threads(monkeypatch):
    """In which threads the work on requests was done, and in which the bodies came."""
    seen = {"work": set(), "loop": set()}

    def watched(holder, name, kind):
        plain = getattr(holder, name)

        def call(*arguments, **more):
            seen[kind].add(threading.current_thread())
            return plain(*arguments, **more)

        monkeypatch.setattr(holder, name, call)

    for holder, name in WORK:
        watched(holder, name, "work")
    watched(submit.forms, "read_form", "loop")
    watched(submit, "_received", "loop")
    return seen


def at_once(service, sent):
    """The answers to requests (headers, body) that come one after the other while none is answered."""

    async def run():
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            return await asyncio.gather(
                *(client.post("/v1/evidence", content=body, headers=headers) for headers, body in sent)
            )

    return asyncio.run(run())


@pytest.mark.parametrize("request_", HEAVY.values(), ids=HEAVY)
def test_the_loop_is_never_handed_what_takes_long(service, threads, request_):
    body = json.dumps(request_).encode()
    answers = [raw(service, body, **KEYED), raw(service, form(("file", b"x"), ("request", body)), FORM)]
    assert len(threads["loop"]) > 0 < len(threads["work"])
    assert threads["loop"].isdisjoint(threads["work"])
    assert {answer.status_code for answer in answers} <= {202, 400, 404, 422}


def test_what_is_light_is_judged_at_once(service, threads):
    """The control of the one above: it would see it."""
    service.accepted(b"before")  # the key and the log were looked at a moment ago
    for seen in threads.values():
        seen.clear()
    assert raw(service, json.dumps(LIGHT).encode(), **KEYED).status_code == 202
    assert threads["loop"] == threads["work"]


@pytest.mark.parametrize("kind", ["of-many-values", "of-many-bytes"])
def test_a_heavy_request_is_a_request_like_any_other(service, kind):
    body = json.dumps(HEAVY[kind]).encode()
    first = raw(service, body, **KEYED)
    assert first.status_code == 202
    assert raw(service, json.dumps(HEAVY[kind], indent=1).encode(), **KEYED).content == first.content
    answer = raw(service, json.dumps(LIGHT).encode(), **KEYED)
    assert "used for another request" in problem(answer, 409, "conflict")
    upload = raw(service, form(("file", b"x"), ("request", body.replace(b"digests", b"digests"))), FORM)
    assert "digest" in problem(upload, 422, "digest_mismatch")
    document = json.dumps({name: value for name, value in HEAVY[kind].items() if name != "digests"}).encode()
    assert raw(service, form(("file", b"x"), ("request", document)), FORM).status_code == 202
    service.close()
    assert service.count() == 2


def test_so_many_values_and_no_more(service):
    for more in (0, 1):
        # The request, its digests, the metadata and the list are values, too.
        request = {"digests": SHA256, "metadata": {"a": [0] * (MAX_VALUES - 5 + more)}}
        answer = raw(service, json.dumps(request).encode())
        if more:
            assert f"more than {MAX_VALUES:,} values; submit them" in problem(answer, 400, "bad_request")
        else:
            assert answer.status_code == 202, answer.text
    text = "a,[{" * (MAX_VALUES // 2)
    assert service.post({"digests": SHA256, "metadata": {"a": text}}).status_code == 202


def test_what_is_too_large_to_be_committed_to_is_never_made_canonical(service, monkeypatch):
    made = []
    assert service.own  # it is set up
    monkeypatch.setattr(canonical.rfc8785, "dumps", lambda value: made.append(value) or b"")
    request = {"metadata": {"a": "x" * 200_000}}
    for answer in (
        service.post(request | {"digests": SHA256}, headers=KEYED),
        service.upload(request=json.dumps(request), headers=KEYED),
    ):
        said = problem(answer, 400, "bad_request")
        assert "the value of 'metadata' is larger than a commitment may be" in said
    assert made == []


@contextmanager
def reading(monkeypatch):
    """Reads wait until they are let go; gives the order of the organisations that were read for, and what lets go."""
    order, started, gate = [], threading.Event(), threading.Event()
    plain = submitting.of_digests

    def held(who, asked):
        order.append(who.tenant_id)
        started.set()
        assert gate.wait(30)
        return plain(who, asked)

    monkeypatch.setattr(submitting, "of_digests", held)
    try:
        yield order, started, gate
    finally:
        gate.set()


def test_one_that_sends_many_keeps_another_waiting_for_one_of_them(service, monkeypatch):
    service.accepted(b"before")
    ours, theirs = (
        service.services.tenants.authenticate(key, "submit").tenant_id
        for key in (service.key, service.other_key)
    )
    body = json.dumps(HEAVY["of-many-values"]).encode()
    headers = {"Content-Type": "application/json"}
    sent = [(headers | service.own, body)] * 6 + [(headers | service.other, body)]
    with reading(monkeypatch) as (order, started, gate):
        letting = threading.Thread(target=lambda: (started.wait(30), gate.wait(0.2), gate.set()))
        letting.start()
        answers = at_once(service, sent)
        letting.join()
    assert {answer.status_code for answer in answers} == {202}
    assert order == [ours, theirs, ours, ours, ours, ours, ours]


@pytest.mark.parametrize(("size", "most"), [(1 << 20, 6), ((1 << 20) + 1, 2)], ids=["small", "large"])
def test_large_documents_of_one_take_few_of_the_threads_in_which_others_read(
    service, monkeypatch, size, most
):
    service.accepted(b"before")
    inside, met, plain = [0, 0], threading.Condition(), submitting.of_document

    def watched(who, asked, spooled):
        with met:
            inside[0] += 1
            inside[1] = max(inside)
            met.notify_all()
            met.wait_for(lambda: inside[1] > most, 0.5)  # whoever else may come has come by then
            inside[0] -= 1
        return plain(who, asked, spooled)

    monkeypatch.setattr(submitting, "of_document", watched)
    body = form(("file", b"x" * size))
    headers = {"Content-Type": FORM} | service.own
    answers = at_once(service, [(headers, body)] * 6)
    assert {answer.status_code for answer in answers} == {202}
    assert inside == [0, most]


def test_the_bytes_of_large_requests_under_way_are_bounded(service):
    (tenant_id,) = {service.services.tenants.authenticate(service.key, "submit").tenant_id}
    place, body = service.services.submitting.place_of, json.dumps(HEAVY["of-many-bytes"]).encode()

    def chunks():
        yield body[:100]
        yield body[100:]

    with ExitStack() as places:
        places.enter_context(place(Principal(tenant_id, frozenset()), BYTES_OF_ONE - len(body)))
        assert raw(service, body).status_code == 202
        assert raw(service, chunks()).status_code == 202  # it counts when it is whole, said or not
        places.enter_context(place(Principal(tenant_id, frozenset()), 1))
        said = problem(raw(service, body), 429, "too_many_requests")
        assert f"{BYTES_OF_ONE} bytes of large requests of yours are under way" in said
        assert service.accepted()  # a light one has no place
        for other in range(1, MAX_BYTES // BYTES_OF_ONE):
            places.enter_context(place(Principal(900 + other, frozenset()), BYTES_OF_ONE * 2))
        answer = raw(service, body, **service.other)
        assert f"{MAX_BYTES} bytes of large requests are under way" in problem(answer, 503, "busy")
        assert answer.headers["Retry-After"] == "1"
    assert len(service.services.submitting._bytes) == 0
    assert raw(service, chunks()).status_code == 202
    assert len(service.services.submitting._bytes) == 0
