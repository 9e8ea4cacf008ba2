"""Headers of Bitcoin blocks from an HTTP interface of the operator's choice, in the form of Esplora.

`GET /blocks/tip/height`, `/block-height/{height}` and `/block/{hash}/header`: a node of one's own with electrs or
mempool serves them, and so do public explorers.
"""

import re
from dataclasses import dataclass

from notary.errors import AnchorRejected, AnchorUnavailable, FormatError, Unavailable
from notary.evidence.bitcoin import CONFIRMATIONS, HEADER, BlockHeader, decode_block_header
from notary.outbound import Outbound

_HASH = 32


@dataclass(frozen=True, slots=True)
class Headers:
    """One source of headers.

    Attributes:
        url: without a slash at its end.
    """

    url: str
    outbound: Outbound

    def settled(self, height: int) -> BlockHeader | None:
        """The block at a height once it has six confirmations; None before that.

        Raises:
            AnchorUnavailable: the source does not answer.
            AnchorRejected: its answers do not fit each other.
        """
        tip = self._text("/blocks/tip/height", r"[0-9]{1,10}", 10)
        if tip is None:
            raise AnchorRejected("the source of Bitcoin headers knows no newest block")
        if int(tip) - height + 1 < CONFIRMATIONS:
            return None
        name = self._text(f"/block-height/{height}", "[0-9a-f]{64}", 2 * _HASH)
        raw = None if name is None else self._text(f"/block/{name}/header", "[0-9a-f]{160}", 2 * HEADER)
        if name is None or raw is None:
            raise AnchorRejected(f"the source of Bitcoin headers has block {tip} and not block {height}")
        try:
            header = decode_block_header(bytes.fromhex(raw))
        except FormatError as error:
            raise AnchorRejected(f"the source of Bitcoin headers: block {height}: {error}") from error
        if header.hash.hex() != name:
            raise AnchorRejected(f"the source of Bitcoin headers gives another header for block {height}")
        return header

    def _text(self, path: str, pattern: str, limit: int) -> str | None:
        try:
            found = self.outbound.get(self.url + path, limit + 2)  # a line may end
        except Unavailable as error:
            raise AnchorUnavailable(f"the source of Bitcoin headers: {error}") from error
        if found is None:
            return None
        text = found.decode("ascii", "replace").strip()
        if not re.fullmatch(pattern, text):
            raise AnchorRejected(f"the source of Bitcoin headers answers {path} in no form that we know")
        return text
