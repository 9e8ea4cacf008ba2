"""The one object that changes: the newest checkpoint, for everybody to read."""

from notary.errors import EvidenceError, Fatal
from notary.evidence.checkpoint import Checkpoint, open_checkpoint
from notary.evidence.note import Verifier
from notary.store.objects import CHECKPOINT, Objects


def opened(note: bytes, verifier: Verifier) -> Checkpoint:
    """A checkpoint that this log signed; the name of the key is the origin.

    Raises:
        Fatal: it is of another key or another log.
    """
    try:
        return open_checkpoint(note, verifier.name, [verifier]).checkpoint
    except EvidenceError as error:
        raise Fatal(f"a checkpoint is not of this log and key: {error}") from error


def published(objects: Objects, verifier: Verifier) -> Checkpoint | None:
    """What the world can read now; None before the first.

    Raises:
        Fatal: it is of another key or another log.
        Unavailable: it cannot be read now.
    """
    note = objects.read(CHECKPOINT)
    return None if note is None else opened(note, verifier)


def check_published(objects: Objects, checkpoint: Checkpoint, verifier: Verifier) -> bool:
    """Whether `checkpoint` is still to be published: the world is behind it.

    Raises:
        Fatal: what is published is larger, or has another root at this size.
        Unavailable: it cannot be read now.
    """
    current = published(objects, verifier)
    if current is None or current.size < checkpoint.size:
        return True
    if current.size > checkpoint.size:
        raise Fatal(f"a checkpoint of size {current.size} is published, ours is of size {checkpoint.size}")
    if current.root != checkpoint.root:
        raise Fatal(f"two roots for size {current.size}: {current.root.hex()} is published")
    return False


def publish(objects: Objects, note: bytes, verifier: Verifier) -> None:
    """Let the world read a checkpoint whose tiles are all at their names; harmless to do again.

    Raises:
        Fatal: it would take back a larger one, or contradict one.
        Unavailable: it cannot be written now.
    """
    if check_published(objects, opened(note, verifier), verifier):
        objects.replace(CHECKPOINT, note)
