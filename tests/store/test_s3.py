"""Objects in a bucket: what an answer that is lost, late, cut or a lie does to them."""

import re
import threading
import time

import pytest

from notary.errors import Fatal, NotFound, SettingsError, Unavailable
from notary.store.s3 import REQUESTS, open_s3
from tests.s3 import make_bucket, opened, put_inside


@pytest.fixture
def direct(s3_server, bucket):
    """The same bucket, not through the proxy."""
    return opened(s3_server, bucket)


def puts(proxy, name):
    return [request for request in proxy.requests if request.method == "PUT" and request.path.endswith(name)]


def once(method, name, fault):
    """A fault of the first such request."""
    left = [fault]

    def judge(request):
        if request.method == method and request.path.endswith(name) and left:
            return left.pop()
        return None

    return judge


def always(method, name, fault):
    return lambda request: fault if request.method == method and request.path.endswith(name) else None


def test_keys_are_under_the_prefix_and_say_how_long_they_are_good(s3, proxy, bucket):
    s3.create("tile/0/000", b"data")
    s3.create("staging/00", b"data")
    s3.replace("checkpoint", b"note")
    (tile,) = puts(proxy, f"/{bucket}/notary/log/tile/0/000")
    (staged,) = puts(proxy, f"/{bucket}/notary/log/staging/00")
    (checkpoint,) = puts(proxy, f"/{bucket}/notary/log/checkpoint")
    assert tile.headers["if-none-match"] == "*"
    assert staged.headers["if-none-match"] == "*"
    assert "if-none-match" not in checkpoint.headers
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "cache-control" not in staged.headers
    assert checkpoint.headers["cache-control"] == "public, max-age=2"


def test_objects_of_another_prefix_are_not_ours(s3, s3_server, bucket):
    other = opened(s3_server, bucket, "notary/reports")
    longer = opened(s3_server, bucket, "notary/logs")
    for objects in (s3, other, longer):
        objects.create("tile/0/000", str(id(objects)).encode())
    assert list(s3.names("tile")) == ["tile/0/000"]
    assert s3.read("tile/0/000") == str(id(s3)).encode()


# What happens to the one PUT of an object -> what it looks like to a client
@pytest.mark.parametrize("fault", ["drop", "lost", 500, 503, 409, 429])
def test_a_put_without_a_clear_answer_is_decided_by_reading(s3, direct, proxy, fault):
    proxy.fault = once("PUT", "tile/0/000", fault)
    s3.create("tile/0/000", b"data")
    assert direct.read("tile/0/000") == b"data"


def test_without_the_reading_a_dropped_answer_would_be_an_error(s3, direct, proxy):
    """The fault is a real one: the object is stored, and the client is told nothing or that it was there."""
    proxy.fault = always("PUT", "tile/0/000", "drop")
    unreadable = proxy.fault
    proxy.fault = lambda request: unreadable(request) or (503 if request.method == "GET" else None)
    with pytest.raises(Unavailable, match="the object store: "):
        s3.create("tile/0/000", b"data")
    assert direct.read("tile/0/000") == b"data"


@pytest.mark.parametrize("fault", ["drop", 409, 403])
def test_a_refusal_is_no_excuse_for_other_bytes(s3, direct, proxy, fault):
    direct.create("tile/0/000", b"theirs")
    proxy.fault = always("PUT", "tile/0/000", fault)
    with pytest.raises(Fatal, match="tile/0/000 is there with other bytes"):
        s3.create("tile/0/000", b"ours")
    assert direct.read("tile/0/000") == b"theirs"


@pytest.mark.parametrize("fault", ["lost", 403, 409, 503])
def test_a_put_that_is_never_stored_is_no_success(s3, direct, proxy, fault):
    proxy.fault = always("PUT", "tile/0/000", fault)
    with pytest.raises(Unavailable, match=r"the object store: .*tile/0/000"):
        s3.create("tile/0/000", b"data")
    assert direct.read("tile/0/000") is None


def test_an_object_that_was_refused_and_is_gone_is_made_again(s3, direct, proxy):
    """409: another's PUT was under way, and came to nothing."""
    proxy.fault = once("PUT", "tile/0/000", 409)
    s3.create("tile/0/000", b"data")
    assert len(puts(proxy, "tile/0/000")) == 2
    assert direct.read("tile/0/000") == b"data"


@pytest.mark.parametrize("fault", ["drop", "lost", 503])
def test_a_replacement_without_a_clear_answer_is_decided_by_reading(s3, direct, proxy, fault):
    s3.replace("checkpoint", b"old")
    proxy.fault = once("PUT", "checkpoint", fault)
    s3.replace("checkpoint", b"new")
    assert direct.read("checkpoint") == b"new"
    proxy.fault = always("PUT", "checkpoint", "drop")
    s3.replace("checkpoint", b"newer")
    assert direct.read("checkpoint") == b"newer"
    proxy.fault = always("PUT", "checkpoint", "lost")
    with pytest.raises(Unavailable, match=r"the object store: .*checkpoint"):
        s3.replace("checkpoint", b"newest")
    assert direct.read("checkpoint") == b"newer"


@pytest.mark.parametrize("fault", ["lost", 503, "short", 404, 403])
def test_an_object_that_cannot_be_read_is_not_taken_for_missing(s3, proxy, fault):
    s3.create("tile/0/000", b"data" * 100)
    proxy.fault = always("GET", "tile/0/000", fault)
    with pytest.raises(Unavailable, match="the object store: "):
        s3.read("tile/0/000")
    proxy.fault = once("GET", "tile/0/000", fault)
    if fault in {"lost", 503}:
        assert s3.read("tile/0/000") == b"data" * 100


def test_a_missing_bucket_is_not_taken_for_an_empty_log(s3_server, bucket):
    nowhere = opened(s3_server, bucket + "x")
    for use in (
        lambda: nowhere.read("checkpoint"),
        lambda: nowhere.create("tile/0/000", b""),
        lambda: nowhere.replace("checkpoint", b""),
        lambda: nowhere.delete("checkpoint"),
        lambda: list(nowhere.names("tile")),
    ):
        with pytest.raises(Unavailable, match=r"the object store: .*404 Not Found"):
            use()
    assert opened(s3_server, bucket).read("checkpoint") is None


@pytest.mark.parametrize("fault", ["lost", 503, 403])
def test_a_list_or_removal_that_fails_is_an_error(s3, proxy, fault):
    s3.create("tile/0/000", b"data")
    proxy.fault = lambda request: fault if "list-type" in request.path or request.method == "DELETE" else None
    with pytest.raises(Unavailable, match="the object store: "):
        list(s3.names("tile"))
    with pytest.raises(Unavailable, match="the object store: "):
        s3.delete("tile/0/000")
    assert s3.read("tile/0/000") == b"data"


def test_an_object_that_is_gone_by_the_servers_word_needs_no_removal(s3, proxy):
    proxy.fault = lambda request: "gone" if request.method == "DELETE" else None
    s3.delete("tile/0/000")
    proxy.fault = lambda request: 404 if request.method == "DELETE" else None
    with pytest.raises(Unavailable, match="the object store: "):
        s3.delete("tile/0/000")


def test_a_long_list_comes_in_pages(s3, bucket, proxy):
    names = [f"tile/0/x{n // 1000:03}/{n % 1000:03}" for n in range(1010)]
    put_inside(bucket, (f"notary/log/{name}" for name in names))
    assert sorted(s3.names("tile")) == names
    assert len([request for request in proxy.requests if "list-type" in request.path]) == 2


def test_a_server_that_replaces_what_it_must_refuse_is_found_before_anything_is_made(s3, direct, proxy):
    proxy.fault = lambda _request: "blind"
    for _ in range(2):
        with pytest.raises(Fatal, match="replaces objects in spite of If-None-Match"):
            s3.create("tile/0/000", b"data")
    assert direct.read("tile/0/000") is None
    proxy.fault = lambda _request: None
    s3.create("tile/0/000", b"data")
    assert len(puts(proxy, ".probe")) == 6
    s3.create("tile/0/001", b"data")
    assert len(puts(proxy, ".probe")) == 6


def test_without_the_probe_such_a_server_overwrites_a_tile(s3, direct, proxy):
    s3.create("tile/0/000", b"published")
    proxy.fault = lambda _request: "blind"
    s3.create("tile/0/000", b"another")
    assert direct.read("tile/0/000") == b"another"


@pytest.mark.parametrize("fault", ["lost", 503, 403])
def test_a_probe_without_an_answer_proves_nothing(s3, direct, proxy, fault):
    proxy.fault = always("PUT", ".probe", fault)
    with pytest.raises(Unavailable, match=r"the object store: .*\.probe"):
        s3.create("tile/0/000", b"data")
    assert direct.read("tile/0/000") is None


def test_many_puts_are_under_way_at_once_and_not_too_many(s3, proxy):
    def slow(request):
        if "/tile/" in request.path:
            time.sleep(0.05)

    proxy.fault = slow
    s3.create_all([(f"tile/0/{n:03}", b"%d" % n) for n in range(64)])
    # The proxy counts a request until after its answer has gone, when the next may be here already.
    assert 4 < proxy.peak <= 1.5 * REQUESTS


def test_of_many_puts_one_that_fails_is_enough(s3, direct, proxy):
    made = [(f"tile/0/{n:03}", b"%d" % n) for n in range(64)]
    proxy.fault = always("PUT", "tile/0/017", 403)
    with pytest.raises(Unavailable, match=r"tile/0/017"):
        s3.create_all(made)
    proxy.fault = lambda _request: None
    s3.create_all(made)
    assert {name: direct.read(name) for name, _ in made} == dict(made)


def test_a_server_that_is_gone_is_unavailable_soon(proxy, bucket):
    with type(proxy)(proxy.upstream).running() as other:
        objects = opened(other.port, bucket)
        objects.create("tile/0/000", b"data")
    started = time.monotonic()
    for use in (
        lambda: objects.read("tile/0/000"),
        lambda: objects.create("tile/0/001", b""),
        lambda: objects.create_all([(f"tile/0/{n:03}", b"") for n in range(64)]),
        lambda: objects.replace("checkpoint", b""),
        lambda: objects.delete("tile/0/000"),
        lambda: list(objects.names("tile")),
    ):
        with pytest.raises(Unavailable, match="the object store: "):
            use()
    assert time.monotonic() - started < 60


def test_a_server_that_never_answers_is_given_up(proxy, bucket):
    objects = opened(proxy.port, bucket, seconds=0.3)
    proxy.fault = lambda _request: "hang"
    for use in (lambda: objects.read("tile/0/000"), lambda: objects.create("tile/0/001", b"")):
        started = time.monotonic()
        with pytest.raises(Unavailable, match="the object store: "):
            use()
        assert time.monotonic() - started < 10


def test_variables_of_other_tools_change_nothing(monkeypatch, proxy, bucket):
    variables = {
        "AWS_ENDPOINT": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "theirs",
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "AWS_SESSION_TOKEN": "theirs",
        "AWS_REGION": "eu-north-1",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_UNSIGNED_PAYLOAD": "true",
        "AWS_CONDITIONAL_PUT": "disabled",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_S3_EXPRESS": "true",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    objects = opened(proxy.port, bucket)
    objects.create("tile/0/000", b"data")
    (request,) = puts(proxy, f"/{bucket}/notary/log/tile/0/000")
    assert re.search(r"Credential=access/\d{8}/us-east-1/s3/", request.headers["authorization"])
    assert re.fullmatch("[0-9a-f]{64}", request.headers["x-amz-content-sha256"])
    assert "x-amz-security-token" not in request.headers
    assert "secret" not in repr(objects) + str(objects.store.config)


def test_http_needs_to_be_allowed():
    common = {"region": "us-east-1", "access_key": "a", "secret_key": "s"}
    with pytest.raises(SettingsError, match=r"http://127.0.0.1:1 is not https"):
        open_s3("bucket", "log", endpoint="http://127.0.0.1:1", **common)
    open_s3("bucket", "log", endpoint="https://127.0.0.1:1", **common)
    open_s3("bucket", "log", endpoint=None, **common)


def test_the_answers_of_threads_are_not_mixed_up(s3):
    wrong = []

    def use(n):
        for k in range(10):
            s3.create(f"tile/{n}/{k:03}", b"%d %d" % (n, k))
            if s3.read(f"tile/{n}/{k:03}") != b"%d %d" % (n, k):
                wrong.append((n, k))

    threads = [threading.Thread(target=use, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_fresh_bucket_has_nothing(s3_server):
    objects = opened(s3_server, make_bucket(s3_server))
    assert objects.read("checkpoint") is None
    assert list(objects.names("tile")) == []
    with pytest.raises(NotFound, match="not the name of an object"):
        objects.read("../../other/log/checkpoint")
