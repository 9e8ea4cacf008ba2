"""kill -9 of the service and of its database under load, and three instances at once: nothing lost, no fork."""

import os
import time
from contextlib import contextmanager
from random import Random

import psycopg
import pytest
from sqlalchemy import make_url

from notary.store.engine import open_database
from notary.store.migrate import migrate
from tests.faults.counts import count
from tests.faults.crowd import Judge, Process
from tests.postgres import own_postgres

FULL = (pytest.mark.faults, pytest.mark.timeout(3600))
CYCLES = 20  # kills of one log; fsck reads all of it after each
LOGS = 10
SERVER_KILLS = 10
PAUSE = 0.05  # of a log that grows while fsck reads it
MINUTES = float(os.environ.get("NOTARY_FAULTS_MINUTES", "10"))


def made(url: str) -> str:
    """An empty database with its tables."""
    database = open_database(url)
    migrate(database)
    database.dispose()
    return url


@contextmanager
def server():
    """A PostgreSQL server of our own that syncs, and the address of a database there."""
    with own_postgres() as running:
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


def run_three(folder, seconds, random, *, pause, every):
    with server() as (_running, url):
        judge = Judge("three instances", url, folder)
        first = Process(url, folder, "a-0", pause)
        assert first.wait_for(1)  # it has opened the log
        running = {"a": first} | {name: Process(url, folder, f"{name}-0", pause) for name in "bc"}
        everyone = [*running.values()]
        try:
            for process in everyone:
                assert process.wait_for(1)
            end, kill = time.monotonic() + seconds, time.monotonic() + every
            while time.monotonic() < end:
                judge.look()
                time.sleep(0.02)
                ended = [process.told()[-2000:] for process in running.values() if process.ended()]
                assert not ended, ended
                if time.monotonic() > kill:
                    name = random.choice("abc")  # a third of them is the one that closes
                    running[name].kill()
                    count("three instances", kills=1)
                    running[name] = Process(url, folder, f"{name}-{len(everyone)}", pause)
                    everyone.append(running[name])
                    kill = time.monotonic() + every
        finally:
            for process in running.values():
                process.kill()
        for process in everyone:
            judge.heard(process)
        count("three instances", seconds=int(seconds))
        judge.finish()


def test_three_instances_make_one_log(tmp_path):
    run_three(tmp_path, 4, Random(0), pause=0.2, every=2)


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


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_three_instances_make_one_log_for_minutes(tmp_path):
    run_three(tmp_path, 60 * MINUTES, Random(1), pause=0.3, every=15)
