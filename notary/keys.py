"""Keys in files: made once, read with their permissions checked, never shown."""

import json
import os
import re
import secrets
import stat
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from notary.errors import FormatError, SettingsError
from notary.evidence.canonical import loads_unordered
from notary.signers import ExternalSigner, Signer

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

ED25519_FILES = ("log.pem", "receipt.pem")
SECP256K1_FILES = ("head.key", "wallet.key")
_MAX_FILE = 16 * 1024
_GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def create(folder: Path) -> None:
    """Make the four keys of a new log: all of them appear at once, or none.

    Raises:
        SettingsError: the folder is there and not empty, and keys are never overwritten; or nothing can be made there.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".keys-", dir=folder.parent))  # mode 0700
    except OSError as error:
        raise SettingsError(f"keys cannot be made in {folder.parent}: {error.strerror}") from error
    for name in ED25519_FILES:
        _write(made / name, new_ed25519())
    for name in SECP256K1_FILES:
        _write(made / name, new_secp256k1())
    sync(made)
    try:
        made.rename(folder)  # onto nothing or an empty folder; anything else is refused by the kernel
    except OSError as error:
        for path in made.iterdir():
            path.unlink()
        made.rmdir()
        raise SettingsError(f"{folder} is there already: keys are never overwritten") from error
    sync(folder.parent)  # durable now; a crash before leaves at most a hidden folder that nothing reads


def load_ed25519(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 key, PKCS#8 PEM without a password.

    Raises:
        SettingsError: no such file, others may read it, or not such a key.
    """
    try:
        key = load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{path} is not a PKCS#8 PEM private key without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"the key in {path} is not an Ed25519 key")
    return key


def bound_recursion() -> None:
    """Set the limit of recursion back; to be called after eth_account or web3 is imported.

    They bring py_ecc, which lets the interpreter recurse 100,000 levels deep: the stack ends before, and with it
    the process, where a RecursionError would be one request's.
    """
    sys.setrecursionlimit(1000)


def load_secp256k1(path: Path) -> Signer:
    """Read a secp256k1 key: 64 hexadecimal characters, or JSON that says who has it.

    `address` and `command`, a list: a process that signs with a key which never comes here. `keystore` and
    `password_file`, absolute paths: a Web3 keystore (version 3), and a file whose first line is its password.

    Raises:
        SettingsError: no such file, others may read it, not such a key, or the password does not open the keystore.
    """
    from eth_account import Account  # noqa: PLC0415 - who needs no such key, as the API, has no memory for what this brings

    bound_recursion()
    text = read_private(path).decode("utf-8", "replace").strip()
    if text.startswith("{"):
        return _named(path, text)
    try:
        account: LocalAccount = Account.from_key(bytes.fromhex(text.removeprefix("0x")))
    except Exception as error:  # noqa: BLE001 - the library's own errors are of many kinds, and some hold the key
        raise SettingsError(f"{path} holds no usable secp256k1 key: {type(error).__name__}") from None
    return account


def _named(path: Path, text: str) -> Signer:
    try:
        fields = loads_unordered(text.encode(), _MAX_FILE)
    except FormatError as error:
        raise SettingsError(f"{path} holds no usable secp256k1 key: {error}") from error
    if "command" in fields:
        return _external(path, fields)
    if set(fields) != {"keystore", "password_file"}:
        raise SettingsError(
            f"{path} names neither a signer (address, command) nor a keystore beside its password (keystore, "
            "password_file); a keystore is named by a file of its own"
        )
    store, password = (_absolute(path, fields[name]) for name in ("keystore", "password_file"))
    return _from_keystore(store, password)


def _absolute(path: Path, name: object) -> Path:
    """Only such a path means the same in a copy of the file, which a rotation makes."""
    if not isinstance(name, str) or not Path(name).is_absolute():
        raise SettingsError(
            f"{path} names a keystore or its password by something else than an absolute path"
        )
    return Path(name)


def _from_keystore(store: Path, password: Path) -> Signer:
    try:
        # Both are read each time, so that a file which others may read is refused; it is opened once.
        held = read_private(store)
        line = read_private(password).decode("utf-8").split("\n", 1)[0]
        return _opened(held, line.removesuffix("\r"))
    except SettingsError:
        raise
    except Exception as error:  # noqa: BLE001 - as in load_secp256k1
        raise SettingsError(
            f"{store} is no keystore of version 3, or the password in {password} does not open it: "
            f"{type(error).__name__}"
        ) from None


@lru_cache(maxsize=16)
def _opened(store: bytes, password: str) -> "LocalAccount":
    """The key in a keystore: made to take a second and 256 MiB, and asked for at each signature of a head."""
    from eth_account import Account  # noqa: PLC0415 - as in load_secp256k1

    fields = json.loads(store)
    if fields["version"] != 3:  # noqa: PLR2004 - another one holds keys of another curve
        raise ValueError
    account: LocalAccount = Account.from_key(bytes(Account.decrypt(fields, password)))
    return account


def _external(path: Path, fields: dict[str, Any]) -> ExternalSigner:
    from eth_utils.address import to_checksum_address  # noqa: PLC0415 - as in load_secp256k1

    address, command = fields.get("address"), fields["command"]
    words = isinstance(command, list) and all(isinstance(word, str) and word for word in command)
    if set(fields) != {"address", "command"} or not words or not command:
        raise SettingsError(f"{path} names a signer by other fields than its address and its command, a list")
    if not isinstance(address, str) or not re.fullmatch("0x[0-9a-fA-F]{40}", address):
        raise SettingsError(f"the address of the signer in {path} is not 0x and 40 hexadecimal characters")
    return ExternalSigner(to_checksum_address(address.lower()), tuple(command))


def load_secret(path: Path) -> str:
    """Read a secret that is text: the first line, printable ASCII without spaces.

    Raises:
        SettingsError: no such file, others may read it, or it holds something else.
    """
    text = read_private(path).decode("utf-8", "replace").split("\n", 1)[0].strip()
    if not text or not all("!" <= character <= "~" for character in text):
        raise SettingsError(f"the first line of {path} is no secret")
    return text


def new_ed25519() -> bytes:
    """A new Ed25519 key as the bytes of its file."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_secp256k1() -> bytes:
    """A new secp256k1 key as the bytes of its file."""
    return f"{secrets.randbelow(_GROUP_ORDER - 1) + 1:064x}\n".encode()


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_private(path: Path) -> bytes:
    """The bytes of a key file, at most 16 KiB.

    Raises:
        SettingsError: no such file, others may read it, or it is too large.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise SettingsError(f"the key file {path} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise SettingsError(f"others may read {path}: set its mode to 0600")
    if len(data) > _MAX_FILE:
        raise SettingsError(f"{path} is too large for a key")
    return data
