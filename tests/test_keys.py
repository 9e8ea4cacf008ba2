"""Keys: made once, read with their permissions checked, never shown."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from eth_account import Account

from notary import keys
from notary.errors import SettingsError

SECRET = "0x" + "4c" * 32


def private(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    path.chmod(0o600)
    return path


def test_the_keys_of_a_log_are_made_once(tmp_path):
    folder = tmp_path / "data" / "keys"
    keys.create(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "head.key",
        "log.pem",
        "receipt.pem",
        "wallet.key",
    ]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    log, receipt = (keys.load_ed25519(folder / name) for name in keys.ED25519_FILES)
    assert log.private_bytes_raw() != receipt.private_bytes_raw()
    head, wallet = (keys.load_secp256k1(folder / name) for name in keys.SECP256K1_FILES)
    assert head.address != wallet.address
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SettingsError, match="is there already: keys are never overwritten"):
        keys.create(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_keys_that_cannot_be_made_somewhere_are_told_of(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"keys cannot be made in .*file: File exists"):
        keys.create(tmp_path / "file" / "keys")


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "keys").mkdir()
    keys.create(tmp_path / "keys")
    assert (tmp_path / "keys/log.pem").is_file()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path, mode):
    keys.create(tmp_path / "keys")
    for name, load in (("log.pem", keys.load_ed25519), ("head.key", keys.load_secp256k1)):
        (tmp_path / "keys" / name).chmod(mode)
        with pytest.raises(SettingsError, match=r"others may read .* set its mode to 0600"):
            load(tmp_path / "keys" / name)


def test_a_key_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        keys.load_ed25519(tmp_path / "none.pem")


def test_other_files_are_no_ed25519_keys(tmp_path):
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(SettingsError, match="is not an Ed25519 key"):
        keys.load_ed25519(private(tmp_path / "x.pem", other))
    with pytest.raises(SettingsError, match="not a PKCS#8 PEM private key"):
        keys.load_ed25519(private(tmp_path / "y.pem", "nothing"))
    with pytest.raises(SettingsError, match="too large for a key"):
        keys.load_ed25519(private(tmp_path / "z.pem", b"x" * 20_000))


def test_a_secp256k1_key_is_hexadecimal_or_a_keystore(tmp_path):
    expected = Account.from_key(SECRET).address
    assert keys.load_secp256k1(private(tmp_path / "a", SECRET + "\n")).address == expected
    assert keys.load_secp256k1(private(tmp_path / "b", SECRET[2:])).address == expected
    store = private(tmp_path / "c", json.dumps(Account.encrypt(SECRET, "open", kdf="pbkdf2", iterations=2)))
    assert keys.load_secp256k1(store, private(tmp_path / "password", "open\n")).address == expected
    with pytest.raises(SettingsError, match="no file with its password is named"):
        keys.load_secp256k1(store)
    with pytest.raises(SettingsError, match="holds no usable secp256k1 key: EthKeyfileValueError"):
        keys.load_secp256k1(store, private(tmp_path / "wrong", "shut\n"))


@pytest.mark.parametrize("text", ["", "zz" * 32, "4c" * 31, "00" * 32, "ff" * 32])
def test_other_files_are_no_secp256k1_keys_and_are_not_shown(tmp_path, text):
    with pytest.raises(SettingsError, match="holds no usable secp256k1 key") as caught:
        keys.load_secp256k1(private(tmp_path / "a", text))
    assert not text or text not in str(caught.value)
    assert caught.value.__cause__ is None
