"""Small programs for the tests of the tools: `main([name, folder, …])`."""

import mmap
import os
import sqlite3
import threading
from pathlib import Path

from tests.faults.tracee import say


def rows(folder: str, synchronous: str, count: str, threads: str = "1") -> None:
    """Commit rows one by one, and say each number when its commit has returned."""
    connection = sqlite3.connect(f"{folder}/rows.db", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute(
        "PRAGMA wal_autocheckpoint=20"
    )  # so that checkpoints, and new starts of the WAL, happen
    connection.execute("CREATE TABLE IF NOT EXISTS row (number INTEGER PRIMARY KEY, text TEXT)")
    say("begin")
    lock = threading.Lock()

    def insert(first: int) -> None:
        for number in range(first, int(count), int(threads)):
            with lock:
                connection.execute("INSERT INTO row VALUES (?, ?)", (number, str(number) * 100))
                say(str(number))

    workers = [threading.Thread(target=insert, args=[first]) for first in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    say("end")
    connection.close()


def file(folder: str, *without: str) -> None:
    """Put files at their names as the log does, leaving the named steps out; say each when it is durable."""
    say("begin")
    for number in range(3):
        where = Path(folder, f"folder{number}")
        where.mkdir()
        temporary = where / ".new"
        with temporary.open("xb") as opened:
            opened.write(b"first" * 2000)
            opened.write(b"second")
            opened.flush()
            if "fsync" not in without:
                os.fsync(opened.fileno())
        os.link(temporary, where / "name")
        temporary.unlink()
        if "folder" not in without:
            sync(where)
            sync(folder)
        say(str(number))
    say("end")


def changes(folder: str) -> None:
    """One of each kind of change; the content of the folder afterwards is what the model is compared with."""
    os.chdir(folder)
    say("begin")
    Path("old").rename("new")
    Path("replaced").write_bytes(b"1" * 5000)
    Path("by").write_bytes(b"2" * 700)
    Path("by").replace("replaced")
    with Path("appended").open("ab") as opened:
        opened.write(b"end")
    with Path("new").open("r+b", buffering=0) as opened:
        os.writev(opened.fileno(), [b"ab", b"cd"])
        os.pwritev(opened.fileno(), [b"ef", b"gh"], 10)
        os.truncate(opened.fileno(), 12)
        os.pwrite(opened.fileno(), b"far", 600)
    os.truncate("appended", 5)
    descriptor = os.open("new", os.O_RDONLY)
    target = os.open("copy", os.O_WRONLY | os.O_CREAT)
    os.sendfile(target, descriptor, 2, 100)
    os.copy_file_range(descriptor, target, 50)
    os.mkdir("gone")
    os.rmdir("gone")
    Path("gone too").touch()
    Path("gone too").unlink()
    with Path("unnamed").open("w+b") as opened:
        Path("unnamed").unlink()
        opened.write(b"nobody sees this")
    try:
        os.open("new", os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        say("refused")
    os.umask(0o077)
    Path("sub").mkdir()
    os.posix_fallocate(os.open("sub/space", os.O_RDWR | os.O_CREAT), 0, 3000)
    Path("emptied").write_bytes(b"")
    sync(".")
    say("end")


def refused(folder: str, what: str) -> None:
    """What the model cannot follow."""
    if what == "symlink":
        os.symlink("target", f"{folder}/link")
    elif what == "splice":
        reading, writing = os.pipe()
        os.write(writing, b"x")
        os.splice(reading, os.open(f"{folder}/spliced", os.O_WRONLY | os.O_CREAT), 1)
    else:
        with Path(folder, "mapped").open("w+b") as opened:
            opened.truncate(4096)
            mmap.mmap(opened.fileno(), 4096)


def sync(folder) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def child(folder: str) -> None:
    """A process of its own writes too."""
    say("begin")
    if os.fork() == 0:
        Path(folder, "of the child").write_bytes(b"x")
        os._exit(0)
    os.wait()
    say("end")


def caught(folder: str) -> None:
    """Say which errors arrive."""
    say("begin")
    for number in range(4):
        try:
            Path(folder, str(number)).touch()
        except OSError as error:
            say(f"{number} {error.strerror}")
    say("end")


def stuck() -> None:
    """Never end."""
    threading.Event().wait()


def main(arguments: list[str]) -> None:
    name, *rest = arguments
    globals()[name](*rest)
