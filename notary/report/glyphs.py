"""Which characters the report's font has; every other one is shown as its code point."""

import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any


def shown(text: str) -> str:
    """`text` with each character that the font lacks, or that is invisible, as `[U+XXXX]`.

    Controls, bidirectional marks and unusual spaces have no visible form: what a reader cannot see could make
    two names look alike.
    """
    covered = coverage()
    return "".join(
        char if ord(char) in covered and _visible(char) else f"[U+{ord(char):04X}]"
        for char in unicodedata.normalize("NFC", text)
    )


def shown_deep(value: Any) -> Any:
    """The same for every text in a JSON value; keys are ours."""
    match value:
        case str():
            return shown(value)
        case list() | tuple():
            return [shown_deep(item) for item in value]
        case dict():
            return {key: shown_deep(item) for key, item in value.items()}
        case _:
            return value


@cache
def coverage() -> frozenset[int]:
    """Code points that both weights of the font have (fonts/coverage.txt)."""
    text = (files("notary.report") / "fonts" / "coverage.txt").read_text(encoding="ascii")
    codes: set[int] = set()
    for line in text.splitlines():
        first, _, last = line.partition("-")
        codes.update(range(int(first, 16), int(last, 16) + 1))
    return frozenset(codes)


def _visible(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] != "C" and (category[0] != "Z" or char in " \u3000")
