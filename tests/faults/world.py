"""What everybody can read of a log: its files, without the service and without its database."""

import base64
from pathlib import Path

Tree = dict[str, bytes | None]  # content of each file by its path; None for a folder


def tree(folder: Path) -> Tree:
    """All that is in a folder."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
    }


def published(files: Tree) -> dict[str, bytes]:
    """The tiles and entry bundles at their names: they never change again."""
    return {
        name: data
        for name, data in files.items()
        if data is not None and name.startswith("log/tile/") and "/." not in name
    }


def checkpoint(files: Tree) -> tuple[int, str] | None:
    """Size and root (hexadecimal) of the published checkpoint; None before the first."""
    note = files.get("log/checkpoint")
    if note is None:
        return None
    _, size, root, *_ = note.decode().split("\n")
    return int(size), base64.b64decode(root).hex()
