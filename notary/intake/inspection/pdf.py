"""An opened PDF, judged with pyHanko: bytes in, report out, no exception."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from itertools import islice
from typing import Any, BinaryIO

from asn1crypto import cms, x509
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import extract_contents

from notary.evidence import canonical
from notary.intake.inspection import report
from notary.intake.inspection.finding import File
from notary.intake.inspection.prefixes import prefixes
from notary.intake.inspection.signature import judge
from notary.intake.inspection.stores import stores_of
from notary.intake.inspection.trust import Trust

TOOL_LINE = f"{report.TOOL} {version('pyhanko')}"
_HEADER_WITHIN = 1024
_MAX_FIELDS = 4096
_FILLED = ("covers_sha256", "validation_sha256")


class _Encrypted(Exception):
    """The file opens only with a password."""


def inspect_pdf(stream: BinaryIO, roots: Sequence[bytes], at: datetime) -> report.Inspected:
    """Report on the signatures in `stream` (seekable), at the time `at`, by `roots` (DER certificates).

    Returns:
        A report of version 2 (report.py), with the digests of prefixes still to be filled in (digests.py). Whatever
        is raised while reading is told as an outcome `could_not_be_inspected` with a stable reason.
    """
    stream.seek(0)
    if b"%PDF-" not in stream.read(_HEADER_WITHIN):
        return report.Inspected(report.empty("not_a_pdf", None, TOOL_LINE))
    found = report.empty("could_not_be_inspected", None, TOOL_LINE)
    validations: dict[int, str] = {}
    try:
        validations = _inspect(found, stream, roots, at)
    except Exception as error:  # noqa: BLE001 - the file is hostile, and so is what it makes a parser raise
        found = report.empty("could_not_be_inspected", _reason(error), TOOL_LINE) | {
            "encrypted": found["encrypted"]
        }
    found = _fit(found)
    kept = {number: text for number, text in validations.items() if number < len(found["signatures"])}
    return report.Inspected(found, kept)


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


def _inspect(found: dict[str, Any], stream: BinaryIO, roots: Sequence[bytes], at: datetime) -> dict[int, str]:
    reader, lenient = _open(found, stream)
    found["pages"] = _pages(reader)
    found["revisions"], rows = prefixes(reader)
    found["prefixes"] = rows[: report.MAX_PREFIXES]
    found["truncated"] = len(rows) > report.MAX_PREFIXES
    anchors = [x509.Certificate.load(der, strict=True) for der in roots]
    stores = stores_of(reader)
    found["dss"] = None if stores.last is None else stores.last.tell()
    trust = Trust(anchors, at, stores.together, stores.readable)
    file = File(reader, trust, lenient, found["prefixes"])
    for number, (name, value, pdf_field) in enumerate(enumerate_sig_fields(reader)):
        if number >= _MAX_FIELDS:
            found["truncated"] = True
            break
        _add(found, file, (name, value, pdf_field))
    found["removed_fields"] = _removed(reader)
    found["certificates"] = file.certificates.rows
    found["truncated"] = found["truncated"] or file.certificates.truncated
    found["outcome"] = "inspected" if found["signatures"] else "no_signatures"
    return file.validations


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


def _add(found: dict[str, Any], file: File, entry: tuple[str, Any, Any]) -> None:
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
    found["signatures"].append(judge(file, len(found["signatures"]), name, value, pdf_field))


def _removed(reader: PdfFileReader) -> list[str]:
    """Names of fields that were signed in an earlier revision and are not in the last: signatures taken away."""
    filled = {
        name for name, value, _ in islice(enumerate_sig_fields(reader), _MAX_FIELDS) if value is not None
    }
    gone: dict[str, None] = {}
    for revision in range(min(reader.total_revisions - 1, report.MAX_PREFIXES)):
        try:
            earlier = islice(enumerate_sig_fields(HistoricalResolver(reader, revision)), _MAX_FIELDS)
            gone |= dict.fromkeys(
                name for name, value, _ in earlier if value is not None and name not in filled
            )
        except Exception:  # noqa: BLE001, S112 - a revision that cannot be read tells of nothing
            continue
    return [report.printable(name) for name in gone][: report.MAX_SIGNATURES]


def _is_cms(value: Any) -> bool:
    try:
        content = cms.ContentInfo.load(extract_contents(value.get_object()))
        return bool(content["content_type"].native == "signed_data" and content["content"]["signer_infos"])
    except Exception:  # noqa: BLE001 - what cannot be read as CMS is not CMS
        return False


def _fit(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not fit, from the end, and say so; the report is committed to and bounded.

    Room is kept for the digests that are filled in afterwards.
    """
    filled = {"sha256": "0" * 64, "sm3": "0" * 64}
    for rows in (
        found["empty_fields"],
        found["removed_fields"],
        found["prefixes"],
        found["signatures"],
        found["certificates"],
    ):
        while rows and _length(found, filled) > report.MAX_REPORT:
            rows.pop()
            found["truncated"] = True
            for signature in found["signatures"]:
                signature["chain"] = [
                    each for each in signature["chain"] if each < len(found["certificates"])
                ]
    return found


def _length(found: dict[str, Any], filled: dict[str, str]) -> int:
    rows = [row | filled for row in found["prefixes"]]
    signatures = [row | dict.fromkeys(_FILLED, "0" * 64) for row in found["signatures"]]
    return len(canonical.dumps(found | {"prefixes": rows, "signatures": signatures}))
