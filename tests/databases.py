"""Fixtures: an empty database with its tables, of both kinds; one PostgreSQL server for each process of tests."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import create_engine, make_url

from notary.store.connecting import open_database
from notary.store.engine import Database
from notary.store.migrate import migrate
from tests.postgres import running_postgres


class Statements(dict):
    """Statements that SQLAlchemy has compiled, by kind of database and not by engine."""

    def get(self, key, default=None):
        return super().get(self._of_kind(key), default)

    def __setitem__(self, key, compiled):
        super().__setitem__(self._of_kind(key), compiled)

    @staticmethod
    def _of_kind(key):
        dialect, *rest = key
        return (dialect.name, *rest)


@pytest.fixture(scope="session", autouse=True)
def statements() -> Iterator[Statements]:
    """Nearly every test has an engine of its own, and to compile a statement takes longer than to ask it."""
    shared = Statements()
    with pytest.MonkeyPatch.context() as patch:
        sharing = partial(create_engine, execution_options={"compiled_cache": shared})
        patch.setattr("notary.store.connecting.create_engine", sharing)
        yield shared


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with running_postgres() as url:
        yield url
        names = [*_SPARE.pop(url, ()), *filter(None, [_TEMPLATES.pop(url, None)])]
        with _administration(url) as connection:
            for name in names:
                connection.execute(f"DROP DATABASE {name}")


@pytest.fixture
def postgres_url(postgres_server) -> Iterator[str]:
    """A new, empty database."""
    name = _new_name()
    with _administration(postgres_server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield _address(postgres_server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notary.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request) -> Iterator[Database]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    with _lent(request.getfixturevalue("postgres_server")) as url:
        opened = open_database(url)
        yield opened
        opened.dispose()


@pytest.fixture
def sqlite(tmp_path) -> Iterator[Database]:
    opened = with_tables(f"sqlite:///{tmp_path / 'notary.db'}")
    yield opened
    opened.dispose()


def with_tables(url: str) -> Database:
    """Open a new database and make its tables; the migrations themselves are run once for each kind and server."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        path = Path(str(address.database))
        assert not path.exists()
        path.write_bytes(_migrated())
    else:
        server = _address(url, None)
        with _administration(server) as connection:
            connection.execute(f"DROP DATABASE {address.database}")  # which is refused while anybody uses it
            _copy(server, connection, address.database)
    return open_database(url)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        made = open_database(f"sqlite:///{folder}/notary.db")
        migrate(made)
        made.dispose()
        return Path(folder, "notary.db").read_bytes()


_TEMPLATES: dict[str, str] = {}  # the database of each server that was migrated and is only copied


def _copy(server: str, connection: psycopg.Connection, name: str) -> None:
    template = _template(server, connection)
    connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")


def _template(server: str, connection: psycopg.Connection) -> str:
    if server not in _TEMPLATES:
        name = _new_name()
        connection.execute(f"CREATE DATABASE {name}")
        made = open_database(_address(server, name))
        migrate(made)
        made.dispose()
        _TEMPLATES[server] = name
    return _TEMPLATES[server]


_SPARE: dict[str, list[str]] = {}  # databases of each server in which a test has left nothing
# Columns, constraints, indexes, triggers, and the version of the tables.
_SHAPE = """
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT concat(c.relname, ' ', a.attname, ' ', a.atttypid, a.attnotnull, a.attidentity) AS line
    FROM pg_attribute a JOIN pg_class c ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat(conname, ' ', pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT concat(tgname, tgenabled, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT version_num FROM alembic_version
) AS lines
"""


@contextmanager
def _lent(server: str) -> Iterator[str]:
    """The address of a database with its tables and nothing in them: a new one, or one that was emptied.

    To copy a database takes longer than most tests.
    """
    spare = _SPARE.setdefault(server, [])
    with _administration(server) as connection:
        if spare:
            name = spare.pop()
        else:
            _copy(server, connection, name := _new_name())
        yield _address(server, name)
        # What is connected still would wait in what is done next, or write into the next test.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        if _emptied(_address(server, name), _shape_of(_address(server, _template(server, connection)))):
            spare.append(name)
        else:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _shape_of(address: str) -> str:
    with psycopg.connect(address) as connection:
        return connection.execute(_SHAPE).fetchone()[0]


def _emptied(address: str, shape: str) -> bool:
    """Take out all rows and begin every count anew; False where the test has changed the tables themselves."""
    with psycopg.connect(address) as connection:
        try:
            if connection.execute(_SHAPE).fetchone()[0] != shape:
                return False
        except psycopg.errors.UndefinedTable:
            return False
        named = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = %s"
        tables = {name for (name,) in connection.execute(named, ["r"])} - {"alembic_version"}
        # No order of the tables satisfies what refers to each other.
        wanted = [
            "SET LOCAL session_replication_role = replica",
            *(f'DELETE FROM "{name}"' for name in tables),
        ]
        wanted += [f'ALTER SEQUENCE "{name}" RESTART' for (name,) in connection.execute(named, ["S"])]
        connection.execute(";".join(wanted))
    return True


def _administration(server: str) -> psycopg.Connection:
    return psycopg.connect(server, dbname="postgres", autocommit=True)


def _address(server: str, name: str | None) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _new_name() -> str:
    return "t" + secrets.token_hex(8)
