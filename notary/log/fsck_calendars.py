"""What must be true of OpenTimestamps: every digest that was posted, and the file that calendars answered with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from notary.anchoring.port import Head
from notary.errors import EvidenceError
from notary.evidence.bitcoin import decode_block_header
from notary.evidence.ots_file import InBlock, parse_ots
from notary.store.anchorings import Anchoring
from notary.store.bitcoin_blocks import all_blocks, kept_blocks
from notary.store.engine import Connection
from notary.store.outbox import Attempt

_NONCE = 16  # bytes before the digest that was posted


@dataclass(frozen=True, slots=True)
class CalendarChecks:
    """Checks of anchorings of the kind `opentimestamps`, against the headers that were kept."""

    connection: Connection

    def problems(self, item: Anchoring, head: Head, attempts: Sequence[Attempt]) -> Iterator[str]:
        """As `KindChecks.problems`."""
        digest = sha256(head.note).digest()
        for attempt in attempts:
            blind, posted = attempt.raw[:_NONCE], attempt.raw[_NONCE:]
            if posted != sha256(digest + blind).digest() or attempt.ref != posted.hex():
                yield f"attempt {attempt.ref}: what was posted is not of this head"
        if item.evidence is None:
            return
        try:
            found = parse_ots(item.evidence, digest)
        except EvidenceError as error:
            yield f"its file: {error}"
            return
        blocks = [each for each in found if isinstance(each, InBlock)]
        if item.state != "final":
            if blocks:
                yield f"it is {item.state}, and its file leads to a block"
            return
        kept = dict(kept_blocks(self.connection, {each.height for each in blocks}))
        if not any(each.height in kept for each in blocks):
            yield "it is final, and its file leads to no block that was kept"
        for block in blocks:
            if block.height in kept and kept[block.height][36:68] != block.merkle_root:
                yield f"its file does not lead to the Merkle root of block {block.height}"

    def left_over(self, connection: Connection) -> Iterator[str]:
        """As `KindChecks.left_over`: every kept header shows its own work."""
        for height, header in all_blocks(connection):
            try:
                decode_block_header(header)
            except EvidenceError as error:
                yield f"Bitcoin block {height}: {error}"
