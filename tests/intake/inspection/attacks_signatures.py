"""Signatures whose dictionary, range, CMS or covered bytes were tampered with."""

import re
from io import BytesIO

from changing import cms_bytes, contents, flipped, hexadecimal, spelt, streams, with_cms
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from sound import party, signed, unsigned


def ranged(new):
    """Another /ByteRange, in the place of the true one."""
    (old,) = re.findall(rb"/ByteRange\s*\[[^\]]*\][ ]*", signed())[-1:]
    return spelt(old, b"/ByteRange" + new)


def wrapped():
    """Signature wrapping: the second range is moved to the end of the file, and other objects stand in the gap.

    They have a table of their own, just where the last line, which is signed, says that the table is. The gap begins
    with the rest of the signature's own dictionary, which has a range that fits.
    """
    start, end = hexadecimal()
    data = signed()
    table = int(data.rsplit(b"startxref", 1)[1].split()[0])
    root = re.findall(rb"/Root (\d+) 0 R", data)[-1]
    places = {int(found[1]): found.start() for found in re.finditer(rb"(?<![0-9])(\d+) 0 obj", data)}
    count = max(places) + 1
    trailer = b"trailer\n<</Size %d/Root %b 0 R>>\n" % (count, root)
    shift = table - end + len(b"xref\n0 %d\n" % count) + 20 * count + len(trailer)
    numbers = b"/ByteRange [0 %d %d %d]" % (start, end + shift, len(data) - end)
    rest = re.sub(rb"/ByteRange\s*\[[^\]]*\]", numbers, data[end : data.index(b"endobj", end) + 7])
    front = data[:end] if numbers in rest else re.sub(rb"/ByteRange\s*\[[^\]]*\]", numbers, data[:end])
    places = {number: at if at < end else at + shift for number, at in places.items()}
    places[4] = end + len(rest)
    evil = rest + b"4 0 obj\n%b\nendobj\n" % streams(b"", b"BT /F1 9 Tf 9 50 Td (Pay 999) Tj ET")
    assert len(evil) <= table - end
    assert len(front) == end
    rows = (
        b"%010d 00000 n \n" % places[at] if at in places else b"0000000000 65535 f \n" for at in range(count)
    )
    return front + evil.ljust(table - end) + b"xref\n0 %d\n" % count + b"".join(rows) + trailer + data[end:]


_RANGES = {
    "of three": b"[0 9 99]",
    "of six": b"[0 9 20 9 40 9]",
    "of words": b"[/a/b/c/d]",
    "below nothing": b"[0 -9 -9 9]",
    "of 30 digits": b"[0 1 2 " + b"9" * 30 + b"]",
    "that begins late": b"[1 999 1999 99]",
    "of nothing": b"[0 0 0 0]",
    "that overlaps itself": b"[0 1999 999 1999]",
    "backwards": b"[999 99 0 99]",
    "of all by its own word": b"[0 9999 0 0]",
    "of fractions": b"[0 9.5 99.5 9]",
}


def dictionaries():
    yield "no /Contents", spelt(b"/Contents", b"/Contentz")
    yield "no /ByteRange", spelt(b"/ByteRange", b"/ByteRangf")
    yield "empty /Contents", contents(b"", b"0")
    yield "odd hexadecimal digits", contents(cms_bytes().hex().encode() + b"0>", b" ")
    yield "what is no hexadecimal digit", contents(b"zz")
    yield "/Contents that is a number", spelt(signed()[slice(*hexadecimal())], b"7")
    yield "/Contents that is null", spelt(signed()[slice(*hexadecimal())], b"null")
    yield "a CMS cut in half", contents(cms_bytes()[:300].hex().encode())
    yield "bytes behind the CMS", contents((cms_bytes() + b"more").hex().encode())
    yield "no signer", with_cms(lambda data: data.__setitem__("signer_infos", []))
    yield "the same signer twice", with_cms(lambda data: data["signer_infos"].append(data["signer_infos"][0]))
    yield "no certificates", with_cms(lambda data: data.__setitem__("certificates", None))
    yield "a CMS of nothing but openings", contents(b"3080" * 2000)
    yield "another's CMS", contents(_others_cms().hex().encode())
    for what, numbers in _RANGES.items():
        yield f"a range {what}", ranged(numbers)
    yield "a filter of nobody's", spelt(b"/ETSI.CAdES.detached", b"/Nobody.Knows")
    yield "a subfilter that signs a SHA-1", spelt(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1")
    yield "a signature that says it is a time stamp", spelt(b"/Type /Sig", b"/Type /DocTimeStamp"[:10])
    yield "signature wrapping", wrapped()


def _others_cms():
    """Of another party's signature on its own file."""
    writer = IncrementalPdfFileWriter(BytesIO(unsigned()))
    metadata = signers.PdfSignatureMetadata(field_name="sig", subfilter=fields.SigSeedSubFilter.PADES)
    data = signers.sign_pdf(writer, metadata, party("Other")[1]).getvalue()
    found = re.findall(rb"/Contents\s*<([0-9a-fA-F]+)>", data)[-1]
    return bytes.fromhex(found.decode()).rstrip(b"\0")


def flips():
    _, end = hexadecimal()
    yield "a byte of the header", flipped(7)
    yield "a byte of what is shown", flipped(signed().index(b"Pay 100") + 4)
    yield "a byte behind the signature", flipped(end + 20)
    digits = cms_bytes().hex()  # which end with the value of the signature
    yield "a digit of the signature", contents((digits[:-1] + ("1" if digits[-1] == "0" else "0")).encode())
