"""A secp256k1 key in a PKCS#11 token (SoftHSM) signs by the very script that docs/operations.md shows."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from eth_account import Account
from eth_utils.address import to_checksum_address

from notary.errors import SignerUnavailable
from notary.evidence.keccak import keccak256
from notary.keys import load_secp256k1
from notary.signers import ExternalSigner
from tests.conftest import SOFTHSM

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
DOCUMENTED = "/usr/lib/softhsm/libsofthsm2.so"  # elsewhere on some systems
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PIN = "1234"
SIGNATURES = 12


def tool(*arguments):
    command = [
        "pkcs11-tool",
        "--module",
        SOFTHSM,
        "--login",
        "--pin",
        PIN,
        "--token-label",
        "notary",
        *arguments,
    ]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


@pytest.fixture
def token(tmp_path, monkeypatch):
    """A token of the test's own that holds two keys, 01 and 02."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    monkeypatch.setenv("PIN", PIN)
    made = ["softhsm2-util", "--init-token", "--free", "--label", "notary", "--pin", PIN, "--so-pin", "5678"]
    subprocess.run([*made, "--module", SOFTHSM], check=True, capture_output=True, timeout=60)
    for number in ("01", "02"):
        tool("--keypairgen", "--key-type", "EC:secp256k1", "--id", number)
    return tmp_path


def address_of(number):
    """As the page says: the last 20 bytes of the Keccak-256 of the public point without its first byte."""
    key = load_der_public_key(tool("--read-object", "--type", "pubkey", "--id", number))
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return to_checksum_address(keccak256(point[1:])[-20:])


def script(folder, number="01"):
    """The script of the page, with the module where it is on this machine."""
    (text,) = re.findall(r"```sh\n(#!/bin/sh\n[^`]*pkcs11-tool[^`]*)```", PAGE.read_text(encoding="utf-8"))
    assert (text.count(DOCUMENTED), text.count("--id 01")) == (1, 1)
    made = folder / f"sign-{number}"
    made.write_text(text.replace(DOCUMENTED, SOFTHSM).replace("--id 01", f"--id {number}"))
    made.chmod(0o700)
    return made


def signer(folder, number="01"):
    """By a key file that names the process."""
    named = folder / f"{number}.key"
    named.write_text(json.dumps({"address": address_of(number), "command": [str(script(folder, number))]}))
    named.chmod(0o600)
    return load_secp256k1(named)


def test_a_key_in_a_token_signs_with_s_in_the_lower_half(token):
    found = signer(token)
    for number in range(SIGNATURES):
        digest = keccak256(bytes([number]))
        signed = found.unsafe_sign_hash(digest)
        assert 0 < signed.s <= ORDER // 2
        assert Account._recover_hash(digest, signature=signed.signature) == found.address


def test_the_token_itself_gives_s_in_either_half(token):
    """Else the test above would show nothing: each signature is in the upper half half of the time."""
    path = script(token)

    def upper(number):
        run = subprocess.run(
            [path], input=f"{number:064x}\n", check=True, capture_output=True, text=True, timeout=60
        )
        assert len(run.stdout.strip()) == 128, "r and s of 32 bytes each"
        return int(run.stdout.strip()[64:], 16) > ORDER // 2

    assert any(upper(number) for number in range(64))


def test_the_key_of_another_object_in_the_token_is_refused(token):
    other = ExternalSigner(address_of("02"), (str(script(token, "01")),))
    with pytest.raises(SignerUnavailable, match="signs with another key"):
        other.unsafe_sign_hash(bytes(32))
    assert signer(token, "02").unsafe_sign_hash(bytes(32))


def test_a_wrong_pin_signs_nothing(token, monkeypatch):
    found = signer(token)
    monkeypatch.setenv("PIN", "0000")
    with pytest.raises(SignerUnavailable, match="writes no signature"):
        found.unsafe_sign_hash(bytes(32))
