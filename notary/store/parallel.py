"""The same work on many things at once, where each waits for a disk or a server."""

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
