"""An opened PDF, judged with pyHanko: bytes in, report out, no exception."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any, BinaryIO

from asn1crypto import cms, crl, ocsp, x509
from asn1crypto.core import Asn1Value
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import extract_contents

from notary.evidence import canonical
from notary.intake.inspection import report
from notary.intake.inspection.signature import judge
from notary.intake.inspection.trust import Trust

TOOL_LINE = f"{report.TOOL} {version('pyhanko')}"
_HEADER_WITHIN = 1024
_MAX_FIELDS = 4096


class _Encrypted(Exception):
    """The file opens only with a password."""


def inspect_pdf(stream: BinaryIO, roots: Sequence[bytes], at: datetime) -> dict[str, Any]:
    """Report on the signatures in `stream` (seekable), at the time `at`, by `roots` (DER certificates).

    Returns:
        A report of version 1 (report.py). Whatever is raised while reading is told as an outcome
        `could_not_be_inspected` with a stable reason.
    """
    stream.seek(0)
    if b"%PDF-" not in stream.read(_HEADER_WITHIN):
        return report.empty("not_a_pdf", None, TOOL_LINE)
    found = report.empty("could_not_be_inspected", None, TOOL_LINE)
    try:
        _inspect(found, stream, roots, at)
    except Exception as error:  # noqa: BLE001 - the file is hostile, and so is what it makes a parser raise
        found = report.empty("could_not_be_inspected", _reason(error), TOOL_LINE) | {
            "encrypted": found["encrypted"]
        }
    return _fit(found)


def _reason(error: Exception) -> str:
    match error:
        case _Encrypted():
            return "encrypted"
        case PdfDecodeLimitError():
            return "decode_limit"
        case RecursionError():
            return "nested_too_deep"
        case MemoryError():
            return "out_of_memory"
        case PdfError():
            return "malformed"
        case _:
            return "unreadable"


def _inspect(found: dict[str, Any], stream: BinaryIO, roots: Sequence[bytes], at: datetime) -> None:
    reader, lenient = _open(found, stream)
    found["revisions"] = reader.total_revisions
    found["pages"] = _pages(reader)
    trust = _trust(reader, roots, at)
    for number, (name, value, pdf_field) in enumerate(enumerate_sig_fields(reader)):
        if number >= _MAX_FIELDS:
            found["truncated"] = True
            break
        _add(found, reader, (name, value, pdf_field), trust, lenient=lenient)
    found["outcome"] = "inspected" if found["signatures"] else "no_signatures"


def _open(found: dict[str, Any], stream: BinaryIO) -> tuple[PdfFileReader, bool]:
    """Open strictly, or else leniently, and say which: a lenient reading never lets a signature pass."""
    for strict in (True, False):
        try:
            reader = PdfFileReader(stream, strict=strict)
            if reader.encrypted:
                found["encrypted"] = True
                if reader.decrypt(b"").status == AuthStatus.FAILED:
                    raise _Encrypted
            deque(enumerate_sig_fields(reader), maxlen=0)  # the form must be readable too
            if strict and reader.xrefs.hybrid_xrefs_present:
                continue
        except (PdfDecodeLimitError, _Encrypted):
            raise
        except PdfError:
            if not strict:
                raise
        else:
            return reader, not strict
    raise AssertionError  # the lenient turn either returned or raised


def _pages(reader: PdfFileReader) -> int | None:
    try:
        count = int(reader.root["/Pages"]["/Count"])
    except (PdfError, KeyError, TypeError, ValueError):
        return None
    return count if 0 <= count <= canonical.MAX_INTEGER else None


def _trust(reader: PdfFileReader, roots: Sequence[bytes], at: datetime) -> Trust:
    anchors = [x509.Certificate.load(der, strict=True) for der in roots]
    try:
        store = DocumentSecurityStore.read_dss(reader)
        return Trust(
            anchors,
            at,
            certs=list(store.load_certs()),
            crls=[crl.CertificateList.load(_data(item, DecodePurpose.CRL)) for item in store.crls],
            ocsps=[ocsp.OCSPResponse.load(_data(item, DecodePurpose.OCSP_RESPONSE)) for item in store.ocsps],
        )
    except Exception:  # noqa: BLE001 - the document's own store can only help; without it less is established
        return Trust(anchors, at)


def _data(item: Any, purpose: DecodePurpose) -> bytes:
    if isinstance(item, Asn1Value):
        return bytes(item.dump())
    return bytes(item.get_object().read_data(purpose))


def _add(
    found: dict[str, Any], reader: PdfFileReader, entry: tuple[str, Any, Any], trust: Trust, *, lenient: bool
) -> None:
    name, value, pdf_field = entry
    if value is None:
        if len(found["empty_fields"]) < report.MAX_SIGNATURES:
            found["empty_fields"].append(report.printable(name))
        else:
            found["truncated"] = True
        return
    found["cms"] = found["cms"] or _is_cms(value)
    if len(found["signatures"]) >= report.MAX_SIGNATURES:
        found["truncated"] = True
        return
    found["signatures"].append(judge(reader, name, value, pdf_field, trust, lenient=lenient))


def _is_cms(value: Any) -> bool:
    try:
        content = cms.ContentInfo.load(extract_contents(value.get_object()))
        return bool(content["content_type"].native == "signed_data" and content["content"]["signer_infos"])
    except Exception:  # noqa: BLE001 - what cannot be read as CMS is not CMS
        return False


def _fit(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not fit, from the end, and say so; the report is committed to and bounded."""
    for rows in (found["empty_fields"], found["signatures"]):
        while rows and len(canonical.dumps(found)) > report.MAX_REPORT:
            rows.pop()
            found["truncated"] = True
    return found
