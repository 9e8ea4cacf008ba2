"""What measures must itself be right: the logs that it makes, the proofs that it counts, the verdicts."""

import json
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import bench
import pytest
from benchmarks import intake, log, service, serving, synthetic
from benchmarks import truth as truths
from benchmarks.filling import filling
from benchmarks.harness import Context, Pair, at_least, beside, by_ratio, by_value, paired
from benchmarks.postload import Kept, post_all
from benchmarks.service import make, on_postgresql
from benchmarks.truth import Truth, counted

from notary import wiring
from notary.intake.submission import Submission
from notary.log.batch import build
from notary.merkle.hashing import EMPTY_ROOT
from notary.store.files import FileObjects
from notary.store.groups import groups_after
from notary.store.tiles import Tiles

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


@pytest.fixture
def context(tmp_path):
    return Context(5, tmp_path, lambda _: None)


@pytest.mark.parametrize("size", [1, 255, 256, 700, 65_536, 70_001])
def test_a_synthetic_log_is_the_one_that_a_close_would_have_made(tmp_path, monkeypatch, size):
    monkeypatch.setattr(synthetic, "_CHUNK", 131 * 256)
    root = synthetic.build_log(tmp_path, size, lambda _: None)
    objects = FileObjects(tmp_path)
    Tiles(objects).check_edge(size, root)
    parts = list(build(FileObjects(tmp_path / "empty"), 0, EMPTY_ROOT, synthetic.entries_from(0, size)))
    made = {name: data for part in parts for name, data in part.objects.items()}
    assert (parts[-1].size, parts[-1].root) == (size, root)
    assert set(objects.names("tile")) == set(made)
    assert all(objects.read(name) == data for name, data in made.items())
    assert synthetic.entry_at(size - 1) == synthetic.entries_from(0, size)[-1]


def test_appending_is_measured_at_each_size_and_deletes_nothing_but_staging_objects(context, monkeypatch):
    monkeypatch.setattr(log, "SIZES", (300, 70_000))
    rows = {row.name: row for row in log.appending(context)}
    assert {"append 10,000 to 300, durable", "append 10,000 to 70,000, durable"} <= set(rows)
    assert rows["append 10,000 to 300, durable"].ratio > 0.5
    assert 66 < rows["bytes a leaf, 70,000"].value < 67
    aside = sum(path.is_file() for path in (context.folder / "aside").iterdir())
    # In six turns at each size: bundles and tiles of 10,000, the right edge with them.
    assert aside >= 6 * 2 * 80
    assert not any(path.is_file() for path in context.folder.glob("*/staging/**/*"))


def test_proofs_are_measured_through_the_real_service_and_verified(context, monkeypatch):
    for name, value in (("SIZE", 1000), ("REQUESTS", 210), ("RECENT", 100), ("KEEP", 50)):
        monkeypatch.setattr(serving, name, value)
    rows = list(serving.proofs(context))
    assert len(rows) == 6
    assert all(row.value > 0 and " 0 verified" not in row.reference for row in rows)
    assert [bool(row.goal) for row in rows] == [False, True, False, True, False, True]


def test_a_missed_goal_is_said_and_a_reached_one_too():
    pair = Pair(3.0, 2.0, 1.5)
    assert by_ratio("x", 3.0, "s", pair, "y", 1.5).ok
    assert not by_ratio("x", 3.0, "s", pair, "y", 1.49).ok
    assert by_value("x", 3.0, "s", 1.5, "y", 3.0).ok
    assert not by_value("x", 3.0, "s", 1.5, "y", 2.9).ok
    assert beside("x", 3.0, "s", 1.5, "y").goal == ""


def test_the_reference_takes_turns_with_its_subject():
    calls = []
    paired(lambda: calls.append("mine"), lambda: calls.append("theirs"), 5)
    assert calls == ["mine", "theirs"] * 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--runs", "4"], "at least 5 runs"), (["nothing"], "there are these: closing")],
)
def test_what_cannot_be_measured_is_refused(monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(sys, "argv", ["bench.py", *arguments])
    with pytest.raises(SystemExit, match=r"^2$"):
        bench.main()
    assert message in capsys.readouterr().err


def test_one_command_writes_the_rows_that_it_shows(tmp_path):
    command = [sys.executable, SCRIPTS / "bench.py", "merkle.verifying", "--runs", "5"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
    (row,) = json.loads((tmp_path / "bench.json").read_text())
    assert list(row) == ["name", "value", "unit", "ratio", "reference", "goal", "ok"]
    assert run.returncode == (0 if row["ok"] else 1)
    assert row["value"] > 0


def test_records_written_past_the_api_are_records_like_any_other_and_a_lie_is_told(tmp_path, monkeypatch):
    looked_at, drawn = [], truths.stored_samples
    monkeypatch.setattr(
        truths, "stored_samples", lambda database: looked_at.extend(drawn(database)) or looked_at
    )
    with on_postgresql(tmp_path / "data") as place:
        truth = Truth(place)
        with filling(place) as filler:
            assert filler.copy(25, of_each=10) > 0
        truth.acknowledged = 25
        assert truth.verdict() == ""
        assert len(looked_at) >= 1  # nothing was answered: some of what is stored is verified
        truth.acknowledged = 26
        assert truth.verdict() == "26 records were acknowledged, 25 are stored"
        truth.acknowledged = 25
        monkeypatch.setattr(truths, "stored_samples", lambda _: [])
        assert truth.verdict() == "no receipt was looked at"
        monkeypatch.setattr(truths, "stored_samples", lambda _: [("00" * 32, *looked_at[0][1:])])
        assert "the statement is about another document" in truth.verdict()


def test_single_digests_are_counted_and_their_receipts_verified(tmp_path):
    place = make(f"sqlite:///{tmp_path}/notary.db", tmp_path / "data")
    truth = Truth(place)
    with service.serving(place) as server:
        posted = post_all(server.port, intake.single_requests(place.key, 0.3), 4, keep=1.0)
        assert server.peak_mib() > 50
    truth.acknowledged, truth.kept = len(posted.seconds), posted.kept[:20]
    assert truth.acknowledged > 0
    assert truth.verdict() == ""
    truth.kept.append(
        Kept(truth.kept[0].body.replace(b'"sha-256":"', b'"sha-256":"00'), truth.kept[0].answer, 1.0)
    )
    assert "the statement is about another document" in truth.verdict()


def test_a_random_hundredth_of_what_is_stored_is_drawn(tmp_path):
    place = make(f"sqlite:///{tmp_path}/notary.db", tmp_path / "data")
    assembly = wiring.build(place.settings())
    intake, tenant = assembly.services.submitting.intake, place.tenant_id
    for first in range(0, 2000, 500):
        digests = [{"sha-256": sha256(b"%d" % n).hexdigest()} for n in range(first, first + 500)]
        intake.accept_all([Submission(tenant, "document", digests=digest) for digest in digests])
    drawn = list(truths.stored_samples(assembly.database))
    assembly.close()
    assert 5 <= len(drawn) <= 60
    assert len({digest for digest, _, _ in drawn}) == len(drawn)
    assert Truth(place).verdict() == ""


def test_one_insert_a_request_makes_records_like_any_other(tmp_path):
    with on_postgresql(tmp_path / "data") as place:
        truth = Truth(place)
        with service.serving(place, "insert") as server:
            posted = post_all(server.port, intake.single_requests(place.key, 0.3), 8, keep=1.0)
        truth.acknowledged, truth.kept = len(posted.seconds), posted.kept[:20]
        assert truth.acknowledged > 0
        assert truth.verdict() == ""
        with place.database() as database, database.reading() as connection:
            groups = [group.count for group in groups_after(connection, 0, 10**6)]
        assert groups == [1] * (1 + truth.acknowledged)


def test_what_was_appended_is_verified(context, monkeypatch):
    monkeypatch.setattr(log, "APPENDED", 300)
    made = log.made(500, context)
    made.append()
    made.place()
    assert made.problem() == ""
    made.entries[7] = bytes(32)
    monkeypatch.setattr(log, "PART", 1.0)
    assert made.problem().startswith("at 500: leaf 507 of 800")
    made.root = bytes(32)
    assert made.problem().startswith("at 500: ")
    monkeypatch.setattr(log, "SIZES", (300,))
    monkeypatch.setattr(log.Log, "problem", lambda _: "at 300: it is not so")
    assert all("NOT TRUE: at 300: it is not so" in row.reference for row in log.appending(context))


def test_a_size_for_which_there_is_no_room_is_a_goal_that_is_missed(context, monkeypatch):
    monkeypatch.setattr(log, "SIZES", (300, 600))
    monkeypatch.setattr(log, "LARGE_BYTES", 2**62)
    assert all("100,000,000" not in row.name for row in log.appending(context))
    other = replace(context, folder=context.folder / "large", large=True)
    other.folder.mkdir()
    *_, last = log.appending(other)
    assert (last.name, last.ok) == ("append 10,000 to 100,000,000, durable", False)
    assert "not measured: 4294967296 GiB of disk are needed" in last.reference


@pytest.mark.parametrize(("peak", "ok"), [(199.0, True), (201.0, False)])
def test_the_memory_of_an_api_process_has_one_goal_wherever_it_is_measured(peak, ok):
    row = intake.memory("an API process after bulk", SimpleNamespace(peak_mib=lambda: peak))
    assert (row.goal, row.ok) == ("value <= 200.0", ok)


def test_what_is_not_true_reaches_no_goal():
    row = beside("x", 1.0, "s", 1.0, "y")
    assert counted([row], "") == [row]
    (lie,) = counted([row], "a record is missing")
    assert not lie.ok
    assert lie.goal
    assert lie.reference == "NOT TRUE: a record is missing"


def test_at_least_is_no_at_most():
    row = beside("x", 2.0, "/s", 0.5, "y")
    assert at_least(row, ratio=0.5).ok
    assert not at_least(row, ratio=0.51).ok
    assert at_least(row, value=2.0).ok
    assert not at_least(row, value=2.1).ok
