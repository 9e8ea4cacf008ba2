"""The daily check: in a process of its own, not before its time, and its result is kept and told."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import text

from notary.errors import SettingsError, Unavailable
from notary.observe import FSCK_FINISHED, FSCK_PROBLEMS
from notary.settings.loading import load_settings
from notary.wiring import checking
from notary.wiring.checking import RESULT, Checking, attesters, check_log
from tests.api.service import Service
from tests.databases import with_tables
from tests.warm import CONTEXT

AS_THE_SERVICE = checking._CONTEXT
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def service(tmp_path):
    made = Service(tmp_path, {})
    made.accepted()
    made.close()
    yield made
    made.end()


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture(autouse=True)
def warm(monkeypatch):
    """The process of a check is forked from one that has loaded everything (tests/warm.py)."""
    monkeypatch.setattr(checking, "_CONTEXT", CONTEXT)


@pytest.fixture
def check(service, clock):
    return Checking(service.settings, lambda: True, lambda: clock[0])


def kept(service):
    return json.loads((service.settings.data_dir / RESULT).read_text())


def spoil(service):
    with service.assembly.database.writing() as connection:
        connection.execute(text("UPDATE record SET statement = x'7b7d' WHERE seq > 16384"))


def test_a_check_in_a_new_process_that_has_loaded_nothing(service, check, monkeypatch):
    monkeypatch.setattr(checking, "_CONTEXT", AS_THE_SERVICE)
    check.run()
    assert (kept(service)["problems"], kept(service)["counts"]["records"]) == ([], 2)


def test_a_sound_log_is_checked_and_not_again_before_its_time(service, check, clock):
    check.run()
    found = kept(service)
    assert (found["finished"], found["problems"]) == ("2026-03-01T12:00:00Z", [])
    assert found["counts"]["records"] == 2
    assert (FSCK_PROBLEMS._value.get(), FSCK_FINISHED._value.get()) == (0, NOW.timestamp())
    spoil(service)
    clock[0] += timedelta(hours=23)
    again = Checking(service.settings, lambda: True, lambda: clock[0])  # a restart does not begin anew
    again.run()
    assert kept(service) == found
    clock[0] += timedelta(hours=1)
    with structlog.testing.capture_logs() as logs:
        again.run()
    assert kept(service)["finished"] == "2026-03-02T12:00:00Z"
    assert kept(service)["problems"]
    assert FSCK_PROBLEMS._value.get() == len(kept(service)["problems"])
    told = [entry["problem"] for entry in logs if entry["log_level"] == "critical"]
    assert told == kept(service)["problems"][:20]


def test_who_does_not_lead_checks_nothing(service, clock):
    Checking(service.settings, lambda: False, lambda: clock[0]).run()
    assert not (service.settings.data_dir / RESULT).exists()


@pytest.mark.parametrize("content", ["", "[]", '{"finished": "soon", "problems": []}', "{}"])
def test_a_result_that_cannot_be_read_is_none(service, check, content):
    (service.settings.data_dir / RESULT).write_text(content)
    check.run()
    assert kept(service)["problems"] == []


def test_a_result_of_a_time_to_come_puts_nothing_off(service, check, clock):
    check.run()
    clock[0] -= timedelta(seconds=9)  # as a time server makes
    before = kept(service)
    check.run()
    assert kept(service) == before
    clock[0] -= timedelta(days=300)
    check.run()
    assert kept(service)["finished"] == "2025-05-05T11:59:51Z"


def test_a_result_that_cannot_be_written_is_told_and_the_log_is_not_read_again_for_it(
    service, check, monkeypatch
):
    made, path = [], service.settings.data_dir / RESULT
    in_a_child = Checking._in_a_child
    monkeypatch.setattr(Checking, "_in_a_child", lambda self: made.append(1) or in_a_child(self))
    path.with_suffix(".new").mkdir()
    FSCK_FINISHED.set(0)
    for _ in range(3):
        with pytest.raises(
            Unavailable, match=r"the log was checked, and its result cannot be written: Is a dir.*fsck.json"
        ):
            check.run()
    assert (made, FSCK_FINISHED._value.get()) == ([1], NOW.timestamp())
    path.with_suffix(".new").rmdir()
    check.run()
    assert (made, kept(service)["problems"]) == ([1], [])


def test_a_check_that_is_being_started_is_broken_off_too(service, check, monkeypatch):
    monkeypatch.setattr(checking, "_check", endless)
    started = CONTEXT.Process.start

    def start(process):
        check.end()  # before it is a process that could be ended
        started(process)

    monkeypatch.setattr(CONTEXT.Process, "start", start)
    running = threading.Thread(target=check.run)
    running.start()
    running.join(10)
    assert not running.is_alive()


def test_a_check_that_cannot_be_made_says_nothing_about_the_log(service, check):
    (service.settings.data_dir / "keys").rename(service.settings.data_dir / "gone")
    (service.settings.data_dir / "notary.db").rename(service.settings.data_dir / "away.db")
    with pytest.raises(Unavailable, match="the log was not checked: "):
        check.run()
    assert not (service.settings.data_dir / RESULT).exists()


def endless(_settings, _answer):
    time.sleep(60)


def test_an_orderly_stop_waits_for_no_check(service, check, monkeypatch):
    monkeypatch.setattr(checking, "_check", endless)
    running = threading.Thread(target=check.run)
    running.start()
    while check._child is None or not check._child.is_alive():
        time.sleep(0.01)
    check.end()
    running.join(10)
    assert not running.is_alive()
    assert not (service.settings.data_dir / RESULT).exists()
    check.run()  # nor is another begun
    assert not (service.settings.data_dir / RESULT).exists()


def test_a_check_that_is_killed_is_not_taken_for_a_sound_log(service, check, monkeypatch):
    monkeypatch.setattr(checking, "_check", endless)

    def kill():
        while check._child is None or not check._child.is_alive():
            time.sleep(0.01)
        check._child.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(Unavailable, match="it was ended before it had a result"):
        check.run()
    killer.join(10)


def test_before_there_is_a_log_nothing_can_be_checked(tmp_path):
    settings = load_settings(data_dir=tmp_path / "data", origin="log.example.org")
    settings.data_dir.mkdir()
    with_tables(settings.database_url).dispose()
    with pytest.raises(SettingsError, match="there is no log to check"):
        check_log(settings)


def test_the_head_key_is_known_where_its_file_is_at_hand(service):
    settings, genesis = service.settings, service.assembly.genesis
    found = attesters(settings, genesis)
    assert found.head_keys == frozenset({bytes.fromhex(genesis.head_key[2:])})
    assert (found.chains, found.authorities) == ({}, {})
    settings.head_key.unlink()
    assert attesters(settings, genesis).head_keys == frozenset()
    chain = {"name": "main", "rpc_urls": ("http://127.0.0.1:1",), "chain_id": 1}
    named = load_settings(data_dir=settings.data_dir, origin=settings.origin, chains=(chain,))
    trust = attesters(named, genesis).chains["main"]
    assert (trust.chain_id, trust.contract, trust.log_id) == (1, bytes(20), bytes(32))
    other = load_settings(
        data_dir=settings.data_dir, origin=settings.origin, chains=(chain | {"chain_id": 2},)
    )
    with pytest.raises(SettingsError, match="entry 0 names chain 1"):
        attesters(other, genesis)
