"""What a disk holds after a power cut: a model that promises no more than POSIX does.

Certain after a cut are only

- the bytes and the size that a file had at its last finished fsync, fdatasync, syncfs or sync (or write through a
  descriptor opened with O_SYNC or O_DSYNC), also where it has lost its name; and
- the making, linking, renaming and unlinking of names in a folder that was itself synced afterwards. An fsync of
  a file makes no name durable. A rename is one step, and certain when either folder was synced.

Of the rest, `lost` keeps nothing: old bytes, old names, also names that were unlinked. `torn` keeps, by a seed, a
random part:

- of the changes of names those up to a random moment, in order, as a journal does;
- of each sector of a file (512 or 4096 bytes) the state after a random number of the writes since its last sync,
  each sector for itself, so that later writes may be there without earlier ones; a sector is whole;
- of its size the one after a random number of them; what lies between is zeros.

ext4 in its default mode (data=ordered, barriers, a disk that does not lie about its cache) keeps at least what is
certain here, and more: an fsync of a file commits every earlier change of names. What survives every cut of this
model needs none of that. Not in the model: bit rot, sectors torn inside, a disk that ignores flushes, and errors
that a sync does not report.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at an offset."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """Another size: cut off, or zeros added."""

    size: int


@dataclass(slots=True, eq=False)
class File:
    """A file: as the disk has it for certain, and what was done to it since."""

    stable: bytes = b""
    changes: list[Write | Resize] = field(default_factory=list)

    def sync(self) -> None:
        self.stable = self.cached()
        self.changes.clear()

    def cached(self) -> bytes:
        """As processes see it."""
        content = bytearray(self.stable)
        for change in self.changes:
            _apply(content, change)
        return bytes(content)

    def torn(self, random: Random, sector: int) -> bytes:
        size = len(self.stable)
        content = bytearray(self.stable)
        kept: dict[int, int] = {}  # of each sector, how many of the changes
        for number, change in enumerate(self.changes):
            start, data = _effect(content, change)
            content.extend(bytes(max(0, start + len(data) - len(content))))
            for index in range(start // sector, -(-(start + len(data)) // sector)):
                if number < kept.setdefault(index, random.randint(0, len(self.changes))):
                    low, high = max(start, index * sector), min(start + len(data), (index + 1) * sector)
                    content[low:high] = data[low - start : high - start]
        for change in self.changes[: random.randint(0, len(self.changes))]:
            size = max(size, change.offset + len(change.data)) if isinstance(change, Write) else change.size
        return bytes(content[:size]).ljust(size, b"\0")


def _apply(content: bytearray, change: Write | Resize) -> None:
    if isinstance(change, Resize):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
    else:
        content.extend(bytes(max(0, change.offset - len(content))))
        content[change.offset : change.offset + len(change.data)] = change.data


def _effect(content: bytearray, change: Write | Resize) -> tuple[int, bytes]:
    """The bytes that a change sets, for those sectors that keep it."""
    if isinstance(change, Write):
        return change.offset, change.data
    start = min(change.size, len(content))
    return start, bytes(len(content) - start)


@dataclass(slots=True, eq=False)
class Folder:
    """A folder: its names as processes see them, and as the disk has them for certain."""

    names: dict[str, "File | Folder"] = field(default_factory=dict)
    stable: dict[str, "File | Folder"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Step:
    """Changes of names that happen together: folder, name, what it names from now on (None: nothing)."""

    changes: tuple[tuple[Folder, str, File | Folder | None], ...]


@dataclass(slots=True)
class Disk:
    """A folder tree; paths are relative, with slashes."""

    root: Folder = field(default_factory=Folder)
    _unsure: list[_Step] = field(default_factory=list)

    def find(self, path: str) -> "File | Folder":
        found: File | Folder = self.root
        for name in PurePosixPath(path).parts:
            found = found.names[name]
        return found

    def name(self, *changes: tuple[str, "File | Folder | None"]) -> None:
        """Give names, and (with None) take them away, in one step."""
        step = []
        for path, node in changes:
            folder = self.find(str(PurePosixPath(path).parent))
            step.append((folder, PurePosixPath(path).name, node))
        self._unsure.append(_Step(tuple(step)))
        for folder, name, node in step:
            _set(folder.names, name, node)

    def sync(self, node: "File | Folder") -> None:
        if isinstance(node, File):
            node.sync()
            return
        certain = [step for step in self._unsure if any(folder is node for folder, _, _ in step.changes)]
        for step in certain:
            for folder, name, target in step.changes:
                _set(folder.stable, name, target)
        self._unsure = [step for step in self._unsure if step not in certain]

    def sync_all(self) -> None:
        for node in list(_nodes(self.root)):
            self.sync(node)

    def seen(self) -> dict[str, bytes | None]:
        """The tree as processes see it: content of each file by its path, None for a folder."""
        return dict(_tree(self.root, "", lambda folder: folder.names, File.cached))

    def lost(self) -> dict[str, bytes | None]:
        """After a cut in which all that is not certain is gone."""
        return dict(_tree(self.root, "", lambda folder: folder.stable, lambda file: file.stable))

    def torn(self, seed: int, sector: int = 512) -> dict[str, bytes | None]:
        """After a cut in which a part of it, chosen by the seed, is gone."""
        random = Random(seed)
        names: dict[int, dict[str, File | Folder]] = {}
        for step in self._unsure[: random.randint(0, len(self._unsure))]:
            for folder, name, node in step.changes:
                _set(names.setdefault(id(folder), dict(folder.stable)), name, node)
        contents: dict[int, bytes] = {}  # a file with two names has one content

        def content(file: File) -> bytes:
            if id(file) not in contents:
                contents[id(file)] = file.torn(random, sector)
            return contents[id(file)]

        return dict(_tree(self.root, "", lambda folder: names.get(id(folder), folder.stable), content))


def _set(names: dict, name: str, node: "File | Folder | None") -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _nodes(node: "File | Folder") -> Iterator["File | Folder"]:
    yield node
    if isinstance(node, Folder):
        for below in node.names.values():
            yield from _nodes(below)


def _tree(folder: Folder, prefix: str, names, content) -> Iterator[tuple[str, bytes | None]]:
    for name, node in sorted(names(folder).items()):
        if isinstance(node, Folder):
            yield prefix + name, None
            yield from _tree(node, f"{prefix}{name}/", names, content)
        else:
            yield prefix + name, content(node)


def put(tree: dict[str, bytes | None], folder: Path) -> None:
    """Make a tree real in a new folder."""
    folder.mkdir(parents=True)
    for name, content in tree.items():
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)
