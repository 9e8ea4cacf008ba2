"""`verify.html`, opened from a disk in real browsers, without a service and without a network."""

import contextlib
import http.server
import importlib.util
import json
import re
import shutil
import socketserver
import subprocess
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
V1 = ROOT / "tests/testdata/v1"
PAGE = ROOT / "notary/services/package_tools/verify.html"
MAKER = ROOT / "tests/verifier_js/make_packages.mjs"
RUNNER = ROOT / "notary/api/static/verifier/cli.mjs"

_spec = importlib.util.spec_from_file_location("e2e_firefox", HERE / "firefox.py")
firefox = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(firefox)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Packages with and without faults, of the small log that the tests of the verifier make."""
    folder = tmp_path_factory.mktemp("made")
    subprocess.run(["node", MAKER], cwd=folder, check=True, timeout=60)
    shutil.copy(PAGE, folder / "verify.html")
    return folder


def result_of(package, trust):
    """What the same modules say under Node."""
    command = ["node", RUNNER, package, "--trust", trust]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return json.loads(run.stdout)


@pytest.fixture
def open_file(browser, made):
    """Opens the page from the disk; it may log no fault and ask for nothing that was not expected."""
    with contextlib.ExitStack() as stack:
        faults, asked = [], []

        def open_(locale="en-GB", **options):
            context = browser.new_context(locale=locale, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
            page.on("request", lambda request: asked.append(request.url))
            page.goto((made / "verify.html").as_uri())
            return page

        open_.asked = asked
        yield open_
        assert faults == []


def choose(page, package, trust, document=None):
    page.set_input_files("#package", package)
    if trust is not None:
        page.set_input_files("#trust", trust)
    if document is not None:
        page.set_input_files("#document", document)
    page.click("button.main")
    page.locator(".notice").wait_for()


def rows(page):
    return [
        tuple(row.get_attribute(f"data-{name}") for name in ("check", "outcome", "subject"))
        for row in page.locator("tr[data-check]").all()
    ]


def test_a_package_passes_as_under_node_and_nothing_is_asked_for(open_file, made):
    page = open_file()
    choose(page, V1 / "package.zip", V1 / "trust.toml")
    expect(page.locator(".notice")).to_have_attribute("data-outcome", "passed")
    wanted = result_of(V1 / "package.zip", V1 / "trust.toml")
    assert rows(page) == [(check["id"], check["outcome"], check["subject"]) for check in wanted["checks"]]
    assert open_file.asked == [(made / "verify.html").as_uri()]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the result").click()
    assert json.loads(Path(download.value.path()).read_text()) == wanted


@pytest.mark.parametrize(
    ("locale", "passed", "sentence"),
    [("zh-CN", "通过", "内容已存在"), ("en-GB", "Passed", "The content existed")],
)
def test_it_speaks_the_readers_language_and_the_other(open_file, locale, passed, sentence):
    page = open_file(locale)
    choose(page, V1 / "package.zip", V1 / "trust.toml")
    expect(page.locator("h2")).to_contain_text(passed)
    expect(page.locator("main")).to_contain_text(sentence)
    other = {"zh-CN": "English", "en-GB": "简体中文"}[locale]
    page.get_by_role("button", name=other).click()
    expect(page.locator("h2")).to_contain_text({"zh-CN": "Passed", "en-GB": "通过"}[locale])


def in_doubt(page, heading, reason, *, told=False):
    """The headline, of a failure whatever the checks say, and why; no file is given out that says otherwise."""
    notice = page.locator(".notice")
    expect(page.locator("button.download")).to_have_count(int(told))
    expect(page.locator(".no-download")).to_have_count(int(not told))
    expect(notice).to_have_attribute("data-outcome", "failed")
    expect(notice.locator("h2")).to_have_text(f"✗ {heading}")
    expect(notice).to_contain_text(reason)


def test_a_list_of_controls_out_of_its_form_is_not_believed(open_file, made):
    page = open_file()
    choose(page, made / "broken.zip", made / "trust.toml")
    in_doubt(page, "Failed: do not believe this result", "controls/expected.json is not of its form")
    assert [row for row in rows(page) if row[1] == "failed"] == []


def test_controls_fail_as_stated_or_that_is_said(open_file, made):
    page = open_file()
    choose(page, made / "controls.zip", made / "trust.toml")
    found = {
        row.get_attribute("data-control"): row.get_attribute("data-status")
        for row in page.locator("tr[data-control]").all()
    }
    assert found == {
        "sibling": "fails_as_stated",
        "document": "fails_as_stated",
        "nothing": "does_not_fail_as_stated",
    }
    in_doubt(page, "Failed: do not believe this result", "A negative control does not fail as stated")
    page.get_by_role("button", name="简体中文").click()
    in_doubt(page, "未通过：本次结果不可信", "有反向对照未如实不通过")
    page.get_by_role("button", name="English").click()
    expect(page.locator("[data-withheld]")).to_contain_text("withheld")
    expect(page.locator("[data-opened=phase]")).to_have_text("signed")


def test_what_is_wrong_is_shown_where_it_is(open_file, made):
    page = open_file("zh-CN")
    choose(page, made / "bad.zip", made / "trust.toml", made / "trust.toml")
    expect(page.locator(".notice")).to_have_attribute("data-outcome", "failed")
    assert [row[0] for row in rows(page) if row[1] == "failed"] == ["2.3", "3.2"]
    expect(page.locator("[data-check='3.2'][data-outcome=failed]")).to_contain_text("路径不通向检查点的根")


def test_what_stands_in_the_evidence_is_text(open_file, made):
    page = open_file()
    choose(page, made / "hostile.zip", made / "trust.toml")
    expect(page.locator("[data-opened=holder]")).to_contain_text("<img src=x")
    assert page.title() != "hurt"
    expect(page.locator("[data-opened=title]")).to_have_text("gpj.U+202Efdp")


def test_the_keys_that_signed_are_shown(open_file, made):
    page = open_file("zh-CN")
    choose(page, made / "controls.zip", made / "trust.toml")
    vkeys = re.findall(r'vkey = "([^"]+)"', (made / "trust.toml").read_text())
    shown = [
        (row.get_attribute("data-signer"), row.get_attribute("data-key"))
        for row in page.locator("tr[data-signer]").all()
    ]
    assert shown == [("log", vkeys[0]), ("log", vkeys[0]), ("receipt", vkeys[1])]
    expect(page.locator(".signers")).to_contain_text("签名密钥")


@pytest.mark.parametrize(
    ("proof", "beside"),
    [("inclusion.tlog-proof", None), ("proof.json", None), ("receipt.cose", "statements/document.json")],
)
def test_a_proof_on_its_own_is_checked_with_what_lies_beside_it(open_file, proof, beside):
    page = open_file("zh-CN")
    if beside is not None:
        choose(page, V1 / proof, V1 / "trust.toml")
        expect(page.locator(".notice")).to_have_attribute("data-error", "beside_error")
        page.set_input_files("#beside", V1 / beside)
        page.click("button.main")
        page.locator(".notice[data-outcome]").wait_for()
    else:
        choose(page, V1 / proof, V1 / "trust.toml")
    expect(page.locator(".notice")).to_have_attribute("data-outcome", "could_not_be_checked")
    assert {row[0] for row in rows(page) if row[1] == "passed"} >= {"1.1", "2.1", "2.2", "3.1", "3.2"}
    assert {row[0] for row in rows(page) if row[1] == "failed"} == set()


@pytest.mark.parametrize(
    ("package", "trust", "error"),
    [("trust.toml", "trust.toml", "no_evidence"), ("bad.zip", "bad.zip", "trust_error")],
)
def test_what_gives_no_result_says_so(open_file, made, package, trust, error):
    page = open_file()
    choose(page, made / package, made / trust)
    expect(page.locator(".notice")).to_have_attribute("data-error", error)


def test_it_is_used_with_a_keyboard_alone_on_a_phone(open_file, made):
    page = open_file("zh-CN", viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True)
    page.set_input_files("#package", V1 / "package.zip")
    page.set_input_files("#trust", V1 / "trust.toml")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('main')"):
            break
    page.keyboard.press("Enter")
    page.locator(".notice[data-outcome=passed]").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


class _Node(http.server.BaseHTTPRequestHandler):
    """A node of chain 31337 that knows one block."""

    block_hash = ""

    def do_OPTIONS(self):
        self._answer(b"")

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        block = {"number": (request["params"] or [None])[0], "hash": self.block_hash}
        result = "0x7a69" if request["method"] == "eth_chainId" else block
        self._answer(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "content-type")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_result_in_which_something_failed_is_given_out_though_a_control_stands(open_file, made):
    page = open_file()
    choose(page, made / "controls.zip", made / "trust.toml", made / "trust.toml")
    in_doubt(page, "Failed: do not believe this result", "does not fail as stated", told=True)


@pytest.mark.parametrize(("same", "node"), [(True, "same"), (False, "other")])
def test_a_node_is_asked_only_where_the_reader_names_it(open_file, made, same, node):
    page = open_file()
    choose(page, V1 / "package.zip", V1 / "trust.toml")
    shown = page.locator(".blocks .mono").text_content()
    handler = type("Node", (_Node,), {"block_hash": shown if same else "0x" + "00" * 32})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        page.fill("#node", f"http://127.0.0.1:{server.server_address[1]}/")
        page.click("button.main")
        page.locator(f"[data-node={node}]").wait_for()
        if same:
            expect(page.locator(".notice")).to_have_attribute("data-outcome", "passed")
        else:
            in_doubt(page, "Failed: do not believe this result", "another hash of the block", told=True)
            with page.expect_download() as download:
                page.click("button.download")
            result = json.loads(Path(download.value.path()).read_text())
            assert result["outcome"] == "failed"
            assert [check["id"] for check in result["checks"] if check["outcome"] == "failed"] == ["6.2"]
        server.shutdown()
        thread.join()


def test_a_large_document_is_read_piece_by_piece(open_file, made, tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(50 << 20)  # a dozen pieces
    page = open_file()
    choose(page, made / "controls.zip", made / "trust.toml", tmp_path / "large")
    expect(page.locator("[data-check='2.3'][data-subject=given]")).to_have_attribute("data-outcome", "failed")


if firefox.program() is None:

    def test_firefox_was_not_tried_since_this_machine_has_none():
        """Not a test of the page: it stands in the list in place of those below, which then are not there."""
        assert "Firefox was not tried" in firefox.MISSING

else:

    @pytest.fixture(scope="module")
    def fox(tmp_path_factory):
        driven = firefox.Firefox(tmp_path_factory.mktemp("firefox"), locale="zh-CN, zh")
        yield driven
        driven.close()

    def in_firefox(fox, made, package, trust):
        fox.open((made / "verify.html").as_uri())
        fox.choose_file("#package", package)
        fox.choose_file("#trust", trust)
        fox.click("button.main")
        fox.wait_for(".notice")
        read = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".map((row) => arguments[1].map((name) => row.dataset[name]))"
        )
        return lambda selector, *names: [tuple(row) for row in fox.script(read, selector, list(names))]

    def test_in_firefox_a_package_passes_as_under_node(fox, made):
        read = in_firefox(fox, made, V1 / "package.zip", V1 / "trust.toml")
        assert read(".notice", "outcome") == [("passed",)]
        wanted = result_of(V1 / "package.zip", V1 / "trust.toml")["checks"]
        assert read("tr[data-check]", "check", "outcome", "subject") == [
            (c["id"], c["outcome"], c["subject"]) for c in wanted
        ]
        assert "通过" in fox.script("return document.querySelector('h2').textContent")

    def test_in_firefox_controls_fail_as_stated(fox, made):
        read = in_firefox(fox, made, made / "controls.zip", made / "trust.toml")
        assert read("tr[data-control]", "control", "status") == [
            ("sibling", "fails_as_stated"),
            ("document", "fails_as_stated"),
            ("nothing", "does_not_fail_as_stated"),
        ]

    def test_in_firefox_what_is_wrong_fails(fox, made):
        read = in_firefox(fox, made, made / "bad.zip", made / "trust.toml")
        assert read(".notice", "outcome") == [("failed",)]
        assert ("3.2", "failed") in read("tr[data-check]", "check", "outcome")
