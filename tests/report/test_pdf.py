"""The PDF says what the facts say, whatever text they hold, and is the same bytes every time."""

import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import typst
import zxingcpp

from notary.errors import ToolMissing
from notary.evidence.outcome import Bound, Claim, Outcome
from notary.report.facts import HeadFact, facts_of, heads_of
from notary.report.glyphs import coverage, shown
from notary.report.pdf import render
from notary.report.phrases import catalogue
from tests.evidence import build as evidence
from tests.report import build
from tests.report.build import check, facts, inspection, signature

HOSTILE = '*b* #import "/etc/passwd" $x^2$ <label> @ref \\ ` // /* {name} %s 😀 \u202eמשה\x00'


def pages(pdf):
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def text(pdf):
    """Without line breaks and spaces: where a line breaks is the layout's business."""
    return squeezed("".join(pages(pdf)))


def squeezed(said):
    return re.sub(r"[\s\ufffe]", "", said)


@pytest.fixture(scope="module")
def good():
    checks = (*build.CHECKS, check("9.1", claim=Claim.STATED))
    return render(
        facts(build.result(checks), inspection=inspection(signature()), evidence_digests={"p.zip": "9" * 64})
    )


def test_a_good_record_fills_two_pages(good):
    assert len(pages(good)) == 2


def test_two_signers_and_an_inspection_under_a_later_head_fit_on_two_pages():
    """What a contract of two parties comes to."""
    later = [check(id_, subject=f"head {size}") for id_ in ("3.1", "3.2") for size in (1024, 1030)]
    later += [check("5.1", claim=Claim.ATTESTED, subject=f"local-tsa@{size}") for size in (1024, 1030)]
    checks = tuple(c for c in build.CHECKS if c.id not in {"3.1", "3.2", "5.1"}) + tuple(later)
    open_ = check("2.3", Outcome.UNCHECKED, detail="no document was given and the package holds none")
    checks = (*(open_ if c.id == "2.3" else c for c in checks), check("9.1", claim=Claim.STATED))
    again = Bound("rfc3161", "tsa-north", build.BOUNDS[0].organisation, build.at(40), 1030)
    interval = replace(build.INTERVAL, bounds=(*build.BOUNDS, again))
    signers = [
        signature(
            field=f"party-{name}",
            signer=f"CN={person},O={side}方示例有限公司,C=CN",
            issuer="CN=示例测试根证书 Example Test Root,O=示例测试机构,C=CN",
            stamped_time=None,
            stamp=None,
            trust="unrecognised",
            validity="could_not_be_checked",
        )
        for name, person, side in (("a", "张三", "甲"), ("b", "李四", "乙"))
    ]
    report = facts(
        build.result(checks, interval),
        heads=[HeadFact(1024, build.ROOT), HeadFact(1030, build.ROOT)],
        inspection=inspection(*signers),
        evidence_digests={"package.zip": "9" * 64},
        proves_nothing=True,
    )
    assert len(pages(render(report))) == 2


@pytest.mark.parametrize(
    "said",
    [
        "存证核验报告",
        "核验通过",
        "示例存证服务有限公司",
        "房屋租赁合同.pdf",
        "182,733 字节",
        build.SHA256,
        build.SM3,
        build.ENTRY,
        "2026-11-24 02:07:00 UTC",
        "北京时间 2026-11-24 10:07:00",
        "国家授时示例中心",
        "Acme Trust Services",
        "chain 11155111",
        "密码学核验一致",
        "第三方证明",
        "运营方陈述",
        "未覆盖",
        "不是公证书",
        "由运营方依其自己的信任文件核验，区块取自 1 个节点",
        build.URL,
        "不访问此地址也能核验",
    ],
)
def test_page_one_has_the_conclusion(good, said):
    assert squeezed(said) in squeezed(pages(good)[0])


@pytest.mark.parametrize(
    "said",
    [
        "3.2 记录在日志树中",
        "6.5 合约代码受信任",
        build.ROOT,
        build.ANCHOR.block_hash,
        build.ANCHOR.contract,
        build.ANCHOR.log_id,
        "11155111 / 9182745",
        "CN=上海示例租赁有限公司",
        "2026-11-24T01:58:02Z",
        "未识别的签名人不算有效",
        "notary verify PACKAGE.zip --trust TRUST.toml",
        "9" * 64,
    ],
)
def test_page_two_has_how_it_was_checked(good, said):
    assert squeezed(said) in squeezed(pages(good)[1])


def test_the_same_facts_give_the_same_bytes_in_another_process(good, tmp_path):
    code = (
        "import sys; from tests.report.build import *; from notary.report.pdf import render;"
        "sys.stdout.buffer.write(render(facts()))"
    )
    command = [sys.executable, "-c", code]
    other = subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2]).stdout
    assert sha256(other).digest() == sha256(render(facts())).digest()


def test_other_facts_give_other_bytes():
    assert render(facts()) != render(facts(generated=build.at(61)))


@pytest.mark.parametrize("field", ["document_name", "operator"])
def test_hostile_text_is_printed_and_never_read(field):
    assert squeezed(shown(HOSTILE)) in text(render(facts(**{field: HOSTILE})))


def test_hostile_text_is_printed_wherever_it_comes_from():
    bound = build.Bound("rfc3161", "tsa", HOSTILE, build.at(5), 1024)
    failed = check("5.1", Outcome.FAILED, Claim.ATTESTED, HOSTILE, HOSTILE)
    signed = signature(
        signer=HOSTILE, issuer=HOSTILE, field=HOSTILE, trust=HOSTILE, covers=HOSTILE, kind=HOSTILE
    )
    result = build.result(
        (*build.CHECKS, failed),
        build.Interval(None, "", build.at(5), 1, (bound,)),
        openings={"title": HOSTILE, "metadata": {HOSTILE: [HOSTILE]}},
    )
    found = text(render(facts(result, inspection=inspection(signed))))
    assert found.count(squeezed(shown(HOSTILE))) >= 8


def test_a_very_long_name_stays_on_the_page():
    pdf = render(facts(document_name="x" * 5000, operator="y" * 300))
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            words = page.get_textpage()
            width = page.get_width()
            boxes = [words.get_charbox(i) for i in range(words.count_chars())]
            assert max(box[2] for box in boxes) < width - 40
    assert "(5000)" in text(pdf)


def test_every_character_of_the_font_can_be_printed():
    characters = [chr(code) for code in sorted(coverage()) if shown(chr(code)) == chr(code)]
    parts = ["".join(characters[i : i + 150]) for i in range(0, len(characters), 150)]
    openings = {f"part {number}": part for number, part in enumerate(parts)}
    assert render(facts(build.result(openings=openings))).startswith(b"%PDF-")


def test_a_record_that_waits_says_so():
    pdf = render(facts(build.pending(), heads=(), anchors=(), document_name=None))
    found = text(pdf)
    assert "尚不能得出结论" in found
    assert "尚未入册" in found
    assert "核验通过" not in found
    assert "没有区块链锚定的数据" in found


def test_a_failed_record_says_which_check_failed_and_why():
    failed = check("2.3", Outcome.FAILED, detail="the sha-256 of the document is 00")
    found = text(render(facts(build.result(build.replaced(failed)))))
    assert "核验未通过" in found
    assert "thesha-256ofthedocumentis00" in found
    assert "核验通过" not in found


def test_evidence_that_could_not_be_read_has_a_report_too():
    unreadable = build.result((check("1.1", Outcome.FAILED),), None, statement=None, entry="", index=None)
    assert "核验未通过" in text(render(facts(unreadable, heads=(), anchors=(), verify_url="")))


def test_every_page_of_the_embedded_profile_says_that_it_proves_nothing():
    said = squeezed(catalogue("zh")["frame"]["demo"])
    assert all(said in squeezed(page) for page in pages(render(facts(proves_nothing=True))))
    assert said not in text(render(facts()))


def test_many_signatures_flow_on(good):
    signed = [signature(field=f"Signature{number}") for number in range(64)]
    pdf = render(facts(inspection=inspection(*signed, truncated=True)))
    assert len(pages(pdf)) > 2
    assert "Signature63" in text(pdf)
    assert "仅列出其中一部分" in text(pdf)


def test_revisions_and_what_the_standards_say_of_a_signature_are_printed_in_both_languages():
    first = signature(
        field="party-a",
        covers="revision",
        changes_after="allowed",
        chain=[0, 1, 2],
        doc_mdp=2,
        field_mdp={"action": "exclude", "fields": ["party-b"]},
        level="B-LT",
        ades_indication="INDETERMINATE",
        ades_sub_indication="NO_POE",
    )
    second = signature(field="party-b", revision=3, chain=[0])
    rows = [(1, 1234567, "a1" * 32), (2, 1300000, "b2" * 32), (3, 1400001, "c3" * 32)]
    prefixes = [{"revision": n, "length": size, "sha256": digest, "sm3": None} for n, size, digest in rows]
    report = build.inspection_2(first, second, prefixes=prefixes, removed_fields=["witness"])
    pdf = render(facts(inspection=report))
    found = text(pdf)
    for said in (
        "1,234,567", "a1" * 32, "1,300,000", "b2" * 32, "c3" * 32,
        "party-a（其后：允许的改动）", "party-a (after: allowed ones)", "无签名", "no signature",
        "允许的改动", "填写与签名", "filling in and signing", "未声明", "not stated",
        "除 party-b 以外的域", "all but party-b", "B-LT", "INDETERMINATE NO_POE",
        "CN=示例签发机构 < CN=Example Root", "较早版本中的签名已被去除：witness", "were taken away: witness",
    ):  # fmt: skip
        assert squeezed(said) in found, said
    assert len(pages(pdf)) == 2
    # Version 1 says none of it.
    plain = text(render(facts(inspection=inspection(signature()))))
    assert squeezed("上级证书") not in plain
    assert squeezed("该版本的 SHA-256") not in plain


def test_the_qr_code_leads_to_the_address(good):
    with pypdfium2.PdfDocument(good) as document:
        picture = document[0].render(scale=150 / 72).to_pil()
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [build.URL]


def test_without_an_address_there_is_no_qr_code():
    pdf = render(facts(verify_url=""))
    with pypdfium2.PdfDocument(pdf) as document:
        picture = document[0].render(scale=150 / 72).to_pil()
    assert zxingcpp.read_barcodes(picture) == []
    assert "可离线核验" in text(pdf)


def test_it_is_pdf_a_3b_with_every_font_inside(good):
    with pikepdf.open(io.BytesIO(good)) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
            assert metadata["pdfaid:conformance"] == "B"
        assert len(pdf.Root.OutputIntents) == 1
        descriptors = [
            item for item in pdf.objects if getattr(item, "get", lambda _: None)("/Type") == "/FontDescriptor"
        ]
        assert len(descriptors) >= 3
        assert all("/FontFile2" in item or "/FontFile3" in item for item in descriptors)
        assert not any(name in pdf.Root for name in ("/OpenAction", "/AA", "/AcroForm"))


def test_the_check_result_is_attached(good):
    with pikepdf.open(io.BytesIO(good)) as pdf:
        assert list(pdf.attachments) == ["check-result.json"]
        data = pdf.attachments["check-result.json"].get_file().read_bytes()
    found = json.loads(data)
    assert found["outcome"] == "passed"
    assert found["time"]["existed_by"] == "2026-11-24T02:07:00Z"


@pytest.mark.parametrize("missing", ["Regular", "Bold"])
def test_a_missing_font_is_named(tmp_path, missing):
    other = {"Regular": "Bold", "Bold": "Regular"}[missing]
    shutil.copy(str(files("notary.report") / "fonts" / f"NotoSansSC-{other}.ttf"), tmp_path)
    weight = {"Regular": 400, "Bold": 700}[missing]
    with pytest.raises(ToolMissing, match=f"the font 'Noto Sans SC' of weight {weight}"):
        render(facts(), fonts=tmp_path)


def test_a_character_without_a_glyph_would_be_an_error_and_never_a_box(monkeypatch):
    monkeypatch.setattr("notary.report.pdf.shown_deep", lambda value: value)
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        render(facts(operator="Ω"))


def test_a_real_package_is_reported():
    log = evidence.log()
    package = evidence.packed(evidence.files(log))
    result = evidence.verify(package, evidence.trust(log), None)
    number = result.statement["number"]
    pdf = render(
        facts_of(
            result,
            number=number,
            operator="Operator",
            generated=build.at(0),
            heads=heads_of(package, result),
            inspection=inspection(signature()),
            proves_nothing=True,
        )
    )
    assert result.outcome is Outcome.PASSED
    assert "核验通过" in text(pdf)
    assert result.entry in text(pdf)
