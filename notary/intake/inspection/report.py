"""The shape of an inspection report, version 1: what may leave the sandbox, and nothing else.

A report is committed to as evidence, so it is plain JSON (ASCII keys, integers, text, booleans, null, lists),
at most 64 KiB in canonical form. The process that wrote it read a hostile file: the parent trusts no byte of
it and checks the whole shape here.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from notary.errors import FormatError
from notary.evidence import canonical

VERSION = 1
TOOL = "pyHanko"
MAX_REPORT = 64 * 1024
MAX_SIGNATURES = 64
MAX_TEXT = 512
MAX_RANGES = 64

OUTCOMES = ("inspected", "no_signatures", "not_a_pdf", "could_not_be_inspected")
KINDS = ("signature", "document_timestamp")
COVERS = ("whole_file", "revision", "partial", "unclear")
CHANGES = ("none", "allowed", "suspicious", "forbidden", "unclear")
INTEGRITY = ("intact", "broken", "could_not_be_checked")
TRUST = ("trusted", "unrecognised", "untrusted")
STAMPS = ("trusted", "unrecognised", "untrusted", "broken")
VALIDITY = ("passed", "failed", "could_not_be_checked")

Check = Callable[[Any], bool]


def empty(outcome: str, reason: str | None, tool: str) -> dict[str, Any]:
    """A report without findings: every key present, every finding null or empty."""
    return {
        "version": VERSION,
        "tool": tool,
        "outcome": outcome,
        "reason": reason,
        "pages": None,
        "encrypted": False,
        "revisions": None,
        "cms": False,
        "truncated": False,
        "signatures": [],
        "empty_fields": [],
    }


def printable(text: str | bytes) -> str:
    """Cut to 512 characters; controls, bidi marks, surrogates and unassigned code points become U+FFFD.

    A PDF string that is in no encoding of PDF comes as bytes, and is shown as ISO 8859-1.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    shown = (
        "\ufffd" if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" else char
        for char in text[:MAX_TEXT]
    )
    return "".join(shown)


def check(value: Any) -> dict[str, Any]:
    """Return `value` if it is a report of version 1.

    Raises:
        FormatError: a key is missing or unknown, a value is of the wrong type or out of its range, or the
            canonical form is longer than 64 KiB.
    """
    _check_keys(value, _REPORT, "report")
    for number, signature in enumerate(value["signatures"]):
        _check_keys(signature, _SIGNATURE, f"signature {number}")
    if len(canonical.dumps(value)) > MAX_REPORT:
        raise FormatError(f"the inspection report is longer than {MAX_REPORT} bytes")
    return dict(value)


def _check_keys(value: Any, shape: Mapping[str, Check], name: str) -> None:
    if not isinstance(value, dict) or value.keys() != shape.keys():
        raise FormatError(f"inspection {name}: the keys are not those of version {VERSION}")
    for key, accepts in shape.items():
        if not accepts(value[key]):
            raise FormatError(f"inspection {name}: {key!r} has a value that version {VERSION} does not allow")


def _one_of(words: tuple[str, ...]) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _or_null(accepts: Check) -> Check:
    return lambda value: value is None or accepts(value)


def _matching(pattern: str) -> Check:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and printable(value) == value


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= canonical.MAX_INTEGER


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _list_of(accepts: Check, most: int) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(accepts, value))


_is_code = _matching(r"[a-z0-9_]{1,40}")
_is_digest = _matching(r"[0-9a-f]{64}")
_is_time = _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

_REPORT: dict[str, Check] = {
    "version": lambda value: type(value) is int and value == VERSION,
    "tool": _matching(r"[A-Za-z]{1,20} [0-9A-Za-z.+]{1,20}"),
    "outcome": _one_of(OUTCOMES),
    "reason": _or_null(_is_code),
    "pages": _or_null(_is_count),
    "encrypted": _is_bool,
    "revisions": _or_null(_is_count),
    "cms": _is_bool,
    "truncated": _is_bool,
    "signatures": _list_of(lambda value: isinstance(value, dict), MAX_SIGNATURES),
    "empty_fields": _list_of(_is_text, MAX_SIGNATURES),
}
_SIGNATURE: dict[str, Check] = {
    "field": _is_text,
    "kind": _one_of(KINDS),
    "subfilter": _or_null(_is_text),
    "signer": _or_null(_is_text),
    "certificate_sha256": _or_null(_is_digest),
    "issuer": _or_null(_is_text),
    "serial": _or_null(_matching(r"-?\d{1,80}")),
    "claimed_time": _or_null(_is_time),
    "stamped_time": _or_null(_is_time),
    "stamp": _or_null(_one_of(STAMPS)),
    "byte_range": _list_of(_is_count, MAX_RANGES),
    "covers": _one_of(COVERS),
    "covers_sha256": _or_null(_is_digest),
    "changes_after": _one_of(CHANGES),
    "integrity": _one_of(INTEGRITY),
    "trust": _one_of(TRUST),
    "validity": _one_of(VALIDITY),
    "note": _or_null(_matching(r"[a-z0-9_]{1,40}( [a-z0-9_]{1,40}){0,11}")),
}
