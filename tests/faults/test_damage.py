"""One bit anywhere, or a database of yesterday: it is noticed before anything is built on it."""

import re
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.faults.scenario import DATABASE, NAMED, UNSIGNED, problems, refused_proofs
from tests.faults.world import checkpoint, published, tree


def made(log, folder: Path, *steps: str) -> Path:
    folder.mkdir()
    for step in steps:
        name, *numbers = step.split()
        ended = log.run([name, str(folder), *numbers])
        assert ended.status == 0, ended.stderr
    assert problems(folder) == []
    return folder


@pytest.fixture(scope="module")
def large(log, tmp_path_factory) -> Path:
    """A log with a full tile and partial ones."""
    folder = made(log, tmp_path_factory.mktemp("large") / "log", "setup 254 4", "close")
    assert refused_proofs(folder) == {}
    return folder


@pytest.fixture
def folder(large, tmp_path) -> Path:
    return shutil.copytree(large, tmp_path / "copy")


def flipped(value, bit=0):
    """The value with one bit changed, of its last byte."""
    if isinstance(value, int):
        return value ^ 1 << bit
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1 << bit)
    return value[:-1] + bytes([value[-1] ^ 1 << bit])


def flip(folder: Path, table: str, column: str, row: dict) -> None:
    """Flip one bit that the database's own constraints do not refuse."""
    this_row = " AND ".join(f"{name} IS ?" for name in row)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        for bit in (0, 1, 2, 6):
            with suppress(sqlite3.IntegrityError), connection:
                changed = connection.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {this_row}",
                    (flipped(row[column], bit), *row.values()),
                )
                assert changed.rowcount == 1
                return
    raise AssertionError(f"no bit of {table}.{column} can be flipped")


def cells(folder: Path):
    """Of every column that holds something, the last row that does: table, column, row."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
            for column in rows[0] if rows else ():
                holding = [row for row in rows if row[column] not in (None, "", b"")]
                if holding:
                    yield table, column, holding[-1]


def test_one_bit_in_each_column_is_named(log, tmp_path):
    # Records of every kind, some closed and some waiting.
    sound = made(log, tmp_path / "sound", "setup 3 1", "submit", "write", "close", "more")
    tables, missed = set(), []
    for number, (table, column, row) in enumerate(cells(sound)):
        if column in UNSIGNED.get(table, ()):
            continue
        tables.add(table)
        folder = shutil.copytree(sound, tmp_path / str(number))
        flip(folder, table, column, row)
        found = problems(folder)
        if not any(re.search(NAMED[table], problem) for problem in found):
            missed.append(f"{table}.{column}: {found}")
    assert missed == []
    assert tables == set(NAMED)


def test_one_bit_in_each_object_is_named(folder):
    names = [*published(tree(folder)), "log/checkpoint"]
    assert {"log/tile/0/000", "log/tile/0/001.p/2", "log/tile/1/000.p/1", "log/tile/entries/000"} < set(names)
    for name in names:
        path = folder / name
        content = path.read_bytes()
        path.write_bytes(flipped(content[: len(content) // 2]) + content[len(content) // 2 :])
    found = problems(folder)
    assert len(found) == len(names), found
    for name in names:
        told = name.removeprefix("log/").replace("checkpoint", "the published checkpoint")
        assert any(problem.startswith(told) for problem in found), told


def test_a_proof_through_a_flipped_bit_is_refused_and_others_are_given(folder):
    path = folder / "log/tile/0/000"
    hashes = path.read_bytes()
    path.write_bytes(flipped(hashes[: 11 * 32]) + hashes[11 * 32 :])
    refused = refused_proofs(folder)
    # The proof of entry 10 does not use its own hash; those of 256 and 257 use the tile above.
    assert set(refused) == set(range(256)) - {10}
    assert all("tiles" in reason for reason in refused.values())


def test_a_database_older_than_what_was_published_is_refused(log, tmp_path):
    folder = made(log, tmp_path / "log", "setup 5 2")
    backup = (folder / DATABASE).read_bytes()
    assert not (folder / f"{DATABASE}-wal").exists()
    assert log.run(["close", str(folder)]).lines == ["begin", "closed 7", "indexed 7", "end"]
    assert log.run(["submit", str(folder)]).status == 0

    (folder / DATABASE).write_bytes(backup)
    before = tree(folder / "log")
    ended = log.run(["close", str(folder)])
    assert ended.status == 1
    assert "Fatal: a checkpoint of size 7 is published, ours is of size 5" in ended.stderr
    assert tree(folder / "log") == before
    assert checkpoint(tree(folder))[0] == 7
