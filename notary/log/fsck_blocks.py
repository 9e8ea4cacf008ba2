"""What must be true of the finalized blocks that were kept, and of the ones that statements name."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from notary.errors import ChainError
from notary.evidence.chain_header import PROFILES, Header, decode_header
from notary.evidence.statement import Block
from notary.store.blocks import kept_block
from notary.store.engine import Connection
from notary.store.walks import StoredBlock, blocks_after

_BLOCKS = 5000  # in memory at a time


@dataclass(slots=True)
class NamedBlocks:
    """Compares the blocks that statements name with those that were kept; a group's statements name one."""

    connection: Connection
    _last: tuple[Block, bool] | None = None

    def holds(self, block: Block) -> bool:
        """Whether this very block was kept."""
        if self._last is None or self._last[0] != block:
            self._last = block, kept_block(self.connection, block.chain_id, block.number) == block
        return self._last[1]


def block_problems(
    connection: Connection, chains: Collection[int], count: Callable[[str, int], None]
) -> Iterator[str]:
    """One sentence for each thing wrong with a block; `chains` are the ids of those that there may be blocks of."""
    place, last = (-1, -1), None
    while page := blocks_after(connection, place, _BLOCKS):
        for block in page:
            name = f"block {block.number} of chain {block.chain_id}"
            yield from (f"{name}: {problem}" for problem in _problems(block, last, chains))
            last = block
        count("blocks", len(page))
        place = page[-1].chain_id, page[-1].number


def _problems(block: StoredBlock, last: StoredBlock | None, chains: Collection[int]) -> Iterator[str]:
    if block.chain_id not in chains:
        yield "the log is not on this chain"
    header = _header(block)
    if header is None:
        yield "its header has another hash, or is none"
    elif (header.number, header.time) != (block.number, block.time):
        yield f"its header is of number {header.number} and time {header.time}"
    if last is not None and last.chain_id == block.chain_id and block.time < last.time:
        yield f"its time is before that of block {last.number}"


def _header(block: StoredBlock) -> Header | None:
    for profile in PROFILES:
        try:
            header = decode_header(block.header, profile)
        except ChainError:
            continue
        if header.hash == block.hash:
            return header
    return None
