"""What is stored in two forms agrees, or it is not handed out: else one bit on a disk would leave as evidence."""

from collections.abc import Sequence

from notary.errors import EvidenceError, Fatal
from notary.evidence.note import parse_note
from notary.evidence.receipt import parse_promise, require_promised
from notary.evidence.statement import entry_of


def require_own_entry(number: str, statement: bytes, entry: bytes) -> None:
    """The log has this entry and no statement: by the entry alone a statement and its number are proved.

    Raises:
        Fatal: a bit of one of them has changed where it is stored.
    """
    # A statement is canonical, and no other string of its is called so.
    if entry_of(statement) != entry or b'"number":"%s"' % number.encode() not in statement:
        raise Fatal(
            f"the statement that is stored of record {number} is not that of its entry and number: `notary fsck` says "
            "what else is damaged"
        )


def require_own_promise(group: int, note: bytes, entries: Sequence[bytes]) -> None:
    """The promise of a commit group is about its entries; its signature is not verified.

    Raises:
        Fatal: a bit of either has changed where it is stored.
    """
    try:
        require_promised(parse_promise(parse_note(note).text), entries)
    except EvidenceError as error:
        raise Fatal(
            f"the promise that is stored of commit group {group} is not that of its entries: {error}; "
            "`notary fsck` says what else is damaged"
        ) from error
