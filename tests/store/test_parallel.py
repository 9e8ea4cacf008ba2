"""Work on many things at once: bounded, stopped by an error, and the worst error wins."""

import sys
import threading
import time

import pytest

from notary.errors import Fatal, Unavailable
from notary.store.parallel import beside, each


def test_everything_is_done_once():
    for count in (0, 1, 2, 7, 8, 9, 1000):
        done = []
        each(done.append, iter(range(count)), 8)
        assert sorted(done) == list(range(count))


def test_a_few_are_done_by_the_caller_alone():
    for count, alone in ((3, True), (4, False), (40, False)):
        threads = set()
        each(lambda _item, seen=threads: seen.add(threading.current_thread()), range(count), 8, few=3)
        assert (threads == {threading.current_thread()}) is alone
    done = []
    each(done.append, range(20), 4, few=100)  # not more than are held
    assert sorted(done) == list(range(20))


def test_so_many_at_a_time_and_no_more_are_taken():
    lock, now, peak, taken = threading.Lock(), 0, 0, 0

    def items():
        nonlocal taken
        for n in range(40):
            taken += 1
            yield n

    def work(_item):
        nonlocal now, peak
        with lock:
            now += 1
            peak = max(peak, now)
            assert taken <= done[0] + 2 * 4
        time.sleep(0.005)
        with lock:
            now -= 1
            done[0] += 1

    done = [0]
    each(work, items(), 4)
    assert (peak, done[0]) == (4, 40)


def test_after_an_error_nothing_more_is_begun_and_nothing_runs_on():
    begun = []

    def work(item):
        begun.append(item)
        if item == 3:
            raise Unavailable("no more")
        time.sleep(0.01)

    with pytest.raises(Unavailable, match="no more"):
        each(work, range(1000), 4)
    count = len(begun)
    assert count < 20
    time.sleep(0.03)
    assert len(begun) == count


def test_what_is_fatal_is_not_hidden_behind_another_error():
    together = threading.Barrier(8)

    def work(item):
        together.wait(5)
        raise Fatal("other bytes") if item == 7 else Unavailable("full")

    for _ in range(5):
        with pytest.raises(Fatal, match="other bytes"):
            each(work, range(8), 8)


@pytest.mark.parametrize("good", [0, 1, 3, 20])
def test_an_error_of_the_items_themselves_is_raised(good):
    def items():
        yield from range(good)
        raise Fatal("a staging object ends within an object")

    done = []
    with pytest.raises(Fatal, match="ends within an object"):
        each(done.append, items(), 4)
    assert len(done) <= good


def test_work_beside_runs_in_another_thread_and_is_waited_for():
    go = threading.Event()

    def work():
        assert go.wait(10)
        return threading.get_ident()

    result = beside(work)
    go.set()  # only now: a `beside` that did the work itself would wait in vain
    assert result() != threading.get_ident()


def test_work_beside_that_fails_gives_no_result(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def work():
        raise ValueError("no")

    with pytest.raises(RuntimeError, match="the work beside has failed"):
        beside(work)()
