"""A running embedded service and a browser."""

import contextlib
import importlib.util
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import expect, sync_playwright

from notary import wiring
from notary.api.app import create_app
from notary.embedded import dev
from notary.embedded.children import children
from notary.worker import Worker

expect.set_options(timeout=20_000)  # the machine may be busy with other tests

_spec = importlib.util.spec_from_file_location("e2e_chromium", Path(__file__).with_name("chromium.py"))
chromium = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(chromium)


@dataclass
class Service:
    http: httpx.Client

    @property
    def url(self) -> str:
        return str(self.http.base_url)

    def submit(self, data: bytes, **request) -> dict:
        form = {"request": httpx.Response(200, json=request).text} if request else {}
        return self._accepted(files={"file": ("contract.txt", data, "text/plain")}, data=form)

    def submit_digests(self, digests: dict, **request) -> dict:
        return self._accepted(json={"digests": digests, **request})

    def wait_for(self, number: str, *, without: set[str], seconds: float = 90) -> None:
        """Until none of the steps in `without` is due any more."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.http.get(f"/v1/evidence/{number}").json()
            if not without & set(state["due"]):
                return
            time.sleep(0.2)
        raise AssertionError(f"{state['due']} is still due after {seconds} s")

    def package(self, number: str) -> bytes:
        answer = self.http.get(f"/v1/evidence/{number}/package")
        assert answer.status_code == 200, answer.text
        return answer.content

    def _accepted(self, **body) -> dict:
        answer = self.http.post("/v1/evidence", **body)
        assert answer.status_code == 202, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """The embedded service with chain and TSA, on a free port; pages and API from the real app."""
    folder = tmp_path_factory.mktemp("service")
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(children(folder))
        assembly = wiring.build(dev.configure(folder, found))
        stack.callback(assembly.close)
        stack.enter_context(_running(Worker(assembly.steps, beat=assembly.beat)))
        url = stack.enter_context(_serving(create_app(assembly.services)))
        headers = {"Authorization": f"Bearer {assembly.services.tenants.add('e2e')}"}
        # No certificate is ever looked at here, and loading the authorities' would cost more than a request.
        client = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False, verify=False)
        yield Service(stack.enter_context(client))


@contextlib.contextmanager
def _running(worker):
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop.set()
        thread.join()


@contextlib.contextmanager
def _serving(app):
    config = uvicorn.Config(app, "127.0.0.1", 0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, args=([socket],))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()


@pytest.fixture(scope="module")
def browser():
    # Not for the session: while Playwright runs, nothing else in this thread can start an event loop.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options())
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, service):
    """Opens pages; after the test no script of ours may have failed and nothing may have left this host."""
    with contextlib.ExitStack() as stack:
        faults = []

        def open_(path, *, locale="en-GB", **options):
            context = browser.new_context(locale=locale, base_url=service.url, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "console", lambda line: faults.append(line.text) if "Content Security" in line.text else None
            )
            page.on(
                "request",
                lambda request: (
                    None
                    if request.url.startswith((service.url, "blob:", "data:"))
                    else faults.append(request.url)
                ),
            )
            page.goto(path)
            return page

        yield open_
        assert faults == []


def new_document(folder):
    path = folder / "contract.pdf"
    path.write_bytes(b"%PDF-1.7 a contract " + secrets.token_hex(16).encode() * 1000)
    return path


@pytest.fixture
def unknown(tmp_path):
    """A document that nobody has submitted before."""
    return new_document(tmp_path)


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """A document with one record; tests leave both as they are."""
    return new_document(tmp_path_factory.mktemp("document"))


@pytest.fixture(scope="module")
def record(service, document):
    """Its record, closed, found by whoever has the document."""
    answer = service.submit(document.read_bytes(), visibility="by-document")
    service.wait_for(answer["number"], without={"close"})
    return answer


@pytest.fixture(scope="module")
def final(service):
    """A document and its record with everything that can be had."""
    data = b"final " + secrets.token_bytes(100)
    answer = service.submit(data, visibility="by-document")
    service.wait_for(answer["number"], without={"close", "stamp", "anchor"})
    return data, answer
