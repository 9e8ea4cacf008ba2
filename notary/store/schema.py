"""Which form of the tables this version of the code needs, for processes that do not bring the migrations."""

from sqlalchemy import inspect, text

from notary.errors import SettingsError
from notary.store.engine import Database

REVISION = "0012"  # of the newest migration


def require_schema(database: Database) -> None:
    """Look whether the tables are there, and of this version.

    Raises:
        SettingsError: they are not: `notary setup` makes them so.
        Unavailable: the database does not answer.
    """
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            raise SettingsError("the database has no tables yet: run `notary setup` first")
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found != REVISION:
        raise SettingsError(
            f"the database is of revision {found}, and this program needs {REVISION}: "
            "run `notary setup` of the newer one"
        )
