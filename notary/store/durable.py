"""Whether a PostgreSQL server keeps what it acknowledges, and a connection what was set for it."""

from sqlalchemy import text

from notary.errors import SettingsError
from notary.store.engine import Database


def require_durable(database: Database, *, syncs_elsewhere: bool = False) -> None:
    """Look whether the service can rest on this server. Of SQLite it sees to that itself.

    Args:
        database: to be rested on.
        syncs_elsewhere: its operator vouches that it keeps what it acknowledges, whatever `fsync` says: a server whose
            storage is a service of its own may show *off*.

    Raises:
        SettingsError: what is committed is not synced, or connections are shared by transaction.
        Unavailable: it does not answer.
    """
    if database.engine.dialect.name != "postgresql":
        return
    with database.reading() as one:
        if not syncs_elsewhere and one.execute(text("SHOW fsync")).scalar() == "off":
            raise SettingsError(
                "PostgreSQL runs with fsync = off, and a power cut would take what was acknowledged: turn it on; where "
                "its storage is a service that keeps it by other means, set NOTARY_DATABASE_SYNCS_ELSEWHERE"
            )
        number = text("SELECT pg_backend_pid()")
        first = one.execute(number).scalar()
        with database.reading() as two:  # while the first is there: each has a process of its own
            shared = two.execute(number).scalar() == first
    if shared:
        raise SettingsError(
            "two connections reach one process of PostgreSQL: a pooler is between that gives them away by transaction, "
            "and what is set for a connection does not hold (NOTARY_DATABASE_URL). Name PostgreSQL itself, or have it "
            "pool by session"
        )
