"""The source of Bitcoin headers, as the settings name it."""

from collections.abc import Collection

from notary.anchoring.bitcoin import Headers
from notary.errors import NotReady, SettingsError
from notary.outbound import Outbound
from notary.settings import Settings
from notary.settings.anchors import Ots


def headers_of(ots: Ots, allow_private: bool) -> Headers:
    """The source that goes with these calendars."""
    return Headers(ots.headers_url, Outbound(allow_private=allow_private))


def bitcoin_headers(settings: Settings, heights: Collection[int]) -> list[tuple[int, bytes]]:
    """Height and header of settled blocks, as the source has them now.

    Raises:
        SettingsError: no source is named.
        NotReady: a block has too few confirmations.
        AnchorUnavailable, AnchorRejected: from the source.
    """
    if not heights:
        return []
    if not settings.ots:
        raise SettingsError(
            "no source of Bitcoin headers is named for an OpenTimestamps file: set NOTARY_OTS"
        )
    source = headers_of(settings.ots[0], settings.allow_private_addresses)
    found = []
    for height in sorted(heights):
        header = source.settled(height)
        if header is None:
            raise NotReady(f"Bitcoin block {height} has too few confirmations; ask again in an hour")
        found.append((height, header.raw))
    return found
