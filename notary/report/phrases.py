"""The report's catalogue: one key, a sentence in 简体中文 and one in English."""

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from typing import Any

from notary.evidence.catalogue import CHECKS
from notary.evidence.outcome import Outcome

LANGUAGES = ("zh", "en")
Pair = dict[str, str]  # "zh" and "en"
_BEIJING = timezone(timedelta(hours=8))
_MAX_SHOWN = 160


@cache
def catalogue(language: str) -> dict[str, dict[str, str]]:
    """The sentences in `language`, "zh" or "en", by section and key."""
    text = (files("notary.report") / "catalogue" / f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def phrase(key: str, **values: Any) -> Pair:
    """The sentence `key`, "section.name", in both languages; a pair as value is used language by language.

    Raises:
        KeyError: there is no such key: a mistake of ours.
    """
    section, _, name = key.partition(".")
    return {
        language: catalogue(language)[section][name].format(
            **{k: _side(v, language) for k, v in values.items()}
        )
        for language in LANGUAGES
    }


def known(prefix: str, word: str, **values: Any) -> Pair:
    """The phrase for a word of a closed list, or the word itself where it is not on the list."""
    section, _, name = prefix.partition(".")
    if f"{name}_{word}" in catalogue("zh")[section]:
        return phrase(f"{prefix}_{word}", **values)
    return same(cut(word))


def check_name(id_: str) -> Pair:
    """What a check is called; its id where we do not know it."""
    if id_ not in CHECKS:
        return same(id_)
    return {language: CHECKS[id_].name(language) for language in LANGUAGES}


def check_sentence(id_: str, outcome: Outcome) -> Pair:
    """What a check found; its id where we do not know it."""
    if id_ not in CHECKS:
        return same(id_)
    return {language: CHECKS[id_].sentence(outcome, language) for language in LANGUAGES}


def same(text: str) -> Pair:
    """The same text in both languages: names, numbers, digests."""
    return {"zh": text, "en": text}


def joined(pairs: list[Pair]) -> Pair:
    """A list of names as running text."""
    return {"zh": "、".join(p["zh"] for p in pairs), "en": ", ".join(p["en"] for p in pairs)}


def utc(moment: datetime, *, up: bool = False) -> str:
    """Whole seconds, UTC. `up` rounds an upper bound up: it may only grow."""
    return _seconds(moment, up=up).strftime("%Y-%m-%d %H:%M:%S")


def beijing(moment: datetime, *, up: bool = False) -> str:
    """Whole seconds, UTC+08:00."""
    return _seconds(moment, up=up).astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def both_times(moment: datetime, *, up: bool = False) -> Pair:
    """A moment for a sentence: Beijing and UTC."""
    zone, world = beijing(moment, up=up), utc(moment, up=up)
    return {"zh": f"北京时间 {zone}（{world} UTC）", "en": f"{world} UTC ({zone} Beijing)"}


def cut(text: str) -> str:
    """At most 160 characters, and how many there are."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text)})"


def _seconds(moment: datetime, *, up: bool) -> datetime:
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return whole + timedelta(seconds=1) if up and whole < moment else whole


def _side(value: Any, language: str) -> Any:
    return value[language] if isinstance(value, dict) else value
