"""One bit anywhere, or a database of yesterday: it is noticed before anything is built on it."""

import re
import shutil
from pathlib import Path

import pytest

from notary.store.files import FileObjects
from notary.store.tables import SQLModel
from notary.store.tiles import Tiles, root_from
from tests.faults.damage import cells, flip, flipped
from tests.faults.scenario import DATABASE, NAMED, UNSIGNED, problems, refused_proofs
from tests.faults.watch import ROOT
from tests.faults.world import checkpoint, published, tree
from tests.log import test_fsck_around as around
from tests.log import test_fsck_beside as beside
from tests.log import test_fsck_calendars as calendars
from tests.log import test_fsck_keys as keys
from tests.log import test_fsck_stamps as stamps

pytestmark = pytest.mark.crash


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


def test_one_bit_in_each_column_is_named(log, tmp_path):
    # Records of every kind, some closed and some waiting.
    sound = made(log, tmp_path / "sound", "setup 3 1", "submit", "write", "close", "more")
    tables, missed = set(), []
    for number, (table, column, row) in enumerate(cells(sound / DATABASE)):
        if column in UNSIGNED.get(table, ()):
            continue
        tables.add(table)
        folder = shutil.copytree(sound, tmp_path / str(number))
        flip(folder / DATABASE, table, column, row)
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


def test_without_a_look_at_what_is_published_an_older_database_forks_the_log(log, tmp_path):
    """The control of the one above: others than then are put to the places that were published."""
    folder = made(log, tmp_path / "log", "setup 5 0")
    backup = (folder / DATABASE).read_bytes()
    for step in ("more", "close"):
        assert log.run([step, str(folder)]).status == 0
    size, root = checkpoint(tree(folder))
    assert Tiles(FileObjects(folder / "log")).root(size).hex() == root

    (folder / DATABASE).write_bytes(backup)
    assert log.run(["submit", str(folder)]).status == 0
    assert "is published, ours is of size 5" in log.run(["close", str(folder)]).stderr
    ended = log.run(["forgetful", "close", str(folder)])
    assert ended.status == 0, ended.stderr
    forked, _ = checkpoint(tree(folder))
    assert forked > size
    assert Tiles(FileObjects(folder / "log")).root(forked).hex() == checkpoint(tree(folder))[1]
    assert root_of_first(folder, size, forked) != root


def root_of_first(folder, size, whole):
    """The root that a log of `whole` entries had when it had `size`."""
    return root_from(Tiles(FileObjects(folder / "log")).nodes(whole), size).hex()


# What can be compared with nothing: the result of questions, of which the next one is asked anew, and what an operator
# is told of once.
UNCOMPARED = {"heartbeat", "stopped_lane", "breaker", "incident", "alembic_version"}


def test_one_bit_is_flipped_in_each_table_of_which_anything_can_be_compared():
    """A table that comes is flipped by one of these tests, or it is said to operators that nobody reads it."""
    flipped = [NAMED, around.TABLES, beside.NAMED, calendars.NAMED, keys.NAMED, stamps.NAMED]
    tables = {table for each in flipped for table in each} | {"digest_state", *UNCOMPARED}
    assert tables == set(SQLModel.metadata.tables) | {"alembic_version"}
    text = (ROOT / "docs/operations.md").read_text()
    (told,) = re.findall(
        r"^Not read, since nothing there can be compared: (.*) \(each start looks", text, re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", told)) == UNCOMPARED
    read = text.partition("| table or object | what must hold |")[2].partition("\n\n")[0]
    assert (
        set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|([^|]*)\|", read, re.MULTILINE))))
        == tables - UNCOMPARED
    )
