"""Which bytes a signature covers, read from the file and not believed from its dictionary."""

from typing import Any, BinaryIO

from asn1crypto import parser
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from notary.evidence.canonical import MAX_INTEGER
from notary.intake.inspection.prefixes import end_of
from notary.intake.inspection.report import MAX_RANGES

_LONGEST_TAIL = 1024


def byte_range(raw: Any) -> list[int]:
    """The numbers of /ByteRange, or an empty list where they are not numbers of a file."""
    try:
        numbers = [int(value) for value in raw]
    except (TypeError, ValueError, OverflowError):
        return []
    fits = len(numbers) <= MAX_RANGES and all(0 <= number <= MAX_INTEGER for number in numbers)
    return numbers if fits else []


def covered(signature: EmbeddedPdfSignature, stream: BinaryIO, numbers: list[int]) -> str:
    """One of report.COVERS; needs `compute_integrity_info` to have run.

    ISO 32000-2 §12.8.1 wants exactly one gap, and in it exactly the signature's own hexadecimal string. A gap
    with anything else in it, two ranges that overlap, or a first range that starts late are `unclear`.
    """
    if not _gap_is_the_signature(signature.pkcs7_content, stream, numbers):
        return "unclear"
    size = stream.seek(0, 2)
    match signature.coverage:
        case SignatureCoverageLevel.ENTIRE_FILE if numbers[2] + numbers[3] == size:
            return "whole_file"
        case SignatureCoverageLevel.ENTIRE_REVISION:
            return "revision"
        case SignatureCoverageLevel.CONTIGUOUS_BLOCK_FROM_START:
            return "partial"
        case _:
            return "unclear"


def _gap_is_the_signature(contents: bytes, stream: BinaryIO, numbers: list[int]) -> bool:
    if len(numbers) != 4 or numbers[0] != 0:  # noqa: PLR2004 - two ranges of offset and length
        return False
    _, end_of_first, start_of_second, length_of_second = numbers
    length = start_of_second - end_of_first
    if length != 2 * len(contents) + 2 or start_of_second + length_of_second > stream.seek(0, 2):
        return False
    stream.seek(end_of_first)
    gap = stream.read(length)
    return gap[:1] == b"<" and gap[-1:] == b">" and gap[1:-1].lower() == contents.hex().encode()


def hides_bytes(contents: bytes) -> bool:
    """Whether bytes other than zeros follow the CMS structure in /Contents, where no signature covers them."""
    return bool(contents[parser.peek(contents) :].strip(b"\x00"))


def ends_cleanly(reader: PdfFileReader) -> bool:
    """Whether nothing but the end of a file follows the newest cross-reference section.

    pyHanko compares revisions; bytes behind the last one belong to none, and it passes over them.
    """
    end = end_of(reader, reader.total_revisions - 1)
    if end is None:
        return False
    reader.stream.seek(end)
    tail = reader.stream.read(_LONGEST_TAIL + 1)
    return len(tail) <= _LONGEST_TAIL and not tail.strip(b"\t\n\v\f\r ")
