"""The same work on many things at once, where each waits for a disk or a server."""

from _thread import allocate_lock, start_new_thread
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from threading import Event, Lock
from typing import TypeVar

from notary.errors import Fatal

T = TypeVar("T")


def each(work: Callable[[T], None], items: Iterable[T], threads: int, *, few: int = 1) -> None:
    """Call `work` on every item, at most `threads` at a time; no more of the items are held than that.

    So `few` items, of at most `threads`, are not worth threads: the caller's own does them one by one.

    After an error no further item is begun, and those under way are waited for: nothing is written after it returns.

    Raises:
        Fatal: if one of the calls raised it.
        Exception: otherwise what one of the calls, or the iteration, raised.
    """
    source = iter(items)
    first = list(islice(source, threads))
    if len(first) <= min(few, threads - 1):
        for item in first:
            work(item)
        return
    waiting, turn, stop = chain(first, source), Lock(), Event()

    def run() -> None:
        try:
            while not stop.is_set():
                with turn:
                    taken = list(islice(waiting, 1))
                if not taken:
                    return
                work(taken[0])
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(len(first), thread_name_prefix="objects") as pool:
        runs = [pool.submit(run) for _ in first]
    errors = [error for done in runs if (error := done.exception()) is not None]
    if errors:
        # An object with other bytes must not hide behind a full disk.
        raise next((error for error in errors if isinstance(error, Fatal)), errors[0])


def beside(work: Callable[[], T]) -> Callable[[], T]:
    """Begin `work` in a thread of its own; what is returned waits for it and gives its result, to be called once.

    For less than a millisecond of work that does not hold the interpreter's lock, such as the hash of a long message,
    beside a write. `threading.Thread` would take back what that saves: it waits until the thread has been scheduled.

    Raises:
        RuntimeError: from what is returned, if `work` raised.
    """
    done, results = allocate_lock(), list[T]()
    done.acquire()

    def run() -> None:
        try:
            results.append(work())
        finally:
            done.release()

    def result() -> T:
        done.acquire()
        if not results:
            raise RuntimeError("the work beside has failed; its own error was written to standard error")
        return results[0]

    start_new_thread(run, ())
    return result
