"""After a close: the digests of its documents into the index, off the path of submitting and of closing."""

from notary.store.digests import index_next
from notary.store.engine import Database

AT_ONCE = 20_000  # records in one transaction: whoever waits for the database waits for no more


def index_digests(database: Database) -> int:
    """Index what was closed and is not in the index, one transaction after another.

    May be run by several processes, again after a crash, or never: what is not indexed is found more slowly.

    Returns:
        How many records were looked at.

    Raises:
        Unavailable: the database does not answer.
    """
    total = 0
    while True:
        with database.writing() as connection:
            seen = index_next(connection, AT_ONCE)
        # Durable: these digests, and that they are indexed. A crash before it leaves both undone.
        if not seen:
            return total
        total += seen
