"""Statements by template are byte for byte those of `Statement.encode`."""

from datetime import timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.evidence.commitments import Commitments
from notary.evidence.statement import Block, parse_statement
from notary.intake.template import Template, template_at
from tests.intake.samples import (
    BLOCK,
    NOW,
    ORIGIN,
    blocks,
    digests_of,
    drawn,
    media_types,
    moments,
    origins,
    slow_statement,
)

hashes = st.binary(min_size=32, max_size=32)
numbers = st.sampled_from(drawn(50)[2])
TEMPLATE = Template(ORIGIN, NOW, BLOCK)
NUMBER = drawn(1)[2][0]


@settings(max_examples=200, deadline=None)
@given(
    origins, moments, blocks, hashes, numbers, hashes,
    st.none() | st.integers(0, 2**50), st.none() | media_types,
    st.builds(Commitments, st.integers(0, 64), hashes), st.none() | hashes,
)  # fmt: skip
def test_one_statement_is_that_of_the_slow_way(
    origin, now, block, digest, number, salt, size, media_type, commitments, previous
):
    made = Template(origin, now, block).document(
        digest, number, salt, size, media_type, commitments, previous
    )
    assert made == slow_statement(
        digest, number, salt, size, media_type, commitments, previous, origin=origin, now=now, block=block
    )
    parse_statement(made)


@settings(max_examples=60, deadline=None)
@given(origins, moments, blocks, st.integers(0, 15), st.integers(1, 5))
def test_rows_of_statements_are_those_of_the_slow_way(origin, now, block, width, count):
    numbers, salts, texts, raw_salts = drawn(count)
    digests = digests_of(count)
    sizes = [10 ** (width - 1) + at if width else None for at in range(count)]
    digits = np.array([list(str(size).encode()) if width else [] for size in sizes], np.uint8)
    text = np.array([list(digest.hex().encode()) for digest in digests], np.uint8)
    template = Template(origin, now, block)
    layout, quoted = template.layout(width), template.quoted_layout(width)
    rows = np.zeros((count, len(layout.row)), np.uint8)
    wide = np.zeros((count, len(quoted.row) + 7), np.uint8)
    layout.lay(rows, text, digits, numbers, salts)
    quoted.lay(wide[:, 3:-4], text, digits, numbers, salts)
    for at in range(count):
        slow = slow_statement(
            digests[at], texts[at], raw_salts[at], sizes[at], origin=origin, now=now, block=block
        )
        assert rows[at].tobytes() == slow
        assert wide[at].tobytes() == bytes(3) + slow.replace(b'"', b'\\"') + bytes(4)


def test_a_template_is_made_once_a_second_in_any_zone():
    first = template_at(ORIGIN, NOW, BLOCK)
    later = NOW.replace(microsecond=999_999).astimezone(timezone(timedelta(hours=8)))
    assert template_at(ORIGIN, later, BLOCK) is first
    assert template_at(ORIGIN, NOW + timedelta(seconds=1), BLOCK) is not first
    assert template_at(ORIGIN, NOW, None) is not first


@pytest.mark.parametrize(
    ("origin", "block", "message"),
    [
        ('a","version":2,"log":"', None, "the same key twice"),
        ("a b", None, "log origin is not of the form"),
        ("log", Block(-1, 1, bytes(32), 1), "not_before chain id is not a whole number"),
        ("log", Block(1, 1, bytes(31), 1), "not_before block hash is not of the form"),
        ("log", Block(1, 1, bytes(32), 2**40 + 1), "not_before block time is not a whole number"),
        ("log", Block(1, True, bytes(32), 1), "not JSON"),
    ],
)
def test_a_template_that_a_verifier_would_refuse_is_not_made(origin, block, message):
    with pytest.raises(FormatError, match=message):
        Template(origin, NOW, block)


@pytest.mark.parametrize("size", [-1, 2**50 + 1, 1.0, True, "5"])
def test_another_size_is_refused(size):
    with pytest.raises(FormatError, match=r"size is not a whole number from 0 to 1125899906842624"):
        TEMPLATE.document(bytes(32), NUMBER, bytes(32), size)


@pytest.mark.parametrize("media_type", ["", "pdf", 'a/b"', "A/B", "a/b\n", "a/b; c"])
def test_another_media_type_is_refused(media_type):
    with pytest.raises(FormatError, match="media_type is not of the form it must have"):
        TEMPLATE.document(bytes(32), NUMBER, bytes(32), 5, media_type)


@pytest.mark.parametrize(
    ("digest", "number", "salt"),
    [(bytes(31), NUMBER, bytes(32)), (bytes(32), NUMBER[:-1], bytes(32)), (bytes(32), NUMBER, bytes(33))],
    ids=["digest", "number", "salt"],  # the number differs from process to process
)
def test_another_length_is_refused(digest, number, salt):
    with pytest.raises(FormatError, match="digest and salt are 32 bytes, a record number is 16 characters"):
        TEMPLATE.document(digest, number, salt)
