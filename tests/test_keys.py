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


def test_a_secp256k1_key_is_hexadecimal(tmp_path):
    expected = Account.from_key(SECRET).address
    assert keys.load_secp256k1(private(tmp_path / "a", SECRET + "\n")).address == expected
    assert keys.load_secp256k1(private(tmp_path / "b", SECRET[2:])).address == expected


def keystore(folder, secret=SECRET, **changes):
    """A key file that names a keystore, which is made, and the file of its password."""
    made = json.dumps(Account.encrypt(secret, "open 开", kdf="pbkdf2", iterations=2) | changes)
    named = {"keystore": str(private(folder / "UTC--store", made))}
    named["password_file"] = str(private(folder / "password", "open 开\nanother line\n"))
    return private(folder / "wallet.key", json.dumps(named))


def test_a_key_file_may_name_a_keystore_and_its_password(tmp_path):
    found = keys.load_secp256k1(keystore(tmp_path))
    assert found.address == Account.from_key(SECRET).address
    assert (
        Account._recover_hash(bytes(32), signature=found.unsafe_sign_hash(bytes(32)).signature)
        == found.address
    )


def test_the_line_of_a_password_may_end_as_windows_ends_it(tmp_path):
    path = keystore(tmp_path)
    private(tmp_path / "password", "open 开\r\nanother line\r\n")
    assert keys.load_secp256k1(path).address == Account.from_key(SECRET).address


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("password", "shut\n", r"or the password in .*/password does not open it: EthKeyfileValueError"),
        ("password", b"\xff\xfe", r"does not open it: UnicodeDecodeError"),
        ("UTC--store", SECRET, r"UTC--store is no keystore of version 3, or .*: (TypeError|JSONDecodeError)"),
        ("UTC--store", "{}", r"is no keystore of version 3, or .*: KeyError"),
        ("UTC--store", "x" * 20_000, "UTC--store is too large for a key"),
    ],
)
def test_a_keystore_that_is_not_opened_is_refused_and_nothing_of_it_shown(tmp_path, name, content, reason):
    path = keystore(tmp_path)
    private(tmp_path / name, content)
    with pytest.raises(SettingsError, match=reason) as caught:
        keys.load_secp256k1(path)
    assert (caught.value.__cause__, "open 开" in str(caught.value), SECRET in str(caught.value)) == (
        None,
        False,
        False,
    )


def test_a_keystore_of_another_version_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"is no keystore of version 3, or .*: ValueError"):
        keys.load_secp256k1(keystore(tmp_path, version=4))


@pytest.mark.parametrize("name", ["UTC--store", "password"])
def test_a_keystore_that_others_may_read_is_refused_also_once_it_was_opened(tmp_path, name):
    path = keystore(tmp_path)
    keys.load_secp256k1(path)
    (tmp_path / name).chmod(0o640)
    with pytest.raises(SettingsError, match=rf"others may read .*/{name}: set its mode to 0600"):
        keys.load_secp256k1(path)


def test_a_keystore_is_opened_once_and_again_when_it_changes(tmp_path, monkeypatch):
    opened, decrypt = [], Account.decrypt
    monkeypatch.setattr(Account, "decrypt", lambda *given: opened.append(given) or decrypt(*given))
    path = keystore(tmp_path)
    assert [keys.load_secp256k1(path).address for _ in range(3)] == [Account.from_key(SECRET).address] * 3
    assert len(opened) == 1  # a second each, as wallets make them
    keystore(tmp_path, other := "0x" + "4d" * 32)
    assert keys.load_secp256k1(path).address == Account.from_key(other).address
    assert len(opened) == 2


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (
            Account.encrypt(SECRET, "open", kdf="pbkdf2", iterations=2),
            "a keystore is named by a file of its own",
        ),
        ({"keystore": "/keys/store"}, r"nor a keystore beside its password \(keystore, password_file\)"),
        ({"keystore": "/a", "password_file": "/b", "more": 1}, "names neither a signer"),
        ({"keystore": "a", "password_file": "/b"}, "by something else than an absolute path"),
        ({"keystore": "/a", "password_file": 5}, "by something else than an absolute path"),
        ({"keystore": "/nowhere", "password_file": "/b"}, "the key file /nowhere cannot be read"),
    ],
)
def test_a_file_that_names_a_keystore_otherwise_is_refused(tmp_path, named, reason):
    with pytest.raises(SettingsError, match=reason):
        keys.load_secp256k1(private(tmp_path / "wallet.key", json.dumps(named)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"keystore": "/a", "keystore": "/b", "password_file": "/c"}', "has the same key twice"),
        ('{"keystore": "/a", "password_file": "/c"} x', "holds no usable secp256k1 key: not JSON"),
    ],
)
def test_json_is_read_strictly(tmp_path, text, reason):
    with pytest.raises(SettingsError, match=reason):
        keys.load_secp256k1(private(tmp_path / "wallet.key", text))


@pytest.mark.parametrize("text", ["", "zz" * 32, "4c" * 31, "00" * 32, "ff" * 32])
def test_other_files_are_no_secp256k1_keys_and_are_not_shown(tmp_path, text):
    with pytest.raises(SettingsError, match="holds no usable secp256k1 key") as caught:
        keys.load_secp256k1(private(tmp_path / "a", text))
    assert not text or text not in str(caught.value)
    assert caught.value.__cause__ is None
