"""The index of digests against the records: nothing missing below its size, nothing that no record has."""

from collections.abc import Callable, Iterator

from notary.store.digests import indexed_size, missing_from_index, strangers_in_index
from notary.store.engine import Connection


def index_problems(connection: Connection, size: int, count: Callable[[str, int], None]) -> Iterator[str]:
    """One sentence for each thing wrong with the index of a log of `size` entries."""
    indexed = indexed_size(connection)
    if indexed > size:
        yield f"the index of digests goes to {indexed}, the log to {size}"
    for number in missing_from_index(connection, indexed):
        yield f"record {number} is not found by its digest"
    for digest in strangers_in_index(connection):
        yield f"digest {digest.hex()} is indexed for a record that has another"
    count("indexed", indexed)
