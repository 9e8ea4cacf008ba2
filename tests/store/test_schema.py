"""Tables of another version are seen at the start, on both databases, without the migrations."""

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from notary.errors import SettingsError
from notary.store.connecting import open_database
from notary.store.schema import REVISION, require_schema


def test_the_revision_is_that_of_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", "notary.store:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


@pytest.mark.parametrize("revision", ["0011", "9999"])
def test_tables_of_another_version_are_refused(database, revision):
    require_schema(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    with pytest.raises(
        SettingsError, match=f"of revision {revision}, and this program needs {REVISION}: run"
    ):
        require_schema(database)


def test_without_tables_it_is_said_what_makes_them(database_url):
    database = open_database(database_url)
    with pytest.raises(SettingsError, match="the database has no tables yet: run `notary setup` first"):
        require_schema(database)
    database.dispose()
