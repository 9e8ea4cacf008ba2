"""Documents known by digest, and the statements that the slow way makes of them."""

import os
from datetime import UTC, datetime
from hashlib import sha256

from hypothesis import strategies as st

from notary.evidence.bodies import Document
from notary.evidence.commitments import Commitments
from notary.evidence.statement import Block, Statement
from notary.intake.numbers import draw_numbers, texts
from notary.intake.rows import draw_salts
from notary.merkle.hashing import EMPTY_ROOT

ORIGIN = "log.example.org/2026"
NOW = datetime(2026, 3, 1, 11, 30, 0, 123456, tzinfo=UTC)
BLOCK = Block(31337, 100, bytes(range(32)), 1772362800)
NONE = Commitments(0, EMPTY_ROOT)

blocks = st.none() | st.builds(
    Block,
    st.integers(0, 2**53 - 1),
    st.integers(0, 2**53 - 1),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**40),
)
bounds = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 - Hypothesis takes them without a zone
moments = st.datetimes(*bounds, timezones=st.just(UTC))
origins = st.from_regex(r"[a-zA-Z0-9._~/:-]{1,200}", fullmatch=True)
media_types = st.from_regex(
    r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}", fullmatch=True
)


def slow_statement(
    digest, number, salt, size=None, media_type=None, commitments=NONE, previous=None, *,
    origin=ORIGIN, now=NOW, block=BLOCK,
) -> bytes:  # fmt: skip
    document = Document(False, {"sha-256": digest.hex()}, {}, size, media_type)
    return Statement("document", origin, number, now, salt, block, previous, commitments, document).encode()


def digests_of(count: int) -> list[bytes]:
    return [sha256(b"%d" % at).digest() for at in range(count)]


def drawn(count: int):
    """Numbers and salts as matrices, and as lists of text and of bytes."""
    numbers, salts = draw_numbers(1772364600000, count, os.urandom), draw_salts(count, os.urandom)
    return numbers, salts, texts(numbers), [bytes.fromhex(row.tobytes().decode()) for row in salts]
