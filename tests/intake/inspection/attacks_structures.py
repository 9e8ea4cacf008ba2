"""Files that are hostile in their structure: nested, looping, bombs, cut, oddly named, locked; most are unsigned."""

import re
from io import BytesIO

import pdfs
import pikepdf
from changing import appended, hexadecimal, squeezed, streams
from sound import OBJECTS, signed


def nested(levels, opening=b"[", closing=b"]"):
    return pdfs.pdf(
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/X %b>>>>"
        % (opening * levels + closing * levels),
        pdfs.PAGES,
        pdfs.PAGE,
        b"<</FT/Sig/T(a)>>",
    )


def field_tree(levels):
    """Fields inside of fields."""
    form = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>"
    inner = [b"<</T(a)/Kids[%d 0 R]>>" % (5 + at) for at in range(levels)]
    return pdfs.pdf(form, pdfs.PAGES, pdfs.PAGE, *inner, b"<</FT/Sig/T(z)>>")


def forms(*more):
    return pdfs.pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>", pdfs.PAGES, pdfs.PAGE, *more)


def named(name):
    return forms(b"<</FT/Sig/T%b>>" % name)


def sealed(user, algorithm, data=None):
    out = BytesIO()
    with pikepdf.open(BytesIO(data or pdfs.plain())) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="o", user=user, R=algorithm))
    return out.getvalue()


def xref_stream(rows, entries=b"", widths=b"1 4 1", body=b"", filters=b""):
    """A file whose only cross-reference section is this stream."""
    head = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    head += b"2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n" + body
    stream = b"9 0 obj\n<</Type/XRef/W[%b]/Root 1 0 R/Length %d%b%b>>stream\n%b\nendstream\nendobj\n"
    stream = stream % (widths, len(rows), filters, entries, rows)
    return head + stream + b"startxref\n%d\n%%%%EOF\n" % len(head)


def store_bomb(key):
    """A document security store whose one object is a bomb, appended to a signed file."""
    data = squeezed(300, 2)
    root = re.findall(rb"/Root (\d+) 0 R", signed())[-1]
    at = signed().rindex(b"\n%b 0 obj" % root)
    body = signed()[at:].split(b"obj", 1)[1].split(b"endobj", 1)[0].strip()
    grown = body[:-2] + b"/DSS 50 0 R>>"
    return appended(
        {
            int(root): grown,
            50: b"<</Type/DSS/%b[51 0 R]>>" % key,
            51: streams(b"/Filter[/FlateDecode/FlateDecode]", data),
        }
    )


def structures():
    yield "500 arrays in one another", nested(500)
    yield "5,000 arrays in one another", nested(5_000)
    yield "500,000 arrays in one another", nested(500_000)
    yield "500 dictionaries in one another", nested(500, b"<</A ", b">>")
    yield "50,000 dictionaries in one another", nested(50_000, b"<</A ", b">>")
    yield "20 fields in one another", field_tree(20)
    yield "3,000 fields in one another", field_tree(3_000)
    yield "fields that loop", pdfs.looping_fields()
    yield "references that loop", pdfs.looping_reference()
    yield "tables that loop", pdfs.looping_tables()
    yield "a field that is its own child", forms(b"<</T(a)/Kids[4 0 R]>>")
    yield "a value that is its own field", forms(b"<</FT/Sig/T(a)/V 4 0 R>>")
    yield "a catalog that is a reference to itself", pdfs.pdf(b"1 0 R", pdfs.PAGES, pdfs.PAGE)
    yield (
        "a page tree that loops",
        pdfs.pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[2 0 R]>>", pdfs.PAGE),
    )
    yield (
        "a length that is its own stream",
        pdfs.pdf(
            b"<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>",
            pdfs.PAGES,
            pdfs.PAGE,
            b"<</Length 4 0 R>>stream\nx\nendstream",
        ),
    )
    yield (
        "a count of pages below nothing",
        pdfs.pdf(b"<</Type/Catalog/Pages 2 0 R>>", pdfs.PAGES.replace(b"1", b"-7", 1), pdfs.PAGE),
    )
    yield "five thousand empty fields", pdfs.many_fields(5_000)


def bombs():
    yield "an object stream bomb", pdfs.bomb()
    yield (
        "a bomb for a table",
        xref_stream(squeezed(300), b"/Size 9/Index[0 9]", filters=b"/Filter/FlateDecode"),
    )
    yield (
        "a bomb for a table, twice squeezed",
        xref_stream(squeezed(300, 2), b"/Size 9", filters=b"/Filter[/FlateDecode/FlateDecode]"),
    )
    yield "a bomb of certificates", store_bomb(b"Certs")
    yield "a bomb of CRLs", store_bomb(b"CRLs")
    yield "a bomb of OCSP responses", store_bomb(b"OCSPs")
    yield (
        "fifty filters on a table",
        xref_stream(b"00" * 99, b"/Size 9", filters=b"/Filter[" + b"/ASCIIHexDecode" * 50 + b"]"),
    )
    yield "a table of entries of 10^9 bytes", xref_stream(bytes(60), b"/Size 9", widths=b"1 1000000000 1")
    yield "a table that begins below nothing", xref_stream(bytes(60), b"/Size 9/Index[-5 9]")
    yield (
        "a classic table that promises 10^9 rows",
        pdfs.plain().replace(b"xref\n0 4\n", b"xref\n0 999999999\n", 1),
    )
    yield "a size of 10^30", pdfs.pdf(*OBJECTS[:3]).replace(b"/Size 4", b"/Size " + b"9" * 30)


def pieces():
    for length in (9, 100, 900):
        yield f"cut to {length} bytes", signed()[:length]
    yield "cut in the middle of the signature", signed()[: hexadecimal()[0] + 999]
    yield "cut in the last line", signed()[:-4]
    yield "a header and nothing else", b"%PDF-1.7\n"
    yield "no table", pdfs.plain().split(b"xref", 1)[0]
    yield "a table beyond the file", re.sub(rb"startxref\n\d+", b"startxref\n99999999", pdfs.plain())
    yield "a table below the file", re.sub(rb"startxref\n\d+", b"startxref\n-5", pdfs.plain())
    yield (
        "a place of the table of 400 digits",
        re.sub(rb"startxref\n\d+", b"startxref\n" + b"9" * 400, pdfs.plain()),
    )
    yield "a place of the table that is a word", re.sub(rb"startxref\n\d+", b"startxref\nhere", pdfs.plain())


def names():
    yield "a name in Chinese", named(b"<FEFF7B7E7AE0>")
    yield "a name that runs backwards", named(b"<FEFF0061202E0062>")
    yield "a name with half a character", named(b"<FEFFD83D>")
    yield "a name of 100,000 characters", named(b"(" + b"n" * 100_000 + b")")
    yield "a name that is a number", named(b" 7")
    yield "a form in XFA", pdfs.pdf(
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</XFA 4 0 R/Fields[]>>>>", pdfs.PAGES, pdfs.PAGE,
        streams(b"", b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>"),
    )  # fmt: skip
    yield "a password, RC4", sealed("secret", 4)
    yield "a password, AES", sealed("secret", 6)
    yield "no password, AES", sealed("", 6)
    yield (
        "a lock that nobody knows",
        pdfs.pdf(*OBJECTS[:3], trailer=b"/Encrypt<</Filter/Unknown/V 9>>/ID[(a)(b)]"),
    )
