"""The demo's evidence in the verifiers that a reader has, and its block at the real chain that it was anchored in.

Headers, states and proofs are a real node's, the time stamp is OpenSSL's; the others must answer what Python answers.
"""

import contextlib
import http.server
import json
import re
import subprocess
import threading
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from notary.anchoring.fields import quantity
from notary.evidence.package import read_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from tests.anchoring.local_chain import running
from tests.e2e import firefox
from tests.fuzz.verifiers import vector

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "notary/api/static/verifier/cli.mjs"
BLOCK = re.compile(r'\n\[\[chain\.block\]\]\nnumber = (\d+)\nhash = "(0x[0-9a-f]{64})"\n')


def by_python(package, trust):
    with package.open("rb") as stream:
        return vector(verify(read_package(stream), parse_trust(trust.read_bytes())).to_json())


def lines(result):
    return [(check["id"], check["outcome"], check["subject"]) for check in result["checks"]]


@pytest.fixture(scope="module")
def package(evidence):
    return evidence / "evidence.zip"


@pytest.fixture(scope="module")
def trust(evidence):
    return evidence / "trust.toml"


@pytest.fixture(scope="module")
def tool(package, tmp_path_factory):
    """verify.html as it lies in the package."""
    folder = tmp_path_factory.mktemp("tool")
    with zipfile.ZipFile(package) as archive:
        archive.extract("tools/verify.html", folder)
    return folder / "tools/verify.html"


@pytest.fixture(scope="module")
def controls(package):
    with zipfile.ZipFile(package) as archive:
        return [control["name"] for control in json.loads(archive.read("controls/expected.json"))["controls"]]


@pytest.fixture(scope="module")
def unnamed(trust, tmp_path_factory):
    """The same trust, which names no block: number and hash of each that it named, and the file."""
    text = trust.read_text() + "\n"
    path = tmp_path_factory.mktemp("unnamed") / "trust.toml"
    path.write_text(BLOCK.sub("\n", text))
    named = BLOCK.findall(text)
    assert named
    assert "chain.block" not in path.read_text()
    return dict(named), path


@pytest.fixture(scope="module")
def chain_url(evidence):
    return json.loads((evidence.service.data / "embedded.json").read_text())["chain_url"]


@pytest.fixture
def open_tool(browser, tool):
    """The tool from the disk in Chromium; it may log no fault."""
    faults = []
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(tool.as_uri())
    yield page
    context.close()
    assert faults == []


def choose(page, package, trust, **addresses):
    page.set_input_files("#package", package)
    page.set_input_files("#trust", trust)
    for name, address in addresses.items():
        page.fill(f"#{name}", address)
    page.click("button.main")
    page.locator(".notice").wait_for()


def rows(page):
    return [
        tuple(row.get_attribute(f"data-{name}") for name in ("check", "outcome", "subject"))
        for row in page.locator("tr[data-check]").all()
    ]


def test_node_says_of_the_demo_what_python_says(package, trust):
    command = ["node", RUNNER, package, "--trust", trust]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    wanted = by_python(package, trust)
    assert (done.returncode, done.stderr, wanted["outcome"]) == (0, "", "passed")
    assert vector(json.loads(done.stdout)) == wanted


def test_in_chromium_the_demo_passes_as_in_python_and_every_control_fails(
    open_tool, package, trust, controls
):
    choose(open_tool, package, trust)
    expect(open_tool.locator(".notice")).to_have_attribute("data-outcome", "passed")
    assert rows(open_tool) == lines(by_python(package, trust))
    tried = {
        row.get_attribute("data-control"): row.get_attribute("data-status")
        for row in open_tool.locator("tr[data-control]").all()
    }
    assert tried == dict.fromkeys(controls, "fails_as_stated")
    assert {"receipt-proof-one-bit", "header-one-bit", "token-imprint"} <= tried.keys()


if firefox.program() is None:

    def test_firefox_was_not_tried_on_the_demo_since_this_machine_has_none():
        """Not a test of the page: it stands in the list in place of the one below, which then is not there."""
        assert "Firefox was not tried" in firefox.MISSING

else:

    def test_in_firefox_the_demo_passes_as_in_python_and_every_control_fails(
        tmp_path, tool, package, trust, controls
    ):
        with contextlib.closing(firefox.Firefox(tmp_path)) as fox:
            fox.open(tool.as_uri())
            fox.choose_file("#package", package)
            fox.choose_file("#trust", trust)
            fox.click("button.main")
            fox.wait_for(".notice")
            read = (
                "return [...document.querySelectorAll(arguments[0])]"
                ".map((row) => arguments[1].map((name) => row.dataset[name]))"
            )
            assert fox.script(read, ".notice", ["outcome"]) == [["passed"]]
            shown = fox.script(read, "tr[data-check]", ["check", "outcome", "subject"])
            assert [tuple(row) for row in shown] == lines(by_python(package, trust))
            tried = fox.script(read, "tr[data-control]", ["control", "status"])
            assert dict(tried) == dict.fromkeys(controls, "fails_as_stated")


# The block at the chain itself


class _Explorer(http.server.BaseHTTPRequestHandler):
    """An explorer's API before the real chain: the question in the URL, a block or a refusal in the answer."""

    ask_chain = None

    def do_GET(self):
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        known = {"module": "proxy", "action": "eth_getBlockByNumber", "boolean": "false", "chainid": "31337"}
        if asked.pop("apikey", "") != "K&1" or {name: asked.get(name) for name in known} != known:
            answer = {"status": "0", "message": "NOTOK", "result": "Missing or invalid key"}
        else:
            block = type(self).ask_chain("eth_getBlockByNumber", asked["tag"], False)
            answer = {"jsonrpc": "2.0", "id": 1, "result": block}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def explorer_url(evidence):
    handler = type("Explorer", (_Explorer,), {"ask_chain": staticmethod(evidence.service.ask_chain)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api?apikey=K%261"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def other_chain(unnamed):
    """Another chain of the same id, with other blocks of the same numbers."""
    with running() as chain:
        chain.mine(max(map(int, unnamed[0])) + 1)
        assert all(
            chain.node.ask("eth_getBlockByNumber", hex(int(number)), False)["hash"] != block_hash
            for number, block_hash in unnamed[0].items()
        )
        yield chain.url


@pytest.fixture
def verified(evidence, package, unnamed):
    """`notary verify --json` with the trust file that names no block: exit status, and the result."""

    def run(*arguments):
        words = ("verify", package, "--trust", unnamed[1], "--json", *arguments)
        status, out, err = evidence.service.attempt(*map(str, words))
        assert err == ""
        return status, json.loads(out)

    return run


def found(result, id_):
    return [(check["outcome"], check["detail"]) for check in result["checks"] if check["id"] == id_]


def test_without_a_node_the_result_says_which_blocks_are_left_to_compare(verified, unnamed):
    status, result = verified()
    assert (status, result["outcome"]) == (2, "could_not_be_checked")
    for number, block_hash in unnamed[0].items():
        wanted = f"compare with a node that you trust: block {number}, hash {block_hash}, time "
        assert any(detail.startswith(wanted) for _, detail in found(result, "6.2"))


def test_a_node_that_has_the_blocks_counts_as_if_the_trust_file_named_them(
    verified, chain_url, package, trust, evidence
):
    chain_id = quantity(evidence.service.ask_chain("eth_chainId"))
    assert chain_id == 31337
    status, result = verified("--node", chain_url, "--allow-private")
    assert (status, vector(result)) == (0, by_python(package, trust))
    said = f", by the word of node {urlsplit(chain_url).netloc}"
    assert found(result, "6.2")
    for outcome, detail in found(result, "6.2"):
        assert (outcome, detail.endswith(said)) == ("passed", True), detail


def test_an_explorer_that_has_the_blocks_counts_alike_and_its_key_is_not_shown(
    verified, explorer_url, package, trust
):
    status, result = verified("--explorer", explorer_url, "--allow-private")
    assert (status, vector(result)) == (0, by_python(package, trust))
    said = f", by the word of explorer {urlsplit(explorer_url).netloc}"
    assert all(detail.endswith(said) for _, detail in found(result, "6.2"))
    assert "K%261" not in json.dumps(result)
    status, result = verified("--explorer", explorer_url.replace("K%261", "none"), "--allow-private")
    assert (status, {outcome for outcome, _ in found(result, "6.2")}) == (2, {"could_not_be_checked"})
    assert all("it refuses to answer: Missing or invalid key" in detail for _, detail in found(result, "6.2"))


@pytest.mark.parametrize("named", [False, True], ids=["alone", "beside a node that confirms it"])
def test_another_chain_of_the_same_id_fails_it_whoever_else_confirms_it(
    verified, other_chain, chain_url, named
):
    more = ("--node", chain_url) if named else ()
    status, result = verified("--node", other_chain, *more, "--allow-private")
    assert (status, result["outcome"]) == (1, "failed")
    for outcome, detail in found(result, "6.2"):
        assert outcome == "failed"
        assert f"node {urlsplit(other_chain).netloc} has another: 0x" in detail


def test_in_the_page_a_node_that_has_the_blocks_closes_the_check(
    open_tool, package, unnamed, chain_url, trust
):
    choose(open_tool, package, unnamed[1])
    expect(open_tool.locator(".notice")).to_have_attribute("data-outcome", "could_not_be_checked")
    shown = {
        block.get_attribute("data-block"): block.locator(".mono").text_content()
        for block in open_tool.locator("[data-block]").all()
    }
    assert unnamed[0].items() <= shown.items()
    choose(open_tool, package, unnamed[1], node=chain_url)
    open_tool.locator("[data-node]").first.wait_for()
    expect(open_tool.locator(".notice")).to_have_attribute("data-outcome", "passed")
    assert rows(open_tool) == lines(by_python(package, trust))
    confirmed = open_tool.locator("[data-check='6.2']").first
    expect(confirmed).to_contain_text(f"by the word of node {urlsplit(chain_url).netloc}")
    expect(open_tool.locator("[data-node]:not([data-node=same])")).to_have_count(0)
    expect(open_tool.locator("tr[data-control]:not([data-status=fails_as_stated])")).to_have_count(0)


def test_in_the_page_an_explorer_confirms_and_another_chain_contradicts(
    open_tool, package, unnamed, explorer_url, other_chain
):
    choose(open_tool, package, unnamed[1], explorer=explorer_url)
    open_tool.locator("[data-node=same]").first.wait_for()
    expect(open_tool.locator(".notice")).to_have_attribute("data-outcome", "passed")
    choose(open_tool, package, unnamed[1], explorer=explorer_url, node=other_chain)
    open_tool.locator("[data-node=other]").first.wait_for()
    expect(open_tool.locator(".notice")).to_have_attribute("data-outcome", "failed")
    expect(open_tool.locator("h2")).to_have_text("✗ Failed: do not believe this result")
    expect(open_tool.locator("[data-check='6.2'][data-outcome=failed]").first).to_contain_text(
        "has another hash"
    )
    with open_tool.expect_download() as download:
        open_tool.get_by_role("button", name="Download the result").click()
    assert json.loads(Path(download.value.path()).read_text())["outcome"] == "failed"
