"""API keys: who is asking, and what the key is good for."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from httpx import ASGITransport, AsyncClient

from tests.api.service import DIGEST, problem

NUMBER = "NA7W-Q3EU-N59P-CCZT"
# Calls that need a key, by the scope that they need.
CALLS = [
    ("POST", "/v1/evidence", "submit"),
    ("GET", "/v1/evidence", "read"),
    ("GET", f"/v1/evidence/{NUMBER}/receipt", "read"),
    ("GET", f"/v1/evidence/{NUMBER}/report", "report"),
    ("GET", f"/v1/evidence/{NUMBER}/validation/1", "read"),
]
# Calls for which a key may be sent.
OPEN = [f"/v1/evidence/{NUMBER}{what}" for what in ("", "/statement", "/proof", "/package")]
OPEN.append(f"/v1/lookup/sha-256/{DIGEST}")


def call(service, method, path, headers):
    json = {"digests": {"sha-256": DIGEST}} if method == "POST" else None
    return service.client.request(method, path, headers=headers, json=json)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_a_call_without_a_key_says_how_to_send_one(service, method, path, scope):
    for headers in (
        {},
        {"Authorization": ""},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer  "},
    ):
        answer = call(service, method, path, headers)
        assert "Authorization: Bearer" in problem(answer, 401, "key_missing")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert call(service, method, path, {"Authorization": f"bearer {service.key}"}).status_code in {
        202,
        200,
        404,
    }


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_of_two_keys_neither_is_chosen(service, method, path, scope):
    others = service.give_key()
    for pair in ((service.key, others), (others, service.key), (service.key, service.key)):
        headers = [("Authorization", f"Bearer {key}") for key in pair]
        assert "two Authorization headers" in problem(
            call(service, method, path, headers), 401, "key_invalid"
        )


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_a_key_of_no_use_is_told_from_no_other(service, method, path, scope):
    """Malformed, unknown, of another secret, revoked, expired: one answer."""
    gone = service.give_key()
    service.services.tenants.revoke_key(gone.split("_")[1])
    two_days_ago = datetime.now(UTC) - timedelta(days=2)
    then = replace(service.services.tenants, now=lambda: two_days_ago)
    over = then.add("over", expires=two_days_ago + timedelta(days=1))
    _, key_id, secret = service.key.split("_")
    wrong = [
        gone, over, "x", "nk", "nk__", f"nk_{key_id}_", f"nk_{key_id}", f"nk_{key_id}_{secret[:-1]}",
        f"nk_{key_id}_{'A' * 43}", f"nk_{'0' * 16}_{secret}", f"NK_{key_id}_{secret}", f"nk_{key_id}_{secret}x",
        f"nk_{key_id}_{secret}_", f"xx_{key_id}_{secret}", f"nk_{key_id.upper()}x_{secret}", f"{service.key} x",
    ]  # fmt: skip
    answers = [call(service, method, path, bearer(key)) for key in wrong]
    for answer in answers:
        assert "unknown, revoked or expired" in problem(answer, 401, "key_invalid")
    assert len({answer.content for answer in answers}) == 1
    long = call(service, method, path, bearer(service.key + " " * 200))
    assert "too long" in problem(long, 401, "key_invalid")


@pytest.mark.parametrize("path", OPEN)
def test_where_no_key_is_needed_a_wrong_one_is_still_refused(service, path):
    assert service.get(path).status_code in {200, 404}
    problem(service.get(path, bearer("nk_x")), 401, "key_invalid")
    problem(service.get(path, {"Authorization": "Basic YTpi"}), 401, "key_missing")


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_a_key_is_good_for_its_scopes_only(service, method, path, scope):
    for given in ("submit", "read", "report"):
        key = service.services.tenants.add(f"company that may {given}", (given,))
        answer = call(service, method, path, bearer(key))
        if given == scope:
            assert answer.status_code in {202, 200, 404}
        else:
            assert f"no scope '{scope}'" in problem(answer, 403, "scope_missing")


def test_seeing_ones_own_record_takes_the_scope_read(service):
    number = service.accepted()["number"]
    key = service.give_key("submit")
    assert "'read'" in problem(service.get(f"/v1/evidence/{number}", bearer(key)), 403, "scope_missing")


def test_a_revoked_key_ends_at_once_and_the_others_stay_good(service):
    more = service.give_key()
    assert service.get("/v1/evidence", bearer(more)).status_code == 200
    service.services.tenants.revoke_key(more.split("_")[1])
    problem(service.get("/v1/evidence", bearer(more)), 401, "key_invalid")
    assert service.get("/v1/evidence", service.own).status_code == 200


@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=B"])
@pytest.mark.parametrize("key", ["", "nk_x"])
def test_nothing_of_a_body_is_read_before_the_key_is_known(service, media_type, key):
    asked = []

    async def receive():
        asked.append(1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    answer = service.raw("POST", "/v1/evidence", receive, {"Content-Type": media_type, **bearer(key)})
    assert answer["status"] == 401
    assert asked == []


def test_only_the_hash_of_a_secret_is_stored(service):
    _, key_id, secret = service.key.split("_")
    service.assembly.close()
    data = b"".join(path.read_bytes() for path in service.settings.data_dir.glob("notary.db*"))
    assert key_id.encode() in data
    assert secret.encode() not in data


def test_those_who_come_with_one_key_at_the_same_time_share_one_question(service, monkeypatch):
    asked, go = [], Event()
    tenants = type(service.services.tenants)
    authenticate = tenants.authenticate

    def slow(self, token, scope):
        asked.append(scope)
        assert go.wait(10)
        return authenticate(self, token, scope)

    async def ask_all():
        transport = ASGITransport(service.client.app)
        async with AsyncClient(transport=transport, base_url="http://test") as client:
            asking = [asyncio.create_task(client.get("/v1/evidence", headers=service.own)) for _ in range(8)]
            await asyncio.sleep(0.5)
            go.set()
            return [answer.status_code for answer in await asyncio.gather(*asking)]

    monkeypatch.setattr(tenants, "authenticate", slow)
    assert asyncio.run(asyncio.wait_for(ask_all(), 20)) == [200] * 8
    assert asked == ["read"]
    assert service.client.app.state.asking == {}


def test_a_known_key_is_read_again_beside_the_requests(service, monkeypatch):
    tenants = service.services.tenants
    service.get("/v1/evidence", service.own)  # it is known now
    done = Event()
    monkeypatch.setattr(type(tenants), "ageing", lambda _self, _token: True)
    monkeypatch.setattr(type(tenants), "read_again", lambda _self, _token, scope: done.set() or scope)
    assert service.get("/v1/evidence", service.own).status_code == 200
    assert done.wait(10)
