"""Reports that were made, each readable only with the package that it was made of.

A report prints what a record's openings open. So it is kept encrypted, under a key that follows from the package, and
with it from the salt of each opening: once an opening is erased, nothing that is stored gives the key of a report that
printed it, and the report is erased, too, wherever copies of it lie.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notary.errors import Fatal
from notary.store.objects import Objects

_NONCE = 12  # bytes before the rest


@dataclass(frozen=True, slots=True)
class KeptReports:
    """One report for each state of a record, by its package."""

    objects: Objects
    random: Callable[[int], bytes]

    def read(self, number: str, package: bytes) -> bytes | None:
        """The report that was kept for this package of the record; None if there is none.

        Raises:
            Fatal: it is damaged.
            Unavailable: it cannot be read now.
        """
        name, key = _place(number, package)
        data = self.objects.read(name)
        if data is None:
            return None
        try:
            return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise Fatal(
                f"the stored report {name} is damaged: delete it, and the next request makes another"
            ) from error

    def keep(self, number: str, package: bytes, pdf: bytes) -> bytes:
        """Make a report durable, and give the one that stands: another process may have been faster.

        Raises:
            Fatal, Unavailable: it is not stored.
        """
        name, key = _place(number, package)
        nonce = self.random(_NONCE)
        try:
            self.objects.create(name, nonce + AESGCM(key).encrypt(nonce, pdf, name.encode()))
        except Fatal:
            # Two requests at once make two reports that differ in their time: the one that was stored stands.
            other = self.read(number, package)
            if other is None:
                raise
            return other
        return pdf


def _place(number: str, package: bytes) -> tuple[str, bytes]:
    """The name of the object, which says nothing of the package, and the key of 32 bytes."""
    secret = sha256(package).digest()
    name, key = (hmac.digest(secret, use, "sha256") for use in (b"name of a report", b"key of a report"))
    return f"reports/{number.lower()}/{name.hex()}", key
