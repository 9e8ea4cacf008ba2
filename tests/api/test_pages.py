"""The public pages as the app answers them: languages, headers, and what a record number tells to whom."""

import asyncio
import json
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import httpx
import pytest

from notary import keys, wiring
from notary.api.app import create_app
from notary.api.pages import fingerprint
from notary.api.schemas import Attestation, PublicRecord
from notary.api.words import choose_language, words
from notary.evidence.catalogue import CHECKS
from notary.evidence.number import make_number, show_number
from notary.services.records import Records
from notary.settings.loading import load_settings
from notary.store.connecting import open_database
from tests.databases import with_tables

API = Path(__file__).resolve().parents[2] / "notary/api"
DIGEST = sha256(b"a contract").hexdigest()
NOBODYS = show_number(make_number(1_700_000_000_000, b"nobody"))


@pytest.fixture(scope="module", params=[False, True], ids=["in earnest", "embedded"])
def assembly(request, tmp_path_factory):
    """A service with a log and without any anchor; records are closed by hand."""
    folder = tmp_path_factory.mktemp("service")
    keys.create(folder / "keys")
    settings = load_settings(
        data_dir=folder, origin="log.example.org/2026", operator="Example <Ltd> 示例", embedded=request.param
    )
    with_tables(settings.database_url).dispose()
    wiring.open_new_log(settings, 31337, bytes(20), bytes(32))
    assembly = wiring.build(settings)
    yield assembly
    assembly.close()


@pytest.fixture(scope="module")
def ask(assembly):
    """One request to the app."""
    return asker(assembly.services)


def asker(services):
    app = create_app(services)

    def ask(path, method="GET", **options):
        async def send():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    return ask


@pytest.fixture(scope="module")
def submitted(assembly, ask):
    """A record of each visibility, closed; the answers to their submission."""
    key = assembly.services.tenants.add("pages")
    found = {}
    for visibility in ("public", "by-document", "by-code", "private"):
        answer = ask(
            "/v1/evidence",
            "POST",
            json={"digests": {"sha-256": DIGEST}, "visibility": visibility},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 202, answer.text
        found[visibility] = answer.json()
    assembly.sequencer.sequence()
    return found


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def elements(text, tag):
    return [attributes for name, attributes in Elements(text).found if name == tag]


PAGES = ["/", "/verify", f"/e/{NOBODYS}", "/e/mistyped"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_there_in_both_languages(ask, path, language):
    page = ask(f"{path}?lang={language}")
    assert page.status_code == (400 if path == "/e/mistyped" else 200)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    (root,) = elements(page.text, "html")
    assert root["lang"] == {"zh": "zh-Hans", "en": "en"}[language]
    assert ("存证" in page.text.split("<main")[1]) is (language == "zh")
    (other,) = [link["hreflang"] for link in elements(page.text, "a") if "hreflang" in link]
    assert other != language
    assert len(elements(page.text, "h1")) == 1


def test_the_browser_chooses_the_language_unless_the_visitor_did(ask):
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
    assert 'lang="zh-Hans"' in ask("/", headers=chinese).text
    page = ask("/?lang=en", headers=chinese)
    assert '<html lang="en"' in page.text
    assert 'href="/verify?lang=en"' in page.text
    assert page.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("asked", "accept", "language"),
    [
        (None, "zh-TW", "zh"),
        (None, "zh", "zh"),
        (None, "en;q=0.5, zh;q=0.7", "zh"),
        (None, "en, zh", "en"),
        (None, "fr, zh;q=0.3, en;q=0.2", "zh"),
        (None, "zh;q=0, fr", "en"),
        (None, "zh;q=much", "en"),
        (None, "fr", "en"),
        (None, "", "en"),
        (None, ",;,;q=", "en"),
        ("xx", "zh", "zh"),
        ("zh", "en", "zh"),
    ],
)
def test_accept_language(asked, accept, language):
    assert choose_language(asked, accept) == language


@pytest.mark.parametrize("path", PAGES)
def test_the_embedded_service_says_on_every_page_that_its_anchors_prove_nothing(ask, assembly, path):
    embedded = assembly.services.embedded
    for language, sentence in (("zh", "不具有任何证明力"), ("en", "prove nothing")):
        body = ask(f"{path}?lang={language}").text.split("<body")[1]
        assert (sentence in body) is embedded


@pytest.mark.parametrize("path", PAGES)
def test_pages_obey_their_own_content_security_policy(ask, path):
    page = ask(path)
    assert "script-src 'self'; style-src 'self'" in page.headers["Content-Security-Policy"]
    for script in re.findall(r"<script(.*?)>(.*?)</script>", page.text, re.DOTALL):
        assert re.fullmatch(r' type="module" src="/static/[0-9a-f]{16}/\w+\.js"', script[0])
        assert script[1] == ""
    assert "<style" not in page.text
    for _, attributes in Elements(page.text).found:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            assert attributes.get(name, "/").startswith(("/", "#"))


def test_whatever_a_page_links_to_is_there(ask):
    for path in PAGES:
        for tag, name in (("script", "src"), ("link", "href"), ("img", "src"), ("a", "href")):
            for attributes in elements(ask(path).text, tag):
                if not attributes[name].startswith("#"):
                    assert ask(attributes[name]).status_code in (200, 400), attributes[name]


def test_the_words_and_the_log_key_reach_the_scripts(ask, assembly):
    (root,) = elements(ask("/verify?lang=zh").text, "html")
    spoken = json.loads(root["data-words"])
    assert spoken["not_found.title"] == "未在本服务找到"
    assert spoken["checks"]["3.2"]["name"] == CHECKS["3.2"].name_zh
    assert spoken["checks"]["3.2"]["could_not_be_checked"] == CHECKS["3.2"].unchecked_zh
    assert set(spoken["checks"]) == set(CHECKS)
    assert root["data-origin"] == "log.example.org/2026"
    assert root["data-vkeys"] == assembly.trust.log_key.vkey


def test_what_an_operator_calls_himself_is_no_markup(ask):
    assert "Example &lt;Ltd&gt; 示例" in ask("/").text


def test_static_files_may_be_kept_for_ever_under_their_own_fingerprint_alone(ask):
    answer = ask(f"/static/{fingerprint()}/verifier/sha256.js")
    assert answer.status_code == 200
    assert "javascript" in answer.headers["Content-Type"]
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    older = ask("/static/0123456789abcdef/verifier/sha256.js")
    assert older.content == answer.content
    assert older.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["nothing.js", "../pages.py", "%2e%2e/pages.py", "..%2fpages.py", ""])
def test_nothing_else_is_served_as_a_static_file(ask, path):
    assert ask(f"/static/{fingerprint()}/{path}").status_code == 404


@pytest.mark.parametrize(
    "typed", ["mistyped", NOBODYS[:-1] + "2", "0" * 16, "<script>", "一" * 16, "A" * 5000]
)
def test_a_mistyped_number_is_met_with_what_to_do(ask, typed):
    page = ask(f"/e/{typed}?lang=zh")
    assert page.status_code == 400
    assert "编号有误" in page.text
    assert "逐字核对" in page.text
    assert "<script>" not in page.text
    (field,) = elements(page.text, "input")
    assert field["value"] == typed[:64]


def test_a_number_is_read_as_people_type_it(ask):
    typed = NOBODYS.lower().replace("-", " ")
    assert NOBODYS in ask(f"/e/{typed}").text


def pages_alike(ask, number, query=""):
    """The page of `number`, with the number taken out."""
    page = ask(f"/e/{number}{query}")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    return page.text.replace(number, "N").replace(number.replace("-", ""), "N")


@pytest.mark.parametrize("visibility", ["by-document", "by-code", "private"])
def test_a_number_alone_never_tells_whether_there_is_a_record(ask, submitted, visibility):
    assert pages_alike(ask, submitted[visibility]["number"]) == pages_alike(ask, NOBODYS)


@pytest.mark.parametrize("visibility", ["by-document", "by-code", "private"])
@pytest.mark.parametrize(
    "query",
    [f"?digest=sha-256:{'0' * 64}", "?digest=sha-256:00", "?digest=md5:00", "?digest=x", f"?code={NOBODYS}"],
)
def test_nor_does_a_wrong_digest_or_code(ask, submitted, visibility, query):
    number = submitted[visibility]["number"]
    assert pages_alike(ask, number, query) == pages_alike(ask, NOBODYS, query)


def test_a_private_record_shows_itself_to_nobody_here(ask, submitted):
    record = submitted["private"]
    for query in (f"?digest=sha-256:{DIGEST}", f"?code={record['lookup_code']}"):
        assert pages_alike(ask, record["number"], query) == pages_alike(ask, NOBODYS, query)


@pytest.mark.parametrize(
    ("visibility", "query"),
    [("public", ""), ("by-document", f"?digest=sha-256:{DIGEST}"), ("by-code", "?code={lookup_code}")],
)
def test_who_may_see_a_record_is_shown_its_state(ask, submitted, visibility, query):
    record = submitted[visibility]
    page = ask(f"/e/{record['number']}{query.format(**record)}", headers={"Accept-Language": "zh"})
    assert 'id="state"' in page.text
    assert "已入册" in page.text.split("<main")[1]
    assert "data-visible" in page.text
    assert DIGEST not in page.text


def test_a_code_in_the_header_does_the_same(ask, submitted):
    record = submitted["by-code"]
    page = ask(f"/e/{record['number']}", headers={"Notary-Lookup-Code": record["lookup_code"].lower()})
    assert 'id="state"' in page.text


def test_while_the_database_is_away_the_page_of_a_number_stays_a_page(assembly):
    away = Records(open_database("postgresql://nobody@127.0.0.1:1/away"))
    ask = asker(replace(assembly.services, records=away))
    page = ask(f"/e/{NOBODYS}")
    assert page.status_code == 503
    assert NOBODYS in page.text


def test_the_catalogues_have_the_same_keys_and_places():
    zh, en = words("zh"), words("en")
    assert set(zh) == set(en) == {"page", "script"}
    for part in zh:
        assert list(zh[part]) == list(en[part])
        for key, text in zh[part].items():
            places = re.findall(r"\{(\w+)\}", text)
            assert set(places) == set(re.findall(r"\{(\w+)\}", en[part][key])), key
            assert text
            assert en[part][key]


def test_every_state_of_a_record_and_of_an_anchoring_has_words():
    page = words("en")["page"]
    for state in get_args(PublicRecord.model_fields["state"].annotation):
        assert f"state_{state}" in page
        assert f"state.{state}_means" in words("en")["script"]
    for state in get_args(Attestation.model_fields["state"].annotation):
        assert f"anchoring_{state}" in page
    for kind in get_args(Attestation.model_fields["kind"].annotation):
        assert f"kind_{kind}" in page


def test_scripts_use_every_word_that_they_have_and_no_other():
    source = "".join(path.read_text("utf-8") for path in sorted((API / "static").glob("*.js")))
    spoken = set(words("zh")["script"])
    assert set(re.findall(r'\bt\("([^"]+)"', source)) <= spoken
    literal = set(re.findall(r'"([\w.]+)"', source))
    # `a.${b}` stands for every key of that shape.
    families = [
        re.compile(re.sub(r"\\\$\\\{[^}]*\\\}", r"[\\w.]+", re.escape(text)))
        for text in re.findall(r"`([\w.]*\$\{[^`]*)`", source)
        if re.match(r"[a-z_]+\.\$", text)
    ]
    unused = {key for key in spoken - literal if not any(family.fullmatch(key) for family in families)}
    # Built from another key: "record.passed" and its "_means".
    assert {key for key in unused if key.removesuffix("_means") not in literal} == set()


def test_templates_use_every_word_that_they_have():
    source = "".join(path.read_text("utf-8") for path in sorted((API / "templates").glob("*.html")))
    literal = set(re.findall(r"\bt\.(\w+)", source))
    families = re.findall(r't\["(\w+_)" ~', source)
    unused = set(words("zh")["page"]) - literal
    assert {key for key in unused if not key.startswith(tuple(families))} == set()
