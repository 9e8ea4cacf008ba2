"""A real PostgreSQL server for tests: the one named by NOTARY_TEST_POSTGRES, or one of our own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from local_postgres import own_postgres


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of a server, without a database at its end; ours is gone afterwards."""
    given = os.environ.get("NOTARY_TEST_POSTGRES")
    if given:
        yield given
        return
    with own_postgres({"fsync": "off"}) as url:
        yield url
