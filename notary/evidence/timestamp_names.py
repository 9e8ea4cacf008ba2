"""When two names of X.500 are the same (RFC 5280 §7.1, RFC 4518 §2; docs/formats.md §9), and general names.

By code of our own: asn1crypto follows Unicode 3.2, and refuses names with a character that came later.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from asn1crypto import core, x509

from notary.evidence import asn1
from notary.evidence.asn1 import Node, parse
from notary.evidence.asn1_form import members

# What RFC 4518 §2.2 maps to nothing: controls but white space, and characters that are not seen.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u06dd\u070f\u1806\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_BMP, _UNIVERSAL = 30, 28
_DIRECTORY = (2, 4)  # the tag of a directoryName among general names

Key = tuple[frozenset[tuple[str, str]], ...]


def prepare(text: str) -> str:
    """What of a text counts when it is compared: without unseen characters, NFKC, case folded, NFKC, single spaces."""
    folded = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


@lru_cache(
    maxsize=4096
)  # the same certificates come again and again; a result depends on nothing but the bytes
def name_key(name: bytes) -> Key:
    """What all spellings of one name share.

    Args:
        name: a Name in BER, of the form of timestamp_form.NAME.

    Raises:
        FormatError: it is none.
    """
    return tuple(
        frozenset(_attribute(each) for each in members(rdn, asn1.SET))
        for rdn in members(parse(name), asn1.SEQUENCE)
    )


def shown_key(key: Key) -> str:
    """A key of `name_key` as one text, which no other has."""
    return json.dumps([sorted(rdn) for rdn in key], ensure_ascii=False)


def same_name(one: Any, two: Any) -> bool:
    """Whether two names as asn1crypto parses them are the same.

    Raises:
        FormatError: one of them is none.
    """
    return name_key(one.chosen.dump()) == name_key(two.chosen.dump())  # without the tag that may be around it


def general_key(name: Node) -> tuple[int, Key | bytes]:
    """The same of a GeneralName: a directoryName by its name, any other byte for byte."""
    if name.key == _DIRECTORY:
        (directory,) = name.children or ()
        return name.key[1], name_key(directory.raw)
    return name.key[1], name.raw


def settle(certificate: x509.Certificate) -> None:
    """Let asn1crypto, and the library that validates paths with it, compare this certificate's names as we do.

    What it would work out for an attribute of a name when it first compares it, it keeps: that is set here.
    """
    for name in _names(certificate):
        for rdn in name.chosen:
            for attribute in rdn:
                _, text = _attribute(parse(attribute.dump()))
                attribute._prepped = text  # noqa: SLF001 - where the library keeps what it compares


def _names(certificate: x509.Certificate) -> Iterator[Any]:
    yield certificate.subject
    yield certificate.issuer
    generals = list(certificate.subject_alt_name_value or ())
    if certificate.name_constraints_value is not None:
        for kind in ("permitted_subtrees", "excluded_subtrees"):
            subtrees = certificate.name_constraints_value[kind]
            generals += [] if isinstance(subtrees, core.Void) else [each["base"] for each in subtrees]
    for general in generals:
        if general.name == "directory_name":
            yield general.chosen


def _attribute(node: Node) -> tuple[str, str]:
    """Type, as the hex of its contents, and what of the value counts: of a bit string its encoding."""
    kind, value = members(node, asn1.SEQUENCE)
    text = f"#{value.raw.hex()}" if value.key == (0, asn1.BITS) else prepare(_text(value))
    return kind.content.hex(), text


def _text(value: Node) -> str:
    tag, content = value.key[1], value.content
    if tag == asn1.UTF8:
        return content.decode()
    if tag == _BMP:
        return content.decode("utf-16-be", "surrogatepass")
    if tag == _UNIVERSAL:
        points = "".join(chr(int.from_bytes(content[at : at + 4], "big")) for at in range(0, len(content), 4))
        return points.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")
    return content.decode("latin-1")
