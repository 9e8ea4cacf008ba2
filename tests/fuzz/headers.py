"""Headers of a ZIP that say something else, in one field of one member, as chance puts it."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from tests.fuzz.zips import Member, joined

# Fields by name: values at and around what may be, and what other programs write.
SHARED: dict[str, Sequence[int]] = {
    "needed": (0, 10, 45, 62, 63, 64, 255, 0x0114, 0x033F, 0x0340, 0xFFFF),
    "flags": (0x0800, 1, 2, 8, 0x40, 0x0801, 0x2000, 0xFFFF),
    "method": (8, 12, 14, 99, 0x0100, 0xFFFF),
    "date": (0, 0x22, 0x5CC1, 0xFFFF),
    "time": (1, 0xBF7D, 0xFFFF),
    "crc": (0, 1, 0xFFFFFFFF),
    "size": (0, 1, 0xFFFFFFFF),
}
IN_DIRECTORY: dict[str, Sequence[int]] = {
    "made_by": (0, 0x031E, 0x0A3F, 0xFFFF),
    "disk": (1, 0xFFFF),
    "internal": (1, 2, 3, 0x0100, 0x8000),
    "attributes": (
        0,
        1,
        0x08,
        0x10,
        0x20,
        0x40,
        0o100600 << 16,
        0o120777 << 16,
        0o40755 << 16,
        0xFFFFFFFF,
        0x8FFFFFE7,
    ),
}
TEXTS: dict[str, Sequence[bytes]] = {
    "extra": (b"\x99\x99\x00\x00", b"\x01\x00\x10\x00" + bytes(16), b"\x75\x70\x06\x00\x01" + bytes(5), b"x"),
    "comment": (b"x", b"PK\x05\x06" + bytes(18), b"PK\x06\x07" + bytes(16)),
    "name": (b"README.zh.txt", b"data/statement.json", b"a\xff", b"x\0", b""),
    "before": (b"\0", b"PK\x03\x04", bytes(30)),
}


def other_headers(found: Sequence[Member], random: Random) -> tuple[str, bytes]:
    """What was changed, and the ZIP: both headers, or the one in front alone where it has such a field."""
    at = random.randrange(len(found))
    values = SHARED | IN_DIRECTORY | TEXTS
    field = random.choice(list(values))
    change = {field: random.choice(values[field])}
    in_front = field in {*SHARED, "extra", "name"} and random.random() < 0.3
    one = replace(found[at], local=change) if in_front else replace(found[at], **change)
    what = f"{field} of {one.name!r} is {change[field]!r}{' in front' if in_front else ''}"
    return what, joined([*found[:at], one, *found[at + 1 :]])
