"""How a signed file is changed: by an update, by other bytes in its place, by a change of its CMS."""

import re
import zlib
from functools import cache
from io import BytesIO

from asn1crypto import cms
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from sound import signed


def updated(change, data=None):
    """An incremental update: `change` of a writer."""
    writer = IncrementalPdfFileWriter(BytesIO(signed() if data is None else data), strict=False)
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def rewritten(number, **entries):
    """An update of object `number`: entries set, or taken away where they are None."""

    def change(writer):
        reference = generic.Reference(number, 0, writer)
        body = writer.get_object(reference)
        for name, value in entries.items():
            if value is None:
                body.pop(pdf_name(f"/{name}"), None)
            else:
                body[pdf_name(f"/{name}")] = value
        writer.mark_update(reference)

    return change


def catalog(**entries):
    def change(writer):
        for name, value in entries.items():
            if value is None:
                writer.root.pop(pdf_name(f"/{name}"), None)
            else:
                writer.root[pdf_name(f"/{name}")] = value
        writer.update_root()

    return change


def appended(objects, trailer=b"", data=None):
    """An update by hand: {number: body}, with no regard to what a writer would allow."""
    data = signed() if data is None else data
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    root = re.findall(rb"/Root (\d+) 0 R", data)[-1]
    out, rows = data + b"\n", b""
    for number, body in objects.items():
        rows += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    return out + b"xref\n%btrailer\n<</Size 60/Root %b 0 R/Prev %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (
        rows,
        root,
        start,
        trailer,
        len(out),
    )


def spelt(old, new, data=None):
    """Bytes replaced by others of the same length, so that no offset moves."""
    data = signed() if data is None else data
    assert data.count(old) >= 1, old
    assert len(new) <= len(old)
    at = data.rindex(old)
    return data[:at] + new.ljust(len(old)) + data[at + len(old) :]


def flipped(at):
    data = bytearray(signed())
    data[at] ^= 1
    return bytes(data)


def page_added(writer):
    made = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Page")})
    made[pdf_name("/MediaBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 99, 99)))
    made[pdf_name("/Resources")] = generic.DictionaryObject()
    writer.insert_page(made)


def annotated(writer, subtype="/FreeText"):
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name(subtype),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 99, 99))),
            pdf_name("/Contents"): generic.TextStringObject("Pay 999"),
        }
    )
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Annots"].append(writer.add_object(note))
    writer.update_container(page["/Annots"])


def hexadecimal():
    """Where the hexadecimal string of the signature stands in `signed()`: of `<` and behind `>`."""
    numbers = [int(n) for n in re.findall(rb"/ByteRange\s*\[([^\]]*)\]", signed())[-1].split()]
    return numbers[1], numbers[2]


def contents(new, pad=b"0"):
    """Other bytes in place of /Contents, of the same length."""
    start, end = hexadecimal()
    data = signed()
    return data[: start + 1] + new.ljust(end - start - 2, pad)[: end - start - 2] + data[end - 1 :]


def cms_bytes():
    start, end = hexadecimal()
    return bytes.fromhex(signed()[start + 1 : end - 1].decode()).rstrip(b"\0")


def with_cms(change):
    """/Contents after `change` of the decoded CMS."""
    info = cms.ContentInfo.load(cms_bytes())
    change(info["content"])
    return contents(info.dump(force=True).hex().encode())


def streams(dictionary, data):
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (dictionary, len(data), data)


@cache
def squeezed(size, times=1):
    """`size` MiB of zeros, deflated; a block that is repeated costs nothing to make."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeezer.compress(bytes(1 << 20)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(size):
        check = zlib.adler32(bytes(1 << 20), check)
    data = b"\x78\x9c" + block * size + squeezer.flush() + check.to_bytes(4, "big")
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data
