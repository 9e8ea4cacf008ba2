"""Fixtures: an empty database with its tables, of both kinds; import them in a conftest."""

import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import make_url

from notary.store.engine import Database, open_database
from notary.store.migrate import migrate
from tests.postgres import running_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server) -> Iterator[str]:
    """A new, empty database."""
    name = "t" + secrets.token_hex(8)
    with psycopg.connect(postgres_server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notary.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def database(database_url) -> Iterator[Database]:
    opened = with_tables(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite(tmp_path) -> Iterator[Database]:
    opened = with_tables(f"sqlite:///{tmp_path / 'notary.db'}")
    yield opened
    opened.dispose()


def with_tables(url: str) -> Database:
    """Open a new database and make its tables; the migrations themselves are run once for all files of SQLite."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        path = Path(str(address.database))
        assert not path.exists()
        path.write_bytes(_migrated())
        return open_database(url)
    opened = open_database(url)
    migrate(opened)
    return opened


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        made = open_database(f"sqlite:///{folder}/notary.db")
        migrate(made)
        made.dispose()
        return Path(folder, "notary.db").read_bytes()
