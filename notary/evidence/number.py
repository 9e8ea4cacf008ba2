"""Record numbers and look-up codes: 16 characters that can be typed from paper.

15 characters hold 75 bits; the last is a check character. The alphabet has no 0, O, 1 or I.
The check is a weighted sum over GF(32): hand-written, because ISO 7064 and Luhn have no system over 32
characters that catches every exchange of two; python-stdnum's hybrid system needs 33 to be prime.
"""

from hashlib import sha256

from notary.errors import BadNumber

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 16
_BITS = 5 * (LENGTH - 1)
_RANDOM_BITS = 35
LOOKUP_CONTEXT = b"notary lookup code v1\n"
_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1, primitive: its powers of x are the 31 non-zero values


def make_number(unix_ms: int, random: bytes) -> str:
    """A record number: 40 bits of time, so that numbers sort by age, then 35 random bits.

    Args:
        unix_ms: milliseconds since 1970; the low 40 bits are taken, which repeat after 34 years.
        random: at least 5 bytes.
    """
    chance = int.from_bytes(random[:5], "big") >> (40 - _RANDOM_BITS)
    return _encode(((unix_ms & (2**40 - 1)) << _RANDOM_BITS) | chance)


def lookup_code(salt: bytes) -> str:
    """The code that opens a `by-code` record, derived from its statement's salt (32 bytes).

    Whoever holds the statement already holds all that the code would show; nobody else can guess it.
    """
    digest = sha256(LOOKUP_CONTEXT + salt).digest()
    return _encode(int.from_bytes(digest[:10], "big") >> 5)


def parse_number(text: str) -> str:
    """Normalise what a person typed: case, spaces and dashes do not count.

    Returns:
        16 characters of `ALPHABET`.

    Raises:
        BadNumber: wrong length, a character outside the alphabet, or the check character does not fit.
    """
    # Before upper(): it would make two letters of "ß". Behind 64 characters nobody looks for a number.
    readable = text.upper() if text.isascii() and len(text) <= 64 else ""  # noqa: PLR2004 - as said
    compact = "".join(character for character in readable if character not in " -")
    if len(compact) != LENGTH or any(character not in ALPHABET for character in compact):
        raise BadNumber(f"a record number has {LENGTH} characters of {ALPHABET}; compare it with the paper")
    if _check_character(compact[:-1]) != compact[-1]:
        raise BadNumber("the check character does not fit: the record number was mistyped")
    return compact


def show_number(number: str) -> str:
    """Four groups of four, as printed: at most 19 characters."""
    return f"{number[:4]}-{number[4:8]}-{number[8:12]}-{number[12:]}"


def _encode(value: int) -> str:
    body = "".join(ALPHABET[value >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return body + _check_character(body)


def _check_character(body: str) -> str:
    # Weights are distinct powers of x, so one wrong character and any two exchanged ones are always seen.
    total, weight = 0, 1
    for character in reversed(body):
        weight = _times(weight, 2)
        total ^= _times(weight, ALPHABET.index(character))
    return ALPHABET[total]


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= _POLYNOMIAL
        b >>= 1
    return product
