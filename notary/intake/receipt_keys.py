"""Which receipt key signs: the one that the log had named before the checkpoint that a receipt rests on."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import SettingsError, Unavailable
from notary.evidence.key_history import RECEIPT, KeyHistory
from notary.evidence.note import Verifier
from notary.store.engine import Connection
from notary.store.key_changes import known_history


@dataclass(slots=True)
class ReceiptKeys:
    """The receipt keys of a running process, which learns of a new one from the log.

    Attributes:
        find: gives the private key of a receipt key, or raises SettingsError where it is not at hand.
    """

    find: Callable[[Verifier], Ed25519PrivateKey]
    _seen: tuple[int, KeyHistory] | None = field(default=None, init=False)
    _private: dict[str, Ed25519PrivateKey] = field(default_factory=dict, init=False, repr=False)

    def look(self, connection: Connection, size: int) -> None:
        """Learn what the log of `size` entries says; the database is asked once a size.

        Raises:
            Unavailable: the key in force is not at hand: nothing can be promised.
        """
        seen = self._seen
        if seen is None or size > seen[0]:
            self._seen = (size, known_history(connection))
        self.at(size)

    def at(self, size: int) -> Ed25519PrivateKey:
        """The key of receipts that rest on a checkpoint of `size`, which was looked at.

        Raises:
            Unavailable: it is not at hand.
        """
        assert self._seen is not None  # noqa: S101 - whoever has a size has looked
        wanted = self._seen[1].in_force(RECEIPT, size)
        found = self._private.get(wanted)
        if found is None:
            try:
                found = self._private[wanted] = self.find(Verifier.from_vkey(wanted))
            except SettingsError as error:
                raise Unavailable(f"the receipt key in force is not at hand: {error}") from error
        return found
