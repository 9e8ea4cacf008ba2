"""Check 22: an authority gives each token a serial number of its own (RFC 3161 §2.4.2)."""

from dataclasses import dataclass, field

from notary.errors import TimestampError
from notary.evidence.outcome import source_of
from notary.evidence.timestamp import Stamp

CHECK = 22


def issuer_of(stamp: Stamp, organisation: str) -> str:
    """Under which name serial numbers are counted: "the TSA name and serial number identify a unique token".

    Two spellings of one name are one.
    """
    return f"{source_of(organisation)}\n{stamp.subject}"


@dataclass(slots=True)
class Serials:
    """The good tokens seen so far."""

    seen: dict[tuple[str, int], tuple[bytes, str]] = field(default_factory=dict)

    def add(self, stamp: Stamp, organisation: str, name: str) -> None:
        """Take a token in; the same token again, in whatever response, is no second one.

        Args:
            stamp: of the token.
            organisation: that runs the authority.
            name: what to call the token.

        Raises:
            TimestampError: 22, another token has its number, which the message names.
        """
        first = self.seen.setdefault((issuer_of(stamp, organisation), stamp.serial), (stamp.content, name))
        if first[0] != stamp.content:
            raise TimestampError(
                CHECK,
                f"{first[1]} is another token of this authority with the serial number {stamp.serial}; "
                "neither can be believed",
            )
