"""Guards that the submitter can be run without, for the negative controls: by name, what takes each away."""

import threading
from contextlib import contextmanager

from notary.store import connecting
from notary.store.engine import Database

_OPEN = []


def flush() -> None:
    """PostgreSQL says that it has committed before that is on the disk, if its server is set so."""

    def prepare(connection, _record):
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{connecting._IDLE_SECONDS}s'")
        connection.commit()

    connecting._prepare_postgresql = prepare


def commit() -> None:
    """Submissions are answered before their transaction is committed, which comes later than any test waits."""
    plain = Database.writing

    @contextmanager
    def writing(self):
        if threading.current_thread().name != "writer":
            with plain(self) as connection:
                yield connection
            return
        _OPEN.append(plain(self))
        yield _OPEN[-1].__enter__()

    Database.writing = writing
    Database.travels = False  # else one statement commits itself


WITHOUT = {"flush": flush, "commit": commit}
