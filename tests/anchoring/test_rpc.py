"""A node is asked at its own address alone."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from notary.anchoring import rpc
from notary.anchoring.fields import array, quantity, records
from notary.anchoring.rpc import Answer, Node
from notary.errors import AnchorRejected, AnchorUnavailable, SettingsError
from notary.settings import Settings
from notary.settings.anchors import Chain
from notary.wiring.nodes import nodes_of
from tests.anchoring.lying_node import raw_answer

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


def test_a_node_on_a_private_address_is_asked_only_where_that_is_allowed():
    with server() as (url, asked):
        with pytest.raises(AnchorUnavailable, match=r"eth_chainId: no answer from the node \(Unavailable\)"):
            Node(url, 1, allow_private=False).require_chain()
        assert asked == []
        Node(url, 1, allow_private=True).require_chain()


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(rpc, "MAX_ANSWER", len(ANSWER) - 1)
    with server() as (url, _), pytest.raises(AnchorUnavailable, match="no answer from the node"):
        Node(url, 1).require_chain()


@pytest.mark.parametrize("url", ["ftp://node.example", "https://user:word@node.example", "node.example"])
def test_an_address_that_could_never_be_asked_is_refused_at_once(url):
    with pytest.raises(SettingsError, match="a URL to post to is http or https"):
        Node(url, 1)


def test_the_settings_say_whether_private_addresses_are_asked():
    with server() as (url, asked):
        chain = Chain(name="x", rpc_urls=(url,), chain_id=1)
        for allowed in (False, True):
            settings = Settings(origin="log.example.org", chains=(chain,), allow_private_addresses=allowed)
            (node,) = nodes_of(chain, settings)
            if allowed:
                node.require_chain()
            else:
                with pytest.raises(AnchorUnavailable, match="no answer from the node"):
                    node.require_chain()
            assert len(asked) == int(allowed)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b'{"jsonrpc":"2.0","id":1,"result":"0x1","error":null}', Answer("0x1")),
        (b'{"jsonrpc":"2.0","id":1,"result":null}', Answer(None)),
        (
            b'{"jsonrpc":"2.0","id":1,"error":{"code":3}}',
            Answer(None, "an error without a message", reverted=True),
        ),
        (
            b'{"jsonrpc":"2.0","id":1,"result":null,"error":{"message":"no","data":"0x"}}',
            Answer(None, "no", "0x", reverted=True),
        ),
    ],
)
def test_an_error_of_null_is_none(said, answer):
    with raw_answer(said) as url:
        assert Node(url, 1).try_ask("eth_chainId") == answer


@pytest.mark.parametrize(
    "said",
    [b'{"error":null}', b'{"error":"busy"}', b'{"result":"0x1","error":"busy"}', b'{"result":1,"error":false}',
     b"[]", b"{}", b"null"],
)  # fmt: skip
def test_an_answer_that_is_not_json_rpc_is_none(said):
    with (
        raw_answer(said) as url,
        pytest.raises(AnchorUnavailable, match="eth_chainId: the answer of the node is not"),
    ):
        Node(url, 1).try_ask("eth_chainId")


@pytest.mark.parametrize(
    ("failure", "data", "reverted"),
    [
        ('{"code":-32000,"message":"Execution reverted"}', None, True),  # and no more: of some nodes
        ('{"code":3,"message":"execution reverted","data":"0xaB12"}', "0xaB12", True),
        ('{"code":-32015,"message":"VM execution error.","data":"Reverted 0xab12"}', "0xab12", True),
        ('{"code":-32015,"message":"VM execution error.","data":"Reverted"}', "", True),
        ('{"code":-32603,"message":"error","data":{"message":"m","data":"0xab12"}}', "0xab12", True),
        ('{"code":-32603,"message":"busy","data":{"message":"m"}}', None, False),
        ('{"code":-32000,"message":"header not found"}', None, False),
    ],
)
def test_a_call_that_failed_is_told_from_one_that_was_not_made(failure, data, reverted):
    with raw_answer(b'{"jsonrpc":"2.0","id":1,"error":%s}' % failure.encode()) as url:
        answer = Node(url, 1).try_ask("eth_estimateGas")
    assert (answer.data, answer.reverted) == (data, reverted)


@pytest.mark.parametrize("value", [None, {}, "0x"])
def test_what_is_no_array_of_objects_is_refused(value):
    with pytest.raises(AnchorRejected, match="not an array where it must be"):
        array(value)
    with pytest.raises(AnchorRejected, match="not an object where it must be"):
        records([value] if not isinstance(value, dict) else [[]])


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "5",
        "",
        "0x",
        "0b1",
        "0o7",
        "0x-1",
        "-0x1",
        "0x_1",
        "0x1 ",
        "0x1\n",
        "0xg",
        "0x" + "0" * 65,
        b"0x1",
    ],
)
def test_what_is_no_number_of_256_bits_in_hexadecimal_is_refused(value):
    with pytest.raises(AnchorRejected, match="not a number where it must be"):
        quantity(value)


def test_a_number_of_256_bits_is_read():
    assert (quantity("0x" + "f" * 64), quantity("0x0"), quantity("0xFf")) == (2**256 - 1, 0, 255)
