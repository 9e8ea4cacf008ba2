"""The one object that changes: the newest checkpoint, for everybody to read."""

from collections.abc import Callable, Sequence

from notary.errors import EvidenceError, Fatal
from notary.evidence.checkpoint import Checkpoint, open_checkpoint
from notary.evidence.note import Verifier
from notary.store.objects import CHECKPOINT, Objects

RootAt = Callable[[int], bytes | None]  # of our checkpoint of that size; None where there is none


def opened(note: bytes, verifiers: Sequence[Verifier]) -> Checkpoint:
    """A checkpoint that this log signed with one of its keys; their name is the origin.

    Raises:
        Fatal: it is of another key or another log.
    """
    try:
        return open_checkpoint(note, verifiers[0].name, verifiers).checkpoint
    except EvidenceError as error:
        raise Fatal(f"a checkpoint is not of this log and key: {error}") from error


def no_other(_size: int) -> bytes | None:
    """Of a log whose first checkpoint it is."""
    return None


def require_behind(
    current: Checkpoint | None,
    checkpoint: Checkpoint,
    root_at: RootAt = no_other,
    larger: Callable[[str], Fatal] = Fatal,
) -> bool:
    """Whether `checkpoint` is still to be published: the world is behind it, and on the way to it.

    Args:
        current: what is published; None where nothing is.
        checkpoint: ours.
        root_at: of our earlier ones.
        larger: makes the error for a larger one that is published.

    Raises:
        Fatal: what is published is larger than ours, or none of ours.
    """
    if current is None:
        return True
    if current.size > checkpoint.size:
        raise larger(f"a checkpoint of size {current.size} is published, ours is of size {checkpoint.size}")
    root = checkpoint.root if current.size == checkpoint.size else root_at(current.size)
    if root is None:
        raise Fatal(f"a checkpoint of size {current.size} is published that this database never had")
    if current.root != root:
        raise Fatal(f"two roots for size {current.size}: {current.root.hex()} is published")
    return current.size < checkpoint.size


def check_published(
    objects: Objects,
    checkpoint: Checkpoint,
    verifiers: Sequence[Verifier],
    root_at: RootAt = no_other,
    larger: Callable[[str], Fatal] = Fatal,
) -> bool:
    """As `require_behind`, of what the world can read now.

    Raises:
        Fatal: as `require_behind`, or it is of another key or another log.
        Unavailable: it cannot be read now.
    """
    note = objects.read(CHECKPOINT)
    return require_behind(None if note is None else opened(note, verifiers), checkpoint, root_at, larger)


def publish(
    objects: Objects,
    note: bytes,
    verifiers: Sequence[Verifier],
    root_at: RootAt = no_other,
    larger: Callable[[str], Fatal] = Fatal,
) -> None:
    """Let the world read a checkpoint whose tiles are all at their names; harmless to do again.

    Arguments are those of `check_published`.

    Raises:
        Fatal: it would take back a larger one, or contradict one.
        Unavailable: it cannot be written now.
    """
    if check_published(objects, opened(note, verifiers), verifiers, root_at, larger):
        # What is at every name that this checkpoint leads to is durable. A crash here leaves the world where it was,
        # and recovery publishes it.
        objects.replace(CHECKPOINT, note)
