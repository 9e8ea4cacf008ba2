"""kill -9 of the service and of its database under load, and three instances at once: nothing lost, no fork."""

import os
import re
import signal
import time
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import psycopg
import pytest
from sqlalchemy import delete, make_url, select, update

from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.store.connecting import open_database
from notary.store.migrate import migrate
from notary.store.tables import claim, commit_group
from tests.faults.counts import count
from tests.faults.crowd import Judge, Process
from tests.faults.instances import Counts, Instances, too_little
from tests.postgres import own_postgres
from tests.rig import LOG_KEY, ORIGIN

pytestmark = pytest.mark.crash

FULL = (pytest.mark.faults, pytest.mark.timeout(3600))
CYCLES = 20  # kills of one log; fsck reads all of it after each
LOGS = 10
SERVER_KILLS = 10
UNCLEAR = re.compile(r"fatal: the swap to size \d+ failed or is unclear: ")
PAUSE = 0.05  # of a log that grows while fsck reads it
MINUTES = float(os.environ.get("NOTARY_FAULTS_MINUTES", "10"))
# Of each thread that submits, in seconds: all that was acknowledged is read again, which takes its time, too.
THREE_PAUSE = float(os.environ.get("NOTARY_FAULTS_PAUSE", "0.3"))


def made(url: str) -> str:
    """An empty database with its tables."""
    database = open_database(url)
    migrate(database)
    database.dispose()
    return url


@contextmanager
def server(*options):
    """A PostgreSQL server of our own that syncs, and the address of a database there."""
    with own_postgres(*options) as running:
        with psycopg.connect(running.url, dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE log")
        yield running, made(make_url(running.url).set(database="log").render_as_string(hide_password=False))


def kill_again_and_again(url, folder, kills, random):
    judge = Judge("service killed", url, folder)
    for number in range(kills):
        process = Process(url, folder, f"one-{number}")
        try:
            assert process.wait_for(1)
            end = time.monotonic() + random.uniform(0, 0.4)  # at another moment each time
            while time.monotonic() < end:
                judge.look()
                time.sleep(0.01)
            assert not process.ended(), process.told()[-2000:]
        finally:
            process.kill()
        judge.heard(process)
        judge.look()
        count("service killed", kills=1)
        assert judge.judge() == []
    judge.finish()


def test_a_service_that_is_killed_loses_nothing(database_url, tmp_path):
    kill_again_and_again(made(database_url), tmp_path, 2, Random(0))


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=FULL) for seed in range(LOGS)])
def test_a_service_that_is_killed_again_and_again_loses_nothing(tmp_path, seed):
    kill_again_and_again(made(f"sqlite:///{tmp_path / 'notary.db'}"), tmp_path, CYCLES, Random(seed))


def kill_the_database(folder, kills, random):
    with server() as (running, url):
        judge = Judge("PostgreSQL killed", url, folder)
        processes = [Process(url, folder, "one-0", PAUSE)]
        try:
            for number in range(1, kills + 1):
                # A sequencer whose swap was unclear ends its process, and another takes over.
                while not processes[-1].wait_for(len(processes[-1].acknowledged()) + 1):
                    assert UNCLEAR.match(processes[-1].reason()), processes[-1].told()
                    count("PostgreSQL killed", sequencers_stopped=1)
                    processes.append(Process(url, folder, f"one-{len(processes)}", PAUSE))
                end = time.monotonic() + random.uniform(0, 0.6)
                while time.monotonic() < end:
                    judge.look()
                    time.sleep(0.01)
                running.kill()
                count("PostgreSQL killed", kills=1)
                time.sleep(random.uniform(0, 0.2))
                running.start()
                # Whoever was not answered asks again with the same key, as soon as it may.
                with processes[-1].standing_still():
                    for one in processes:
                        judge.heard(one)
                    assert judge.judge() == [], number
        finally:
            processes[-1].kill()
        for one in processes:
            judge.heard(one)
        judge.finish()


def test_a_database_server_that_is_killed_loses_nothing(tmp_path):
    kill_the_database(tmp_path, 2, Random(0))


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=FULL) for seed in range(50 // SERVER_KILLS)])
def test_a_database_server_that_is_killed_again_and_again_loses_nothing(tmp_path, seed):
    kill_the_database(tmp_path, SERVER_KILLS, Random(seed))


def killed_at_once(url, folder, without, kill):
    """Who judges the first that was acknowledged, if that is also the last thing that happened."""
    judge, process = Judge("nothing", url, folder), Process(url, folder, "one-1", without=without)
    try:
        assert process.wait_for(1), process.told()
        kill()
    finally:
        process.kill()
    judge.heard(process)
    return judge


def found(judge):
    return [problem for problem in judge.judge() if "is lost" in problem]


@pytest.mark.parametrize("without", [(), ("flush",)])
def test_without_its_flush_a_killed_database_server_loses_what_was_acknowledged(tmp_path, without):
    # The server need not flush for us, and what it would write later it does not write: nothing of it is there.
    with server("-c", "synchronous_commit=off") as (running, url):
        first = Process(url, tmp_path, "one-0")  # it makes the log, and all of that is there
        assert first.wait_for(1)
        first.kill()
        running.stop_writing()
        judge = killed_at_once(url, tmp_path, without, running.kill)
        running.start()
        judge.heard(first)
        lost = found(judge)
        assert len(lost) >= 1 if without else lost == []
        assert not any(problem.startswith(tuple(first.acknowledged())) for problem in lost)


@pytest.mark.parametrize("without", [(), ("commit",)])
def test_a_service_that_answers_before_its_commit_is_found(tmp_path, without):
    judge = killed_at_once(made(f"sqlite:///{tmp_path / 'notary.db'}"), tmp_path, without, lambda: None)
    lost = found(judge)
    assert len(lost) >= 1 if without else lost == []


@contextmanager
def three(folder, pause):
    """Three instances that run, on a database server of their own."""
    with server() as (_running, url):
        instances = Instances(url, folder, "abc", pause)
        try:
            instances.start_all()
            yield instances
        finally:
            instances.stop()


def run_three(folder, seconds, random, *, pause, every):
    with three(folder, pause) as instances:
        start = time.monotonic()
        disturbances = 0
        while time.monotonic() < start + seconds:
            instances.look()
            time.sleep(0.02)
            if time.monotonic() > start + (disturbances + 1) * every:
                instances.disturb(disturbances, random)
                disturbances += 1
        lasted = time.monotonic() - start
        instances.stop()
        instances.finish(lasted)


def test_three_instances_make_one_log(tmp_path):
    run_three(tmp_path, 3, Random(0), pause=0.2, every=1)


def test_what_is_lost_changed_or_forked_is_found(tmp_path):
    url = made(f"sqlite:///{tmp_path / 'notary.db'}")
    process = Process(url, tmp_path, "one-0")
    try:
        assert process.wait_for(3)
    finally:
        process.kill()
    judge = Judge("nothing", url, tmp_path)
    judge.heard(process)
    assert judge.judge() == []
    lost, changed = list(judge.acknowledged)[:2]
    judge.acknowledged[lost] = [judge.acknowledged[lost][0], "MLNNC4J29EKZ8GUA"]
    judge.acknowledged[changed] = ["0" * 64, *judge.acknowledged[changed][1:]]
    judge.shown[1] = "00" * 32
    assert sorted(judge.judge(everything=True)) == sorted(
        [
            f"{lost} was acknowledged and is lost",
            f"{changed} was acknowledged and is lost",
            "two roots for size 1",
        ]
    )


def test_a_record_that_is_twice_and_one_that_nobody_asked_for_and_a_gap_are_found(tmp_path):
    url = made(f"sqlite:///{tmp_path / 'notary.db'}")
    process = Process(url, tmp_path, "one-0", 0.3)
    try:
        assert process.wait_for(3)
    finally:
        process.kill()
    judge = Judge("nothing", url, tmp_path)
    judge.heard(process)
    judge.finish()

    (key, said), *_ = judge.acknowledged.items()
    judge.acknowledged["another"] = said
    with pytest.raises(AssertionError, match="a record was acknowledged for two requests"):
        judge.finish()
    del judge.acknowledged["another"]
    judge.lost.clear()
    judge.finish()

    database = open_database(url)
    with database.writing() as connection:
        last = select(commit_group.c.id).order_by(commit_group.c.first_idx.desc()).limit(1).scalar_subquery()
        moved = update(commit_group).where(commit_group.c.id == last)
        connection.execute(moved.values(first_idx=commit_group.c.first_idx + 1))
    with pytest.raises(AssertionError, match=r"commit group \d+"):
        judge.finish()
    with database.writing() as connection:
        connection.execute(moved.values(first_idx=commit_group.c.first_idx - 1))
    judge.finish()

    with database.writing() as connection:
        connection.execute(delete(claim).where(claim.c.key == f"k{key}"))
    with pytest.raises(AssertionError, match=r"\d+ entries, \d+ records of requests, \d+ acknowledged"):
        judge.finish()
    database.dispose()


def contradicted(folder, process):
    """Publish, in the name of the log, what it never had; its leader ends, and nobody has taken over from it."""
    forged = sign_checkpoint(Checkpoint(ORIGIN, 10**6, bytes(32)), LOG_KEY).encode()
    while not process.ended():
        (folder / "forged").write_bytes(forged)
        (folder / "forged").replace(folder / "log" / "checkpoint")  # whole, as it would be read
        time.sleep(0.05)


def died(_folder, process):
    process.child.send_signal(signal.SIGABRT)
    process.child.wait(60)


@pytest.mark.parametrize(
    ("end", "what"),
    [
        (contradicted, "a-0: fatal: a checkpoint of size 1000000 is published"),
        (died, f"a-0 ended with status -{int(signal.SIGABRT)}"),
    ],
)
def test_an_instance_that_ends_for_another_reason_is_found(tmp_path, end, what):
    instances = Instances(made(f"sqlite:///{tmp_path / 'notary.db'}"), tmp_path, "a", 0.2)
    try:
        instances.start_all()
        instances.look()
        end(tmp_path, instances.running["a"])
        with pytest.raises(AssertionError, match=what):
            instances.look()
        assert len(instances.everyone) == 1  # nobody took its place
    finally:
        instances.stop()


def test_a_run_that_did_too_little_says_nothing():
    enough = Counts(kills=2, sleeps=1, overtaken=1, leaders=1)
    acknowledged = {"a": 400, "b": 200, "c": 100}
    assert too_little(100, enough, acknowledged) == []
    for counts, told, what in (
        (enough, {"a": 40, "b": 40, "c": 19}, "99 requests were acknowledged, of at least 100"),
        (enough, acknowledged | {"c": 9}, "c acknowledged 9 requests, of at least 10"),
        (replace(enough, leaders=0), acknowledged, "0 times another led, for 1 leaders that slept"),
        (replace(enough, overtaken=0), acknowledged, "0 were overtaken, for 1 leaders that slept"),
        (replace(enough, sleeps=0, leaders=0), acknowledged, "0 times another led, for 0 leaders that slept"),
    ):
        assert what in too_little(100, counts, told)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_three_instances_make_one_log_for_minutes(tmp_path):
    run_three(tmp_path, 60 * MINUTES, Random(1), pause=THREE_PAUSE, every=15)
