"""A node is asked at its own address alone."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from notary.anchoring.rpc import Node
from notary.errors import AnchorUnavailable

ANSWER = b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'


@contextmanager
def server(location=None):
    """Answers as a node of chain 1, or sends on to `location`; gives its address and what it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307 if location else 200)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0" if location else str(len(ANSWER)))
            self.end_headers()
            if not location:
                self.wfile.write(ANSWER)

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{found.server_port}", asked
        finally:
            found.shutdown()
            thread.join()


def test_a_node_that_sends_on_is_not_followed():
    with server() as (other, asked), server(other) as (url, first):
        Node(other, 1).require_chain()
        asked.clear()
        with pytest.raises(AnchorUnavailable, match="eth_chainId: no answer from the node"):
            Node(url, 1).require_chain()
        assert (len(first), asked) == (1, [])


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_not_used(monkeypatch, variable):
    with server() as (url, asked), server() as (proxy, by_proxy):
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(variable, proxy)
        Node(url, 1).require_chain()
        assert (len(asked), by_proxy) == (1, [])
