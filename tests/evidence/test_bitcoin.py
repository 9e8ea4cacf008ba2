"""Headers of Bitcoin blocks."""

from datetime import UTC, datetime, timedelta

import pytest

from notary.errors import FormatError
from notary.evidence.bitcoin import decode_block_header, shown
from tests.ots_world import header

NO_WORK = "^the Bitcoin block header does not show the work that it states: it is miscopied or made up$"

# The first block, which everybody can look up.
FIRST = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f61"
    "7fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


def test_the_first_block_is_read_as_explorers_show_it():
    block = decode_block_header(FIRST)
    assert block.hash.hex() == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert shown(block.merkle_root) == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert block.time == datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC)
    assert block.not_after == block.time + timedelta(hours=2)


@pytest.mark.parametrize("at", [0, 4, 36, 67, 68, 72, 76, 79])
def test_one_bit_that_is_miscopied_is_found(at):
    changed = bytearray(FIRST)
    changed[at] ^= 1
    with pytest.raises(FormatError, match=NO_WORK):
        decode_block_header(bytes(changed))


@pytest.mark.parametrize("length", [0, 79, 81])
def test_another_length_is_refused(length):
    with pytest.raises(FormatError, match=r"^a Bitcoin block header has 80 bytes$"):
        decode_block_header((FIRST * 2)[:length])


@pytest.mark.parametrize(
    "bits", [0x207FFFFF | 0x800000, 0x00FFFFFF, 0x02000000, 0x23000001, 0x237FFFFF, 0xFF7FFFFF]
)
def test_a_target_that_is_negative_or_nothing_or_beyond_256_bits_is_refused(bits):
    with pytest.raises(FormatError, match=NO_WORK):
        decode_block_header(header(bytes(32), 1772366400, bits=bits))


def test_an_easy_target_is_met_by_an_easy_block():
    assert decode_block_header(header(b"\x07" * 32, 1772366400)).merkle_root == b"\x07" * 32
