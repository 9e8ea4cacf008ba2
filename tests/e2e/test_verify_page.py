"""The page that a stranger uses, in a real browser against the real service."""

import json
import secrets

import pytest
from playwright.sync_api import expect

from tests.e2e.cards import outcomes_of


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
