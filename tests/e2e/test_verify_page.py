"""The page that a stranger uses, in a real browser against the real service."""

import json
import re
import secrets
from hashlib import sha3_256, sha256, sha512

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import expect

from notary.evidence import canonical
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.statement import entry_of
from notary.merkle.hashing import hash_leaf

PHONE = {
    "viewport": {"width": 375, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


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


def calls_of(page):
    found = []
    page.on("request", lambda request: found.append(request))  # noqa: PLW0108 - Playwright marks its handlers
    return found


@pytest.mark.parametrize(
    ("locale", "title", "equal", "word"),
    [
        ("zh-CN", "核验一致", "文件与记录一致", "密码学核验一致"),
        ("en-GB", "It checks out", "Document equals the record", "recomputed"),
    ],
)
def test_who_has_the_document_finds_its_record_and_sees_it_checked(
    open_page, document, record, locale, title, equal, word
):
    page = open_page("/verify", locale=locale)
    page.set_input_files("#file", document)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-number", record["number"])
    expect(card.locator("h3")).to_have_text(title)
    findings = card.locator(".findings > li")
    expect(findings).to_have_count(4)
    assert outcomes_of(card) == ["passed"] * 4
    expect(findings.first).to_contain_text("SHA-256, SM3")
    expect(findings.first).to_contain_text(equal)
    expect(findings.first).to_contain_text(word)
    assert json.loads(card.locator("pre").text_content()) == json.loads(record["statement"])


def test_the_claimed_time_is_the_operators_word(open_page, document, record):
    page = open_page("/verify", locale="zh-CN")
    page.set_input_files("#file", document)
    section = page.locator(".record section", has_text="存证陈述的内容")
    expect(section.locator(".claim")).to_have_text("运营方陈述")
    expect(section).to_contain_text("声称的时间")


def test_the_document_stays_in_the_browser(open_page, document, record):
    page = open_page("/verify")
    calls = calls_of(page)
    page.set_input_files("#file", document)
    page.locator(".record").wait_for()
    assert [(call.method, call.post_data) for call in calls if "/v1/" in call.url] == [("GET", None)]


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_one_changed_byte_is_not_found_here_and_not_called_forged(
    open_page, document, record, tmp_path, locale
):
    data = bytearray(document.read_bytes())
    data[500] ^= 1
    (tmp_path / "contract.pdf").write_bytes(data)
    page = open_page("/verify", locale=locale)
    page.set_input_files("#file", tmp_path / "contract.pdf")
    box = page.locator(".notice.not_found")
    expect(box.locator("h3")).to_have_text({"zh-CN": "未在本服务找到", "en-GB": "Not found here"}[locale])
    expect(box).to_contain_text(
        {"zh-CN": "这不说明文件是伪造的", "en-GB": "does not say that it is forged"}[locale]
    )
    expect(page.locator(".record")).to_have_count(0)
    expect(page.locator(".failed")).to_have_count(0)


def tab_to(page, reached):
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(reached):
            return
    raise AssertionError(f"the Tab key does not lead to where {reached}")


def test_the_page_is_used_with_the_keyboard_alone(open_page, document, record):
    page = open_page("/verify")
    # The way there is inside: Playwright needs a moment until it catches the dialog.
    with page.expect_file_chooser() as chosen:
        tab_to(page, "document.activeElement.id === 'file'")
        page.keyboard.press("Enter")
    chosen.value.set_files(document)
    page.locator(".record").wait_for()
    # The result takes the focus, so the next keys go on from there.
    assert page.evaluate("document.activeElement.closest('#lookup-result') !== null")
    tab_to(page, "document.activeElement.dataset.action === 'time'")
    page.keyboard.press("Enter")
    expect(page.locator(".record .report")).to_be_visible()


def test_the_first_key_leads_past_the_navigation(open_page):
    page = open_page("/verify")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    expect(page.locator(".skip")).to_be_in_viewport()


def test_a_record_that_needs_a_code_is_found_with_it_alone(open_page, service, unknown):
    answer = service.submit(unknown.read_bytes(), visibility="by-code")
    service.wait_for(answer["number"], without={"close"})
    page = open_page("/verify")
    calls = calls_of(page)
    page.set_input_files("#file", unknown)
    expect(page.locator(".notice.not_found")).to_be_visible()
    page.fill("#code", answer["lookup_code"].lower())
    page.click("#lookup button")
    expect(page.locator(".record")).to_have_attribute("data-outcome", "passed")
    page.click("[data-action=time]")
    expect(page.locator(".record .report")).to_be_visible()
    code = answer["lookup_code"].replace("-", "")
    assert not [call.url for call in calls if code in call.url.upper().replace("-", "")]


def test_a_mistyped_code_is_noticed_before_anything_is_sent(open_page, unknown):
    page = open_page("/verify")
    calls = calls_of(page)
    page.fill("#code", "2222-2222-2222-2223")
    page.set_input_files("#file", unknown)
    expect(page.locator("#code-error")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "code"
    assert not [call.url for call in calls if "/v1/" in call.url]


def test_the_page_of_a_number_checks_that_record_alone(open_page, service, unknown):
    first = service.submit(unknown.read_bytes(), visibility="by-document")
    second = service.submit(unknown.read_bytes(), visibility="by-document")
    service.wait_for(second["number"], without={"close"})
    page = open_page("/verify")
    page.set_input_files("#file", unknown)
    expect(page.locator(".record")).to_have_count(2)
    assert page.locator(".record").first.get_attribute("data-number") == first["number"]
    page = open_page(f"/e/{second['number']}")
    page.set_input_files("#file", unknown)
    expect(page.locator(".record")).to_have_count(1)
    expect(page.locator(".record")).to_have_attribute("data-number", second["number"])


def test_a_code_behind_the_hash_of_a_link_opens_the_record_and_leaves_the_address(
    open_page, service, unknown
):
    answer = service.submit(unknown.read_bytes(), visibility="by-code")
    service.wait_for(answer["number"], without={"close"})
    page = open_page(f"/e/{answer['number']}?lang=zh#code={answer['lookup_code']}")
    card = page.locator(".record")
    expect(card.locator("h3")).to_have_text("记录核验一致，未比对文件")
    expect(card.locator("[data-check=document]")).to_have_attribute("data-outcome", "could_not_be_checked")
    assert page.url.endswith(f"/e/{answer['number']}?lang=zh")
    page.set_input_files("#file", unknown)
    expect(card.locator("h3")).to_have_text("核验一致")


def test_a_public_record_is_checked_without_being_asked(open_page, service, unknown):
    answer = service.submit(unknown.read_bytes(), visibility="public")
    service.wait_for(answer["number"], without={"close"})
    page = open_page(f"/e/{answer['number']}")
    expect(page.locator(".record")).to_have_attribute("data-outcome", "passed")


def test_the_home_page_leads_from_a_number_to_its_page(open_page, record):
    page = open_page("/?lang=zh")
    page.fill("#number", "not a number")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("编号有误")
    page.fill("#number", record["number"].lower())
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(record["number"])


def test_a_file_can_be_dropped(open_page, document, record):
    page = open_page("/verify")
    data = page.evaluate_handle(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "dropped.pdf"));
            return data;
        }""",
        document.read_text(),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})
    expect(page.locator(".record")).to_have_attribute("data-outcome", "passed")


def test_an_empty_file_is_told_apart(open_page, tmp_path):
    (tmp_path / "empty.pdf").touch()
    page = open_page("/verify")
    page.set_input_files("#file", tmp_path / "empty.pdf")
    expect(page.locator(".notice h3")).to_have_text("The file is empty")


def test_a_large_file_is_hashed_in_pieces_with_progress(open_page, service, tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(secrets.token_bytes(1 << 20) * 24)
    answer = service.submit(path.read_bytes(), visibility="by-document")
    service.wait_for(answer["number"], without={"close"})
    page = open_page("/verify")
    page.evaluate(
        """() => {
            window.seen = [];
            const bar = document.querySelector("#bar");
            new MutationObserver(() => seen.push(bar.value / bar.max)).observe(bar, { attributes: true });
        }"""
    )
    page.set_input_files("#file", path)
    expect(page.locator(".record")).to_have_attribute("data-outcome", "passed")
    seen = page.evaluate("seen")
    # Once for the look-up, and once more for SM3, which only the record that was found asks for.
    second = seen.index(1) + 1
    for run in (seen[:second], seen[second:]):
        assert run == sorted(run)
        assert 0 < next(value for value in run if value) < 0.2
        assert run[-1] == 1
    expect(page.locator("#progress")).to_be_hidden()


@pytest.mark.parametrize(("locale", "title"), [("zh-CN", "核验一致"), ("en-GB", "It checks out")])
def test_without_a_worker_and_without_webcrypto_it_checks_the_same(
    open_page, document, record, locale, title
):
    """As in an older browser, and on a plain http address."""
    page = open_page("/", locale=locale)
    page.add_init_script(
        "delete window.Worker; Object.defineProperty(crypto, 'subtle', { value: undefined })"
    )
    page.goto("/verify")
    page.set_input_files("#file", document)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "passed")
    expect(card.locator("h3")).to_have_text(title)
    assert outcomes_of(card) == ["passed"] * 4


@pytest.mark.parametrize(
    ("locale", "title"), [("zh-CN", "现在未能核验"), ("en-GB", "Could not be checked now")]
)
def test_a_service_that_is_not_reached_says_nothing_about_the_document(
    open_page, document, record, locale, title
):
    page = open_page("/verify", locale=locale)
    page.context.set_offline(True)
    page.set_input_files("#file", document)
    expect(page.locator("#lookup-result .notice h3")).to_have_text(title)
    expect(page.locator(".failed, .not_found")).to_have_count(0)
    page.context.set_offline(False)
    page.locator("#lookup-result button").click()
    expect(page.locator(".record")).to_have_attribute("data-outcome", "passed")


@pytest.mark.parametrize("status", [500, 503, 429])
def test_nor_does_one_that_cannot_answer(open_page, document, status):
    page = open_page("/verify")
    page.route("**/v1/lookup/**", lambda route: route.fulfill(status=status, body="no"))
    page.set_input_files("#file", document)
    expect(page.locator("#lookup-result .notice h3")).to_have_text("Could not be checked now")


def test_an_answer_that_is_no_answer_says_nothing_either(open_page, document):
    page = open_page("/verify")
    page.route("**/v1/lookup/**", lambda route: route.fulfill(status=200, body="<html>a captive portal"))
    page.set_input_files("#file", document)
    expect(page.locator("#lookup-result .notice h3")).to_have_text("Could not be checked now")


def altered(page, change):
    """The service lies: its answers to look-ups pass through `change`."""

    def handle(route):
        answer = route.fetch()
        body = answer.json()
        change(body["records"][0])
        route.fulfill(response=answer, json=body)

    page.route("**/v1/lookup/**", handle)


def outcomes_of(card):
    return [item.get_attribute("data-outcome") for item in card.locator(".findings > li").all()]


def made_up(data, real):
    """A record of `data` that fits together to its last hash, under the log's own name, by somebody else."""
    statement = json.loads(real["statement"])
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(data)
    statement["document"]["digests"] = {"sha-256": sha256(data).hexdigest(), "sm3": sm3.finalize().hex()}
    statement["document"]["size"] = len(data)
    text = canonical.dumps(statement)
    leaf = hash_leaf(entry_of(text))
    note = sign_checkpoint(Checkpoint(statement["log"], 1, leaf), Ed25519PrivateKey.generate())
    return {
        "number": real["number"],
        "entry": entry_of(text).hex(),
        "statement": text.decode(),
        "received": "2026-03-01T12:00:00Z",
        "state": "final",
        "proof": ProofFile(0, (), note.encode(), text).encode(TLOG_PROOF).decode(),
    }


@pytest.mark.parametrize(
    ("locale", "title", "sentence"),
    [
        ("zh-CN", "核验不一致", "没有本页面所列日志公钥的签名"),
        ("en-GB", "It does not check out", "No key that this page names for the log signed"),
    ],
)
def test_what_somebody_made_up_does_not_check_out(
    open_page, service, record, tmp_path, locale, title, sentence
):
    forged = tmp_path / "forged.pdf"
    forged.write_bytes(b"%PDF-1.7 what nobody signed")
    page = open_page("/verify", locale=locale)
    answer = {"algorithm": "sha-256", "records": [made_up(forged.read_bytes(), record)]}
    page.route("**/v1/lookup/**", lambda route: route.fulfill(status=200, json=answer))
    page.set_input_files("#file", forged)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "failed")
    expect(card.locator("h3").first).to_have_text(title)
    assert outcomes_of(card) == ["passed", "passed", "passed", "failed"]
    expect(card.locator("[data-check=signature]")).to_contain_text(sentence)


def digests_only(service, document, **claimed):
    digests = {"sha-256": sha256(document.read_bytes()).hexdigest(), **claimed}
    answer = service.submit_digests(digests, visibility="public")
    service.wait_for(answer["number"], without={"close"})


def test_every_claimed_digest_is_compared(open_page, service, unknown):
    data = unknown.read_bytes()
    digests_only(
        service,
        unknown,
        **{"sha-512": sha512(data).hexdigest(), "sha3-256": sha3_256(data).hexdigest()},
    )
    page = open_page("/verify")
    page.set_input_files("#file", unknown)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "passed")
    expect(card.locator("[data-check=document]")).to_contain_text("SHA-256, SHA-512, SHA3-256")


@pytest.mark.parametrize("name", ["sm3", "sha-384", "sha-512", "sha3-256"])
def test_a_claimed_digest_of_another_document_does_not_check_out(open_page, service, unknown, name):
    length = {"sm3": 32, "sha-384": 48, "sha-512": 64, "sha3-256": 32}[name]
    digests_only(service, unknown, **{name: "00" * length})
    page = open_page("/verify")
    page.set_input_files("#file", unknown)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "failed")
    expect(card.locator(".notice").first).to_contain_text("this document is not what its statement says")
    expect(card.locator("[data-check=document]")).to_contain_text(f"{name.upper()} of the document: not as")


def test_a_size_that_is_not_the_documents_does_not_check_out(open_page, service, unknown):
    digests = {"sha-256": sha256(unknown.read_bytes()).hexdigest()}
    answer = service.submit_digests(digests, size=7, visibility="public")
    service.wait_for(answer["number"], without={"close"})
    page = open_page("/verify", locale="zh-CN")
    page.set_input_files("#file", unknown)
    expect(page.locator(".record")).to_have_attribute("data-outcome", "failed")
    expect(page.locator("[data-check=document]")).to_contain_text("存证陈述写的是 7 字节")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh-CN", ["以上结论是本服务的陈述", "notary verify"]),
        ("en-GB", ["the word of this service", "notary verify"]),
    ],
)
def test_whose_word_the_result_is_stands_beside_it(open_page, document, record, locale, words):
    page = open_page("/verify", locale=locale)
    page.set_input_files("#file", document)
    for text in words:
        expect(page.locator(".record")).to_contain_text(text)


def set_to(**values):
    return lambda record: record.update(values)


def replaced(field, pattern, by):
    return lambda record: record.update({field: re.sub(pattern, by, record[field], count=1)})


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (replaced("proof", r"(?m)^index \d+", "index 0"), "tree"),
        (replaced("statement", r'"time":"2', '"time":"1'), "tree"),
        (set_to(entry="0" * 64), "statement"),
        (replaced("statement", r'("sha-256":")..', r"\g<1>00"), "document"),
    ],
)
def test_a_service_that_lies_is_found_out(open_page, document, record, change, failed):
    page = open_page("/verify", locale="zh-CN")
    altered(page, change)
    page.set_input_files("#file", document)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "failed")
    expect(card.locator("h3")).to_have_text("核验不一致")
    expect(card.locator(f"[data-check={failed}]")).to_have_attribute("data-outcome", "failed")


def test_a_record_that_is_not_closed_yet_is_neither_good_nor_bad(open_page, document, record):
    page = open_page("/verify")
    altered(page, set_to(proof=None, state="received"))
    page.set_input_files("#file", document)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "could_not_be_checked")
    expect(card.locator("h3")).to_have_text("Received, not in the log yet")
    expect(card.locator("[aria-current=step]")).to_have_attribute("data-state", "received")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_times_are_drawn_on_the_word_of_the_service(open_page, final, tmp_path, locale):
    data, _ = final
    (tmp_path / "contract.pdf").write_bytes(data)
    page = open_page("/verify", locale=locale)
    page.set_input_files("#file", tmp_path / "contract.pdf")
    expect(page.locator("[aria-current=step]")).to_have_attribute("data-state", "final")
    page.click("[data-action=time]")
    report = page.locator(".record .report")
    expect(report.locator("svg .certain")).to_have_count(1)
    expect(report.locator("svg")).to_have_attribute("aria-label", re.compile(r"20\d\d-"))
    expect(report.locator(".timeline tbody tr")).to_have_count(2)
    expect(report.locator(".notice")).to_contain_text(
        {"zh-CN": "运营方陈述", "en-GB": "stated by the operator"}[locale]
    )
    expect(report.locator(".notice")).to_contain_text(
        {"zh-CN": "不具有任何证明力", "en-GB": "prove nothing"}[locale]
    )


def test_the_package_is_downloaded_from_the_page(open_page, final, tmp_path):
    data, answer = final
    (tmp_path / "contract.pdf").write_bytes(data)
    page = open_page("/verify")
    page.set_input_files("#file", tmp_path / "contract.pdf")
    with page.expect_download() as download:
        page.click("[data-action=package]")
    assert download.value.suggested_filename == f"{answer['number']}.zip"
    assert download.value.path().read_bytes().startswith(b"PK")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_an_uploaded_package_is_checked_by_the_service(open_page, service, final, tmp_path, locale):
    _, answer = final
    path = tmp_path / "package.zip"
    path.write_bytes(service.package(answer["number"]))
    page = open_page("/verify", locale=locale)
    page.set_input_files("#package", path)
    page.click("#upload button")
    report = page.locator("#upload-result .report")
    expect(report).to_have_attribute("data-outcome", "could_not_be_checked")  # without the document
    tree = report.locator("[data-check='3.2']").first
    expect(tree).to_have_attribute("data-outcome", "passed")
    expect(tree).to_contain_text({"zh-CN": "记录在日志树中", "en-GB": "Entry is in the log's tree"}[locale])
    expect(report.locator(".notice li")).to_contain_text("2.3")
    expect(report.locator(".timeline svg")).to_be_visible()


def test_a_damaged_package_fails(open_page, service, final, tmp_path):
    _, answer = final
    data = service.package(answer["number"])
    path = tmp_path / "package.zip"
    path.write_bytes(data.replace(b'"version":1', b'"version":2', 1))
    page = open_page("/verify", locale="zh-CN")
    page.set_input_files("#package", path)
    page.click("#upload button")
    report = page.locator("#upload-result .report")
    expect(report).to_have_attribute("data-outcome", "failed")
    expect(report.locator("h3")).to_have_text("核验未通过")
    broken = report.locator("[data-check='1.1']")
    expect(broken).to_have_attribute("data-outcome", "failed")
    expect(broken.locator(".claim")).to_have_text("密码学核验不一致")


def test_a_pdf_that_is_no_report_of_the_service_is_not_found_here(open_page, unknown):
    page = open_page("/verify")
    page.set_input_files("#package", unknown)
    page.click("#upload button")
    expect(page.locator("#upload-result .notice h3")).to_have_text("Not found here")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_on_a_phone(open_page, final, tmp_path, locale, scheme):
    data, answer = final
    (tmp_path / "合同.pdf").write_bytes(data)
    page = open_page("/", locale=locale, color_scheme=scheme, **PHONE)
    for path in ("/", "/e/mistyped", f"/e/{answer['number']}", "/verify"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
    page.set_input_files("#file", tmp_path / "合同.pdf")
    page.click("[data-action=time]")
    page.locator(".record .report").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert small_targets(page) == []
    picture = page.screenshot(path=tmp_path / "phone.png", full_page=True)
    assert len(picture) > 50_000
    assert contrasts_below(page, 4.5) == []


def small_targets(page):
    """Buttons and fields that a thumb would miss: under 44 pixels high."""
    return page.evaluate(
        """() => [...document.querySelectorAll("button, .button, input:not([type=file])")]
            .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44)
            .map((one) => one.outerHTML)"""
    )


def contrasts_below(page, ratio):
    """Texts whose contrast with what is behind them is below `ratio` (WCAG 2.2, 1.4.3)."""
    return page.evaluate(
        """(ratio) => {
            const parse = (text) => text.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
                .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
                .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
            const behind = (one) => {
                for (; one; one = one.parentElement) {
                    const color = parse(getComputedStyle(one).backgroundColor);
                    if (color.length === 3 || color[3] === 1) return color;
                }
                return [255, 255, 255];
            };
            return [...document.querySelectorAll("body *:not(svg *)")].filter((one) => {
                const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
                if (!own || !one.offsetParent || one.disabled) return false;
                const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))];
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < ratio;
            }).map((one) => one.outerHTML.slice(0, 120));
        }""",
        ratio,
    )


def test_every_script_and_style_that_the_page_asks_for_is_there(open_page, service):
    page = open_page("/")
    answers = []
    page.on("response", lambda answer: answers.append((answer.status, answer.url)))
    page.goto("/verify")
    page.wait_for_load_state("networkidle")
    assert len(answers) > 10
    assert {status for status, _ in answers} == {200}


def test_the_page_without_scripts_says_what_else_can_be_done(open_page):
    page = open_page("/verify", locale="zh-CN", java_script_enabled=False)
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("#file")).to_be_disabled()
