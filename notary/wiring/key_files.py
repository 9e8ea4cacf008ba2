"""Private keys by what the log says: the file in the settings, or a numbered one beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary import keyring, keys
from notary.errors import SettingsError
from notary.evidence.key_history import HEAD, LOG, RECEIPT, ROLES, KeyHistory
from notary.evidence.note import Verifier
from notary.evidence.receipt import receipt_key_name
from notary.settings import Settings
from notary.signers import Signer
from notary.store.engine import Database
from notary.store.key_changes import known_history

if TYPE_CHECKING:
    from eth_account.datastructures import SignedMessage
    from eth_typing import Hash32


def note_key(path: Path, verifier: Verifier) -> Ed25519PrivateKey:
    """The private key of a log or receipt key.

    Raises:
        SettingsError: it is not at hand.
    """
    return keyring.find_ed25519(path, verifier.public)


def path_of(settings: Settings, role: str) -> Path:
    """The key file of a role, as the settings name it."""
    return {LOG: settings.log_key, RECEIPT: settings.receipt_key, HEAD: settings.head_key}[role]


def at_hand(settings: Settings, role: str, key: str) -> bool:
    """Whether the private half of a key is in a file here."""
    try:
        if role == HEAD:
            keyring.find_secp256k1(path_of(settings, role), key)
        else:
            note_key(path_of(settings, role), Verifier.from_vkey(key))
    except SettingsError:
        return False
    return True


def make_next(settings: Settings, source: Path | None, role: str, number: int) -> str:
    """Make the file of the next key of a role, or find it made; gives the public half as key statements name it.

    Raises:
        SettingsError: it cannot be made, does not sign, or is a file or a key that serves another purpose.
    """
    target = keyring.numbered(path_of(settings, role), number)
    _refuse_named(settings, role, target)
    if source is not None or target.exists():  # before it is copied: nothing is ever taken away again
        _refuse_used(settings, role, target if source is None else source)
    new = keys.new_secp256k1 if role == HEAD else keys.new_ed25519
    path = keyring.make(path_of(settings, role), number, new, source)
    # Read back, and tried: what cannot sign must not come into force.
    if role == HEAD:
        keys.load_secp256k1(path).unsafe_sign_hash(_probe())
    return public_of(settings, role, path)


def wallets(settings: Settings) -> tuple[Path, ...]:
    """The key files of every wallet that may pay for an anchor."""
    return (settings.wallet_key, *(path for chain in settings.chains for path in chain.wallets))


def is_wallet(settings: Settings, path: Path) -> bool:
    """Whether the secp256k1 key in a file is that of a wallet whose file is here.

    Raises:
        SettingsError: one of the files cannot be used.
    """
    address = keys.load_secp256k1(path).address
    return any(
        keys.load_secp256k1(wallet).address == address for wallet in wallets(settings) if wallet.exists()
    )


def _refuse_named(settings: Settings, role: str, target: Path) -> None:
    """A number beside one role's key file may be the name of another's: no file serves two purposes."""
    others = [path_of(settings, other) for other in ROLES if other != role]
    named = {path.absolute() for path in (*others, *wallets(settings), settings.seal_key) if path is not None}
    if target.absolute() in named:
        raise SettingsError(
            f"the next {role} key would lie in {target}, which the settings name for something else"
        )


def _refuse_used(settings: Settings, role: str, path: Path) -> None:
    """A file that is there is taken for what a stopped run made; it may be somebody's copy of another key."""
    other = {LOG: RECEIPT, RECEIPT: LOG}.get(role)
    if other is None and is_wallet(settings, path):
        raise SettingsError(f"the key in {path} is that of a wallet: what pays for anchors signs no heads")
    if other is not None and at_hand(settings, other, public_of(settings, role, path)):
        raise SettingsError(f"the key in {path} is a {other} key, and no key has two roles")


def public_of(settings: Settings, role: str, path: Path) -> str:
    """The public half of a key file, as key statements name it.

    Raises:
        SettingsError: it cannot be used.
    """
    if role == HEAD:
        return keys.load_secp256k1(path).address.lower()
    name = settings.origin if role == LOG else receipt_key_name(settings.origin)
    return Verifier(name, keys.load_ed25519(path).public_key().public_bytes_raw()).vkey


def maker(settings: Settings, source: Path | None) -> Callable[[str, int], str]:
    """`make_next` as `notary.services.rotating` calls it."""
    return partial(make_next, settings, source)


def _probe() -> "Hash32":
    from eth_typing import Hash32  # noqa: PLC0415 - as in `notary.keys.load_secp256k1`

    return Hash32(bytes(32))


@dataclass(slots=True)
class HeadKey:
    """The head key in force, which a running worker learns of from the log (`notary.signers.Signer`).

    Attributes:
        database: where the log says which one it is.
        path: the key file of the settings.
        others: addresses of head keys that the settings name and the log does not.
    """

    database: Database
    path: Path
    others: tuple[str, ...] = ()
    _known: dict[str, Signer] = field(default_factory=dict, init=False, repr=False)

    @property
    def address(self) -> str:
        """Of the key in force, with the checksum of EIP-55.

        Raises:
            SettingsError: it is not at hand.
        """
        return self._signer().address

    def require(self) -> None:
        """Look whether the key in force is at hand.

        Raises:
            SettingsError: it is not.
        """
        self._signer()

    def unsafe_sign_hash(self, message_hash: "Hash32") -> "SignedMessage":
        """The signature of 32 bytes. Raises as `Signer`, and SettingsError where the key is not at hand."""
        return self._signer().unsafe_sign_hash(message_hash)

    def _signer(self) -> Signer:
        with self.database.reading() as connection:
            history = known_history(connection)
        wanted = self._wanted(history)
        if wanted not in self._known:
            self._known[wanted] = keyring.find_secp256k1(self.path, wanted)
        return self._known[wanted]

    def _wanted(self, history: KeyHistory) -> str:
        if len(history.keys(HEAD)) == 1 and self.path.exists():
            # One that the log says nothing of: handed over to before there were statements on it.
            own = keys.load_secp256k1(self.path).address.lower()
            if own != history.first(HEAD):
                if own in self.others:
                    return own
                raise SettingsError(
                    f"the head key is {own}, neither that of entry 0 nor in head_keys of the chain: add it there, "
                    "so that trust files name it"
                )
        return history.in_force(HEAD)
