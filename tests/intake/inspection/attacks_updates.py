"""Updates after signing: pages, notes, scripts, shadows, broken certifications and locks, revocations hidden."""

import re

import pdfs
from changing import annotated, appended, catalog, page_added, rewritten, squeezed, streams, updated
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign import fields
from sound import OBJECTS, party, signed, signed_twice


def hidden_then_shown():
    """Hide and replace: what is to be shown lies unreferenced in the signed bytes, and the update only points there."""
    objects = list(OBJECTS)
    objects[9] = b"<</Length 35>>stream\nBT /F1 9 Tf 9 50 Td (Pay 999) Tj ET\nendstream"
    data = signed(base=pdfs.pdf(*objects))
    at = data.index(b"10 0 obj")
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    root = re.findall(rb"/Root (\d+) 0 R", data)[-1]
    page = OBJECTS[2].replace(b"/Contents 4 0 R", b"/Contents 10 0 R")
    body = b"3 0 obj\n%b\nendobj\n" % page
    out = data + body
    rows = b"3 1\n%010d 00000 n \n10 1\n%010d 00000 n \n" % (len(data), at)
    return out + b"xref\n%btrailer\n<</Size 60/Root %b 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        rows,
        root,
        start,
        len(out),
    )


def script():
    return generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.TextStringObject("app.alert(1)")}
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


def store_bombed(writer):
    twice = generic.ArrayObject([pdf_name("/FlateDecode")] * 2)
    bomb = generic.StreamObject(dict_data={pdf_name("/Filter"): twice}, encoded_data=squeezed(300, 2))
    _store(writer, bomb)


def store_removed(writer):
    del writer.root["/DSS"]
    writer.update_root()


def _lock():
    return fields.FieldMDPSpec(fields.FieldMDPAction.INCLUDE, ["amount"])


def updates():
    stream = b"BT /F1 9 Tf 9 50 Td (Pay 999) Tj ET"
    yield "a page added", updated(page_added)
    yield "the page replaced", appended({3: OBJECTS[2].replace(b"99 99", b"50 50")})
    yield "all pages taken away", appended({2: b"<</Type/Pages/Count 0/Kids[]>>"})
    yield "shadow: what is shown replaced", appended({4: streams(b"", stream)})
    yield "shadow: an overlay taken away", appended({8: b"null"})
    yield "shadow: what was hidden shown", hidden_then_shown()
    yield "shadow: the font replaced", appended({5: OBJECTS[4].replace(b"Helvetica", b"Symbol")})
    yield "shadow: the look of a field replaced", appended({6: OBJECTS[5][:-2] + b"/AP<</N 8 0 R>>>>"})
    yield "a note added", updated(annotated)
    yield "a stamp over the page added", updated(lambda writer: annotated(writer, "/Stamp"))
    yield "a script added", updated(catalog(OpenAction=script()))
    yield "all permissions taken away", updated(catalog(AcroForm=None))
    yield "a field filled in", updated(rewritten(7, V=generic.TextStringObject("later")))
    yield "a field filled in anew", updated(rewritten(6, V=generic.TextStringObject("999")))
    yield "a catalog without form", appended({1: b"<</Type/Catalog/Pages 2 0 R>>"})
    yield "nothing changed, but written again", appended({5: OBJECTS[4]})
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
    yield "a revocation behind a bomb", hidden_revocation(store_bombed)
    yield "a revocation whose store is taken away", hidden_revocation(store_removed)
    yield "a bomb added", appended({50: streams(b"/Filter/FlateDecode", squeezed(50))})


def _freed():
    start = int(signed().rsplit(b"startxref", 1)[1].split()[0])
    root = re.findall(rb"/Root (\d+) 0 R", signed())[-1]
    at = len(signed())
    table = (
        b"xref\n8 1\n0000000000 00001 f \ntrailer\n<</Size 60/Root %b 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    )
    return table % (root, start, at)
