"""Mutations inside decoded structures: JSON, DER, RLP and the text of notes and proofs, encoded again rightly."""

import base64
import json
from random import Random
from typing import Any

import rlp

MAX_DEPTH = 40


class NoChangeError(Exception):
    """The mutation asked for does not fit this structure."""


# --- bytes and text -------------------------------------------------------------------------------------------------


def other_bytes(data: bytes, random: Random) -> bytes:
    """Bytes unlike `data`: a bit, a byte more or less, two halves exchanged."""
    if not data:
        return bytes([random.randrange(256)])
    at = random.randrange(len(data))
    made = random.choice(
        [
            lambda: data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :],
            lambda: data[:at] + data[at + 1 :],
            lambda: data[:at] + bytes([random.randrange(256)]) + data[at:],
            lambda: data[at:] + data[:at],
            lambda: bytes(len(data)),
            lambda: b"",
        ]
    )()
    return made if made != data else data + b"\x00"


def other_text(text: str, random: Random) -> str:
    """Text unlike `text`, of the same form where the dice say so."""
    at = random.randrange(len(text) or 1)
    letters = "0123456789abcdef" if all(c in "0123456789abcdef" for c in text) else "0aZ/é中 "
    made = random.choice(
        [
            lambda: text[:at] + random.choice(letters) + text[at + 1 :],
            lambda: text[:at] + text[at + 1 :],
            lambda: text + random.choice(letters),
            text.upper,
            lambda: text[::-1],
            lambda: "",
            lambda: f" {text}",
        ]
    )()
    return made if made != text else f"{text}0"


# --- JSON -----------------------------------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """RFC 8785 for what these formats hold: ASCII keys, integers, text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _places(value: Any, path: tuple = ()) -> list[tuple]:
    found = [path]
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        items = ()
    for key, inner in items:
        found += _places(inner, (*path, key))
    return found


def _put(value: Any, path: tuple, change) -> Any:
    if not path:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], change)
    return copy


def _other_value(value: Any, random: Random) -> Any:
    if isinstance(value, bool):
        return random.choice([not value, int(value), None, "true"])
    if isinstance(value, int):
        numbers = [
            value + 1,
            value - 1,
            -value,
            0,
            value * 256,
            2**53,
            2**63,
            2**64,
            str(value),
            None,
            [value],
            True,
        ]
        return random.choice([other for other in numbers if other != value or type(other) is not type(value)])
    if isinstance(value, str):
        return random.choice([lambda: other_text(value, random), lambda: None, lambda: [value], lambda: 7])()
    if value is None:
        return random.choice([0, "", {}, [], False, "00" * 32])
    if isinstance(value, list):
        choices = [
            [*value, *value[:1]],
            value[:-1],
            value[::-1],
            [],
            None,
            {},
            [value],
            [*value, None],
            value * 2,
        ]
    else:
        keys = list(value)
        less = {key: value[key] for key in keys[1:]}
        choices = [
            {**value, "more": 1},
            less,
            None,
            [],
            [value],
            {**value, random.choice(keys or ["x"]): None},
        ]
        if len(keys) > 1:
            one, two = random.sample(keys, 2)
            choices.append({**value, one: value[two], two: value[one]})
    choices = [other for other in choices if other != value]
    return random.choice(choices or [None])


def mutate_json(data: bytes, random: Random) -> bytes:
    """One value of a JSON file changed, the file canonical again."""
    value = json.loads(data)
    path = random.choice(_places(value))
    return canonical(_put(value, path, lambda inner: _other_value(inner, random)))


def respelt_json(data: bytes, random: Random) -> bytes:
    """The same value, or a doubled key, in another spelling: never canonical."""
    text = data.decode()
    value = json.loads(text)
    keys = list(value)
    key = random.choice(keys)
    one = json.dumps({key: value[key]}, separators=(",", ":"), ensure_ascii=False)[1:-1]
    ways = [
        f"{{{one},{text[1:]}",
        f"{text[:-1]},{one}}}",
        text.replace(":", ": ", 1),
        f"{text}\n",
        f" {text}",
        f"\ufeff{text}",
        f"{text}\x00",
        f"{text}{{}}",
        text.replace('"', '"\\u00', 1)
        if False
        else text.replace(f'"{key}"', f'"\\u{ord(key[0]):04x}{key[1:]}"', 1),
        text.replace("/", "\\/", 1),
        json.dumps(dict(reversed(value.items())), separators=(",", ":"), ensure_ascii=False),
        json.dumps(value, separators=(",", ":"), sort_keys=True, indent=1),
    ]
    for old in ('"version":1', '"number":', '"size":', '"chain_id":', '"count":', '"index":'):
        at = text.find(old)
        if at >= 0:
            end = at + len(old)
            while end < len(text) and text[end].isdigit():
                end += 1
            number = text[at:end]
            ways += [text.replace(number, number + more, 1) for more in (".0", "e0", "E+0", "0e-1")]
            head, digits = number.rsplit(":", 1)
            ways += [
                text.replace(number, f"{head}:{form}", 1)
                for form in (f"-{digits}", f"0{digits}", f"+{digits}", "NaN", "Infinity", "-0")
            ]
    ways = [way for way in ways if way != text]
    return random.choice(ways).encode("utf-8", "surrogatepass")


# --- DER ------------------------------------------------------------------------------------------------------------


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start of contents, end. Only forms that occur: one tag byte, definite lengths."""
    tag, first = data[at], data[at + 1]
    if first < 0x80:
        return tag, at + 2, at + 2 + first
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise NoChangeError
    return tag, at + 2 + count, at + 2 + count + int.from_bytes(data[at + 2 : at + 2 + count], "big")


def der(data: bytes, depth: int = 0) -> list:
    """[tag, contents] of each value; contents are a list where the value is constructed."""
    found, at = [], 0
    while at < len(data):
        tag, start, end = _header(data, at)
        if end > len(data) or tag & 0x1F == 0x1F:
            raise NoChangeError
        inner = der(data[start:end], depth + 1) if tag & 0x20 and depth < MAX_DEPTH else data[start:end]
        found.append([tag, inner])
        at = end
    return found


def encode_der(values: list) -> bytes:
    out = b""
    for tag, contents in values:
        body = encode_der(contents) if isinstance(contents, list) else contents
        if len(body) < 0x80:
            length = bytes([len(body)])
        else:
            size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
            length = bytes([0x80 | len(size)]) + size
        out += bytes([tag]) + length + body
    return out


def _nodes(values: list) -> list[tuple[list, int]]:
    found = []
    for at, (_, contents) in enumerate(values):
        found.append((values, at))
        if isinstance(contents, list):
            found += _nodes(contents)
    return found


def mutate_der(data: bytes, random: Random) -> bytes:
    """One value changed in a DER structure, all lengths around it right again; octet strings are opened as well."""
    values = der(data)
    holder, at = random.choice(_nodes(values))
    tag, contents = holder[at]
    if tag in (0x04, 0xA0) and isinstance(contents, bytes) and random.random() < 0.6:
        try:
            inner = der(contents)
            if inner:
                holder[at] = [tag, mutate_der(contents, random)]
                return encode_der(values)
        except (NoChangeError, IndexError):
            pass
    choice = random.randrange(6)
    if choice == 0 or (choice == 1 and not isinstance(contents, list)):
        holder[at] = [tag, contents[:-1] if isinstance(contents, list) else other_bytes(contents, random)]
    elif choice == 1:
        holder[at] = [tag, contents[::-1]]
    elif choice == 2:
        del holder[at]
    elif choice == 3:
        holder.insert(at, [tag, contents])
    elif choice == 4:
        holder[at] = [tag ^ random.choice([1, 2, 4, 0x20, 0x80]), contents]
    else:
        other, place = random.choice(_nodes(values))
        holder[at] = [tag, b""] if _within(other[place], holder[at]) else other[place]
    made = encode_der(values)
    if made == data:
        raise NoChangeError
    return made


def _within(outer: list, inner: list) -> bool:
    if outer is inner:
        return True
    return isinstance(outer[1], list) and any(_within(each, inner) for each in outer[1])


# --- RLP ------------------------------------------------------------------------------------------------------------


def mutate_rlp(data: bytes, random: Random) -> bytes:
    """One item of an RLP structure changed, all lengths right again."""
    prefix, body = (data[:1], data[1:]) if data[:1] < b"\xc0" else (b"", data)
    value = rlp.decode(body)
    path = random.choice(_places(_listed(value)))

    def change(inner):
        if isinstance(inner, list):
            return random.choice([inner[:-1], [*inner, b"\x01"], inner[::-1], [], [*inner, *inner[:1]]])
        return other_bytes(inner, random)

    made = prefix + rlp.encode(_put(_listed(value), path, change))
    if made == data:
        raise NoChangeError
    return made


def _listed(value: Any) -> Any:
    return [_listed(inner) for inner in value] if isinstance(value, (list, tuple)) else value


# --- notes and proofs -----------------------------------------------------------------------------------------------


def mutate_lines(data: bytes, random: Random) -> bytes:
    """One line of a note or proof changed: numbers, hashes and signatures stay numbers, hashes and signatures."""
    lines = data.decode().split("\n")
    at = random.randrange(len(lines))
    line = lines[at]
    choice = random.randrange(8)
    if choice == 0:
        del lines[at]
    elif choice == 1:
        lines.insert(at, line)
    elif choice == 2:
        other = random.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif choice == 3:
        lines.insert(
            at,
            random.choice(["", "extension", "extra AAAA", "index 0", base64.b64encode(bytes(32)).decode()]),
        )
    else:
        lines[at] = _other_line(line, random)
    made = "\n".join(lines).encode()
    if made == data:
        raise NoChangeError
    return made


def _other_line(line: str, random: Random) -> str:
    *front, last = line.split(" ")
    if last.isdigit():
        number = int(last)
        last = random.choice(
            [
                str(number + 1),
                str(max(0, number - 1)),
                f"0{last}",
                f"{last}.0",
                "",
                str(2**63),
                f"+{last}",
                "９",
            ]
        )
    else:
        try:
            raw = base64.b64decode(last, validate=True)
        except ValueError:
            last = other_text(last, random)
        else:
            last = random.choice(
                [
                    lambda: base64.b64encode(other_bytes(raw, random)).decode(),
                    lambda: last.rstrip("="),
                    lambda: last.replace("+", "-").replace("/", "_") + " ",
                    lambda: f"{last}=",
                    lambda: f"{last}\r",
                ]
            )()
    return " ".join([*front, last])
