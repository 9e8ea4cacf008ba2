"""Submitting again: duplicates, and the Idempotency-Key."""

import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from tests.api.requests import SHA256
from tests.api.service import problem

# --- on_duplicate=return

CHANGED = [
    {"digests": {"sha-256": "11" * 32}},
    {"digests": SHA256, "title": "b"},
    {"digests": SHA256},
    {"digests": SHA256, "title": "a", "visibility": "private"},
    {"digests": SHA256 | {"sm3": "22" * 32}, "title": "a"},
    {"kind": "event", "title": "a"},
]


def again(service, request, headers=None, **more):
    return service.post(request, headers=headers or {}, params={"on_duplicate": "return"}, **more)


def test_an_equal_request_is_answered_with_the_record_of_before_if_that_is_wished(service):
    request = {
        "digests": SHA256,
        "title": "a",
        "metadata": {"b": 1, "a": 2, "合同编号": 3, "𠮷": 4, "\ufb33": 5},
    }
    first = again(service, request)
    assert first.status_code == 202, first.text
    service.close()
    assert again(service, dict(reversed(request.items()))).content == first.content
    assert service.count() == 1
    assert service.post(request).json()["number"] != first.json()["number"]  # without the wish
    assert again(service, request).content == first.content
    assert again(service, request, service.other).json()["number"] != first.json()["number"]


@pytest.mark.parametrize("request_", CHANGED)
def test_only_a_request_that_is_equal_in_all_is_a_duplicate(service, request_):
    first = again(service, {"digests": SHA256, "title": "a"}).json()
    other = again(service, request_)
    assert other.status_code == 202, other.text
    assert other.json()["number"] != first["number"]
    assert service.count() == 2


def test_a_document_that_is_sent_twice_is_a_duplicate(service):
    wish = {"params": {"on_duplicate": "return"}}
    first = service.upload(b"%PDF-1.7 a", request='{"title":"a"}', **wish)
    assert service.upload(b"%PDF-1.7 a", request='{ "title" : "a" }', **wish).content == first.content
    assert (service.count(), len(service.spooled())) == (1, 1)
    for data, request in ((b"%PDF-1.7 b", '{"title":"a"}'), (b"%PDF-1.7 a", "{}")):
        assert service.upload(data, request=request, **wish).status_code == 202
    assert (service.count(), len(service.spooled())) == (3, 3)
    # Digests alone say something else: that the service saw no bytes.
    digests = {"digests": {"sha-256": sha256(b"%PDF-1.7 a").hexdigest()}, "title": "a"}
    assert again(service, digests).json()["number"] != first.json()["number"]


def test_the_wish_and_a_key_exclude_each_other(service):
    keyed = {"Idempotency-Key": "a"}
    assert "exclude each other" in problem(again(service, {"digests": SHA256}, keyed), 400, "bad_request")
    answer = service.upload(headers=keyed, params={"on_duplicate": "return"})
    assert "exclude each other" in problem(answer, 400, "bad_request")
    for wish in ("", "Return", "refuse"):
        answer = service.post({"digests": SHA256}, params={"on_duplicate": wish})
        assert "on_duplicate takes the value 'return'" in problem(answer, 400, "bad_request")
    assert (service.count(), service.spooled()) == (0, [])


def test_equal_requests_at_once_make_one_record(service):
    request = {"digests": SHA256, "title": "a"}
    with ThreadPoolExecutor(8) as pool:
        service.own, service.client  # noqa: B018 - made before the threads need it
        answers = list(pool.map(lambda _: again(service, request), range(24)))
        others = list(pool.map(lambda n: again(service, request | {"title": f"{n}"}), range(8)))
    assert {answer.status_code for answer in answers + others} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.json()["number"] for answer in others}) == 8
    assert service.count() == 9


# --- Idempotency-Key


def test_the_same_request_with_the_same_key_gets_the_same_answer(service):
    keyed = {"Idempotency-Key": "order 17"}
    request = {"digests": SHA256, "title": "a", "metadata": {"b": 1, "a": 2}}
    first = service.post(request, headers=keyed)
    assert first.status_code == 202
    service.close()
    again = service.post(dict(reversed(request.items())), headers=keyed)
    assert (again.status_code, again.content) == (202, first.content)
    assert service.count() == 1
    assert service.post(request).json()["number"] != first.json()["number"]


def test_the_same_document_with_the_same_key_gets_the_same_answer(service):
    keyed = {"Idempotency-Key": "a"}
    first = service.upload(b"%PDF-1.7 a", request='{"title":"a"}', headers=keyed)
    again = service.upload(b"%PDF-1.7 a", request='{ "title" : "a" }', headers=keyed)
    assert (again.status_code, again.content) == (202, first.content)
    assert (service.count(), len(service.spooled())) == (1, 1)


def test_another_request_with_the_same_key_is_refused_and_changes_nothing(service):
    keyed = {"Idempotency-Key": "a"}
    first = service.post({"digests": SHA256, "title": "a"}, headers=keyed)
    for request in CHANGED:
        answer = service.post(request, headers=keyed)
        assert "used for another request" in problem(answer, 409, "conflict")
    answer = service.upload(request='{"title":"a"}', headers=keyed)
    assert "used for another request" in problem(answer, 409, "conflict")
    assert (service.count(), service.spooled()) == (1, [])
    assert service.post({"digests": SHA256, "title": "a"}, headers=keyed).content == first.content


def test_a_document_under_the_key_of_another_leaves_no_file(service):
    keyed = {"Idempotency-Key": "a"}
    service.upload(b"%PDF-1.7 a", headers=keyed)
    assert problem(service.upload(b"%PDF-1.7 b", headers=keyed), 409, "conflict")
    assert len(service.spooled()) == 1


def test_two_organisations_may_use_the_same_key(service):
    keyed = {"Idempotency-Key": "a"}
    ours = service.post({"digests": SHA256}, headers=keyed).json()
    theirs = service.post({"digests": SHA256}, headers=keyed | service.other).json()
    assert ours["number"] != theirs["number"]


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\tkey", "caf\u00e9"])
def test_a_key_that_is_no_key_is_refused(service, key):
    answer = service.post({"digests": SHA256}, headers={"Idempotency-Key": key.encode("latin-1")})
    assert "1 to 200 printable ASCII" in problem(answer, 400, "bad_request")


def test_requests_at_once_with_one_key_make_one_record(service):
    answers = []

    def send():
        answers.append(service.upload(b"%PDF-1.7 a", headers={"Idempotency-Key": "a"}))

    senders = [threading.Thread(target=send) for _ in range(8)]
    service.own, service.client  # noqa: B018 - made before the threads need it
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert (service.count(), len(service.spooled())) == (1, 1)
