"""Blocks that somebody was asked for whom the verifier names, and what he said: values, gathered elsewhere (§10)."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WantedBlock:
    """A block of the evidence that is to be compared with the real chain."""

    chain_id: int
    number: int
    hash: bytes  # 32 bytes, as the evidence has it
    time: int  # seconds since 1970, likewise


@dataclass(frozen=True, slots=True)
class BlockAnswer:
    """What a node or an explorer says of a block.

    Attributes:
        hash: 32 bytes; None where there was no answer that can be used.
        source: who was asked, as it may be shown, such as "node example.org".
        trouble: why there was none.
    """

    chain_id: int
    number: int
    hash: bytes | None
    source: str
    trouble: str = ""


def silent_about(number: int, answers: Iterable[BlockAnswer]) -> str:
    """Who was asked for the block of this number and gave no answer, and why; empty where nobody was."""
    return "".join(
        f"; {answer.source}: {answer.trouble}"
        for answer in answers
        if answer.number == number and answer.hash is None
    )
