"""A hundred hostile PDF files: what is done to a sound one, and what a truthful report says of it.

Every attack on a signature starts from a file that passes, by roots that it leads to; so a report that says `passed`
of what comes out is a lie, and no accident.
"""

import re
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pdfs
import pikepdf
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def telling(found):
    """Outcome or reason where there is no signature, else what was found of each."""
    if not found["signatures"]:
        gone = f", removed: {', '.join(found['removed_fields'])}" if found["removed_fields"] else ""
        return (found["reason"] or found["outcome"]) + gone
    return [f"{row['integrity']} {row['covers']} {row['changes_after']}" for row in found["signatures"]]


# Who signs


def _certificate(name, issuer, public, signing_key, ca):
    builder = x509.CertificateBuilder(issuer, name, public, 7 if ca else 8)
    builder = builder.not_valid_before(AT - timedelta(days=1)).not_valid_after(AT + timedelta(days=7000))
    usage = dict.fromkeys(
        (
            "digital_signature",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    usage |= {"content_commitment": not ca, "key_cert_sign": ca, "crl_sign": ca}
    builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(signing_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def party(organisation="Example"):
    """A root (DER), a signer under it, and a CRL (DER) that revokes him; made anew in each process."""
    return _party(organisation)


@cache
def _party(organisation):
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{organisation} {what}")])
        for what in ("Root", "Signer")
    ]
    root = _certificate(names[0], names[0], root_key.public_key(), root_key, ca=True)
    leaf = _certificate(names[1], names[0], key.public_key(), root_key, ca=False)
    with TemporaryDirectory() as folder:
        (Path(folder) / "key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (Path(folder) / "cert").write_bytes(leaf)
        (Path(folder) / "root").write_bytes(root)
        loaded = signers.SimpleSigner.load(
            f"{folder}/key", f"{folder}/cert", ca_chain_files=[f"{folder}/root"]
        )
    return root, loaded, _revoking(names[0], root_key, leaf)


def _revoking(issuer, issuer_key, leaf):
    serial = x509.load_der_x509_certificate(leaf).serial_number
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(AT - timedelta(hours=1))
    builder = builder.next_update(AT + timedelta(days=7))
    row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - timedelta(hours=20))
    crl = builder.add_revoked_certificate(row.build()).sign(issuer_key, hashes.SHA256())
    return crl.public_bytes(serialization.Encoding.DER)


# Sound files

_CONTENT = b"BT /F1 9 Tf 9 50 Td (Pay 100) Tj ET"
_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R/AcroForm 12 0 R>>",
    b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources 11 0 R/Annots[6 0 R 7 0 R]>>",
    b"<</Length %d>>stream\n%b\nendstream" % (len(_CONTENT), _CONTENT),
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    b"<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(100)/F 4/Rect[0 0 50 9]/P 3 0 R/DA(/F1 9 Tf)>>",
    b"<</Type/Annot/Subtype/Widget/FT/Tx/T(remark)/F 4/Rect[0 9 50 18]/P 3 0 R/DA(/F1 9 Tf)>>",
    b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>stream\n\nendstream",
    b"<</Type/XObject/Subtype/Form/BBox[0 0 50 9]/Length 0>>stream\n\nendstream",
    b"null",
    b"<</Font<</F1 5 0 R>>/XObject<</I 8 0 R>>>>",
    b"<</Fields[6 0 R 7 0 R]/DR<</Font<</F1 5 0 R>>>>/DA(/F1 9 Tf)>>",
)


def unsigned():
    return pdfs.pdf(*_OBJECTS)


@cache
def signed(*, certify=None, lock=None, base=None):
    """One signature, of `party`; perhaps a certification with that permission, or with a lock of fields."""
    writer = IncrementalPdfFileWriter(BytesIO(base or unsigned()))
    spec = fields.SigFieldSpec("sig", field_mdp_spec=lock)
    fields.append_signature_field(writer, spec)
    fields.append_signature_field(writer, fields.SigFieldSpec("second"))
    metadata = signers.PdfSignatureMetadata(
        field_name="sig",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=certify is not None,
        **({} if certify is None else {"docmdp_permissions": certify}),
    )
    return signers.sign_pdf(writer, metadata, party()[1], existing_fields_only=True).getvalue()


@cache
def signed_twice(organisation="Example"):
    writer = IncrementalPdfFileWriter(BytesIO(signed()))
    metadata = signers.PdfSignatureMetadata(field_name="second", subfilter=fields.SigSeedSubFilter.PADES)
    return signers.sign_pdf(writer, metadata, party(organisation)[1], existing_fields_only=True).getvalue()


# What is done to them


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


def streamed(number, content):
    """An update of the stream object `number`."""

    def change(writer):
        old = writer.get_object(generic.Reference(number, 0, writer))
        new = generic.StreamObject({k: v for k, v in old.items() if k != "/Length"}, stream_data=content)
        writer.objects[0, number] = new

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


def spelt(old, new, data=None):
    """Bytes replaced by others of the same length, so that no offset moves."""
    data = signed() if data is None else data
    assert data.count(old) >= 1, old
    assert len(new) <= len(old)
    at = data.rindex(old)
    return data[:at] + new.ljust(len(old)) + data[at + len(old) :]


def ranged(new):
    """Another /ByteRange, in the place of the true one."""
    (old,) = re.findall(rb"/ByteRange\s*\[[^\]]*\][ ]*", signed())[-1:]
    return spelt(old, b"/ByteRange" + new)


def flipped(at):
    data = bytearray(signed())
    data[at] ^= 1
    return bytes(data)


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


def hidden_then_shown():
    """Hide and replace: what is to be shown lies unreferenced in the signed bytes, and the update only points there."""
    objects = list(_OBJECTS)
    objects[9] = b"<</Length 35>>stream\nBT /F1 9 Tf 9 50 Td (Pay 999) Tj ET\nendstream"
    data = signed(base=pdfs.pdf(*objects))
    at = data.index(b"10 0 obj")
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    root = re.findall(rb"/Root (\d+) 0 R", data)[-1]
    page = _OBJECTS[2].replace(b"/Contents 4 0 R", b"/Contents 10 0 R")
    body = b"3 0 obj\n%b\nendobj\n" % page
    out = data + body
    rows = b"3 1\n%010d 00000 n \n10 1\n%010d 00000 n \n" % (len(data), at)
    return out + b"xref\n%btrailer\n<</Size 60/Root %b 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        rows,
        root,
        start,
        len(out),
    )


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


def catalog(**entries):
    def change(writer):
        for name, value in entries.items():
            if value is None:
                writer.root.pop(pdf_name(f"/{name}"), None)
            else:
                writer.root[pdf_name(f"/{name}")] = value
        writer.update_root()

    return change


def script():
    return generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.TextStringObject("app.alert(1)")}
    )


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


def streams(dictionary, data):
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (dictionary, len(data), data)


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


def with_revocation():
    """Signed, and then a store that says the signer's certificate was revoked; it names no address of a CRL."""
    return updated(lambda writer: _store(writer, generic.StreamObject(stream_data=party()[2])))


def hidden_revocation(change):
    """The same, and then an update by which the newest catalog does not lead to it."""
    return updated(change, with_revocation())


def _store(writer, crl):
    crls = generic.ArrayObject([writer.add_object(crl)])
    writer.root["/DSS"] = writer.add_object(generic.DictionaryObject({pdf_name("/CRLs"): crls}))
    writer.update_root()


def _store_bombed(writer):
    twice = generic.ArrayObject([pdf_name("/FlateDecode")] * 2)
    bomb = generic.StreamObject(dict_data={pdf_name("/Filter"): twice}, encoded_data=squeezed(300, 2))
    _store(writer, bomb)


def _store_removed(writer):
    del writer.root["/DSS"]
    writer.update_root()


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


# The hundred


def _lock():
    return fields.FieldMDPSpec(fields.FieldMDPAction.INCLUDE, ["amount"])


def _structures():
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


def _bombs():
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
    yield "a size of 10^30", pdfs.pdf(*_OBJECTS[:3]).replace(b"/Size 4", b"/Size " + b"9" * 30)


def _pieces():
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


def _names():
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
        pdfs.pdf(*_OBJECTS[:3], trailer=b"/Encrypt<</Filter/Unknown/V 9>>/ID[(a)(b)]"),
    )


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


def _dictionaries():
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


def _flips():
    _, end = hexadecimal()
    yield "a byte of the header", flipped(7)
    yield "a byte of what is shown", flipped(signed().index(b"Pay 100") + 4)
    yield "a byte behind the signature", flipped(end + 20)
    digits = cms_bytes().hex()  # which end with the value of the signature
    yield "a digit of the signature", contents((digits[:-1] + ("1" if digits[-1] == "0" else "0")).encode())


def _updates():
    stream = b"BT /F1 9 Tf 9 50 Td (Pay 999) Tj ET"
    yield "a page added", updated(page_added)
    yield "the page replaced", appended({3: _OBJECTS[2].replace(b"99 99", b"50 50")})
    yield "all pages taken away", appended({2: b"<</Type/Pages/Count 0/Kids[]>>"})
    yield "shadow: what is shown replaced", appended({4: streams(b"", stream)})
    yield "shadow: an overlay taken away", appended({8: b"null"})
    yield "shadow: what was hidden shown", hidden_then_shown()
    yield "shadow: the font replaced", appended({5: _OBJECTS[4].replace(b"Helvetica", b"Symbol")})
    yield "shadow: the look of a field replaced", appended({6: _OBJECTS[5][:-2] + b"/AP<</N 8 0 R>>>>"})
    yield "a note added", updated(annotated)
    yield "a stamp over the page added", updated(lambda writer: annotated(writer, "/Stamp"))
    yield "a script added", updated(catalog(OpenAction=script()))
    yield "all permissions taken away", updated(catalog(AcroForm=None))
    yield "a field filled in", updated(rewritten(7, V=generic.TextStringObject("later")))
    yield "a field filled in anew", updated(rewritten(6, V=generic.TextStringObject("999")))
    yield "a catalog without form", appended({1: b"<</Type/Catalog/Pages 2 0 R>>"})
    yield "nothing changed, but written again", appended({5: _OBJECTS[4]})
    yield "an object freed", signed() + _freed()
    yield "words behind the end", signed() + b"\n% Pay 999"
    yield (
        "objects behind the end, and no table",
        signed() + b"4 0 obj\n" + streams(b"", stream) + b"\nendobj\n",
    )
    yield "another end behind the end", signed() + b"x\nstartxref\n9\n%%EOF\n"
    yield "bytes before the header", b"%%\n" + signed()
    yield "another signs, whom nobody knows", signed_twice("Stranger")
    for permission, change in (("NO_CHANGES", "note"), ("FILL_FORMS", "note"), ("ANNOTATE", "page")):
        certified = signed(certify=getattr(fields.MDPPerm, permission))
        done = annotated if change == "note" else page_added
        yield f"certified for {permission}, a {change} added", updated(done, certified)
    certified = signed(certify=fields.MDPPerm.NO_CHANGES)
    yield (
        "certified for NO_CHANGES, a field filled in",
        updated(rewritten(7, V=generic.TextStringObject("later")), certified),
    )
    certified = signed(certify=fields.MDPPerm.FILL_FORMS)
    yield "certified, and the certification taken away", updated(catalog(Perms=None), certified)
    yield (
        "a locked field filled in anew",
        updated(rewritten(6, V=generic.TextStringObject("999")), signed.__wrapped__(lock=_lock())),
    )
    yield "a revocation", with_revocation()
    yield "a revocation behind a bomb", hidden_revocation(_store_bombed)
    yield "a revocation whose store is taken away", hidden_revocation(_store_removed)
    yield "a bomb added", appended({50: streams(b"/Filter/FlateDecode", squeezed(50))})


def _freed():
    start = int(signed().rsplit(b"startxref", 1)[1].split()[0])
    root = re.findall(rb"/Root (\d+) 0 R", signed())[-1]
    at = len(signed())
    table = (
        b"xref\n8 1\n0000000000 00001 f \ntrailer\n<</Size 60/Root %b 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    )
    return table % (root, start, at)


def _heavy():
    yield (
        "a table of 2^31 entries by its own word",
        lambda: xref_stream(bytes(60), b"/Size 2147483648/Index[0 2147483648]"),
    )
    yield "10^6 objects", lambda: many_objects(1_000_000)
    yield "10^6 objects in one stream", lambda: objects_in_a_stream(1_000_000)
    yield "10^6 objects in one array", lambda: nested(1, b"[" + b"0 " * 1_000_000)
    yield "10^6 fields", lambda: pdfs.many_fields(1_000_000)
    yield "100 MiB of zeros", lambda: pdfs.pdf(*_OBJECTS[:3], streams(b"", bytes(100 << 20)))
    yield "100 revisions", lambda: _grown(100)


def _grown(count):
    data = signed()
    for _ in range(count):
        data = appended({50: b"null"}, data=data)
    return data


LIGHT = (_structures, _bombs, _pieces, _names, _dictionaries, _flips, _updates)
HEAVY = dict(_heavy())


@cache
def light():
    """The files that a process without a sandbox reads in no time, by name."""
    return {name: data for family in LIGHT for name, data in family()}
