"""Certificates that chains of a report name, by the bytes that stand in the file."""

from hashlib import sha256

from asn1crypto import x509 as lenient
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from notary.intake.inspection.material import Certificates
from tests.mini_tsa import certificate, key

NAMES = x509.ObjectIdentifier("2.5.29.17")  # subjectAltName


def of_an_odd_length():
    """A certificate whose length ends with 80, which asn1crypto takes for an indefinite one and cannot read whole."""
    own = key(
        "ed25519", "odd"
    )  # whose signatures have one length; those of ECDSA jumped over the one looked for
    for size in range(300):
        unreadable = x509.UnrecognizedExtension(NAMES, b"\x30\x03\x82\x09" + b"x" * size)
        made = certificate("Odd", own.public_key(), "Odd", own, extensions=[(unreadable, False)], serial=1)
        der = made.public_bytes(serialization.Encoding.DER)
        if der[:2] == b"\x30\x82" and der[3] == 0x80:
            return der
    raise AssertionError("no certificate has this length")


def test_a_certificate_is_told_by_its_bytes_whatever_its_length():
    der = of_an_odd_length()
    found = Certificates()
    assert found.places([lenient.Certificate.load(der)]) == [0]
    assert found.rows[0]["sha256"] == sha256(der).hexdigest()
    assert found.rows[0]["subject"] == "CN=Odd"
