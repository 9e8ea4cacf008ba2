"""What keeps two embedded services apart, and what ends one in order."""

import contextlib
import fcntl
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from notary.errors import SettingsError
from notary.settings import Settings
from notary.store.connecting import file_of

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def until_signal() -> Iterator[None]:
    """Leave the block in order at the first SIGINT, SIGTERM or SIGHUP, and let no further one disturb that."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        # Once: an impatient second Ctrl-C would leave the children behind.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Have a signal that comes within the block act at its end, when what is begun here can be ended.

    Else it may come after a process was started and before anybody knows it. In another thread than the main
    one, where signals never act, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number)) for number in _SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the lock ends with the process, however it ends.

    Raises:
        SettingsError: another process holds it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"another service runs in {folder}: stop it, or name another folder with --data-dir"
            ) from None
        yield


@contextlib.contextmanager
def one_process(settings: Settings) -> Iterator[None]:
    """Hold an SQLite database for this process, beside commands that come and go; nothing of PostgreSQL's.

    Raises:
        SettingsError: another process of the service has it.
    """
    file = file_of(settings.database_url)
    if file is None or not file.exists():
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(alone_in(file.parent))
        except SettingsError:
            raise SettingsError(
                f"another process of the service has {file}: SQLite is for one, as `notary dev` is, and PostgreSQL for "
                "any number (NOTARY_DATABASE_URL)"
            ) from None
        yield


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to the address; port 0 takes a free one.

    Raises:
        SettingsError: the address cannot be had.
    """
    try:
        listener = socket.create_server((host, port), family=_family(host))
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # what follows says the address again
        raise SettingsError(
            f"cannot listen on {host} port {port} ({reason}): name another with --port"
        ) from error
    with listener:
        yield listener


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
