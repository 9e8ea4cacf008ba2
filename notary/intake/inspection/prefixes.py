"""The revisions of a PDF: each is a prefix of the file, which anybody cuts with `head -c` and hashes.

Where they end is read from the hostile file, in the sandbox. Their digests are taken outside of it (digests.py).
"""

import re
from typing import Any

from pyhanko.pdf_utils.generic import DictionaryObject, TrailerReference
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import XRefSectionType

_LONGEST_TAIL = 1024
# ISO 32000-2 §7.5.5, with the comment line that some producers put before it.
_END = re.compile(rb"\s*(?:endobj\s*)?(?:%[^%\r\n]{0,80}[\r\n]+)?\s*startxref\s+\d{1,10}\s+%%EOF")
_LINE_ENDS = (b"", b"\r", b"\n", b"\r\n")


def end_of(reader: PdfFileReader, section: int) -> int | None:
    """Where the file ended when the cross-reference section `section` (from 0, oldest) was its last: after `%%EOF`.

    None if something else than the end of a file follows it.
    """
    info = reader.xrefs.get_xref_container_info(section)
    reader.stream.seek(info.end_location)
    if info.xref_section_type in (XRefSectionType.STANDARD, XRefSectionType.HYBRID_MAIN):
        DictionaryObject.read_from_stream(reader.stream, TrailerReference(reader))
    start = reader.stream.tell()
    found = _END.match(reader.stream.read(_LONGEST_TAIL + 1))
    return None if found is None else start + found.end()


def prefixes(reader: PdfFileReader) -> tuple[int, list[dict[str, Any]]]:
    """How many revisions there are, and where each ended: with and without the line end that follows it.

    A section that lies before the end of an older one (the first of two in a linearized file) is no revision.
    """
    size, reached, number = reader.stream.seek(0, 2), 0, 0
    rows: list[dict[str, Any]] = []
    for section in range(reader.total_revisions):
        try:
            end = end_of(reader, section)
        except (PdfError, ValueError):
            end = None
        if end is not None and end <= reached:
            continue
        number += 1
        if end is None:
            continue
        reached = end
        reader.stream.seek(end)
        after = reader.stream.read(2)
        lengths = [end + len(line_end) for line_end in _LINE_ENDS if after.startswith(line_end)]
        rows += [_row(number, length) for length in lengths if length <= size]
    return number, rows


def revision_at(rows: list[dict[str, Any]], length: int) -> int | None:
    """The number of the revision that ends where the first `length` bytes do."""
    return next((row["revision"] for row in rows if row["length"] == length), None)


def _row(number: int, length: int) -> dict[str, Any]:
    return {"revision": number, "length": length, "sha256": None, "sm3": None}
