"""The page that a stranger uses: times, packages, a telephone, no scripts."""

import re

import pytest
from playwright.sync_api import expect

PHONE = {
    "viewport": {"width": 375, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


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
def test_nothing_is_cut_off_on_a_phone_in_light_or_in_dark(open_page, final, tmp_path, locale):
    data, answer = final
    (tmp_path / "合同.pdf").write_bytes(data)
    page = open_page("/", locale=locale, **PHONE)
    for path in ("/", "/e/mistyped", f"/e/{answer['number']}", "/verify"):
        page.goto(path)
        for scheme in in_each_scheme(page):
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, (path, scheme)
    page.set_input_files("#file", tmp_path / "合同.pdf")
    page.click("[data-action=time]")
    page.locator(".record .report").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    pictures = {}
    for scheme in in_each_scheme(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, scheme
        assert small_targets(page) == [], scheme
        pictures[scheme] = page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True, scale="css")
        assert len(pictures[scheme]) > 50_000, scheme
        assert contrasts_below(page, 4.5) == [], scheme
    assert pictures["light"] != pictures["dark"]


def in_each_scheme(page):
    """The page as it stands, in each of the two colour schemes: loading it takes longer than all that is asked."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        yield scheme


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
