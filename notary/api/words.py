"""The words of the pages in 简体中文 and English, and which of the two a visitor gets."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from notary.evidence.catalogue import CHECKS
from notary.evidence.outcome import Outcome

LANGUAGES = ("zh", "en")
_TAGS = {"zh": "zh-Hans", "en": "en"}
_MAX_HEADER = 500


@cache
def words(language: str) -> dict[str, dict[str, str]]:
    """The catalogue of `language`, "zh" or "en": what templates say (`page`), what scripts say (`script`)."""
    text = files("notary.api").joinpath(f"catalogue/{language}.json").read_text("utf-8")
    catalogue: dict[str, dict[str, str]] = json.loads(text)
    return catalogue


@cache
def script_words(language: str) -> str:
    """What the scripts of a page need, as JSON: their sentences and the texts of the numbered checks."""
    checks = {
        id_: {"name": text.name(language)} | {o.value: text.sentence(o, language) for o in Outcome}
        for id_, text in CHECKS.items()
    }
    value: dict[str, Any] = {**words(language)["script"], "checks": checks}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tag(language: str) -> str:
    """The BCP 47 tag of `language`."""
    return _TAGS[language]


def choose_language(asked: str | None, accept: str) -> str:
    """The language that was asked for, else the one that Accept-Language prefers, else English.

    Args:
        asked: what `?lang=` says; anything but "zh" and "en" is passed over.
        accept: the header; what cannot be read in it is passed over.
    """
    if asked in LANGUAGES:
        return asked
    wanted = [_range(part) for part in accept[:_MAX_HEADER].split(",")]
    known = [(quality, name) for name, quality in wanted if name in LANGUAGES and quality > 0]
    # Of equals the first: browsers that send no qualities mean the order.
    return max(known, key=lambda item: item[0])[1] if known else "en"


def _range(text: str) -> tuple[str, float]:
    name, _, parameter = text.partition(";")
    try:
        quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
    except ValueError:
        quality = 0.0
    return name.strip().lower().partition("-")[0], quality
