"""Small PDF files made by hand, most of them hostile."""

import zlib


def pdf(*objects, trailer=b"", root=1):
    """A PDF with a classic cross-reference table; object N is objects[N - 1]."""
    # It grows in place: a million objects are a moment, and not an hour.
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d /Root %d 0 R %b>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(offsets) + 1, table, len(offsets) + 1, root, trailer, len(out))
    )
    return bytes(out)


PAGES = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"


def plain():
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", PAGES, PAGE)


def bomb():
    """The catalog sits in an object stream that is compressed twice: some kilobytes, and more than the memory there."""
    squeezer = zlib.compressobj(9)
    once = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(300)) + squeezer.flush()
    twice = zlib.compress(once, 9)
    stream = b"<</Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%b\nendstream"
    body = b"%PDF-1.7\n1 0 obj\n" + stream % (len(twice), twice) + b"\nendobj\n"
    rows = b"".join(
        kind.to_bytes(1, "big") + place.to_bytes(4, "big") + extra.to_bytes(1, "big")
        for kind, place, extra in [(0, 0, 0), (1, 9, 0), (2, 1, 0), (1, len(body), 0)]
    )
    xref = b"3 0 obj\n<</Type/XRef/Size 4/W[1 4 1]/Root 2 0 R/Length %d>>stream\n%b\nendstream\nendobj\n"
    return body + xref % (len(rows), rows) + b"startxref\n%d\n%%%%EOF\n" % len(body)


def deep(levels):
    nested = b"[" * levels + b"]" * levels
    return pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields %b>>>>" % nested, PAGES, PAGE)


def looping_fields():
    form = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>"
    return pdf(form, PAGES, PAGE, b"<</T(a)/Kids[5 0 R]>>", b"<</T(b)/Parent 4 0 R/Kids[4 0 R]>>")


def looping_reference():
    return pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>", PAGES, PAGE, b"5 0 R", b"4 0 R")


def looping_tables():
    objects = (b"<</Type/Catalog/Pages 2 0 R>>", PAGES, PAGE)
    start = pdf(*objects).rindex(b"xref\n0")
    return pdf(*objects, trailer=b"/Prev %d" % start)


def many_fields(count):
    names = b"".join(b"%d 0 R " % number for number in range(4, 4 + count))
    form = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%b]>>>>" % names
    return pdf(form, PAGES, PAGE, *(b"<</FT/Sig/T(field %d)>>" % number for number in range(count)))


def filled_without_signature(value=b"<</Type/Sig/SubFilter/adbe.pkcs7.detached>>"):
    form = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>"
    return pdf(form, PAGES, PAGE, b"<</FT/Sig/T(party-a)/V 5 0 R>>", value)
