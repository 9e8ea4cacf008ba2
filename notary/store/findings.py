"""What an inspection found beside its report: earlier revisions of the document, and validation reports.

Both rest on the opening of the inspection, and go with it when that is erased.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from notary.store.tables import earlier_revision, opening, record, validation_report

_WHOLE = ("whole_file", "revision")
_INSPECTION = "inspection"  # the type of the statement, and the name of its commitment


@dataclass(frozen=True, slots=True)
class EarlierRevision:
    """A prefix of a document: 32 bytes of digest, number of the revision (from 1), length in bytes.

    `signed`: a party, and not only an author who certified a form, has signed in it.
    """

    digest: bytes
    algorithm: str
    revision: int
    length: int
    signed: bool


def revisions_told(report: Mapping[str, Any], size: int) -> list[EarlierRevision]:
    """The prefixes that a look-up is to know by an inspection report: those of a document of `size` bytes, but itself.

    None of a report of version 1.
    """
    signed = [
        sum(row["byte_range"][2:4])
        for row in report.get("signatures", ())
        if row["kind"] == "signature" and row.get("doc_mdp") is None and row["covers"] in _WHOLE
    ]
    return [
        EarlierRevision(bytes.fromhex(row[key]), name, row["revision"], row["length"], _by_party(signed, row))
        for row in report.get("prefixes", ())
        for name, key in (("sha-256", "sha256"), ("sm3", "sm3"))
        if row["length"] < size and row[key] is not None
    ]


def _by_party(signed: Iterable[int], row: Mapping[str, Any]) -> bool:
    return any(end <= row["length"] for end in signed)


def add_findings(
    connection: Connection, seq: int, revisions: Iterable[EarlierRevision], validations: Mapping[int, str]
) -> None:
    """Store what was found in the document `seq`; each digest once, where prefixes of one file never are alike."""
    rows = [{"seq": seq, **asdict(each)} for each in revisions]
    if rows:
        connection.execute(earlier_revision.insert(), rows)
    texts = [
        {"seq": seq, "position": position, "data": text.encode()} for position, text in validations.items()
    ]
    if texts:
        connection.execute(validation_report.insert(), texts)


def erase_findings(connection: Connection, seq: int) -> None:
    """Delete what was found in the document `seq`."""
    for table in (earlier_revision, validation_report):
        connection.execute(delete(table).where(table.c.seq == seq))


def earlier_revisions(connection: Connection, seq: int) -> list[EarlierRevision]:
    """The revisions of the document `seq` that a look-up knows, the oldest first."""
    columns = [earlier_revision.c[name] for name in EarlierRevision.__slots__]
    query = select(*columns).where(earlier_revision.c.seq == seq)
    query = query.order_by(earlier_revision.c.length, earlier_revision.c.algorithm)
    return [EarlierRevision(*row) for row in connection.execute(query)]


def revisions_in(connection: Connection, seqs: Sequence[int]) -> dict[int, int]:
    """How many revisions documents have, by the reports of their inspections; nothing of one that was erased."""
    report = (record.c.type == _INSPECTION) & (opening.c.name == _INSPECTION)
    query = select(record.c.follows_seq, opening.c.disclosure).join(opening, opening.c.seq == record.c.seq)
    rows = connection.execute(query.where(record.c.follows_seq.in_(seqs), report))
    return {row.follows_seq: _told(row.disclosure)["revisions"] for row in rows}


def _told(disclosure: str) -> Any:
    # Not parsed as strictly as evidence is: these bytes are our own, and a look-up may need a hundred.
    return json.loads(base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))[2]


def validation_reports(connection: Connection, seq: int) -> dict[int, bytes]:
    """All validation reports of the document `seq`, XML by position of the signature."""
    query = select(validation_report.c.position, validation_report.c.data)
    rows = connection.execute(query.where(validation_report.c.seq == seq)).all()
    return {row.position: row.data for row in rows}


def found_in(connection: Connection, after: int, limit: int) -> list[int]:
    """Documents with any finding, from the one after `after`, in order."""
    queries = [
        select(table.c.seq).where(table.c.seq > after) for table in (earlier_revision, validation_report)
    ]
    both = queries[0].union(queries[1]).subquery()
    return list(connection.execute(select(both.c.seq).order_by(both.c.seq).limit(limit)).scalars())
