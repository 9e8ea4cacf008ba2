"""A real S3 API server for tests, and a proxy before it that fails when told to."""

import http.client
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from notary.store.s3 import S3Objects, open_s3

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    def log(self, *_args):
        pass


@contextmanager
def running_s3() -> Iterator[int]:
    """The port of a server that forgets everything at its end."""
    app, turn = DomainDispatcherApplication(create_backend_app), Lock()

    def one_at_a_time(environ, start):
        # The server looks for a name and then stores under it: a real one does both as one step.
        with turn:
            return app(environ, start)

    server = make_server(HOST, 0, one_at_a_time, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make_bucket(port: int) -> str:
    name = "b" + secrets.token_hex(8)
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    connection.request("PUT", f"/{name}")
    assert connection.getresponse().status == 200
    connection.close()
    return name


def put_inside(bucket: str, keys: Iterable[str]) -> None:
    """Empty objects, put where the server keeps them: a thousand requests would take many seconds."""
    (backend,) = (
        of_region["aws"] for of_region in s3_backends.values() if bucket in of_region["aws"].buckets
    )
    for key in keys:
        backend.put_object(bucket, key, b"")


def opened(port: int, bucket: str, prefix: str = "notary/log", seconds: float = 10) -> S3Objects:
    return open_s3(
        bucket,
        prefix,
        endpoint=f"http://{HOST}:{port}",
        region="us-east-1",
        access_key="access",
        secret_key="secret",
        allow_http=True,
        timeout=timedelta(seconds=seconds),
    )


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Proxy:
    """Stands before the server. `fault` says what is wrong with a request: a status, or a word of `_Handler`."""

    upstream: int
    fault: Callable[[Request], str | int | None] = lambda _request: None
    requests: list[Request] = field(default_factory=list)
    peak: int = 0
    port: int = 0
    release: Event = field(default_factory=Event)
    _now: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        handler = type("Handler", (_Handler,), {"proxy": self})
        server = ThreadingHTTPServer((HOST, 0), handler)
        server.daemon_threads = True
        self.port = server.server_port
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.release.set()
            server.shutdown()
            thread.join()
            server.server_close()

    @contextmanager
    def counted(self, request: Request) -> Iterator[None]:
        with self._lock:
            self.requests.append(request)
            self._now += 1
            self.peak = max(self.peak, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1


class _Handler(BaseHTTPRequestHandler):
    """lost: never arrives · drop: done, without an answer · hang: neither · short: half an answer.

    blind: as a server without conditional requests · gone: there is no such key.
    """

    proxy: Proxy

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        with self.proxy.counted(request), suppress(ConnectionError):
            self._answer(request, body, self.proxy.fault(request))

    do_GET = do_PUT = do_DELETE = handle_one  # noqa: N815 - the names are theirs

    def _answer(self, request: Request, body: bytes, fault: str | int | None) -> None:
        if fault == "hang":
            self.proxy.release.wait()
        if fault in {"lost", "hang"}:
            return
        if isinstance(fault, int):
            self._send(fault, {}, b"")
            return
        if fault == "gone":
            self._send(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        if fault == "blind":
            request.headers.pop("if-none-match", None)
        connection = http.client.HTTPConnection(HOST, self.proxy.upstream, timeout=30)
        connection.request(request.method, request.path, body, request.headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if fault == "drop":
            return
        kept = {
            name: value for name, value in answer.getheaders() if name not in {"Connection", "Server", "Date"}
        }
        kept["Content-Length"] = answer.getheader("Content-Length", str(len(data)))
        self._send(answer.status, kept, data[: len(data) // 2] if fault == "short" else data)

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args):
        pass
