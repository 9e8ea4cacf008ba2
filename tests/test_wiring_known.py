"""A process starts on the log, the tables and the files that its settings name, or says what is wrong."""

import sqlite3

import pytest

from notary import wiring
from notary.api.app import create_app
from notary.errors import SettingsError, Unavailable
from notary.settings.loading import load_settings
from notary.store.connecting import is_there
from notary.store.migrate import migrate
from notary.wiring.checking import check_log
from tests.api.service import ORIGIN, Service, TestClient, problem


@pytest.fixture
def service(tmp_path):
    made = Service(tmp_path / "service", {})
    assert made.assembly
    yield made
    made.end()


def start(settings, *, working=False):
    wiring.build(settings, working=working).close()


@pytest.mark.parametrize("working", [False, True])
def test_a_mistyped_name_starts_nothing_and_writes_nothing(service, working):
    typo = load_settings(data_dir=service.settings.data_dir, origin="log.example.org/2062")
    for each in (
        lambda: start(typo, working=working),
        lambda: check_log(typo),
        lambda: wiring.known_log(typo),
    ):
        with pytest.raises(
            SettingsError, match=f"this log is '{ORIGIN}', and NOTARY_ORIGIN says '.*2062': set it"
        ):
            each()
    start(service.settings, working=working)
    assert check_log(service.settings).problems == []


def test_a_database_of_another_version_starts_nothing(service):
    with service.assembly.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for working in (False, True):
        with pytest.raises(SettingsError, match="the database is of revision 9999, and this program needs"):
            start(service.settings, working=working)


def test_a_database_that_is_not_there_or_empty_is_told_of_and_not_made(tmp_path):
    settings = load_settings(data_dir=tmp_path / "typo", origin=ORIGIN)
    with pytest.raises(
        SettingsError, match=r"there is no database at .*typo/notary.db: run `notary setup`, or name"
    ):
        start(settings)
    assert not is_there(settings.database_url)
    assert not settings.data_dir.exists()
    database, _ = wiring.open_stores(settings)
    with pytest.raises(SettingsError, match="the database has no tables yet"):
        start(settings)
    migrate(database)
    database.dispose()
    with pytest.raises(SettingsError, match="the log is not open yet: run `notary setup` first"):
        start(settings)


def test_a_root_of_signers_that_is_not_there_is_found_at_the_start(service):
    wrong = service.settings.model_copy(update={"signer_roots": (service.folder / "none.pem",)})
    with pytest.raises(SettingsError, match=r"none.pem is not a readable certificate"):
        start(wrong, working=True)
    start(wrong)  # who inspects nothing needs none


def test_a_folder_for_documents_that_cannot_be_made_is_told_of(service, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for path in (file, file / "spool"):
        with pytest.raises(
            SettingsError, match=r"folder for documents cannot be made: .*file.*; see NOTARY_TEMP"
        ):
            start(service.settings.model_copy(update={"temp_dir": path}))


def restore(settings, copy):
    path = settings.data_dir / "notary.db"
    for each in (path, path.with_name("notary.db-wal"), path.with_name("notary.db-shm")):
        each.unlink(missing_ok=True)
    path.write_bytes(copy)


def copied(path):
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path.read_bytes()


def test_an_older_copy_of_the_database_accepts_nothing(service, tmp_path):
    path = service.settings.data_dir / "notary.db"
    service.accepted()
    service.close()
    older = copied(path)
    service.accepted(b"another")
    service.close()
    newest = copied(path)
    service.assembly.close()
    restore(service.settings, older)
    assembly = wiring.build(service.settings, working=False)
    services = assembly.services
    with pytest.raises(
        Unavailable, match="the database ends at size 2, and size 3 is published: an older copy"
    ):
        services.submitting.intake.conditions()
    client = TestClient(create_app(services), raise_server_exceptions=False)
    digests = {"digests": {"sha-256": "ab" * 32}}
    answer = client.post("/v1/evidence", json=digests, headers=service.own)
    assert "an older copy was restored" in problem(answer, 503, "unavailable")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["late"]) == (503, ["log"])
    assembly.close()
    restore(service.settings, newest)
    assembly = wiring.build(service.settings, working=False)
    client = TestClient(create_app(assembly.services), raise_server_exceptions=False)
    assert client.post("/v1/evidence", json=digests, headers=service.own).status_code == 202
    assembly.close()
