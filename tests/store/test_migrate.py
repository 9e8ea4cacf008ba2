"""Migrations: the tables of the code, and rows of earlier versions as they were."""

import threading
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from notary.errors import SettingsError
from notary.store.checkpoints import StoredCheckpoint, newest_checkpoint
from notary.store.connecting import open_database
from notary.store.engine import ping
from notary.store.findings import earlier_revisions
from notary.store.key_changes import add_key_change, key_statements
from notary.store.migrate import migrate
from notary.store.outbox import attempts_of, next_nonce
from notary.store.places import seq_of
from notary.store.tables import GroupRow, tenant
from notary.store.tenants import create_tenant, tenants
from notary.store.views import page

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_migrated_tables_are_those_of_the_code(database):
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tenant.metadata) == []
    assert GroupRow.__tablename__ == "commit_group"


def test_migrating_again_changes_nothing(database):
    with database.writing() as connection:
        create_tenant(connection, "a company", NOW)
    migrate(database)
    with database.reading() as connection:
        assert [t.name for t in tenants(connection)] == ["a company"]


def test_several_processes_may_migrate_at_once(database_url):
    database = open_database(database_url)
    errors = []

    def run():
        try:
            migrate(database)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    ping(database)
    database.dispose()


def test_a_database_of_a_later_version_is_left_alone(database):
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="revision '9999', later than this program"):
        migrate(database)


def upgrade(database, revision, rows):
    """The tables as they were at a revision, with rows of then: pairs of a table's name and values by column."""
    config = Config()
    config.set_main_option("script_location", "notary.store:migrations")
    config.set_main_option("path_separator", "os")
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for table, values in rows:
            names = ", ".join(values)
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


SEQ = seq_of(1, 0)
ROWS_OF_0007 = (
    ("tenant", {"id": 7, "name": "a company", "created_at": NOW}),
    ("commit_group", {"id": 1, "count": 1, "note": b"promise", "created_at": NOW, "first_idx": 0}),
    (
        "record",
        {
            "seq": SEQ,
            "number": "2" * 16,
            "tenant_id": 7,
            "type": "document",
            "statement": b"{}",
            "entry": bytes(32),
        }
        | {"sha256": b"d" * 32, "visibility": "by-document", "visibility_chosen": True},
    ),
    ("opening", {"seq": SEQ, "position": 0, "name": "title", "disclosure": "eA", "path": b""}),
    (
        "inspection",
        {"seq": SEQ, "tenant_id": 7, "path": "file", "size": 5, "media_type": "application/pdf"}
        | {"state": "waiting", "tries": 1, "reason": ""},
    ),
    ("checkpoint", {"size": 1, "root": b"r" * 32, "note": b"note", "time": NOW}),
    (
        "anchoring",
        {"id": 3, "anchor": "main", "kind": "evm", "size": 1, "state": "sent", "detail": "waits"}
        | {"created_at": NOW, "updated_at": NOW},
    ),
    (
        "attempt",
        {
            "id": 4,
            "anchoring_id": 3,
            "ref": "00",
            "raw": b"raw",
            "nonce": 7,
            "created_at": NOW,
            "lane": "0xab",
        },
    ),
    ("lane", {"anchor": "main", "name": "0xab", "next_nonce": 8}),
    ("broken_promise", {"group_id": 1, "seq": SEQ}),
)


def test_rows_of_an_earlier_version_are_as_they_were_in_the_newest(database_url):
    """From 0007, the newest before wallets were stopped, revisions were found, keys changed and receipts signed."""
    database = open_database(database_url)
    upgrade(database, "0007", ROWS_OF_0007)
    with database.reading() as connection:
        before = {table: all_of(connection, table) for table, _ in ROWS_OF_0007}
    migrate(database)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tenant.metadata) == []
        after = {table: all_of(connection, table) for table, _ in ROWS_OF_0007}
        # What was added is empty; what was there is as it was.
        assert [row.pop("cose") for row in after["checkpoint"]] == [None]
        assert after == before
        added = ("stopped_lane", "earlier_revision", "validation_report", "key_change", "trust_statement")
        assert [all_of(connection, table) for table in added] == [[]] * 5
        # And the code reads it.
        assert newest_checkpoint(connection) == StoredCheckpoint(1, b"r" * 32, b"note", NOW, None)
        (found,) = page(connection, 7, after=None, limit=9, kind=None, sha256=b"d" * 32)
        assert (found.number, found.inspection, found.size, found.visibility_chosen) == (
            "2" * 16,
            "waiting",
            1,
            True,
        )
        assert [each.raw for each in attempts_of(connection, 3)] == [b"raw"]
        assert next_nonce(connection, "main", "0xab") == 8
        assert (key_statements(connection), earlier_revisions(connection, SEQ)) == ([], [])
    with database.writing() as connection:  # and writes beside it
        assert add_key_change(connection, 1, SEQ)
        create_tenant(connection, "another", NOW)
    database.dispose()


def all_of(connection, table):
    return [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table}"))]


@pytest.mark.parametrize(("kind", "refused"), [("evm", True), ("rfc3161", False)])
def test_a_log_whose_transactions_have_no_lane_is_left_alone(database_url, kind, refused):
    database = open_database(database_url)
    upgrade(
        database,
        "0004",
        (
            ("checkpoint", {"size": 1, "root": b"", "note": b"", "time": NOW}),
            (
                "anchoring",
                {"id": 1, "anchor": "a", "kind": kind, "size": 1, "state": "signed", "detail": ""}
                | {"created_at": NOW, "updated_at": NOW},
            ),
            ("attempt", {"id": 1, "anchoring_id": 1, "ref": "00", "raw": b"", "nonce": 7, "created_at": NOW}),
        ),
    )
    if refused:
        with pytest.raises(SettingsError, match=r"by a version before 0\.1\.0"):
            migrate(database)
    else:
        migrate(database)
    database.dispose()
