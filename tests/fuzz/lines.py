"""Signature lines of strangers, which nobody signs and anybody can add: at and above each limit of a note."""

import base64
from collections.abc import Callable
from functools import partial
from random import Random

from notary.evidence.note import MAX_NOTE, MAX_SIGNATURES
from tests.evidence.build import EARLY
from tests.fuzz import corpus
from tests.fuzz.alone import _put
from tests.fuzz.corpus import Sample
from tests.fuzz.pointed import Pointed

DASH = "\u2014 ".encode()
KEY_ID = b"\x01\x02\x03\x04"
CHECKS = {f"heads/{EARLY}/inclusion.tlog-proof": "3.1", "receipt.txt": "4.1"}
# Of witnesses as they may be called, and what is no name.
NAMES = {
    "in Chinese": "见证人".encode(),
    "of 85 Chinese characters": ("证" * 85).encode(),
    "of 86 Chinese characters": ("证" * 86).encode(),
    "of 255 characters": b"a" * 255,
    "of 255 characters of four bytes": ("\U00020bb7" * 255).encode(),
    "with a DEL": b"a\x7fb",
    "with a character of no width": "a\u200bb".encode(),
    "with a mark of the order of bytes": "\ufeffa".encode(),
    "with signs": b"a/b#c",
}
NO_NAMES = {
    "of 256 characters": b"a" * 256,
    "of 256 Chinese characters": ("证" * 256).encode(),
    "of nothing": b"",
    "with a plus": b"a+b",
    "with a tab": b"a\tb",
    "with a NUL": b"a\0b",
    "with a unit separator": b"a\x1fb",
    "that is not UTF-8": b"a\xffb",
    "that is cut in a character": "证".encode()[:2],
    "of half a pair": b"\xed\xa0\x80",
    "in a longer form": b"a\xc0\xafb",
}
BLANKS = "\u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
NO_NAMES |= {f"with U+{ord(blank):04X}": f"a{blank}b".encode() for blank in BLANKS}


def line(name: bytes = b"witness.example.org", value: bytes = KEY_ID + bytes(64)) -> bytes:
    return DASH + name + b" " + base64.b64encode(value) + b"\n"


def filling(note: bytes, size: int) -> bytes:
    """One line with which the note has exactly that many bytes."""
    rest = size - len(note) - len(DASH + b" \n")
    name = b"a" * (4 + rest % 4)
    return DASH + name + b" " + b"A" * (rest - len(name)) + b"\n"


def _note(data: bytes) -> bytes:
    """The note of a proof or receipt."""
    return data.partition(b"\n\n")[2]


def _behind(more: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda data: data + more(_note(data))


def _many(count: int) -> Callable[[bytes], bytes]:
    """With so many lines in all."""
    return _behind(lambda note: line() * (count - note.rpartition(b"\n\n")[2].count(b"\n")))


def _in_front(data: bytes) -> bytes:
    head, _, lines = data.rpartition(b"\n\n")
    return head + b"\n\n" + line() + lines


GOOD = {f"a name {what}": _behind(lambda _, name=name: line(name)) for what, name in NAMES.items()} | {
    "five bytes": _behind(lambda _: line(value=KEY_ID + b"\x01")),
    "64 lines": _many(MAX_SIGNATURES),
    "a note of 65536 bytes": _behind(lambda note: filling(note, MAX_NOTE)),
    "the first place": _in_front,
}
BAD = {f"a name {what}": _behind(lambda _, name=name: line(name)) for what, name in NO_NAMES.items()} | {
    "four bytes": _behind(lambda _: line(value=KEY_ID)),
    "no bytes": _behind(lambda _: line(value=b"")),
    "no padding": _behind(lambda _: line().replace(b"=", b"")),
    "base64url": _behind(lambda _: line(value=KEY_ID + b"\xff" * 64).replace(b"/", b"_")),
    "two spaces": _behind(lambda _: line().replace(b".org ", b".org  ")),
    "a space at its end": _behind(lambda _: line().replace(b"\n", b" \n")),
    "a carriage return": _behind(lambda _: line().replace(b"\n", b"\r\n")),
    "no newline": _behind(lambda _: line()[:-1]),
    "a hyphen": _behind(lambda _: line().replace(DASH, b"- ")),
    "65 lines": _many(MAX_SIGNATURES + 1),
    "a note of 65537 bytes": _behind(lambda note: filling(note, MAX_NOTE + 1)),
}


def changed(file: str, change: Callable[[bytes], bytes]) -> Sample:
    """The whole sample with a stranger's line on that file."""
    sample = corpus.whole()
    return _put(sample, file, change(sample.files[file]))


STRANGERS: dict[str, Pointed] = {
    f"a stranger's line for {check}: {what}": Pointed(partial(changed, file, change), check, outcome)
    for file, check in CHECKS.items()
    for outcome, lines in (("passed", GOOD), ("failed", BAD))
    for what, change in lines.items()
}


def signed_by_strangers(data: bytes, random: Random) -> bytes:
    """One to three such lines, each as the dice say."""
    for _ in range(random.randint(1, 3)):
        data = random.choice([*GOOD.values(), *BAD.values()])(data)
    return data
