"""The one object that changes: the newest checkpoint, for everybody to read."""

from collections.abc import Callable, Sequence

from notary.errors import EvidenceError, Fatal
from notary.evidence.checkpoint import Checkpoint, open_checkpoint
from notary.evidence.note import Verifier
from notary.store.objects import CHECKPOINT, Objects


def opened(note: bytes, verifiers: Sequence[Verifier]) -> Checkpoint:
    """A checkpoint that this log signed with one of its keys; their name is the origin.

    Raises:
        Fatal: it is of another key or another log.
    """
    try:
        return open_checkpoint(note, verifiers[0].name, verifiers).checkpoint
    except EvidenceError as error:
        raise Fatal(f"a checkpoint is not of this log and key: {error}") from error


def published(objects: Objects, verifiers: Sequence[Verifier]) -> Checkpoint | None:
    """What the world can read now; None before the first.

    Raises:
        Fatal: it is of another key or another log.
        Unavailable: it cannot be read now.
    """
    note = objects.read(CHECKPOINT)
    return None if note is None else opened(note, verifiers)


def check_published(
    objects: Objects,
    checkpoint: Checkpoint,
    verifiers: Sequence[Verifier],
    larger: Callable[[str], Fatal] = Fatal,
) -> bool:
    """Whether `checkpoint` is still to be published: the world is behind it.

    Args:
        objects: where the world reads.
        checkpoint: ours.
        verifiers: keys of this log.
        larger: makes the error for a larger one that is published.

    Raises:
        Fatal: what is published is larger, or has another root at this size.
        Unavailable: it cannot be read now.
    """
    current = published(objects, verifiers)
    if current is None or current.size < checkpoint.size:
        return True
    if current.size > checkpoint.size:
        raise larger(f"a checkpoint of size {current.size} is published, ours is of size {checkpoint.size}")
    if current.root != checkpoint.root:
        raise Fatal(f"two roots for size {current.size}: {current.root.hex()} is published")
    return False


def publish(
    objects: Objects, note: bytes, verifiers: Sequence[Verifier], larger: Callable[[str], Fatal] = Fatal
) -> None:
    """Let the world read a checkpoint whose tiles are all at their names; harmless to do again.

    Arguments are those of `check_published`.

    Raises:
        Fatal: it would take back a larger one, or contradict one.
        Unavailable: it cannot be written now.
    """
    if check_published(objects, opened(note, verifiers), verifiers, larger):
        objects.replace(CHECKPOINT, note)
