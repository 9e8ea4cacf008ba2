"""Files that may use up what the sandbox allows: very many objects, entries, bytes or revisions."""

import zlib

import pdfs
from attacks_structures import nested, xref_stream
from changing import appended, streams
from sound import OBJECTS, signed


def many_objects(count):
    """A file of `count` objects, each in its classic table."""
    out, offsets = [b"%PDF-1.7\n"], []
    place = len(out[0])
    for number, body in enumerate((b"<</Type/Catalog/Pages 2 0 R>>", pdfs.PAGES, pdfs.PAGE), 1):
        piece = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        offsets.append(place)
        out.append(piece)
        place += len(piece)
    for number in range(4, count + 1):
        piece = b"%d 0 obj\n0\nendobj\n" % number
        offsets.append(place)
        out.append(piece)
        place += len(piece)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out.append(
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root 1 0 R>>\n"
        % (count + 1, table, count + 1)
    )
    return b"".join(out) + b"startxref\n%d\n%%%%EOF\n" % place


def objects_in_a_stream(count):
    """An object stream that says it holds `count` objects, and does."""
    numbers = b" ".join(b"%d %d" % (10 + at, 2 * at) for at in range(count))
    data = zlib.compress(numbers + b" " + b"0 " * count, 9)
    dictionary = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (count, len(numbers) + 1)
    holder = b"3 0 obj\n%b\nendobj\n" % streams(dictionary, data)
    first = len(b"%PDF-1.7\n")
    offsets = [first, first + len(b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")]
    third = offsets[1] + len(b"2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n")
    rows = [(0, 0, 0), (1, offsets[0], 0), (1, offsets[1], 0), (1, third, 0)]
    packed = b"".join(k.to_bytes(1, "big") + p.to_bytes(4, "big") + e.to_bytes(3, "big") for k, p, e in rows)
    packed += b"".join(b"\x02" + (3).to_bytes(4, "big") + at.to_bytes(3, "big") for at in range(count))
    entries = b"/Size %d/Index[0 4 10 %d]" % (10 + count, count)
    squeezed_rows = zlib.compress(packed, 9)
    return xref_stream(squeezed_rows, entries, b"1 4 3", holder, b"/Filter/FlateDecode")


def heavy():
    yield (
        "a table of 2^31 entries by its own word",
        lambda: xref_stream(bytes(60), b"/Size 2147483648/Index[0 2147483648]"),
    )
    yield "10^6 objects", lambda: many_objects(1_000_000)
    yield "10^6 objects in one stream", lambda: objects_in_a_stream(1_000_000)
    yield "10^6 objects in one array", lambda: nested(1, b"[" + b"0 " * 1_000_000)
    yield "10^6 fields", lambda: pdfs.many_fields(1_000_000)
    yield "100 MiB of zeros", lambda: pdfs.pdf(*OBJECTS[:3], streams(b"", bytes(100 << 20)))
    yield "100 revisions", lambda: _grown(100)


def _grown(count):
    data = signed()
    for _ in range(count):
        data = appended({50: b"null"}, data=data)
    return data
