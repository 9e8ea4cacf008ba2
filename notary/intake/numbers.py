"""Record numbers, many at once: the numbers of `make_number`, from tables that it filled itself.

A group's numbers share 40 bits of time and the upper random bits; below those stands the position in the group,
in as few bits as hold it. So they are distinct and ascend, and another group of the same millisecond meets them as
rarely as a random number of the remaining bits does.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from notary.errors import RequestError
from notary.evidence.number import ALPHABET, LENGTH, LOOKUP_CONTEXT, make_number

Bytes = NDArray[np.uint8]

_RANDOM_BITS = 35
_TAIL = 3  # characters that differ within a group, and the check behind them
_TAIL_BITS = 5 * _TAIL
MAX_COUNT = 1 << _TAIL_BITS
_PAIR_BITS = 10
_PAIR = (1 << _PAIR_BITS) - 1
_LETTERS = np.frombuffer(ALPHABET.encode(), np.uint8)


def number_of(unix_ms: int, random: bytes) -> str:
    """What `make_number` gives for the same arguments, sooner.

    Args:
        unix_ms: milliseconds since 1970; the low 40 bits are taken.
        random: at least 5 bytes.
    """
    time, check = _time(unix_ms & (1 << 40) - 1)
    return _joined(time, check, int.from_bytes(random[:5], "big") >> 40 - _RANDOM_BITS)


def lookup_code_of(salt: bytes) -> str:
    """What `notary.evidence.number.lookup_code` gives for the same salt, sooner."""
    value = int.from_bytes(sha256(LOOKUP_CONTEXT + salt).digest()[:10], "big") >> 5
    chance = (value & (1 << _RANDOM_BITS) - 1) << 40 - _RANDOM_BITS
    return number_of(value >> _RANDOM_BITS, chance.to_bytes(5, "big"))


def draw_numbers(unix_ms: int, count: int, random: Callable[[int], bytes]) -> Bytes:
    """The numbers of one group, distinct and ascending.

    Args:
        unix_ms: milliseconds since 1970; the low 40 bits are taken.
        count: 1 to 32,768.
        random: gives that many random bytes; called once.

    Returns:
        `count` rows of 16 ASCII characters.

    Raises:
        RequestError: no such count.
    """
    if not 0 < count <= MAX_COUNT:
        raise RequestError(f"a group has 1 to {MAX_COUNT} numbers")
    below = (count - 1).bit_length()
    first = int.from_bytes(random(5), "big") >> 40 - _RANDOM_BITS >> below << below
    number = number_of(unix_ms, (first << 40 - _RANDOM_BITS).to_bytes(5, "big"))
    at = first & MAX_COUNT - 1  # `at + count` stays in the table: the low bits of `first` are free
    rows = np.empty((count, LENGTH), np.uint8)
    rows[:] = np.frombuffer(number.encode(), np.uint8)
    rows[:, -_TAIL - 1 : -1] = _TAILS[at : at + count]
    # The check is linear: what the tail of the first contributes is taken out, that of each put in.
    rest = ALPHABET.index(number[-1]) ^ int(_TAIL_CHECKS[at])
    rows[:, -1] = _LETTERS[_TAIL_CHECKS[at : at + count] ^ rest]
    return rows


def texts(rows: Bytes) -> list[str]:
    """Rows of 16 characters as strings."""
    joined = rows.tobytes().decode("ascii")
    return [joined[at : at + LENGTH] for at in range(0, len(joined), LENGTH)]


def shown(rows: Bytes) -> Bytes:
    """Rows of 16 characters in groups of four, as `show_number` prints them: rows of 19."""
    out = np.full((len(rows), LENGTH + 3), ord("-"), np.uint8)
    for group in range(4):
        out[:, 5 * group : 5 * group + 4] = rows[:, 4 * group : 4 * group + 4]
    return out


@lru_cache(maxsize=16)  # one clock gives the same millisecond many times
def _time(ms: int) -> tuple[str, int]:
    """The first 8 characters, and what they add to the check."""
    text, check = "", 0
    for pair in range(3, -1, -1):
        value = ms >> _PAIR_BITS * pair & _PAIR
        text += _PAIRS[value]
        check ^= _CHECKS[2 * pair + 7][value & 31] ^ _CHECKS[2 * pair + 8][value >> 5]
    return text, check


def _joined(time: str, check: int, chance: int) -> str:
    a, b, c, d = chance >> 30, chance >> 20 & _PAIR, chance >> 10 & _PAIR, chance & _PAIR
    check ^= _CHECKS[6][a] ^ _PAIR_CHECKS[2][b] ^ _PAIR_CHECKS[1][c] ^ _PAIR_CHECKS[0][d]
    return time + ALPHABET[a] + _PAIRS[b] + _PAIRS[c] + _PAIRS[d] + ALPHABET[check]


def _check_of(place: int, value: int) -> int:
    """What a character worth `value`, `place` characters left of the 15th, adds to the check."""
    bits = value << 5 * place
    random = (bits & (1 << _RANDOM_BITS) - 1) << 40 - _RANDOM_BITS
    return ALPHABET.index(make_number(bits >> _RANDOM_BITS, random.to_bytes(5, "big"))[-1])


def _line(place: int) -> list[int]:
    weights = [_check_of(place, 1 << bit) for bit in range(5)]
    line = [0]
    for weight in weights:
        line += [weight ^ other for other in line]
    return line


# By place, counted from the 15th character to the left, and value.
_CHECKS = [_line(place) for place in range(LENGTH - 1)]
# By number of 10 bits: its two characters, and their check for the pairs that end at places 0, 2 and 4.
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
_PAIR_CHECKS = [
    [_CHECKS[place + 1][value >> 5] ^ _CHECKS[place][value & 31] for value in range(_PAIR + 1)]
    for place in (0, 2, 4)
]
_values = np.arange(MAX_COUNT)
_TAILS = np.stack([_LETTERS[_values >> 5 * place & 31] for place in (2, 1, 0)], axis=1)
_TAIL_CHECKS = np.bitwise_xor.reduce(
    [np.array(_CHECKS[place], np.uint8)[_values >> 5 * place & 31] for place in range(_TAIL)]
)
