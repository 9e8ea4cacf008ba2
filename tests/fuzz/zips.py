"""Packages written by hand: with right manifests around any files, and ZIPs that are wrong in one way."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

MIMETYPE = b"application/vnd.etsi.asic-e+zip"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
FRAME = ("mimetype", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt")
LAST = "README.en.txt"


@dataclass(frozen=True)
class Member:
    """One file as both headers say it is; `local` changes what the local header says, and it alone."""

    name: bytes
    data: bytes
    flags: int = 0
    method: int = 0
    crc: int | None = None
    size: int | None = None
    extra: bytes = b""
    comment: bytes = b""
    attributes: int = 0o100644 << 16
    made_by: int = 20 | 3 << 8  # ZIP 2.0, Unix
    needed: int = 20
    date: int = 0x21  # 1980-01-01
    time: int = 0
    disk: int = 0
    internal: int = 0
    local: dict[str, object] = field(default_factory=dict)
    before: bytes = b""

    def fields(self) -> bytes:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        size = len(self.data) if self.size is None else self.size
        front = (self.needed, self.flags, self.method, self.time, self.date)
        return struct.pack("<5H3I", *front, crc, len(self.data), size)


def framed(files: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """The files with type, bag and manifests, in the order in which we write them."""
    names = sorted(files, key=str.encode)
    made = dict(files) | {"bagit.txt": BAGIT}

    def lines(chosen):
        return "".join(f"{sha256(made[name]).hexdigest()}  {name}\n" for name in chosen).encode(
            "utf-8", "surrogatepass"
        )

    made["manifest-sha256.txt"] = lines([name for name in names if name.startswith("data/")])
    made["mimetype"] = MIMETYPE
    tags = [name for name in made if not name.startswith(("data/", "META-INF/"))]
    made["tagmanifest-sha256.txt"] = lines(sorted(tags, key=str.encode))
    rest = sorted((name for name in made if name != "mimetype"), key=str.encode)
    return [("mimetype", MIMETYPE), *((name, made[name]) for name in rest)]


def packed(files: dict[str, bytes]) -> bytes:
    """A package of these files; manifests and checksums are right whatever they hold."""
    return joined(members(files))


def members(files: dict[str, bytes]) -> list[Member]:
    return [member(name, data) for name, data in framed(files)]


def member(name: str, data: bytes) -> Member:
    encoded = name.encode("utf-8", "surrogatepass")
    return Member(encoded, data, 0 if encoded.isascii() else 0x0800)


def joined(
    all_members: list[Member],
    *,
    before: bytes = b"",
    between: bytes = b"",
    comment: bytes = b"",
    behind: bytes = b"",
    count: int | None = None,
    listed: Callable[[list[bytes]], list[bytes]] = list,
) -> bytes:
    """The ZIP of these members, one after the other; `listed` may put their entries of the directory otherwise."""
    out, entries = bytearray(before), []
    for one in all_members:
        out += one.before
        at = len(out)
        front = replace(one, local={}, **one.local) if one.local else one
        out += b"PK\x03\x04" + front.fields()
        out += struct.pack("<HH", len(front.name), len(front.extra)) + front.name + front.extra + one.data
        entry = b"PK\x01\x02" + struct.pack("<H", one.made_by) + one.fields()
        lengths = (len(one.name), len(one.extra), len(one.comment))
        entry += struct.pack("<5H2I", *lengths, one.disk, one.internal, one.attributes, at)
        entries.append(entry + one.name + one.extra + one.comment)
    out += between
    directory = b"".join(listed(entries))
    number = len(all_members) if count is None else count
    end = struct.pack("<HHHHIIH", 0, 0, number, number, len(directory), len(out), len(comment))
    return bytes(out + directory + b"PK\x05\x06" + end + comment + behind)


def _changed(at: int, **changes) -> Callable[[list[Member]], bytes]:
    return lambda found: joined([*found[:at], replace(found[at], **changes), *found[at + 1 :]])


def _with(*more: Member) -> Callable[[list[Member]], bytes]:
    return lambda found: joined([*found, *more])


def _deflated(found: list[Member]) -> bytes:
    one = found[2]
    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(one.data) + packer.flush()
    return joined(
        [
            *found[:2],
            replace(one, data=data, method=8, crc=zlib.crc32(one.data), size=len(one.data)),
            *found[3:],
        ]
    )


def _bomb(found: list[Member]) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    data = packer.compress(bytes(50_000_000)) + packer.flush()
    one = Member(b"README.en.txt", data, method=8, crc=0, size=2**31)
    return joined([*[each for each in found if each.name != one.name], one])


def _by_chance_a_locator(found: list[Member]) -> bytes:
    """Attributes and offset of the last entry, whose name has 13 bytes, are the mark of a directory of 64 bits."""
    files = {one.name.decode(): one.data for one in found}
    free = "META-INF/signature001.p7s"  # stands in no manifest
    made = members({name: data for name, data in files.items() if name not in FRAME} | {LAST: b"", free: b""})
    last = replace(next(one for one in made if one.name == LAST.encode()), attributes=0x064B5020)
    front = [one for one in made if one.name != last.name]
    begin = len(joined(front)) - _directory_size(front) - 22
    padded = [
        replace(one, data=bytes((7 - begin) % 256)) if one.name == free.encode() else one for one in front
    ]
    return joined([*padded, last])


def _directory_size(found: list[Member]) -> int:
    return sum(46 + len(one.name) for one in found)


def _locator(found: list[Member]) -> bytes:
    """What a directory of 64 bits has before the end, counted into the directory."""
    data = joined(found)
    size = _directory_size(found)
    begin = len(data) - 22 - size
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, len(found), len(found), size, begin)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, begin + size, 1)
    end = struct.pack("<4H2LH", 0, 0, len(found), len(found), size + 76, begin, 0)
    return data[:-22] + record + locator + b"PK\x05\x06" + end


# What each does to the members of a valid package. All must be refused as no package (1.1).
TRICKS: dict[str, Callable[[list[Member]], bytes]] = {
    "a file twice": lambda found: joined([*found, found[3]]),
    "a file twice, with other bytes": lambda found: joined([*found, replace(found[3], data=b"other")]),
    "a path from the root": _changed(4, name=b"/etc/passwd"),
    "a path out of the folder": _with(member("../statement.json", b"x")),
    "a path out of the folder and back": _with(member("data/../data/statement.json", b"x")),
    "backslashes": _with(member("heads\\4\\checkpoint", b"x")),
    "a drive": _with(member("C:statement.json", b"x")),
    "an empty name": _with(member("", b"")),
    "a NUL in a name": _with(Member(b"README.en.txt\x00.exe", b"x")),
    "a name in capitals": _with(member("DATA/statement.json", b"x")),
    "a folder": _with(Member(b"data/", b"", attributes=0o40755 << 16 | 0x10)),
    "a link": _changed(-2, attributes=0o120777 << 16),
    "a device": _changed(-2, attributes=0o020666 << 16),
    "a volume": _changed(-2, attributes=0x08),
    "an unknown file": _with(member("data/else.json", b"{}")),
    "bytes before": lambda found: joined(found, before=b"PK"),
    "bytes behind": lambda found: joined(found, behind=b"\x00"),
    "bytes between files and directory": lambda found: joined(found, between=b"\x00"),
    "bytes between two files": _changed(3, before=b"\x00" * 7),
    "a comment": lambda found: joined(found, comment=b"hello"),
    "a comment of a file": _changed(3, comment=b"hello"),
    "an extra field": _changed(3, extra=b"\x99\x99\x02\x00ab"),
    "a Unicode path field": _changed(3, extra=b"\x75\x70\x06\x00\x01\x00\x00\x00\x00x"),
    "64 bit sizes": _changed(3, extra=b"\x01\x00\x10\x00" + bytes(16)),
    "a wrong checksum": _changed(3, crc=1),
    "a compressed file": _deflated,
    "a bomb": _bomb,
    "an encrypted file": _changed(3, flags=1),
    "a data descriptor": _changed(3, flags=8),
    "an unknown flag": _changed(3, flags=0x2000),
    "an unknown method": _changed(3, method=99),
    "a later version of ZIP": _changed(3, needed=64),
    "a later version of ZIP, with another byte": _changed(3, needed=0x0340),
    "on another disk": _changed(3, disk=1),
    "on a disk of 64 bits": _changed(3, disk=0xFFFF),
    "made of records": _changed(3, internal=2),
    "unknown internal attributes": _changed(3, internal=0x8000),
    "a directory of 64 bits": _locator,
    "by chance the mark of a directory of 64 bits": _by_chance_a_locator,
    "another version in front": _changed(3, local={"needed": 10}),
    "another date in front": _changed(3, local={"date": 0x22}),
    "another time in front": _changed(3, local={"time": 1}),
    "another flag in front": _changed(3, local={"flags": 0x0800}),
    "another name in front": _changed(3, local={"name": b"README.zh.txt"}),
    "another size in front": _changed(3, local={"size": 1}),
    "another checksum in front": _changed(3, local={"crc": 7}),
    "another method in front": _changed(3, local={"method": 8}),
    "an extra field in front": _changed(3, local={"extra": b"\x99\x99\x00\x00"}),
    "a longer size": _changed(3, size=10**6),
    "too many in the count": lambda found: joined(found, count=len(found) + 1),
    "too few in the count": lambda found: joined(found, count=len(found) - 1),
    "a directory in another order": lambda found: joined(
        found, listed=lambda entries: [*entries[:-2], entries[-1], entries[-2]]
    ),
    "the place of another file": lambda found: joined(
        found,
        listed=lambda entries: [*entries[:-1], entries[-1][:42] + entries[-2][42:46] + entries[-1][46:]],
    ),
    "another type first": lambda found: joined([found[1], found[0], *found[2:]]),
    "no type": lambda found: joined(found[1:]),
    "no files": lambda found: joined([]),
    "a type with a newline": _changed(0, data=MIMETYPE + b"\n"),
    "another type": _changed(0, data=b"application/zip"),
    "no manifest": lambda found: joined([each for each in found if each.name != b"manifest-sha256.txt"]),
    "no manifest of tags": lambda found: joined(
        [each for each in found if each.name != b"tagmanifest-sha256.txt"]
    ),
    "a file of no manifest": _with(member("README.zh.txt", b"x")),
    "cut in the middle": lambda found: joined(found)[:-400],
    "no end": lambda found: joined(found)[:-22],
    "two ends": lambda found: joined(found) + joined(found)[-22:],
    "a ZIP within the comment": lambda found: joined(found, comment=joined(found)[:60000]),
    "513 files": lambda found: joined(
        [*found, *(member(f"META-INF/signature{n:03}.p7s", b"") for n in range(513))]
    ),
    "a name that is not UTF-8": _with(Member(b"data/document/\xff\xfe.pdf", b"x", flags=0x0800)),
    "a name that turns round": _with(member("data/document/fdp\u202efdp.pdf", b"x")),
    "two documents": _with(member("data/document/second.pdf", b"x")),
}

# What may be other in the headers of a member and makes no difference.
FREE: dict[str, dict[str, int]] = {
    "made by another program": {"made_by": 0xFFFF},
    "an older version of ZIP": {"needed": 10},
    "the newest version of ZIP": {"needed": 63},
    "a version with another byte": {"needed": 0xFF0A},
    "another date": {"date": 0x5CC1, "time": 0xBF7D},
    "no date": {"date": 0, "time": 0},
    "said to be text": {"internal": 1},
    "other permissions": {"attributes": 0o100600 << 16 | 0x21},
    "no attributes": {"attributes": 0},
    "marked as UTF-8": {"flags": 0x0800},
}


def free(what: str) -> Callable[[list[Member]], bytes]:
    """The members with that in the headers of each."""
    return lambda found: joined([replace(one, **FREE[what]) for one in found])
