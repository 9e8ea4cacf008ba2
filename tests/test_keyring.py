"""Key files side by side: made once, found by their public half, refused when they are others."""

import pytest

from notary import keyring, keys
from notary.errors import SettingsError


@pytest.fixture
def folder(tmp_path):
    keys.create(tmp_path / "keys")
    return tmp_path / "keys"


def public(path):
    return keys.load_ed25519(path).public_key().public_bytes_raw()


def test_the_next_key_lies_beside_the_one_of_the_settings_and_is_made_once(folder):
    path = folder / "log.pem"
    made = keyring.make(path, 2, keys.new_ed25519)
    assert (made, made.stat().st_mode & 0o777) == (folder / "log-2.pem", 0o600)
    content = made.read_bytes()
    assert keyring.make(path, 2, keys.new_ed25519) == made
    assert made.read_bytes() == content  # what a run that was stopped made is used
    assert keyring.make(made, 3, keys.new_ed25519) == folder / "log-3.pem"
    assert list(keyring.beside(path)) == [folder / "log-3.pem", made, path]
    for each in (path, made, folder / "log-3.pem"):
        assert keyring.find_ed25519(path, public(each)).public_key().public_bytes_raw() == public(each)
    path.unlink()  # once it is destroyed, the later ones are found all the same
    assert list(keyring.beside(path)) == [folder / "log-3.pem", made]


def test_other_files_of_the_folder_are_no_keys_of_the_role(folder):
    for name in ("log-2.pem.bak", "log-x.pem", "blog-2.pem", "log-2.key"):
        (folder / name).write_text("junk")
    assert list(keyring.beside(folder / "log.pem")) == [folder / "log.pem"]


def test_a_key_that_was_made_elsewhere_is_copied(folder, tmp_path):
    keys.create(tmp_path / "spare")
    source = tmp_path / "spare" / "head.key"
    made = keyring.make(folder / "head.key", 2, keys.new_secp256k1, source)
    assert made.read_bytes() == source.read_bytes()
    assert keyring.make(folder / "head.key", 2, keys.new_secp256k1, source) == made
    address = keys.load_secp256k1(source).address
    assert keyring.find_secp256k1(folder / "head.key", address.lower()).address == address
    with pytest.raises(SettingsError, match=r"head-2.key is there already, and is not .*wallet.key"):
        keyring.make(folder / "head.key", 2, keys.new_secp256k1, folder / "wallet.key")


def test_a_key_that_is_not_at_hand_or_was_swapped_is_refused(folder, tmp_path):
    keys.create(tmp_path / "thief")
    wanted = public(folder / "log.pem")
    (folder / "log.pem").write_bytes((tmp_path / "thief" / "log.pem").read_bytes())
    with pytest.raises(SettingsError, match=r"neither .*log.pem nor a numbered file beside it holds the key"):
        keyring.find_ed25519(folder / "log.pem", wanted)
    with pytest.raises(SettingsError, match="holds the head key in force, 0x00"):
        keyring.find_secp256k1(folder / "head.key", "0x" + "00" * 20)
    with pytest.raises(SettingsError, match=r"neither .*/nowhere/log.pem nor"):
        keyring.find_ed25519(folder / "nowhere" / "log.pem", wanted)


def test_a_folder_that_takes_nothing_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"log-2.pem cannot be made: No such file"):
        keyring.make(tmp_path / "nowhere" / "log.pem", 2, keys.new_ed25519)
