"""Fsck finds what it is there to find: one damage at a time."""

import re
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import text

from notary.errors import Fatal, Unavailable
from notary.evidence.note import Verifier, parse_note, sign_note
from notary.evidence.receipt import group_root, parse_promise
from notary.log import fsck as checking
from notary.log.fsck import fsck
from notary.log.index import index_digests
from notary.store.claims import Claim
from notary.store.connecting import open_database
from notary.store.files import FileObjects
from notary.store.logstate import read_state
from notary.store.objects import CHECKPOINT
from notary.store.openings import erase_openings
from notary.store.places import group_of, seq_of
from notary.store.records import record_by_seq
from tests.databases import with_tables
from tests.faults import Fault, FaultyObjects
from tests.rig import LOG_VERIFIER, ORIGIN, PROMISES, RECEIPT_KEY, RECEIPT_VERIFIER, Rig

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A log of five entries, one more that waits, and its files; copied for each damage."""
    folder = tmp_path_factory.mktemp("sound")
    database = with_tables(f"sqlite:///{folder / 'notary.db'}")
    rig = Rig(database, folder).open()
    contract = rig.intake.accept(rig.document(b"contract", fields={"title": "Lease", "matter": "2026-7"}))
    rig.sequencer().sequence()
    rig.intake.accept(
        rig.document(b"annex", previous=contract.number), Claim(rig.tenant, "kannex", bytes(32))
    )
    rig.submit(2)
    rig.clock.advance(5)
    rig.sequencer().sequence()
    rig.intake.accept(rig.document(b"waits"))
    assert index_digests(rig.database) == 5
    assert rig.fsck().problems == []
    yield rig
    database.dispose()


@pytest.fixture
def rig(sound, tmp_path):
    shutil.copytree(sound.folder / "log", tmp_path / "log")
    database = open_database(f"sqlite:///{tmp_path / 'notary.db'}")
    with sound.database.engine.connect() as source, database.engine.connect() as target:
        source.connection.driver_connection.backup(target.connection.driver_connection)
    rig = Rig(database, tmp_path, tenant=sound.tenant, clock=replace(sound.clock))
    yield rig
    database.dispose()


def sql(statement):
    def damage(rig):
        with rig.database.writing() as connection:
            connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            for part in statement.split(";"):
                assert connection.execute(text(part)).rowcount > 0, part

    return damage


def file(name, change):
    def damage(rig):
        path = rig.objects.root / name
        data = change(path.read_bytes() if path.exists() else b"")
        if data is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    return damage


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


SECOND, THIRD, FOURTH = (seq_of(group, 0) for group in (2, 3, 4))  # groups of one record each
OTHERS_NOTE = "(SELECT note FROM commit_group WHERE id = 4)"

DAMAGES = {
    "statement": (
        sql(f"UPDATE record SET statement = CAST(statement || ' ' AS BLOB) WHERE seq = {THIRD}"), "not the SHA-256"),
    "entry": (sql(f"UPDATE record SET entry = zeroblob(32) WHERE seq = {THIRD}"), "its entry is not the SHA-256"),
    "entry in tree": (
        sql(f"UPDATE record SET entry = zeroblob(32) WHERE seq = {THIRD}"), "not that of its entries"),
    "entry in group": (
        sql(f"UPDATE record SET entry = zeroblob(32) WHERE seq = {THIRD}"), "its promise is about other entries"),
    "number": (sql(f"UPDATE record SET number = 'X' WHERE seq = {THIRD}"), "of another number or type"),
    "type": (sql(f"UPDATE record SET type = 'event' WHERE seq = {THIRD}"), "of another number or type"),
    "sha256": (sql(f"UPDATE record SET sha256 = zeroblob(32) WHERE seq = {THIRD}"), "another sha-256 digest"),
    "sm3": (sql(f"UPDATE record SET sm3 = zeroblob(32) WHERE seq = {THIRD}"), "another sm3 digest"),
    "block": (sql("UPDATE commit_group SET not_before_number = 7 WHERE id = 3"), "names another block"),
    "follows": (sql(f"UPDATE record SET follows_seq = {seq_of(1, 0)} WHERE seq = {THIRD}"),
                "follows another statement"),
    "follows nothing": (sql(f"UPDATE record SET follows_seq = 99 WHERE seq = {THIRD}"),
                        "there is no record of sequence 99"),
    "record gone": (sql(f"DELETE FROM record WHERE seq = {THIRD}"), "commit group 3 has 0 records, not 1"),
    "waiting record gone": (sql(f"DELETE FROM record WHERE seq = {seq_of(6, 0)}"), "has not the 1 records"),
    "record of no group": (sql(f"UPDATE record SET seq = 77 WHERE seq = {seq_of(6, 0)}"),
                           "7 records are stored, but the commit groups have 6|6 records are stored"),
    "promise": (sql("UPDATE commit_group SET note = NULL WHERE id = 3"), "commit group 3: it has no promise"),
    "other's promise": (
        sql(f"UPDATE commit_group SET note = {OTHERS_NOTE} WHERE id = 3"), "its promise is about other entries"),
    "promise's bytes": (
        sql("UPDATE commit_group SET note = CAST(note || 'x' AS BLOB) WHERE id = 3"), "its promise: "),
    "opening": (
        sql("UPDATE opening SET disclosure = (SELECT max(disclosure) FROM opening) WHERE position = 0;"
            "UPDATE opening SET disclosure = (SELECT max(disclosure) FROM opening) WHERE position = 1"),
        "not committed to|opened twice",
    ),
    "places": (sql("UPDATE commit_group SET first_idx = 100 WHERE id = 3; UPDATE commit_group SET first_idx = 2"
                   " WHERE id = 4; UPDATE commit_group SET first_idx = 3 WHERE id = 3"), "not that of its entries"),
    "place gone": (sql("UPDATE commit_group SET first_idx = NULL WHERE id = 3"), "is at 3, not at 2"),
    "last place gone": (sql("UPDATE commit_group SET first_idx = NULL WHERE id = 5"),
                        "checkpoint 5 is larger than the 4 entries"),
    "place too many": (sql("UPDATE commit_group SET first_idx = 5 WHERE id = 6"),
                       "6 entries have a place, but the newest checkpoint has 5"),
    "claim": (sql("UPDATE claim SET first_seq = 99"), "names records that are not there"),
    "claim on another's": (sql("INSERT INTO claim SELECT tenant_id, 'kother', request_sha256, first_seq, count,"
                               " created_at FROM claim"), "organisation 1 names records of another claim"),
    "claim of another": (sql("UPDATE claim SET tenant_id = 99"), "organisation 99 names records of another"),
    "not indexed": (sql(f"DELETE FROM digest_index WHERE seq = {THIRD}"), "is not found by its digest"),
    "indexed wrongly": (sql(f"UPDATE digest_index SET digest = zeroblob(32) WHERE seq = {THIRD}"),
                        "is indexed for a record that has another"),
    "indexed too far": (sql("UPDATE digest_state SET size = 9"), "the index of digests goes to 9, the log to 5"),
    "root": (sql("UPDATE checkpoint SET root = zeroblob(32) WHERE size = 2"), "another size or root is signed"),
    "note": (sql("UPDATE checkpoint SET note = CAST(note || 'x' AS BLOB) WHERE size = 2"), "checkpoint 2: "),
    "time": (sql("UPDATE checkpoint SET time = '2031-01-01 00:00:00' WHERE size = 2"), "is dated before"),
    "state": (sql("UPDATE log_state SET size = 2"), "is not its newest checkpoint"),
    "no state": (sql("DELETE FROM log_state"), "the log is not open"),
    "tile": (file("tile/0/000.p/5", flipped), "tile/0/000.p/5 is damaged"),
    "bundle": (file("tile/entries/000.p/2", flipped), "tile/entries/000.p/2 is damaged"),
    "tile gone": (file("tile/0/000.p/2", lambda _: None), "tile/0/000.p/2 is missing"),
    "tile too many": (file("tile/0/000.p/4", lambda _: b"x"), "tile/0/000.p/4 belongs to no checkpoint"),
    "published": (file(CHECKPOINT, flipped), "the published checkpoint: "),
    "not published": (file(CHECKPOINT, lambda _: None), "no checkpoint is published"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_found(rig, damage):
    make, what = DAMAGES[damage]
    assert rig.fsck().problems == []
    make(rig)
    problems = rig.fsck().problems
    assert any(re.search(what, problem) for problem in problems), problems


def test_a_promise_over_a_checkpoint_that_is_not_ours_is_found(rig):
    """Signed by the right key, over a size that never was."""
    with rig.database.reading() as connection:
        state = read_state(connection)
        record = record_by_seq(connection, THIRD)
    for size, root, what in (
        (4, bytes(32), "of size 4 that is not ours"),
        (5, state.root, "it is in already"),
    ):
        note = PROMISES.sign(1, group_root([record.entry]), replace(state, size=size, root=root), rig.clock())
        with rig.database.writing() as connection:
            connection.execute(text("UPDATE commit_group SET note = :note WHERE id = 3"), {"note": note})
        assert any(what in problem for problem in rig.fsck().problems)


def test_a_promise_of_another_log_is_found(rig):
    with rig.database.reading() as connection:
        state = read_state(connection)
        record = record_by_seq(connection, THIRD)
    text_ = PROMISES.sign(1, group_root([record.entry]), state, rig.clock())
    promise = replace(parse_promise(parse_note(text_).text), origin="log.example.org/other")
    note = sign_note(promise.text(), RECEIPT_VERIFIER.name, RECEIPT_KEY).encode()
    with rig.database.writing() as connection:
        connection.execute(text("UPDATE commit_group SET note = :note WHERE id = 3"), {"note": note})
    assert "commit group 3: its promise is of log 'log.example.org/other'" in rig.fsck().problems


class Closing(FileObjects):
    """Objects of a log that closes a batch before each look at what is published, or at which tiles there are."""

    rig = None

    def close(self):
        self.rig.submit(1, first=100)
        assert self.rig.sequencer().sequence()

    def names(self, prefix):
        self.close()
        return super().names(prefix)

    def read(self, name):
        if name == CHECKPOINT:
            self.close()
        return super().read(name)


def test_what_is_closed_while_it_looks_is_no_damage(rig):
    objects = Closing(rig.objects.root)
    object.__setattr__(objects, "rig", rig)
    keys = [LOG_VERIFIER], [RECEIPT_VERIFIER]
    assert fsck(rig.database, objects, ORIGIN, *keys).problems == []


@pytest.mark.parametrize("page", [500, 7])
def test_a_group_within_the_places_of_another_is_named_wherever_a_page_ends(rig, monkeypatch, page):
    rig.intake.accept_all([rig.document(b"one"), rig.document(b"two")])
    (within,) = rig.submit(1, first=9)
    assert rig.sequencer(max_batch=3).sequence().size == 8  # seven groups
    monkeypatch.setattr(checking, "GROUPS", page)
    assert rig.fsck().problems == []
    sql(f"UPDATE commit_group SET first_idx = 7 WHERE id = {group_of(within.seq)}")(rig)
    assert f"commit group {group_of(within.seq)} is at 7, not at 8" in rig.fsck().problems


def test_a_tile_too_many_is_named_while_the_log_goes_on(rig):
    sizes = []

    def close(_what, _count):
        if len(sizes) < 3:  # since the snapshot
            rig.intake.accept_all([rig.document(b"%d %d" % (len(sizes), n)) for n in range(200)])
            sizes.append(rig.sequencer().sequence().size)

    keys = [LOG_VERIFIER], [RECEIPT_VERIFIER]
    assert fsck(rig.database, rig.objects, ORIGIN, *keys, close).problems == []
    assert sizes == [206, 406, 606]
    sizes.clear()
    file("tile/0/000.p/4", lambda _: b"x")(rig)
    file("tile/0/004.p/9", lambda _: b"x")(rig)
    found = fsck(rig.database, rig.objects, ORIGIN, *keys, close).problems
    assert found == [f"tile/0/{name} belongs to no checkpoint" for name in ("000.p/4", "004.p/9")]


def test_a_thousand_problems_are_enough(rig):
    rig.intake.accept_all([rig.document(b"%d" % n) for n in range(1100)])
    sql("UPDATE record SET type = 'event'")(rig)
    assert len(rig.fsck().problems) == 1001
    assert rig.fsck().problems[-1] == "and more: the first thousand are shown"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "name = CASE name WHEN 'title' THEN 'matter' ELSE 'title' END",
            "is filed as 'title' and opens another",
        ),
        ("seq = seq + 1", "2 openings are stored, but the records have 0"),
    ],
)
def test_an_opening_that_an_erasure_would_miss_is_named(rig, damage, told):
    sql(f"UPDATE opening SET {damage}")(rig)
    assert told in " ".join(rig.fsck().problems)


def test_tiles_that_a_crash_left_in_their_staging_object_are_there(rig):
    disk = FaultyObjects(rig.objects.root, fault=Fault("tile"))
    with pytest.raises(Unavailable, match="the disk fails at tile"):
        rig.sequencer(objects=disk).sequence()
    assert rig.fsck().problems == []
    (staged,) = rig.objects.names("staging")
    path = rig.objects.root / staged
    bundle = path.read_bytes()
    for damaged in (None, bundle[:-1], b"x"):
        path.unlink() if damaged is None else path.write_bytes(damaged)
        assert any("is missing" in problem for problem in rig.fsck().problems)
    path.write_bytes(bundle)
    rig.sequencer().acquire()
    assert rig.fsck().problems == []


def test_an_older_checkpoint_in_the_place_of_the_newest_is_named(rig):
    older = rig.objects.read(CHECKPOINT)
    assert rig.sequencer().sequence().size == 6
    assert rig.fsck().problems == []
    rig.objects.replace(CHECKPOINT, older)
    (told,) = rig.fsck().problems
    assert "is of size 5, and the one of size 6 was published" in told
    assert rig.sequencer().sequence() is None
    assert rig.fsck().problems == []


def test_an_older_checkpoint_is_no_damage_before_the_newest_was_published(rig):
    disk = FaultyObjects(rig.objects.root, fault=Fault("checkpoint"))
    with pytest.raises(Unavailable, match="the disk fails at checkpoint"):
        rig.sequencer(objects=disk).sequence()
    assert rig.fsck().problems == []


def test_openings_that_were_erased_are_no_damage(rig):
    with rig.database.writing() as connection:
        assert erase_openings(connection, SECOND, ("title",)) == ["title"]
    assert rig.fsck().problems == []
    with rig.database.writing() as connection:
        assert erase_openings(connection, SECOND) == ["matter"]
    assert rig.fsck().problems == []


def test_other_keys_sign_nothing_that_is_believed(rig):
    other = Verifier(ORIGIN, RECEIPT_KEY.public_key().public_bytes_raw())
    problems = fsck(rig.database, rig.objects, ORIGIN, [other], [LOG_VERIFIER]).problems
    assert sum("no key that is trusted" in problem for problem in problems) == 3 + 1 + 5


def test_a_published_checkpoint_that_the_database_never_had_is_found(rig):
    rig.sequencer().sequence()
    assert rig.fsck().problems == []
    sql("DELETE FROM checkpoint WHERE size = 6; UPDATE log_state SET size = 5")(rig)
    assert "the published checkpoint of size 6 is not one of ours" in rig.fsck().problems


def test_progress_is_told(rig):
    told = []
    fsck(
        rig.database, rig.objects, ORIGIN, [LOG_VERIFIER], [RECEIPT_VERIFIER],
        progress=lambda what, count: told.append((what, count)),
    )  # fmt: skip
    assert ("leaves", 5) in told
    assert ("records", 6) in told


def test_a_disk_that_fails_under_a_tile_is_a_problem_of_that_tile(rig):
    class Failing(type(rig.objects)):
        def read(self, name):
            if name.startswith("tile/0"):
                raise Fatal("the disk failed")
            return super().read(name)

    problems = fsck(
        rig.database, Failing(rig.objects.root), ORIGIN, [LOG_VERIFIER], [RECEIPT_VERIFIER]
    ).problems
    assert "tile/0/000.p/5 cannot be read: the disk failed" in problems


def test_a_database_that_is_gone_says_nothing_about_the_log(rig):
    rig.database.dispose()
    (rig.folder / "notary.db").unlink()
    (rig.folder / "notary.db").mkdir()
    with pytest.raises(Unavailable, match="the database does not answer"):
        rig.fsck()
