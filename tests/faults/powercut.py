"""Record what a program does to a folder, and make the folder that a power cut at any moment would leave.

While it is recorded, each call that changes names or syncs is carried out here in the program's place, one at a
time, so that their order and their results are known; syncs do nothing, since the disk is our model of one. Plain
writes go on by themselves once their bytes are known: the thread that made one can sync it only afterwards.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.call import COPIES, OPENS, WRITES, Call
from tests.faults.disk import Disk, File, Folder, Resize, Write, put
from tests.faults.watch import PASS, Answer, Ended, Tracee

_AT_REMOVEDIR = 0x200
_RWF_SYNC = 2 | 4  # RWF_DSYNC, RWF_SYNC
_SYNCS = ("fsync", "fdatasync", "syncfs")


class UnknownEffectError(AssertionError):
    """The program did something to the folder that the model cannot follow."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: a name of a method of `_Replay`, and its arguments."""

    kind: str
    args: tuple = ()


@dataclass(slots=True)
class Recording:
    """Of one run: the folder before it, what happened, how the run ended."""

    before: dict[str, bytes | None]
    events: list[Event] = field(default_factory=list)
    ended: Ended | None = None

    def cuts(self) -> Iterator["Cut"]:
        """The power fails before the first event, between any two, and after the last."""
        replay = _Replay(self.before)
        yield Cut(replay.disk, list(replay.marks), None)
        for event in self.events:
            getattr(replay, event.kind)(*event.args)
            yield Cut(replay.disk, list(replay.marks), event)

    def cuts_at_marks(self) -> Iterator["Cut"]:
        """The power fails right after each line of the program, in which it may have acknowledged something."""
        return (cut for cut in self.cuts() if cut.after is not None and cut.after.kind == "mark")


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment at which the power fails. Use it before the next one is taken: the disk goes on.

    Attributes:
        disk: its state.
        marks: the lines that the program had printed.
        after: the event just before; None at the start.
    """

    disk: Disk
    marks: list[str]
    after: Event | None

    def leave(self, folder: Path, torn: int | None = None, sector: int = 512) -> None:
        """Make the folder that the cut leaves: with nothing that is not certain, or torn by a seed."""
        put(self.disk.lost() if torn is None else self.disk.torn(torn, sector), folder)


def record(tracee: Tracee, arguments: list[str], folder: Path, *, seconds: float = 60) -> Recording:
    """Run a program and record what it does to the folder, all threads and children.

    Raises:
        UnknownEffectError: it did something that the model cannot follow: it made a symbolic link, mapped a file
            for writing (but `…-shm`, which SQLite makes anew after a cut), or used a call that is not known.
    """
    recorder = _Recorder(folder.resolve())
    recorder.recording.ended = tracee.run(arguments, recorder, seconds=seconds)
    return recorder.recording


class _Replay:
    """Applies events to a disk; files and folders are known by a number."""

    def __init__(self, before: dict[str, bytes | None]) -> None:
        self.disk = Disk()
        self.marks: list[str] = []
        self._nodes: dict[int, File | Folder] = {0: self.disk.root}
        for path, content in before.items():
            self.make(path, len(self._nodes), folder=content is None)
            if content is not None:
                self._nodes[len(self._nodes) - 1].stable = content
        self.disk.sync_all()

    def mark(self, line: str) -> None:
        self.marks.append(line)

    def make(self, path: str, number: int, folder: bool) -> None:
        self._nodes[number] = Folder() if folder else File()
        self.disk.name((path, self._nodes[number]))

    def link(self, old: str, new: str) -> None:
        self.disk.name((new, self.disk.find(old)))

    def remove(self, path: str) -> None:
        self.disk.name((path, None))

    def rename(self, old: str, new: str) -> None:
        self.disk.name((old, None), (new, self.disk.find(old)))

    def change(self, number: int, change: Write | Resize) -> None:
        self._nodes[number].changes.append(change)

    def sync(self, number: int) -> None:
        self.disk.sync(self._nodes[number])

    def sync_all(self) -> None:
        self.disk.sync_all()


class _Recorder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = {_identity(folder.stat()): 0}
        before: dict[str, bytes | None] = {}
        for path in sorted(folder.rglob("*")):
            self._numbers[_identity(path.stat())] = len(before) + 1
            before[self._name(str(path))] = None if path.is_dir() else path.read_bytes()
        self._next = len(before) + 1
        self.recording = Recording(before)

    def mark(self, line: str) -> None:
        self._add("mark", line)

    def call(self, call: Call) -> Answer:
        if call.fd is not None:
            return self._on_descriptor(call)
        if not call.touches(self._folder):
            return PASS
        if call.name == "sync":
            self._add("sync_all")
            return Answer(value=0)
        try:
            return self._on_names(call)
        except OSError as error:  # the program's own: it learns what its call would have said
            return Answer(error=error.errno)

    def _on_descriptor(self, call: Call) -> Answer:
        try:
            number = self._numbers.get(_identity(call.stat()))
        except FileNotFoundError:  # a closed descriptor
            return PASS
        if number is None:
            return PASS
        if call.name in _SYNCS:
            self._add(*(("sync_all",) if call.name == "syncfs" else ("sync", number)))
            return Answer(value=0)
        if call.name in WRITES or call.name in COPIES:
            return self._write(call, number)
        if call.name in ("ftruncate", "fallocate"):
            return self._resize(call, number)
        if call.name == "mmap" and not call.paths[0].endswith("-shm"):
            raise UnknownEffectError(f"{call} maps for writing: what it writes cannot be seen")
        return PASS  # sync_file_range promises nothing about names and sizes

    def _write(self, call: Call, number: int) -> Answer:
        _, flags = call.position()
        write = Write(call.offset(), call.data())
        if write.data:
            self._add("change", number, write)
        through = flags & (os.O_SYNC | os.O_DSYNC) or (call.name == "pwritev2" and call.args[5] & _RWF_SYNC)
        answer = Answer(value=call.perform()) if call.name in ("pwrite64", "pwritev") else PASS
        if through:
            self._add("sync", number)
        return answer

    def _resize(self, call: Call, number: int) -> Answer:
        size = call.args[1]
        if call.name == "fallocate":
            if call.args[1]:
                raise UnknownEffectError(f"{call} with flags {call.args[1]} is not in the model")
            size = max(call.stat().st_size, call.args[2] + call.args[3])
        self._add("change", number, Resize(size))
        return PASS if call.name == "fallocate" else Answer(value=call.perform())

    def _on_names(self, call: Call) -> Answer:
        if call.name in OPENS:
            return self._open(call)
        result = call.perform()
        paths = [self._name(path) for path in call.paths]
        if call.name in ("mkdir", "mkdirat"):
            self._made(call.paths[0], folder=True)
        elif call.name in ("unlink", "unlinkat", "rmdir"):
            self._add("remove", *paths)
        elif call.name in ("link", "linkat"):
            self._add("link", *paths)
        elif call.name in ("rename", "renameat", "renameat2"):
            self._add("rename", *paths)
        elif call.name == "truncate":
            self._add("change", self._numbers[_identity(Path(call.paths[0]).stat())], Resize(call.args[1]))
        else:
            raise UnknownEffectError(f"{call} is not in the model")
        return Answer(value=result)

    def _open(self, call: Call) -> Answer:
        flags, _ = call.opening()
        there = os.path.lexists(call.paths[0])
        descriptor = call.perform()
        if not there:
            self._made(call.paths[0], folder=False)
        elif flags & os.O_TRUNC:
            self._add("change", self._numbers[_identity(os.fstat(descriptor))], Resize(0))
        return Answer(descriptor=descriptor)

    def _made(self, path: str, *, folder: bool) -> None:
        # The number of an inode is used again as soon as its file is gone; ours are not.
        self._numbers[_identity(Path(path).stat())] = self._next
        self.recording.events.append(Event("make", (self._name(path), self._next, folder)))
        self._next += 1

    def _name(self, path: str) -> str:
        return os.path.relpath(path, self._folder)

    def _add(self, kind: str, *args) -> None:
        self.recording.events.append(Event(kind, args))


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino
