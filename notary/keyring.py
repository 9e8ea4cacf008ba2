"""Key files side by side: `log.pem`, and `log-2.pem`, `log-3.pem`, … of the rotations after it.

Which one is used the log says, by its public half; a file alone changes nothing.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary import keys
from notary.errors import SettingsError
from notary.signers import Signer

Key = TypeVar("Key")
_NUMBERED = re.compile(r"-[0-9]{1,4}$")


def beside(path: Path) -> Iterator[Path]:
    """The key file of the settings and the numbered ones beside it, the highest number first, if they are there."""
    stem = _NUMBERED.sub("", path.stem)
    form = re.compile(rf"{re.escape(stem)}(?:-([0-9]{{1,4}}))?{re.escape(path.suffix)}")
    found = {path: 0}
    if path.parent.is_dir():
        for each in path.parent.iterdir():
            named = form.fullmatch(each.name)
            if named:
                found[each] = int(named.group(1) or 1)
    yield from (each for each in sorted(found, key=found.__getitem__, reverse=True) if each.exists())


def find_ed25519(path: Path, public: bytes) -> Ed25519PrivateKey:
    """The key with this public half (32 bytes), in the file of the settings or beside it.

    Raises:
        SettingsError: it is in none; says which of them cannot be used.
    """
    unusable: list[str] = []
    for key in _usable(path, keys.load_ed25519, unusable):
        if key.public_key().public_bytes_raw() == public:
            return key
    raise SettingsError(
        f"neither {path} nor a numbered file beside it holds the key in force, of public half {public.hex()}"
        + _and(unusable)
    )


def find_secp256k1(path: Path, address: str) -> Signer:
    """The key of this address (0x and 40 characters), in the file of the settings or beside it.

    Raises:
        SettingsError: it is in none; says which of them cannot be used.
    """
    unusable: list[str] = []
    for key in _usable(path, keys.load_secp256k1, unusable):
        if key.address.lower() == address:
            return key
    raise SettingsError(
        f"neither {path} nor a numbered file beside it holds the head key in force, {address}"
        + _and(unusable)
    )


def _usable(path: Path, load: Callable[[Path], Key], unusable: list[str]) -> Iterator[Key]:
    """The keys in the files; what is wrong with the others is noted: a broken copy beside a good key stops nobody."""
    for each in beside(path):
        try:
            yield load(each)
        except SettingsError as error:
            unusable.append(str(error))


def _and(unusable: list[str]) -> str:
    return "".join(f"; {problem}" for problem in unusable)


def numbered(path: Path, number: int) -> Path:
    """The key file of the `number`-th key of a role, from 2, beside that of the settings."""
    return path.with_name(f"{_NUMBERED.sub('', path.stem)}-{number}{path.suffix}")


def make(path: Path, number: int, new: Callable[[], bytes], source: Path | None = None) -> Path:
    """Make the key file of a rotation beside that of the settings, durably; one that is there stays as it is.

    Args:
        path: the key file of the settings.
        number: which key of its role it is, from 2.
        new: gives the bytes of a file with a new key.
        source: a key file that is copied in place of a new one.

    Raises:
        SettingsError: the folder cannot be written to, or another key is there than that of `source`.
    """
    target = numbered(path, number)
    data = new() if source is None else keys.read_private(source)
    try:
        _create(target, data)
    except FileExistsError:
        # Of a run that was stopped: what it made is used, for it may have been said already.
        if source is not None and keys.read_private(target) != data:
            raise SettingsError(f"{target} is there already, and is not {source}") from None
    except OSError as error:
        raise SettingsError(f"{target} cannot be made: {error.strerror}") from error
    return target


def _create(target: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".key-", dir=target.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, target)  # onto nothing: a key is never overwritten
    finally:
        Path(name).unlink()
    # Durable once the folder is: a crash before leaves the whole file or none, and at most a hidden one beside it.
    keys.sync(target.parent)
