"""The real service without chain and time-stamping authority; its steps are run by hand."""

import atexit
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import anyio
import httpx

from notary import keys, wiring
from notary.api.app import create_app
from notary.settings import Settings
from notary.settings.loading import load_settings
from tests.databases import with_tables

with warnings.catch_warnings():
    # A wish for another HTTP client.
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
    from fastapi.testclient import TestClient

ORIGIN = "log.example.org/2026"
DOCUMENT = b"a contract of two companies"
DIGEST = sha256(DOCUMENT).hexdigest()


def settings_of(data: Path, **changes) -> Settings:
    return load_settings(data_dir=data, origin=ORIGIN, operator="Example Ltd", **changes)


@cache
def _opened() -> Path:
    """The data folder of a service that was only just set up: its keys, its tables and entry 0.

    Each process of the tests makes one, and the services of its tests begin as copies: they have the same keys.
    """
    data = Path(tempfile.mkdtemp(prefix="service-"), "data")
    atexit.register(shutil.rmtree, data.parent)
    settings = settings_of(data)
    keys.create(data / "keys")
    with_tables(settings.database_url).dispose()
    wiring.open_new_log(settings, 1, bytes(20), bytes(32))
    return data


@dataclass
class Service:
    """Everything between HTTP and the disk, in one folder."""

    folder: Path
    changes: dict

    @cached_property
    def settings(self):
        return settings_of(self.folder / "data", **self.changes)

    @cached_property
    def assembly(self) -> wiring.Assembly:
        shutil.copytree(_opened(), self.settings.data_dir, dirs_exist_ok=True)
        return wiring.build(self.settings)

    @property
    def services(self):
        return self.assembly.services

    @cached_property
    def app(self):
        return create_app(self.services)

    @cached_property
    def client(self) -> TestClient:
        return TestClient(self.app, raise_server_exceptions=False, follow_redirects=False)

    @cached_property
    def key(self) -> str:
        return self.services.tenants.add("a company")

    @cached_property
    def other_key(self) -> str:
        return self.services.tenants.add("another company")

    def give_key(self, *scopes: str) -> str:
        """A further key of the organisation that submits."""
        assert self.key
        return self.services.tenants.give_key("a company", *([scopes] if scopes else []))

    @cached_property
    def own(self) -> dict[str, str]:
        """Headers of the organisation that submits."""
        return {"Authorization": f"Bearer {self.key}"}

    @cached_property
    def other(self) -> dict[str, str]:
        """Headers of an organisation that submitted nothing."""
        return {"Authorization": f"Bearer {self.other_key}"}

    def post(self, json=None, **more):
        """Submit JSON."""
        headers = {**self.own, **more.pop("headers", {})}
        return self.client.post("/v1/evidence", json=json, headers=headers, **more)

    def upload(self, data=DOCUMENT, request=None, media_type="text/plain", **more):
        """Submit a document."""
        fields = {} if request is None else {"data": {"request": request}}
        files = {"file": ("contract.txt", data, media_type)}
        headers = {**self.own, **more.pop("headers", {})}
        return self.client.post("/v1/evidence", files=files, headers=headers, **fields, **more)

    def accepted(self, data=DOCUMENT, **request) -> dict:
        """Submit digests of `data`, and expect success."""
        answer = self.post({"digests": {"sha-256": sha256(data).hexdigest()}} | request)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def get(self, path, headers=None, **more):
        return self.client.get(path, headers=headers or {}, **more)

    def raw(self, method, path, receive, headers=None) -> dict:
        """Call the app without a client in between; gives status, headers and body, or what it raised."""
        answer = {"status": None, "headers": {}, "body": b"", "raised": None}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method,
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip

        async def send(message):
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                answer["headers"] = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer["body"] += message.get("body", b"")

        async def call():
            try:
                await self.app(scope, receive, send)
            except Exception as error:  # noqa: BLE001 - the test looks at it
                answer["raised"] = error

        anyio.run(call)
        return answer

    def raw_get(self, path) -> httpx.Response:
        """GET of a path as it stands: clients take dots out of it."""

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        answer = self.raw("GET", unquote(path), receive)
        return httpx.Response(answer["status"], headers=answer["headers"], content=answer["body"])

    def wait(self, seconds: float) -> None:
        """From here on it is so much later, for who closes and who accepts; the clock stands still."""
        sequencer = self.assembly.sequencer
        late, passed = sequencer.now() + timedelta(seconds=seconds), sequencer.passed() + seconds
        sequencer.now, sequencer.passed = lambda: late, lambda: passed
        object.__setattr__(self.services.submitting.intake, "now", lambda: late)

    def close(self) -> None:
        """Close the batch."""
        self.assembly.sequencer.sequence()

    def later(self) -> None:
        """Let what the writer rests on be old: it is read again."""
        self.services.submitting.writer._read_at = float("-inf")

    def inspect(self) -> None:
        """Look into what waits for inspection."""
        next(step for step in self.assembly.steps if step.name == "inspect").run()

    def count(self) -> int:
        """How many records the submitting organisation has."""
        return len(self.get("/v1/evidence", self.own).json()["records"])

    def spooled(self) -> list[str]:
        return sorted(path.name for path in self.settings.temp_dir.iterdir())

    def end(self) -> None:
        if "client" in self.__dict__:
            self.client.close()
        self.assembly.close()


def problem(answer, status: int, code: str) -> str:
    """Check that an answer is a problem of that code, and give its detail."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), body
    assert list(body) == ["type", "title", "status", "code", "detail"]
    assert answer.headers["Cache-Control"] == "no-store"
    return body["detail"]
