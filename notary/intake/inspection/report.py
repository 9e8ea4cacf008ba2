"""The shape of an inspection report, version 2: what may leave the sandbox, and nothing else.

A report is committed to as evidence, so it is plain JSON (ASCII keys, integers, text, booleans, null, lists),
at most 90 KiB in canonical form. The process that wrote it read a hostile file: the parent trusts no byte of
it and checks the whole shape here. What each word means is in docs/inspection.md.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from notary.errors import FormatError
from notary.evidence import canonical

VERSION = 2
TOOL = "pyHanko"
MAX_REPORT = 90 * 1024  # base64 makes 120 KiB of it, and a disclosure has at most 128 KiB
MAX_SIGNATURES = 64
MAX_CERTIFICATES = 64
MAX_PREFIXES = 64
MAX_CHAIN = 8
MAX_LOCKED = 16  # names of fields in one FieldMDP
MAX_TEXT = 512
MAX_RANGES = 64
MAX_VALIDATION = 256 * 1024  # characters of one validation report
MAX_VALIDATIONS = 1024 * 1024  # of all of one document
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'

OUTCOMES = ("inspected", "no_signatures", "not_a_pdf", "could_not_be_inspected")
KINDS = ("signature", "document_timestamp")
COVERS = ("whole_file", "revision", "partial", "unclear")
CHANGES = ("none", "allowed", "suspicious", "forbidden", "unclear")
INTEGRITY = ("intact", "broken", "could_not_be_checked")
TRUST = ("trusted", "unrecognised", "untrusted")
STAMPS = ("trusted", "unrecognised", "untrusted", "broken")
VALIDITY = ("passed", "failed", "could_not_be_checked")
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")
LOCKS = ("all", "include", "exclude")
TOTAL_PASSED, TOTAL_FAILED, INDETERMINATE = INDICATIONS = ("TOTAL-PASSED", "TOTAL-FAILED", "INDETERMINATE")

Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Inspected:
    """A report, and by the position of the signature (from 0) the validation report on it (ETSI TS 119 102-2, XML)."""

    report: dict[str, Any]
    validations: Mapping[int, str] = field(default_factory=dict)


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
        "removed_fields": [],
        "prefixes": [],
        "certificates": [],
        "dss": None,
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
    """Return `value` if it is a report of version 2.

    Raises:
        FormatError: a key is missing or unknown, a value is of the wrong type or out of its range, the prefixes are
            not in their order, a chain names a certificate that is not there, or the canonical form is longer than
            90 KiB.
    """
    _check_keys(value, _REPORT, "report")
    for name, shape in (("signatures", _SIGNATURE), ("prefixes", _PREFIX), ("certificates", _CERTIFICATE)):
        for number, row in enumerate(value[name]):
            _check_keys(row, shape, f"{name[:-1]} {number}")
    _check_prefixes(value)
    if value["dss"] is not None:
        _check_keys(value["dss"], _DSS, "dss")
    for number, signature in enumerate(value["signatures"]):
        if signature["field_mdp"] is not None:
            _check_keys(signature["field_mdp"], _FIELD_MDP, f"field_mdp {number}")
        if signature["revocation"] is not None:
            _check_keys(signature["revocation"], _REVOCATION, f"revocation {number}")
        if any(place >= len(value["certificates"]) for place in signature["chain"]):
            raise FormatError(
                f"inspection signature {number}: its chain names a certificate that is not there"
            )
    if len(canonical.dumps(value)) > MAX_REPORT:
        raise FormatError(f"the inspection report is longer than {MAX_REPORT} bytes")
    return dict(value)


def _check_prefixes(value: Mapping[str, Any]) -> None:
    """Each prefix is longer than the one before, and of no earlier revision: else one digest would be filed twice."""
    last = {"length": -1, "revision": 1}
    for row in value["prefixes"]:
        if row["length"] <= last["length"] or not last["revision"] <= row["revision"] <= (
            value["revisions"] or 0
        ):
            raise FormatError("the prefixes of an inspection report do not rise, or are of no revision")
        last = row


def is_validation(text: Any) -> bool:
    """Whether `text` is a validation report as it may be kept: bounded XML without a DTD or instructions.

    Its content is the sandbox's; who opens it opens what a hostile file may have written.
    """
    return (
        isinstance(text, str)
        and text.startswith(_XML)
        and len(text) <= MAX_VALIDATION
        and not re.search(r"<[?!]|[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text[len(_XML) :])
    )


def check_validations(value: Any, report: Mapping[str, Any]) -> dict[int, str]:
    """Return the validation reports of the signatures of `report`, from pairs of position and text.

    Raises:
        FormatError: a pair is none, a position is not of a signature or comes twice, or a text may not be kept.
    """
    found: dict[int, str] = {}
    for pair in value if isinstance(value, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not int:  # noqa: PLR2004 - a pair
            raise FormatError("a validation report is not a pair of position and text")
        number, text = pair
        if number in found or not 0 <= number < len(report["signatures"]):
            raise FormatError("a validation report is of no signature, or of one that has one")
        if not is_validation(text):
            raise FormatError("a validation report is no XML that may be kept")
        found[number] = text
    if sum(map(len, found.values())) > MAX_VALIDATIONS:
        raise FormatError(f"the validation reports are longer than {MAX_VALIDATIONS} characters")
    return found


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
_is_serial = _matching(r"-?\d{1,80}")


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


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
    "signatures": _list_of(_is_object, MAX_SIGNATURES),
    "empty_fields": _list_of(_is_text, MAX_SIGNATURES),
    "removed_fields": _list_of(_is_text, MAX_SIGNATURES),
    "prefixes": _list_of(_is_object, MAX_PREFIXES),
    "certificates": _list_of(_is_object, MAX_CERTIFICATES),
    "dss": _or_null(_is_object),
}
_SIGNATURE: dict[str, Check] = {
    "field": _is_text,
    "kind": _one_of(KINDS),
    "filter": _or_null(_is_text),
    "subfilter": _or_null(_is_text),
    "signer": _or_null(_is_text),
    "certificate_sha256": _or_null(_is_digest),
    "issuer": _or_null(_is_text),
    "serial": _or_null(_is_serial),
    "chain": _list_of(_is_count, MAX_CHAIN),
    "claimed_time": _or_null(_is_time),
    "stamped_time": _or_null(_is_time),
    "stamp": _or_null(_one_of(STAMPS)),
    "byte_range": _list_of(_is_count, MAX_RANGES),
    "covers": _one_of(COVERS),
    "covers_sha256": _or_null(_is_digest),
    "revision": _or_null(_is_count),
    "changes_after": _one_of(CHANGES),
    "doc_mdp": lambda value: value is None or (type(value) is int and value in (1, 2, 3)),
    "field_mdp": _or_null(_is_object),
    "level": _or_null(_one_of(LEVELS)),
    "revocation": _or_null(_is_object),
    "integrity": _one_of(INTEGRITY),
    "trust": _one_of(TRUST),
    "validity": _one_of(VALIDITY),
    "ades_indication": _or_null(_one_of(INDICATIONS)),
    "ades_sub_indication": _or_null(_matching(r"[A-Z_]{1,40}")),
    "validation_sha256": _or_null(_is_digest),
    "note": _or_null(_matching(r"[a-z0-9_]{1,40}( [a-z0-9_]{1,40}){0,15}")),
}
# The digests are null until who may be believed has taken them (prefixes.fill).
_PREFIX: dict[str, Check] = {
    "revision": _is_count,
    "length": _is_count,
    "sha256": _or_null(_is_digest),
    "sm3": _or_null(_is_digest),
}
_CERTIFICATE: dict[str, Check] = {
    "sha256": _is_digest,
    "subject": _is_text,
    "issuer": _is_text,
    "serial": _is_serial,
    "not_before": _or_null(_is_time),
    "not_after": _or_null(_is_time),
}
_DSS: dict[str, Check] = dict.fromkeys(("certificates", "crls", "ocsps", "vri"), _is_count)
_FIELD_MDP: dict[str, Check] = {"action": _one_of(LOCKS), "fields": _list_of(_is_text, MAX_LOCKED)}
_REVOCATION: dict[str, Check] = {"crls": _is_count, "ocsps": _is_count, "chain_covered": _is_bool}
