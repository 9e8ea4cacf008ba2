"""How far the log is published: looked at now and then, and never waited for."""

import threading
import time

import pytest

from notary.errors import Unavailable
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.store.files import FileObjects
from notary.store.objects import CHECKPOINT
from notary.store.published import Published
from tests.rig import LOG_KEY, ORIGIN


class Silent(FileObjects):
    """Objects that do not answer for as long as they are told not to."""

    silent = False

    def read(self, name):
        if Silent.silent:
            raise Unavailable("no answer")
        return super().read(name)


@pytest.fixture
def objects(tmp_path):
    return Silent(tmp_path / "log")


def publish(objects, size):
    objects.replace(CHECKPOINT, sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), LOG_KEY).encode())


def until(published, size):
    end = time.monotonic() + 20
    while published() != size:
        assert time.monotonic() < end, published()
        time.sleep(0.01)


def test_it_is_read_again_once_the_last_look_is_old(objects):
    elapsed = [0.0]
    published = Published(objects, lambda: elapsed[0])
    published.look()
    assert published() == 0
    publish(objects, 7)
    elapsed[0] = 4.9
    time.sleep(0.1)
    assert published() == 0
    elapsed[0] = 5.0
    until(published, 7)


def test_objects_that_do_not_answer_or_hold_something_else_change_nothing(objects, monkeypatch):
    published = Published(objects)
    publish(objects, 7)
    published.look()
    monkeypatch.setattr(Silent, "silent", True)
    published.look()
    assert published() == 7
    monkeypatch.setattr(Silent, "silent", False)
    objects.replace(CHECKPOINT, b"no note")
    published.look()
    assert published() == 7


def test_objects_that_never_answer_keep_one_thread_and_no_more(objects, monkeypatch):
    elapsed, begun, answered = [0.0], [], threading.Event()

    def read(name):
        begun.append(name)
        answered.wait(20)

    monkeypatch.setattr(objects.__class__, "read", lambda _, name: read(name))
    published = Published(objects, lambda: elapsed[0])
    for _ in range(5):
        assert published() == 0
        elapsed[0] += 60
    assert [thread.name for thread in threading.enumerate()].count("published") == 1
    answered.set()
    published._looking.join(20)
    assert published() == 0
    published._looking.join(20)
    assert len(begun) == 2  # and it is looked at again once it has answered
