"""All security stores that a file ever had: a later revision may hide one, and takes back nothing that it said."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader

from notary.evidence.timestamp_der import dump
from notary.intake.inspection.material import Material, store_of

_MAX_STORES = 64


@dataclass(frozen=True, slots=True)
class Stores:
    """What the stores of all revisions hold together, that of the `last` revision, and whether all could be read."""

    together: Material | None
    last: Material | None
    readable: bool


def stores_of(reader: PdfFileReader) -> Stores:
    """Read the store of each revision, 64 at most; `readable` is false where one is there and cannot be read.

    Raises nothing: a store is hostile like all else in the file.
    """
    found: list[Material] = []
    last, readable = None, True
    for revision in range(reader.total_revisions - 1):
        earlier = HistoricalResolver(reader, revision)
        if not _has_store(earlier):
            continue
        if len(found) >= _MAX_STORES:
            readable = False
            break
        store, read = _read(earlier)
        found += [] if store is None else [store]
        readable = readable and read
    last, read = _read(reader)
    found += [] if last is None else [last]
    return Stores(_union(found) if found else None, last, readable and read)


def _has_store(revision: HistoricalResolver) -> bool:
    try:
        return "/DSS" in revision.root
    except Exception:  # noqa: BLE001 - a revision whose catalog cannot be read tells of nothing
        return False


def _read(revision: PdfFileReader | HistoricalResolver) -> tuple[Material | None, bool]:
    try:
        return store_of(revision), True
    except Exception:  # noqa: BLE001 - what it would have said is not known, and that is told
        return None, False


def _union(stores: Iterable[Material]) -> Material:
    stores = list(stores)
    return Material(
        _once(each for store in stores for each in store.certs),
        _once(each for store in stores for each in store.crls),
        _once(each for store in stores for each in store.ocsps),
        stores[-1].vri,
    )


def _once(values: Iterable[Any]) -> list[Any]:
    return list({dump(each): each for each in values}.values())
