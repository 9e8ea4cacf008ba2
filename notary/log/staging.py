"""Staging objects: the tiles of one close, some thousand in each, named by its maker's epoch and its own SHA-256."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from notary.errors import Fatal
from notary.store.objects import Objects

FOLDER = "staging"
_HEADER = b"notary staging v1\n"


def encode(objects: Mapping[str, bytes]) -> bytes:
    """Header; then for each object the lengths of name and data, 2 and 4 bytes big-endian, and both."""
    parts = [_HEADER]
    for name, data in objects.items():
        encoded = name.encode("ascii")
        parts += [len(encoded).to_bytes(2, "big"), len(data).to_bytes(4, "big"), encoded, data]
    return b"".join(parts)


def decode(bundle: bytes) -> dict[str, bytes]:
    """The objects of a staging object.

    Raises:
        Fatal: it is not one, or ends early.
    """
    if not bundle.startswith(_HEADER):
        raise Fatal("a staging object does not begin with its header")
    objects: dict[str, bytes] = {}
    at = len(_HEADER)
    while at < len(bundle):
        name_end = at + 6 + int.from_bytes(bundle[at : at + 2], "big")
        end = name_end + int.from_bytes(bundle[at + 2 : at + 6], "big")
        if end > len(bundle):
            raise Fatal("a staging object ends within an object")
        objects[bundle[at + 6 : name_end].decode("ascii")] = bundle[name_end:end]
        at = end
    return objects


def stage(objects: Objects, tiles: Mapping[str, bytes], epoch: int) -> str:
    """Make tiles durable in one object.

    The epoch of the holder who makes it is in its name: one who slept through the end of his own, and wakes while
    he removes what he found, never removes what his successor has staged since, though it may be the same bytes.

    Returns:
        Its name.

    Raises:
        Fatal, Unavailable: as `Objects.create`. What may be left is read by nobody.
    """
    return objects.create_named(f"{FOLDER}/{epoch}", encode(tiles))


def join(names: Iterable[str]) -> str:
    """The names of the staging objects of one close, as the state of the log holds them."""
    return " ".join(names)


def apply(objects: Objects, names: str) -> bool:
    """Put the tiles of staging objects at their names, durably; harmless to do again.

    Returns:
        False if one of them is not there: then it was applied before, or the disk has lost it, which the check
        of the right edge finds.

    Raises:
        Fatal: one is damaged, or a name holds other bytes.
        Unavailable: the disk takes nothing now.
    """
    found = [_apply(objects, name) for name in names.split(" ")]
    return all(found)


def discard(objects: Objects, names: str) -> None:
    """Remove the staging objects of a close whose tiles are all at their names."""
    for name in names.split(" "):
        objects.delete(name)


def _apply(objects: Objects, name: str) -> bool:
    """Put the tiles of one staging object at their names.

    Raises:
        Fatal: it is damaged, or a name holds other bytes.
        Unavailable: the disk takes nothing now.
    """
    bundle = objects.read(name)
    if bundle is None:
        return False
    if name.rpartition("/")[2] != sha256(bundle).hexdigest():
        raise Fatal(f"the staging object {name} is damaged")
    objects.create_all(decode(bundle).items())
    return True


def discard_all(objects: Objects, epoch: int) -> None:
    """Remove the staging objects of this epoch and of all before it.

    Only after the tiles of the newest checkpoint are at their names.
    """
    for name in list(objects.names(FOLDER)):
        if int(name.split("/")[1]) <= epoch:
            objects.delete(name)
