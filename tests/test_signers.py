"""A process that signs is asked for a signature and believed in nothing else."""

import json
import os
import sys
from pathlib import Path

import pytest
from eth_account import Account

from notary.errors import SettingsError, SignerUnavailable
from notary.keys import load_secp256k1
from notary.signers import ExternalSigner

PROCESS = Path(__file__).parent / "anchoring" / "signing_process.py"
KEY = Account.from_key("0x" + "19" * 32)
DIGEST = bytes(range(32))
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def signer(form, address=KEY.address, seconds=20.0):
    command = (sys.executable, str(PROCESS), KEY.key.hex().removeprefix("0x"), form)
    return ExternalSigner(address, command, seconds)


@pytest.mark.parametrize("form", ["der", "rs", "low"])
def test_a_signature_in_either_form_and_half_is_made_the_one_that_ethereum_takes(form):
    found = signer(form).unsafe_sign_hash(DIGEST)
    assert found.s <= ORDER // 2
    assert found.signature == found.r.to_bytes(32) + found.s.to_bytes(32) + bytes([found.v])
    assert Account._recover_hash(DIGEST, signature=found.signature) == KEY.address


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("zero", "writes a signature with a number out of range"),
        ("long", "writes no signature"),
        ("text", "writes no signature, neither DER nor r and s in hexadecimal"),
        ("cut", "writes no signature"),
        ("nothing", "writes no signature"),
        ("status", "ends with status 3"),
    ],
)
def test_whatever_else_it_writes_is_refused(form, reason):
    with pytest.raises(SignerUnavailable, match=f"the signer of {KEY.address} {reason}"):
        signer(form).unsafe_sign_hash(DIGEST)


def test_a_signature_of_another_key_is_refused():
    other = Account.from_key("0x" + "18" * 32).address
    with pytest.raises(SignerUnavailable, match=f"the signer of {other} signs with another key"):
        signer("der", other).unsafe_sign_hash(DIGEST)


def test_one_that_takes_too_long_is_killed():
    with pytest.raises(SignerUnavailable, match=r"does not answer within 1\.5 seconds"):
        signer("slow", seconds=1.5).unsafe_sign_hash(DIGEST)


def test_of_one_that_writes_for_ever_no_more_is_read_than_a_signature_has(monkeypatch):
    read = []

    def bounded(source, most):
        read.append(os_read(source, most))
        return read[-1]

    os_read = os.read
    monkeypatch.setattr(os, "read", bounded)
    with pytest.raises(SignerUnavailable, match="writes no signature, neither DER nor r and s"):
        signer("endless").unsafe_sign_hash(DIGEST)
    assert len(b"".join(each for each in read if set(each) == {ord("0")})) == 147


def test_one_that_signs_and_does_not_end_is_killed():
    with pytest.raises(SignerUnavailable, match=r"does not answer within 3 seconds"):
        signer("lingering", seconds=3.0).unsafe_sign_hash(DIGEST)


def test_one_that_reads_nothing_is_told_by_its_status():
    with pytest.raises(SignerUnavailable, match="ends with status 7"):
        ExternalSigner(KEY.address, ("/bin/sh", "-c", "exec <&-; sleep 0.2; exit 7")).unsafe_sign_hash(DIGEST)


def test_one_that_is_not_there_is_unavailable():
    with pytest.raises(SignerUnavailable, match="cannot be started: No such file"):
        ExternalSigner(KEY.address, ("/nowhere/signer",)).unsafe_sign_hash(DIGEST)


def key_file(tmp_path, value):
    path = tmp_path / "wallet.key"
    path.write_text(json.dumps(value))
    path.chmod(0o600)
    return path


def test_a_key_file_may_name_a_process(tmp_path):
    command = list(signer("der").command)
    found = load_secp256k1(key_file(tmp_path, {"address": KEY.address.lower(), "command": command}))
    assert found == ExternalSigner(KEY.address, tuple(command))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"command": ["sign"]}, "by other fields"),
        ({"command": ["sign"], "address": "0x12"}, "is not 0x and 40 hexadecimal characters"),
        ({"command": ["sign"], "address": 5}, "is not 0x and 40 hexadecimal characters"),
        (
            {"command": "sign", "address": KEY.address},
            "other fields than its address and its command, a list",
        ),
        ({"command": [], "address": KEY.address}, "a list"),
        ({"command": ["sign", 1], "address": KEY.address}, "a list"),
        ({"command": ["sign"], "address": KEY.address, "pin": "1"}, "by other fields"),
    ],
)
def test_a_file_that_names_one_otherwise_is_refused(tmp_path, value, reason):
    with pytest.raises(SettingsError, match=reason):
        load_secp256k1(key_file(tmp_path, value))
