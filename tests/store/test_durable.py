"""A PostgreSQL server that does not keep what it acknowledges, or shares connections, is refused."""

import socket
import struct
import threading
from contextlib import contextmanager, suppress

import pytest

from notary.errors import SettingsError
from notary.store.connecting import open_database
from notary.store.durable import require_durable
from tests.postgres import own_postgres


@pytest.fixture(scope="module")
def server():
    with own_postgres() as running:
        yield running


def refused(url, words):
    database = open_database(url)
    with pytest.raises(SettingsError, match=words):
        require_durable(database)
    database.dispose()


def test_a_server_that_syncs_is_taken_and_so_is_sqlite(server, sqlite):
    database = open_database(server.url)
    require_durable(database)
    database.dispose()
    require_durable(sqlite)


def test_a_server_that_does_not_sync_is_refused(postgres_url):
    refused(
        postgres_url, "PostgreSQL runs with fsync = off, and a power cut would take what was acknowledged"
    )


def test_a_server_whose_operator_vouches_for_its_storage_is_taken(postgres_url):
    database = open_database(postgres_url)
    require_durable(database, syncs_elsewhere=True)
    database.dispose()


def test_a_pooler_that_shares_connections_by_transaction_is_refused(server):
    with pooler(server.folder / ".s.PGSQL.5432") as port:
        refused(
            f"postgresql://postgres@127.0.0.1:{port}/postgres",
            "two connections reach one process of PostgreSQL: a pooler is between",
        )


@contextmanager
def pooler(path):
    """One connection to the server for all clients, as a pooler has it: each has it for as long as a transaction."""
    upstream, turn = socket.socket(socket.AF_UNIX), threading.Lock()
    upstream.connect(str(path))
    start = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    upstream.sendall(struct.pack("!i", len(start) + 4) + start)
    greeting = until_ready(upstream)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener, upstream, turn, greeting), daemon=True).start()
        yield listener.getsockname()[1]
    upstream.close()


def accept(listener, upstream, turn, greeting):
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, upstream, turn, greeting), daemon=True).start()


def serve(client, upstream, turn, greeting):
    with client, suppress(ConnectionError, OSError):
        while True:  # of its start; it may ask for TLS or GSSAPI before
            (size,) = struct.unpack("!i", exactly(client, 4))
            (code,) = struct.unpack("!i", exactly(client, size - 4)[:4])
            if code == 196608:
                break
            client.sendall(b"N")
        client.sendall(greeting)
        while True:
            kind, message = read(client)
            if kind == b"X":
                return
            with turn:
                while True:
                    upstream.sendall(message)
                    if kind in b"QS":
                        answer = until_ready(upstream)
                        client.sendall(answer)
                        if answer[-1:] == b"I":  # no transaction is open
                            break
                    kind, message = read(client)


def until_ready(upstream):
    found = b""
    while True:
        kind, message = read(upstream)
        found += message
        if kind == b"Z":
            return found


def read(connection):
    kind = exactly(connection, 1)
    size = exactly(connection, 4)
    return kind, kind + size + exactly(connection, struct.unpack("!i", size)[0] - 4)


def exactly(connection, size):
    found = b""
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise ConnectionError
        found += piece
    return found
