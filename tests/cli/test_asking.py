"""`notary verify --node` and `--explorer`: who is asked for what, and what is made of the answers."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from notary.cli import asking
from notary.evidence.asked import WantedBlock
from notary.evidence.package import read_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from tests.evidence import build

V1 = Path(__file__).parents[1] / "testdata/v1"
PACKAGE = V1 / "package.zip"
TEXT = (V1 / "trust.toml").read_text()
CHAIN = hex(31337)


@pytest.fixture(scope="module")
def wanted():
    """The one block of the package that is to be compared."""
    with PACKAGE.open("rb") as stream:
        (block,) = verify(read_package(stream), parse_trust(TEXT.encode())).blocks
    return block


@pytest.fixture
def unnamed(tmp_path):
    """The recorded trust file without the block that it names, and one authority, so that T needs the chain as well."""
    kept, _, rest = TEXT.partition("[[chain.block]]")
    path = tmp_path / "trust.toml"
    path.write_text(kept + "[[tsa]]" + rest.split("[[tsa]]")[1])
    trust = parse_trust(path.read_bytes())
    assert (len(trust.authorities), trust.k, trust.chains[0].blocks) == (1, 2, ())
    return path


class Asked(BaseHTTPRequestHandler):
    """Answers what `told` gives for the question, and keeps it."""

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer((self.path, question["method"], question["params"]))

    def do_GET(self):
        asked = parse_qsl(urlsplit(self.path).query)
        self.answer((urlsplit(self.path).path, "GET", dict(reversed(asked))))  # the first of one name

    def answer(self, question):
        self.server.questions.append(question)
        status, body = self.server.told(question)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Asked) as running:
        running.questions = []
        running.told = None
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        running.url = f"http://127.0.0.1:{running.server_port}/v3/SECRET"
        running.shown = f"127.0.0.1:{running.server_port}"
        yield running
        running.shutdown()
        thread.join()


def says(block, chain=CHAIN, **changes):
    """A node or an explorer that has this block, as it may write it."""
    value = {"number": hex(block.number), "hash": f"0x{block.hash.hex().upper()}"} | changes
    return lambda question: (
        200,
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "result": chain if question[1] == "eth_chainId" else value,
                "error": None,
            }
        ).encode(),
    )


def check(notary, server, trust, option="--node", url=None, expected=0):
    """Outcome and detail of 6.2."""
    words = ("verify", PACKAGE, "--trust", trust, option, url or server.url, "--allow-private", "--json")
    done = notary(*words, expected=expected)
    assert done.err == ""
    assert "SECRET" not in done.out
    ((outcome, detail),) = [
        (found["outcome"], found["detail"])
        for found in json.loads(done.out)["checks"]
        if found["id"] == "6.2"
    ]
    return outcome, detail


def test_a_node_is_asked_for_its_chain_and_for_the_block(notary, server, unnamed, wanted):
    server.told = says(wanted)
    outcome, detail = check(notary, server, unnamed)
    assert (outcome, detail.endswith(f", by the word of node {server.shown}")) == ("passed", True)
    assert server.questions == [
        ("/v3/SECRET", "eth_chainId", []),
        ("/v3/SECRET", "eth_getBlockByNumber", [hex(wanted.number), False]),
    ]


def test_an_explorer_is_asked_in_its_url(notary, server, unnamed, wanted):
    server.told = says(wanted)
    outcome, detail = check(notary, server, unnamed, "--explorer", f"{server.url}?apikey=a%26b")
    assert (outcome, detail.endswith(f", by the word of explorer {server.shown}")) == ("passed", True)
    asked = {
        "module": "proxy",
        "action": "eth_getBlockByNumber",
        "tag": hex(wanted.number),
        "boolean": "false",
    }
    assert server.questions == [("/v3/SECRET", "GET", {"apikey": "a&b", "chainid": "31337"} | asked)]
    check(notary, server, unnamed, "--explorer", f"{server.url}?chainid=31337&apikey=x")
    assert server.questions[-1] == ("/v3/SECRET", "GET", {"apikey": "x", "chainid": "31337"} | asked)


def test_an_explorer_for_another_chain_is_not_asked(notary, server, unnamed):
    outcome, detail = check(notary, server, unnamed, "--explorer", f"{server.url}?chainid=1", expected=2)
    assert outcome == "could_not_be_checked"
    assert "its URL is for chain 1, the block is of chain 31337" in detail
    for two in ("chainid=31337&%63hainid=1", "chainid=1&chainid=31337", "chainid="):
        check(notary, server, unnamed, "--explorer", f"{server.url}?{two}", expected=2)
    assert server.questions == []


def test_of_an_explorer_nothing_else_is_asked_twice(notary, server, unnamed, wanted):
    server.told = says(wanted)
    check(notary, server, unnamed, "--explorer", f"{server.url}?tag=latest&apikey=x")
    (question,) = server.questions
    assert (question[2]["tag"], question[2]["apikey"]) == (hex(wanted.number), "x")


@pytest.mark.parametrize("option", ["--node", "--explorer"])
def test_another_hash_fails(notary, server, unnamed, wanted, option):
    server.told = says(wanted, hash="0x" + "ab" * 32)
    outcome, detail = check(notary, server, unnamed, option, expected=1)
    assert outcome == "failed"
    assert f"{option[2:]} {server.shown} has another: 0x{'ab' * 32}" in detail


def test_another_hash_fails_what_the_trust_file_names(notary, server, wanted, tmp_path):
    server.told = says(wanted, hash="0x" + "ab" * 32)
    assert check(notary, server, V1 / "trust.toml", expected=1)[0] == "failed"
    server.told = says(wanted)
    assert "by the word of the trust file, node " in check(notary, server, V1 / "trust.toml")[1]


def raw(body, status=200):
    return lambda _wanted: lambda _question: (status, body)


def reply(**fields):
    return raw(json.dumps(fields).encode())


UNUSABLE = {
    "another chain": (lambda wanted: says(wanted, "0x1"), "it is of chain 1, the block of chain 31337"),
    "a chain that is no number": (lambda wanted: says(wanted, 31337), "not a number where it must be"),
    "no such block": (
        lambda wanted: (
            lambda q: (200, b'{"result":"0x7a69"}' if q[1] == "eth_chainId" else b'{"result":null}')
        ),
        "it does not have this block",
    ),
    "another block": (lambda wanted: says(wanted, number="0x1"), "not the block that was asked for"),
    "a block without number": (lambda wanted: says(wanted, number=None), "not a number where it must be"),
    "no hash": (lambda wanted: says(wanted, hash=None), "its answer has no hash of the block"),
    "a short hash": (lambda wanted: says(wanted, hash="0xab"), "its answer has no hash of the block"),
    "an error": (
        reply(error={"code": 1, "message": "over\u202e limit"}),
        "it refuses to answer: overU+202E limit",
    ),
    "an error in text": (reply(error="no", result=1), "it refuses to answer: no"),
    "nothing": (reply(), "it refuses to answer: None"),
    "a refusal": (reply(status="0", message="NOTOK", result="key\n"), "it refuses to answer: key"),
    "no object": (raw(b"[1]"), "it refuses to answer: not JSON-RPC"),
    "no JSON": (raw(b"<html>"), "its answer is not JSON"),
    "no UTF-8": (raw(b"\xff\xfe\xff"), "its answer is not JSON"),
    "a depth that stops the parser": (raw(b"[" * 100_000), "its answer is not JSON"),
    "a number of 5,000 digits": (raw(b'{"result":' + b"1" * 5000 + b"}"), "its answer is not JSON"),
    "too much": (raw(b" " * (4 * 2**20 + 1)), "is longer than 4194304 bytes"),
    "a failure": (raw(b"", 500), "answers with status 500"),
    "nothing there": (raw(b"", 404), "answers with status 404"),
    "another place": (raw(b"", 302), "answers with status 302"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_answer_that_cannot_be_used_leaves_the_check_open_and_says_why(
    notary, server, unnamed, wanted, case
):
    told, sentence = UNUSABLE[case]
    server.told = told(wanted)
    outcome, detail = check(notary, server, unnamed, expected=2)
    assert outcome == "could_not_be_checked"
    assert f"; node {server.shown}: " in detail
    assert sentence in detail
    assert (
        check(notary, server, V1 / "trust.toml")[0] == "passed"
    )  # it turns nothing bad that is good without it


def test_an_explorer_that_is_none_leaves_the_check_open(notary, server, unnamed):
    server.told = lambda _question: (404, b"")
    outcome, detail = check(notary, server, unnamed, "--explorer", expected=2)
    assert (outcome, "there is no such API at this address" in detail) == ("could_not_be_checked", True)


def test_a_block_that_is_no_object_is_no_answer(notary, server, unnamed):
    server.told = lambda question: (200, b'{"result":"0x7a69"}')
    assert "not the block that was asked for" in check(notary, server, unnamed, expected=2)[1]


def test_nobody_there_leaves_the_check_open(notary, server, unnamed):
    outcome, detail = check(notary, server, unnamed, url="http://127.0.0.1:1/", expected=2)
    assert (outcome, "127.0.0.1 does not answer" in detail) == ("could_not_be_checked", True)


@pytest.mark.parametrize("host", ["node..example.org", "a" * 64 + ".example.org"])
def test_a_name_that_cannot_be_leaves_the_check_open(notary, server, unnamed, host):
    detail = check(notary, server, unnamed, url=f"https://{host}/", expected=2)[1]
    assert detail.endswith(f"; node {host}: its name cannot be resolved")


def test_private_places_are_asked_only_where_that_is_allowed(notary, server, unnamed):
    words = ("verify", PACKAGE, "--trust", unnamed, "--json", "--node")
    done = notary(*words, server.url, expected=2)
    assert "give an https URL; with --allow-private also http" in done.err
    assert done.out == ""
    done = notary(*words, server.url.replace("http:", "https:"), expected=2)
    assert "node " + server.shown + ": 127.0.0.1 has no address that requests may go to" in done.out
    assert server.questions == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--trust", V1 / "trust.toml", "--node", "ftp://example.org"), "--node: a URL to post to is"),
        (
            ("--trust", V1 / "trust.toml", "--explorer", "https://a:b@example.org"),
            "--explorer: a URL to post to is",
        ),
        (("--node", "https://node.example.org"), "need --trust"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is(notary, words, said):
    done = notary("verify", PACKAGE, *words, expected=2)
    assert said in done.err
    assert done.out == ""


def test_without_the_client_it_is_said_what_to_install(notary, monkeypatch):
    monkeypatch.setitem(sys.modules, "notary.outbound", None)
    words = ("verify", PACKAGE, "--trust", V1 / "trust.toml")
    done = notary(*words, "--node", "https://node.example.org", expected=2)
    assert "install notary[server]" in done.err
    assert notary(*words).err == ""


def test_a_node_of_an_ipv6_address_is_shown_as_one():
    (source,) = asking.sources_of(["http://[::1]:8545/KEY"], [], allow_private=True)
    assert source.name == "node [::1]:8545"


def test_evidence_with_many_blocks_does_not_have_all_of_them_asked_for(server, wanted):
    server.told = says(wanted)
    sources = asking.sources_of([server.url], [], allow_private=True)
    blocks = [WantedBlock(31337, number, build.NOT_BEFORE[:32], 1) for number in range(40)]
    assert len(asking.ask(sources, blocks)) == asking.MAX_BLOCKS
    assert len(server.questions) == asking.MAX_BLOCKS + 1  # its chain id once


def test_a_node_counts_for_the_controls_as_well(notary, server, wanted, tmp_path, unnamed):
    server.told = says(wanted)
    done = notary(
        "verify", PACKAGE, "--trust", unnamed, "--node", server.url, "--allow-private", "--controls"
    )
    assert "Outcome 核验结论: passed 通过" in done.out
