"""When two names of X.500 are the same (RFC 5280 §7.1, RFC 4518 §2; docs/formats.md §9), and general names.

By code of our own: asn1crypto follows Unicode 3.2, and refuses names with a character that came later; cryptography
refuses texts with a character that their type does not have, which CAs write all the same.
"""

import json
import re
import unicodedata
from functools import lru_cache
from typing import Any

from notary.evidence import asn1
from notary.evidence.asn1 import Node, parse
from notary.evidence.asn1_form import dotted, members
from notary.evidence.timestamp_der import dump

# What RFC 4518 §2.2 maps to nothing: controls but white space, and characters that are not seen.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u06dd\u070f\u1806\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_BMP, _UNIVERSAL = 30, 28
_DIRECTORY = (2, 4)  # the tag of a directoryName among general names
_LABELS = {  # RFC 4514 §3, by the contents of the object identifier
    "550403": "CN", "550407": "L", "550408": "ST", "55040a": "O", "55040b": "OU", "550406": "C", "550409": "STREET",
    "0992268993f22c640119": "DC", "0992268993f22c640101": "UID",
}  # fmt: skip
_SPECIAL = frozenset('\\"+,;<>')

_MAX_KEPT = 2048  # bytes of a name, which none in a token passes

Key = tuple[frozenset[tuple[str, str]], ...]


def prepare(text: str) -> str:
    """What of a text counts when it is compared: without unseen characters, NFKC, case folded, NFKC, single spaces."""
    folded = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def name_key(name: bytes) -> Key:
    """What all spellings of one name share.

    Args:
        name: a Name in BER, of the form of timestamp_form.NAME.

    Raises:
        FormatError: it is none.
    """
    # Of names that are longer than any real one nothing is kept.
    return (_kept_key if len(name) <= _MAX_KEPT else _name_key)(name)


def _name_key(name: bytes) -> Key:
    return tuple(
        frozenset(_attribute(each) for each in members(rdn, asn1.SET))
        for rdn in members(parse(name), asn1.SEQUENCE)
    )


# The same certificates come again and again; a result depends on nothing but the bytes.
_kept_key = lru_cache(maxsize=1024)(_name_key)


def shown_key(key: Key) -> str:
    """A key of `name_key` as one text, which no other has, and which UTF-8 has room for.

    A BMPString may hold a surrogate alone, which databases refuse: it is escaped, and not as a backslash of a name is.
    """
    text = json.dumps([sorted(rdn) for rdn in key], ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def same_name(one: Any, two: Any) -> bool:
    """Whether two names as asn1crypto parses them are the same.

    Raises:
        FormatError: one of them is none.
    """
    return name_key(dump(one)) == name_key(dump(two))


def general_key(name: Node) -> tuple[int, Key | bytes]:
    """The same of a GeneralName: a directoryName by its name, any other byte for byte."""
    if name.key == _DIRECTORY:
        (directory,) = name.children or ()
        return name.key[1], name_key(directory.raw)
    return name.key[1], name.raw


def shown_name(name: bytes) -> str:
    """A Name as it may be shown (RFC 4514): the last part first, no character that is not seen.

    Args:
        name: in BER, of the form of timestamp_form.NAME.

    Raises:
        FormatError: it is none.
    """
    rdns = [members(rdn, asn1.SET) for rdn in members(parse(name), asn1.SEQUENCE)]
    return ",".join("+".join(map(_shown, rdn)) for rdn in reversed(rdns))


def texts_of(name: bytes, kind: str) -> list[str]:
    """The texts of all attributes of one type (contents of its object identifier, hex) in a Name.

    Raises:
        FormatError: it is none.
    """
    attributes = [
        members(each, asn1.SEQUENCE)
        for rdn in members(parse(name), asn1.SEQUENCE)
        for each in members(rdn, asn1.SET)
    ]
    return [
        _text(value) for oid, value in attributes if oid.content.hex() == kind and value.key != (0, asn1.BITS)
    ]


def _shown(attribute: Node) -> str:
    kind, value = members(attribute, asn1.SEQUENCE)
    label = _LABELS.get(kind.content.hex()) or dotted(kind.content)
    if value.key == (0, asn1.BITS):
        return f"{label}=#{value.content.hex()}"
    text = "".join(map(_escaped, _text(value)))
    if text[:1] in {" ", "#"}:
        text = f"\\{text}"
    return f"{label}={text[:-1]}\\ " if len(text) > 1 and text[-1] == " " else f"{label}={text}"


def _escaped(character: str) -> str:
    if character in _SPECIAL:
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _attribute(node: Node) -> tuple[str, str]:
    """Type, as the hex of its contents, and what of the value counts: of a bit string its encoding.

    No text is what a bit string is: a prepared one does not begin with a space.
    """
    kind, value = members(node, asn1.SEQUENCE)
    text = f" {value.raw.hex()}" if value.key == (0, asn1.BITS) else prepare(_text(value))
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
