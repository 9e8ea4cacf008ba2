"""Fixtures: an empty database with its tables, of both kinds; import them in a conftest."""

import secrets
from collections.abc import Iterator

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
    opened = open_database(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite(tmp_path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'notary.db'}")
    migrate(opened)
    yield opened
    opened.dispose()
