"""Key files side by side: made once, found by their public half, refused when they are others."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from notary import keyring, keys
from notary.errors import SettingsError
from notary.evidence.key_history import HEAD, LOG, RECEIPT
from notary.wiring.key_files import make_next


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


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff" * 20_000])
def test_a_file_that_cannot_be_used_keeps_no_other_from_being_found(folder, content):
    wanted, address = public(folder / "log.pem"), keys.load_secp256k1(folder / "head.key").address.lower()
    for name in ("log-9.pem", "head-9.key"):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    assert public(folder / "log.pem") == wanted
    assert keyring.find_ed25519(folder / "log.pem", wanted).public_key().public_bytes_raw() == wanted
    assert keyring.find_secp256k1(folder / "head.key", address).address.lower() == address
    with pytest.raises(SettingsError, match=r"holds the key in force, of public half 00.*; .*log-9.pem is "):
        keyring.find_ed25519(folder / "log.pem", bytes(32))
    with pytest.raises(SettingsError, match=r"holds the head key in force, 0x00.*; .*head-9.key (is|holds) "):
        keyring.find_secp256k1(folder / "head.key", "0x" + "00" * 20)


@dataclass
class Named:
    """The settings that `make_next` looks at."""

    folder: Path
    origin: str = "log.example.org"
    seal_key: Path | None = None
    chains: tuple = ()

    def __getattr__(self, name):
        if name in ("head_key", "wallet_key"):
            return self.folder / name.replace("_", ".")
        return self.folder / name.replace("_key", ".pem")


@dataclass
class Paying:
    wallets: tuple


def test_the_key_of_a_wallet_becomes_no_head_key(folder, tmp_path):
    keys.create(tmp_path / "more")
    second = tmp_path / "more" / "wallet.key"
    settings = Named(folder, chains=(Paying((second, tmp_path / "not-here.key")),))
    for wallet in (folder / "wallet.key", second):
        with pytest.raises(SettingsError, match="is that of a wallet: what pays for anchors signs no heads"):
            make_next(settings, wallet, HEAD, 2)
        assert not (folder / "head-2.key").exists()
        # Or as a file of that name, which is taken for what a stopped run made.
        shutil.copy(wallet, folder / "head-2.key")
        with pytest.raises(SettingsError, match=r"head-2\.key is that of a wallet"):
            make_next(settings, None, HEAD, 2)
        (folder / "head-2.key").unlink()
    assert make_next(settings, tmp_path / "more" / "head.key", HEAD, 2)


def test_no_key_gets_a_second_role(folder):
    settings = Named(folder)
    with pytest.raises(SettingsError, match=r"the key in .*log.pem is a log key, and no key has two roles"):
        make_next(settings, folder / "log.pem", RECEIPT, 2)
    shutil.copy(folder / "receipt.pem", folder / "log-2.pem")
    with pytest.raises(SettingsError, match=r"the key in .*log-2.pem is a receipt key"):
        make_next(settings, None, LOG, 2)
    (folder / "log-2.pem").unlink()
    made = make_next(settings, None, LOG, 2)
    assert make_next(settings, None, LOG, 2) == made  # what a run that was stopped made is used


@pytest.mark.parametrize("name", ["seal_key", "wallet", "receipt_key"])
def test_a_file_that_the_settings_name_for_something_else_is_no_next_key(folder, name):
    settings = Named(folder)
    if name == "wallet":
        settings.chains = (Paying((folder / "log-2.pem",)),)
    else:
        setattr(settings, name, folder / "log-2.pem")
    with pytest.raises(
        SettingsError, match=r"the next log key would lie in .*log-2.pem, which the settings name"
    ):
        make_next(settings, None, LOG, 2)
    assert not (folder / "log-2.pem").exists()


def test_a_folder_that_takes_nothing_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"log-2.pem cannot be made: No such file"):
        keyring.make(tmp_path / "nowhere" / "log.pem", 2, keys.new_ed25519)
