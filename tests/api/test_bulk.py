"""POST /v1/evidence/bulk: both bodies, all or nothing, one answer to one request."""

import asyncio
import json
import random
from contextlib import ExitStack
from hashlib import sha256

import anyio
import httpx
import pytest
from sqlalchemy import event

from notary.api.schemas import AcceptedBulk
from notary.errors import Busy
from notary.evidence.note import Verifier
from notary.evidence.number import show_number
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import parse_statement
from notary.intake.receipts import receipt_of
from notary.log.fsck import fsck as check
from notary.services import bulk as bulk_service
from notary.services.bulk import IN_FLIGHT, OF_ONE, BulkSubmitting
from notary.services.types import Principal
from notary.store.records import count_records
from notary.wiring import open_stores
from tests.api.service import ORIGIN, problem

ARRAY, LINES = "application/json", "application/x-ndjson"
EMPTY = sha256(b"").hexdigest()


def digest(n):
    return sha256(b"%d" % n).hexdigest()


def array(*numbers):
    return json.dumps([digest(n) for n in numbers]).encode()


def lines(*values, **style):
    return b"".join(json.dumps(value, **style).encode() + b"\n" for value in values)


def bulk(service, body, media_type=LINES, **headers):
    headers = {"Content-Type": media_type, **service.own, **headers}
    return service.client.post("/v1/evidence/bulk", content=body, headers=headers)


def stored(service):
    with service.assembly.database.reading() as connection:
        return count_records(connection) - 1


def fsck(service):
    genesis = service.assembly.genesis
    database, objects = open_stores(service.settings)
    found = check(
        database,
        objects,
        ORIGIN,
        [Verifier.from_vkey(genesis.log_key)],
        [Verifier.from_vkey(genesis.receipt_key)],
    )
    database.dispose()
    return found.problems


# --- what is accepted

MIXED = (
    {"sha-256": digest(1)},
    {"sha-256": digest(2), "size": 77},
    {"sha-256": digest(3), "title": "租赁合同", "matter": "M-1", "metadata": {"合同": [1, {"𠮷": None}]}},
    {"kind": "event", "phase": "sent", "sequence": 3},
    {"sha-256": digest(4), "visibility": "public"},
    {"digests": {"sha-256": digest(5).upper(), "sm3": "ab" * 32}, "media_type": "Text/HTML; charset=utf-8"},
    {"sha-256": digest(1)},
)


@pytest.mark.parametrize(
    ("body", "media_type", "count"),
    [
        (array(1, 2, 3), ARRAY, 3),
        (array(1), "Application/JSON; charset=utf-8", 1),
        (lines(*MIXED), LINES, 7),
        (lines(*MIXED, ensure_ascii=False, separators=(",", ":"))[:-1], LINES, 7),
        (lines(*({"sha-256": digest(n), "size": n} for n in range(8, 12))), LINES, 4),
    ],
)
def test_every_line_becomes_a_record_with_statement_and_receipt(service, body, media_type, count):
    answer = bulk(service, body, media_type)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Content-Type"] == ARRAY
    value = AcceptedBulk.model_validate_json(answer.content)
    assert value.count == len(value.lines) == stored(service) == count
    verifier = Verifier.from_vkey(service.assembly.genesis.receipt_key)
    service.close()
    for at, line in enumerate(value.lines):
        statement = parse_statement(line.statement.encode())
        assert (show_number(statement.number), statement.log, line.index) == (line.number, ORIGIN, at)
        receipt = receipt_of(line.index, value.tree, value.receipt)
        promise, file = open_receipt(receipt, ORIGIN, [verifier])
        check_receipt(promise, file, sha256(line.statement.encode()).digest())
        assert promise.text().split("close_by ")[1].startswith(value.close_by)
        path = f"/v1/evidence/{line.number}"
        assert service.get(f"{path}/receipt", service.own).content == receipt
        assert service.get(f"{path}/statement", service.own).text == line.statement
        assert service.get(path, service.own).json()["index"] == at + 1
    assert fsck(service) == []


def test_lines_say_what_single_submissions_say(service):
    first = service.accepted()["number"]
    sent = {"kind": "event", "previous": first.lower()}
    value = bulk(service, lines(*MIXED, sent)).json()
    found = [parse_statement(line["statement"].encode()) for line in value["lines"]]
    singles = []
    for wanted in (*MIXED, sent):
        request = dict(wanted)
        if "sha-256" in request:
            request["digests"] = {"sha-256": request.pop("sha-256")}
        answer = service.post(request)
        assert answer.status_code == 202, answer.text
        singles.append(parse_statement(answer.json()["statement"].encode()))
    for one, other in zip(found, singles, strict=True):
        assert (one.type, one.body, one.previous) == (other.type, other.body, other.previous)
        assert one.commitments.count == other.commitments.count
    assert found[-1].previous is not None
    visibilities = [
        service.get(f"/v1/evidence/{line['number']}", service.own).json()["visibility"]
        for line in value["lines"]
    ]
    assert visibilities == ["by-code"] * 4 + ["public"] + ["by-code"] * 3
    assert "租赁合同" not in json.dumps(value, ensure_ascii=False)


def test_ten_thousand_are_accepted_and_one_more_is_not(service):
    for body, media_type, what in (
        (array(*range(10_001)), ARRAY, "at most 10000 elements"),
        (lines(*({"sha-256": digest(n)} for n in range(10_001))), LINES, "at most 10000 lines, not 10001"),
    ):
        assert what in problem(bulk(service, body, media_type), 413, "too_large")
    assert stored(service) == 0
    assert bulk(service, array(*range(10_000)), ARRAY).json()["count"] == 10_000
    assert stored(service) == 10_000
    service.close()
    assert fsck(service) == []


# --- all or nothing

GOOD = {"sha-256": digest(1)}
BAD = [
    ("not-json", b"x\n", "bad_request", "line 3 is not usable JSON"),
    ("empty-line", b"\n", "bad_request", "line 3 is empty"),
    ("list", b"[]\n", "bad_request", "line 3: not a JSON object"),
    ("no-digest", lines({}), "bad_request", "line 3: a document needs its sha-256"),
    ("short-digest", lines({"sha-256": "00"}), "bad_digest", "line 3: "),
    ("not-hexadecimal", lines({"sha-256": "g" * 64}), "bad_digest", "line 3: "),
    ("algorithm", lines({"digests": {"md5": "00" * 16}}), "unknown_algorithm", "line 3: "),
    ("empty-document", lines({"sha-256": EMPTY}), "empty_document", "line 3: "),
    ("unknown-field", lines(GOOD | {"color": "red"}), "bad_request", "line 3: unknown field 'color'"),
    ("second-key", b'{"sha-256":"00","sha-256":"11"}\n', "bad_request", "line 3 is not usable JSON"),
    ("float", lines(GOOD | {"metadata": {"a": 1.5}}), "bad_request", "line 3 is not usable JSON"),
    ("size", lines(GOOD | {"size": 0}), "bad_request", "line 3: size is a whole number"),
    ("visibility", lines(GOOD | {"visibility": "all"}), "bad_request", "line 3: visibility is one of"),
    ("tenant", lines(GOOD | {"tenant_id": 1}), "bad_request", "line 3: unknown field 'tenant_id'"),
    ("event", lines({"kind": "event", "size": 1}), "bad_request", "line 3: an event has no document"),
    ("metadata", lines(GOOD | {"metadata": {"a": "x" * 100_000}}), "bad_request", "line 3: "),
    ("long-line", lines(GOOD | {"metadata": {"a": "x" * 150_000}}), "too_large", "line 3 of "),
    ("mistyped", lines(GOOD | {"previous": "AAAA-AAAA-AAAA-AAAB"}), "bad_record_number", "line 3: "),
    ("unknown", lines(GOOD | {"previous": "2222-2222-2222-2222"}), "not_found", "line 3: there is no record"),
]
STATUS = {"too_large": 413, "not_found": 404}


@pytest.mark.parametrize(("line", "code", "detail"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
@pytest.mark.parametrize("keyed", [False, True])
def test_one_bad_line_is_named_and_nothing_is_stored(service, line, code, detail, keyed):
    key = {"Idempotency-Key": "a"} if keyed else {}
    good = lines(GOOD, {"sha-256": digest(2), "title": "a"})
    answer = bulk(service, good + line + lines(GOOD), **key)
    assert detail in problem(answer, STATUS.get(code, 400), code)
    assert stored(service) == 0
    assert bulk(service, good + lines(GOOD), **key).status_code == 202  # nor was the key used up


def test_the_previous_record_of_another_organisation_is_as_if_it_were_not(service):
    theirs = service.post({"digests": {"sha-256": digest(9)}}, headers=service.other).json()["number"]
    answer = bulk(service, lines(GOOD, GOOD | {"previous": theirs}))
    assert "line 2: there is no record" in problem(answer, 404, "not_found")


def test_the_previous_records_of_all_lines_are_one_question(service):
    made = [line["number"] for line in bulk(service, array(*range(20)), ARRAY).json()["lines"]]
    body = lines(*({"sha-256": digest(at), "previous": number} for at, number in enumerate(made)))
    asked = []
    engine = service.assembly.database.engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    assert bulk(service, body).status_code == 202
    assert sum("record.number" in one and "SELECT" in one for one in asked) == 1
    worse = body + lines(GOOD | {"previous": made[0]}, *[GOOD | {"previous": "2222-2222-2222-2222"}] * 2)
    assert "line 22: there is no record" in problem(bulk(service, worse), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "is an array of SHA-256 digests"),
        (b"{}", "is an array of SHA-256 digests"),
        (b"[]", "element 1 is not"),
        (array(1)[:-1] + b',"00"]', "element 2 is not a string of 64"),
        (array(1)[:-1] + b"," + json.dumps(digest(2).upper()).encode() + b"]", "element 2 is not"),
        (array(1) + array(2), "something follows the array"),
    ],
)
def test_an_array_that_is_wrong_is_a_problem(service, body, detail):
    assert detail in problem(bulk(service, body, ARRAY), 400, "bad_request")
    assert stored(service) == 0


def test_bodies_have_limits(make_service):
    service = make_service(max_bulk_bytes=2**20)
    body = lines(GOOD) * (2**20 // len(lines(GOOD))) + b" " * 100
    for sent in (body, (body[at : at + 9999] for at in range(0, len(body), 9999))):
        detail = problem(bulk(service, sent), 413, "too_large")
        assert detail == "the request is larger than 1048576 bytes; send fewer lines at a time"
    spaces = array(1, 2)[:-1] + b" " * 2**20 + b"]"
    assert "larger than 1048576" in problem(bulk(service, spaces, ARRAY), 413, "too_large")
    assert bulk(service, b"", LINES).status_code == 400
    assert stored(service) == 0
    assert bulk(service, array(1, 2)[:-1] + b" " * 2**19 + b"]", ARRAY).status_code == 202


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/ndjson", "multipart/form-data; boundary=x"]
)
def test_another_media_type_is_refused(service, media_type):
    detail = problem(bulk(service, lines(GOOD), media_type), 400, "bad_request")
    assert f"the Content-Type of a bulk request is {ARRAY} or {LINES}" in detail
    assert stored(service) == 0


@pytest.mark.parametrize("wish", ["return", "x", ""])
def test_duplicates_are_not_looked_for(service, wish):
    answer = service.client.post(
        f"/v1/evidence/bulk?on_duplicate={wish}",
        content=array(1),
        headers={"Content-Type": ARRAY, **service.own},
    )
    assert "on_duplicate" in problem(answer, 400, "bad_request")
    assert stored(service) == 0


def test_a_key_of_the_scope_is_needed(service):
    for headers, status, code in (
        ({}, 401, "key_missing"),
        ({"Authorization": f"Bearer {service.give_key('read')}"}, 403, "scope_missing"),
    ):
        answer = service.client.post(
            "/v1/evidence/bulk", content=array(1), headers={"Content-Type": ARRAY, **headers}
        )
        problem(answer, status, code)
    assert stored(service) == 0


def test_what_is_in_flight_is_bounded(service, monkeypatch):
    with ExitStack() as places:
        for at in range(IN_FLIGHT):
            places.enter_context(service.services.bulk.place(Principal(900 + at, frozenset())))
        answer = bulk(service, lines(GOOD))
        assert f"{IN_FLIGHT} bulk requests are under way" in problem(answer, 503, "busy")
        assert answer.headers["Retry-After"] == "1"
    assert not service.services.bulk._flying
    for _ in range(3):
        assert bulk(service, lines(GOOD)).status_code == 202  # each gives its place back
    problem(bulk(service, b"x"), 400, "bad_request")
    assert bulk(service, lines(GOOD)).status_code == 202


# --- Idempotency-Key


@pytest.mark.parametrize("closed", [False, True])
def test_the_same_request_gets_the_same_answer_however_it_is_spelt(service, closed):
    key = {"Idempotency-Key": "order 17"}
    first = bulk(service, lines(*MIXED), **key)
    assert first.status_code == 202
    if closed:
        service.close()
        service.later()
    respelt = [dict(reversed(one.items())) | {"actor": None} for one in MIXED]
    for body in (
        lines(*MIXED),
        lines(*respelt, ensure_ascii=False),
        lines(*MIXED, separators=(" , ", " : ")),
    ):
        again = bulk(service, body, **key)
        assert (again.status_code, again.content == first.content) == (202, True), again.text
    assert stored(service) == len(MIXED)
    assert bulk(service, lines(*MIXED)).json()["lines"][0]["number"] != first.json()["lines"][0]["number"]


def test_an_array_and_its_lines_are_one_request(service):
    key = {"Idempotency-Key": "a"}
    first = bulk(service, array(1, 2), ARRAY, **key)
    assert (
        bulk(service, lines({"sha-256": digest(1)}, {"sha-256": digest(2)}), **key).content == first.content
    )
    assert stored(service) == 2


def test_another_request_with_the_same_key_is_refused_and_changes_nothing(service):
    key = {"Idempotency-Key": "a"}
    first = bulk(service, lines(*MIXED), **key)
    for body in (lines(*MIXED[:-1]), lines(*MIXED, GOOD), lines(*MIXED[::-1]), array(1)):
        media_type = ARRAY if body.startswith(b"[") else LINES
        assert "used for another request" in problem(bulk(service, body, media_type, **key), 409, "conflict")
    single = service.post({"digests": {"sha-256": digest(1)}}, headers=key)
    assert "used for another request" in problem(single, 409, "conflict")
    assert stored(service) == len(MIXED)
    assert bulk(service, lines(*MIXED), **key).content == first.content
    # The other way round: the key of a single submission.
    assert (
        service.post({"digests": {"sha-256": digest(1)}}, headers={"Idempotency-Key": "b"}).status_code == 202
    )
    problem(bulk(service, lines(GOOD), **{"Idempotency-Key": "b"}), 409, "conflict")


def at_once(service, requests):
    """The answers to requests (body, key) that are sent at the same time."""

    async def run():
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:

            async def send(body, key):
                while True:
                    headers = {"Content-Type": LINES, "Idempotency-Key": key, **service.own}
                    answer = await client.post("/v1/evidence/bulk", content=body, headers=headers)
                    if answer.status_code not in {429, 503}:
                        return answer
                    await asyncio.sleep(0.01)

            return await asyncio.gather(*(send(body, key) for body, key in requests))

    return asyncio.run(run())


def test_requests_at_once_with_one_key_make_one_group(service):
    answers = at_once(service, [(lines(*MIXED), "a")] * 12)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert stored(service) == len(MIXED)


def test_two_requests_at_once_with_one_key_are_one_and_a_conflict(service):
    bodies = [lines(*MIXED), lines(GOOD)]
    sent = [(bodies[n % 2], "a") for n in range(12)]
    random.Random(7).shuffle(sent)
    answers = at_once(service, sent)
    kinds = {(body, answer.status_code) for (body, _), answer in zip(sent, answers, strict=True)}
    assert len(kinds) == 2
    assert {status for _, status in kinds} == {202, 409}
    assert len({answer.content for answer in answers if answer.status_code == 202}) == 1
    assert stored(service) in (1, len(MIXED))


def test_requests_at_once_with_keys_of_their_own_are_all_made(service):
    """The control of the two above."""
    answers = at_once(service, [(lines(*MIXED), f"{n}") for n in range(12)])
    numbers = [line["number"] for answer in answers for line in answer.json()["lines"]]
    assert len(set(numbers)) == len(numbers) == stored(service) == 12 * len(MIXED)
    service.close()
    assert fsck(service) == []


def test_an_answer_that_was_lost_is_given_again(service, monkeypatch):
    plain, key = BulkSubmitting._answer, {"Idempotency-Key": "a"}

    def lost(*arguments):
        answers.append(plain(*arguments))
        raise ValueError("between commit and answer")

    answers = []
    monkeypatch.setattr(BulkSubmitting, "_answer", lost)
    problem(bulk(service, lines(*MIXED), **key), 500, "error")
    monkeypatch.undo()
    assert bulk(service, lines(*MIXED), **key).content == answers[0]
    assert stored(service) == len(MIXED)


def test_one_organisation_keeps_no_other_out(service):
    (tenant_id,) = {service.services.tenants.authenticate(service.key, "submit").tenant_id}
    with ExitStack() as places:
        for _ in range(OF_ONE):
            places.enter_context(service.services.bulk.place(Principal(tenant_id, frozenset())))
        said = problem(bulk(service, lines(GOOD)), 429, "too_many_requests")
        assert f"{OF_ONE} bulk requests of yours are under way" in said
        places.enter_context(service.services.bulk.place(Principal(tenant_id + 1, frozenset())))
    assert bulk(service, lines(GOOD)).status_code == 202


def test_a_body_is_not_read_before_its_request_has_a_place(service):
    read = []

    def body():
        read.append(1)
        yield lines(GOOD)

    with ExitStack() as places:
        for at in range(IN_FLIGHT):
            places.enter_context(service.services.bulk.place(Principal(900 + at, frozenset())))
        problem(bulk(service, body()), 503, "busy")
        seen = len(read)
    assert bulk(service, body()).status_code == 202
    assert len(read) == seen + 1


def test_three_requests_at_a_time_hold_their_megabytes(service, monkeypatch):
    at_work, seen, who = 0, [], Principal(1, frozenset())

    async def work(*_):
        nonlocal at_work
        at_work += 1
        seen.append(at_work)
        await anyio.sleep(0.01)
        at_work -= 1
        return b""

    async def all_at_once():
        async with anyio.create_task_group() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.start_soon(service.services.bulk.submit, who, "application/json", lambda: b"", None)

    monkeypatch.setattr(BulkSubmitting, "_work", work)
    anyio.run(all_at_once)
    assert (len(seen), max(seen)) == (IN_FLIGHT, 3)


def test_who_waits_too_long_for_a_turn_is_told_so(service, monkeypatch):
    """A database that is away is waited for by three at a time, and hundreds would stand behind them."""
    monkeypatch.setattr(bulk_service, "TURN_SECONDS", 0.1)
    late, who = [], Principal(1, frozenset())

    async def work(*_):
        await anyio.sleep(0.5)
        return b""

    async def submit():
        try:
            await service.services.bulk.submit(who, "application/json", lambda: b"", None)
        except Busy as error:
            late.append(str(error))

    async def all_at_once():
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(submit)

    monkeypatch.setattr(BulkSubmitting, "_work", work)
    anyio.run(all_at_once)
    assert late == ["too many bulk requests wait for their turn; send it again in a second"] * 2
    monkeypatch.undo()
    assert bulk(service, lines(GOOD)).status_code == 202  # they wait no more


def test_one_that_sends_many_keeps_another_waiting_for_what_is_at_work(service, monkeypatch):
    order = []

    async def work(_self, who, *_):
        order.append(who.tenant_id)
        await anyio.sleep(0.01)
        return b""

    async def all_at_once():
        async with anyio.create_task_group() as tasks:
            for tenant in (1, 1, 1, 1, 2):
                who = Principal(tenant, frozenset())
                tasks.start_soon(service.services.bulk.submit, who, "application/json", lambda: b"", None)

    monkeypatch.setattr(BulkSubmitting, "_work", work)
    anyio.run(all_at_once)
    assert order == [1, 1, 1, 2, 1]
