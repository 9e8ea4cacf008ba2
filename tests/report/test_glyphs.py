"""Characters that the font lacks are shown as their code points; the list of those it has is the font's own."""

from importlib.resources import files

import pytest
from fontTools.ttLib import TTFont

from notary.report.glyphs import coverage, shown, shown_deep

FONTS = files("notary.report") / "fonts"


@pytest.mark.parametrize("style", ["Regular", "Bold"])
def test_the_font_has_every_character_of_the_list(style):
    with (FONTS / f"NotoSansSC-{style}.ttf").open("rb") as stream, TTFont(stream) as font:
        assert coverage() == set(font.getBestCmap())
        assert font["name"].getDebugName(1) == "Noto Sans SC"
        assert font["OS/2"].usWeightClass == {"Regular": 400, "Bold": 700}[style]


def test_latin_digits_chinese_and_signs_are_covered():
    assert set(map(ord, "AZaz09 ，。、“”《》（）【】…—→←✓①×Éé存证核验鄧鋆喆龘")) <= coverage()


def test_what_the_font_has_stays_as_it_is():
    assert (
        shown("房屋租赁合同（2026-118）.pdf #import $x$ *b*")
        == "房屋租赁合同（2026-118）.pdf #import $x$ *b*"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("😀", "[U+1F600]"),
        ("a\u202eb", "a[U+202E]b"),
        ("a\x00b", "a[U+0000]b"),
        ("a\nb\tc", "a[U+000A]b[U+0009]c"),
        ("a\u00a0b", "a[U+00A0]b"),
        ("a\u200bb", "a[U+200B]b"),
        ("ש", "[U+05E9]"),
        ("𠮷", "[U+20BB7]"),
        ("\ud800", "[U+D800]"),
        ("e\u0301", "é"),
    ],
)
def test_what_it_lacks_or_nobody_sees_is_shown_as_its_code_point(text, expected):
    assert shown(text) == expected


def test_every_text_of_a_value_is_shown_and_nothing_else_is_touched():
    value = {"a": ["😀", 1, None, True, {"b": ("\x00",)}]}
    assert shown_deep(value) == {"a": ["[U+1F600]", 1, None, True, {"b": ["[U+0000]"]}]}
