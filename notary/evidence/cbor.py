"""The few kinds of CBOR that a COSE receipt is made of (RFC 8949, core deterministic encoding §4.2.1).

A general reader takes indefinite lengths, second keys, longer spellings of one value and tags that become dates or
patterns. What has one exact shape is read here by that shape, and anything else has no place in it.
"""

from dataclasses import dataclass

from notary.errors import FormatError

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG = range(7)
NULL = b"\xf6"
_KINDS = ("a whole number", "a negative number", "bytes", "text", "an array", "a map", "a tag")
_DIRECT = 24  # arguments below it stand in the first byte
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


def head(kind: int, argument: int) -> bytes:
    """The first bytes of an item: its major type and argument (0 to 2^64 - 1), in the shortest form."""
    if argument < _DIRECT:
        return bytes([kind << 5 | argument])
    code, width = next((c, w) for c, w in _WIDTHS.items() if argument < 1 << 8 * w)
    return bytes([kind << 5 | code]) + argument.to_bytes(width)


def integer(value: int) -> bytes:
    """An integer from -2^64 to 2^64 - 1."""
    return head(UNSIGNED, value) if value >= 0 else head(NEGATIVE, -1 - value)


def byte_string(value: bytes) -> bytes:
    """A byte string."""
    return head(BYTES, len(value)) + value


def text_string(value: str) -> bytes:
    """A text string."""
    data = value.encode()
    return head(TEXT, len(data)) + data


@dataclass(slots=True)
class Reader:
    """Reads items off bytes that are bounded already, from the first on."""

    data: bytes
    at: int = 0

    def expect(self, wanted: bytes, what: str) -> None:
        """Read these bytes.

        Raises:
            FormatError: others stand there.
        """
        if self._take(len(wanted)) != wanted:
            raise FormatError(f"{what} is not what a receipt of this kind has there")

    def argument(self, kind: int, what: str) -> int:
        """Read the head of an item of major type `kind`.

        Raises:
            FormatError: another type, an indefinite or reserved length, or not the shortest form.
        """
        first = self._take(1)[0]
        if first >> 5 != kind:
            raise FormatError(f"{what} is not {_KINDS[kind]}")
        argument = code = first & 31
        if code >= _DIRECT:
            if code not in _WIDTHS:
                raise FormatError(f"{what} has a length that is not stated")
            argument = int.from_bytes(self._take(_WIDTHS[code]))
        if head(kind, argument)[0] != first:
            raise FormatError(f"{what} is not in its shortest form")
        return argument

    def octets(self, what: str, length: int | None = None) -> bytes:
        """Read a byte string, of `length` where one is given.

        Raises:
            FormatError: none stands there, or one of another length.
        """
        size = self.argument(BYTES, what)
        if length is not None and size != length:
            raise FormatError(f"{what} has {size} bytes, not {length}")
        return self._take(size)

    def text(self, what: str) -> str:
        """Read a text string.

        Raises:
            FormatError: none stands there, or it is not UTF-8.
        """
        data = self._take(self.argument(TEXT, what))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(f"{what} is not UTF-8") from error

    def end(self, what: str) -> None:
        """Refuse bytes that are left.

        Raises:
            FormatError: there are some.
        """
        if self.at != len(self.data):
            raise FormatError(f"bytes are left behind {what}")

    def _take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise FormatError("the receipt ends before its last item does")
        self.at += count
        return taken
