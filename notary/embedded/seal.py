"""A throw-away electronic seal for the embedded profile's reports; its names say that it proves nothing."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NAME = "Embedded test seal - proves nothing"


def prepare(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate that it signs itself, unless they are there.

    Returns:
        The PEM files of certificate and key.
    """
    certificate_file, key_file = folder / "seal.pem", folder / "seal.key"
    if certificate_file.exists():
        return certificate_file, key_file
    folder.mkdir(parents=True, exist_ok=True)
    # The certificate is written last: where it is missing, making stopped half-way and begins again.
    key = ec.generate_private_key(ec.SECP256R1())
    key_file.unlink(missing_ok=True)
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    draft = folder / "seal.new"
    draft.write_bytes(_certificate(key).public_bytes(serialization.Encoding.PEM))
    draft.replace(certificate_file)
    return certificate_file, key_file


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _NAME),
            x509.NameAttribute(NameOID.COMMON_NAME, _NAME),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,  # what signature validators ask of a seal
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
