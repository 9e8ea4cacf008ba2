"""Bring the tables to the form that this version of the code expects."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from notary.errors import SettingsError
from notary.store.engine import Database

_LOCK = 0x6E6F7461  # any number that is ours: two processes that start at once take turns


def migrate(database: Database) -> None:
    """Run the migrations that are missing, all in one transaction; harmless to run again.

    Raises:
        SettingsError: the database was made by a later version of this program.
        Unavailable: it does not answer.
    """
    config = Config()
    config.set_main_option("script_location", "notary.store:migrations")
    config.set_main_option("path_separator", "os")
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK})
        _refuse_later_version(connection, ScriptDirectory.from_config(config))
        config.attributes["connection"] = connection
        # A crash here leaves the old tables: both databases roll back changes of tables too.
        command.upgrade(config, "head")


def is_made(database: Database) -> bool:
    """Whether there are tables. Raises Unavailable where it does not answer."""
    with database.reading() as connection:
        return bool(MigrationContext.configure(connection).get_current_heads())


def _refuse_later_version(connection: Connection, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            raise SettingsError(f"the database is at revision {revision!r}, later than this program")
