"""Makes a whole package: what was recorded, and what follows from it (docs/formats.md §11.5, §11.6)."""

from collections.abc import Mapping

from notary.errors import EvidenceError
from notary.evidence.controls import FOLDER, control_members
from notary.evidence.evidence_record import evidence_records
from notary.evidence.number import show_number
from notary.evidence.package import write_package
from notary.evidence.package_names import META, PAYLOAD, STATEMENT
from notary.evidence.statement import parse_statement

BAG_INFO = "bag-info.txt"
_RECORDS = (f"{META}evidencerecord", f"{META}ASiCEvidenceRecordManifest")


def assemble(files: Mapping[str, bytes], document: tuple[str, bytes] | None = None) -> bytes:
    """The package of these members with its evidence records, controls and bag-info: the same bytes for the same.

    What already stands in their places is made anew, so a document can be put into a package that had none.

    Args:
        files: members by name, without the frame.
        document: file name and bytes, if it is to be in the package.

    Raises:
        FormatError: a name that has no place in a package, or a limit passed.
    """
    kept = {name: data for name, data in files.items() if not _follows(name)}
    follows = evidence_records(kept) | control_members(kept, document)
    follows[BAG_INFO] = _bag_info(kept, document)
    return write_package(kept | follows, document)


def _follows(name: str) -> bool:
    return name == BAG_INFO or name.startswith((FOLDER, *_RECORDS))


def _bag_info(files: Mapping[str, bytes], document: tuple[str, bytes] | None) -> bytes:
    """RFC 8493 §2.2.2. It says nothing of when: a package has no time of its own."""
    payload = [len(data) for name, data in files.items() if name.startswith(PAYLOAD)]
    payload += [] if document is None else [len(document[1])]
    lines = [f"Payload-Oxum: {sum(payload)}.{len(payload)}"]
    try:
        statement = parse_statement(files.get(STATEMENT, b""))
    except EvidenceError:
        pass
    else:
        lines = [
            f"Source-Organization: {statement.log}",
            f"External-Identifier: {show_number(statement.number)}",
            *lines,
        ]
    return "".join(f"{line}\n" for line in lines).encode()
