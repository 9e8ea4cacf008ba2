"""Keys, certificates and revocation list of the local time-stamping authority; its names say what they prove."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "Embedded test TSA - proves nothing"
ROOT_KEY, SIGNER, SIGNER_KEY = "root.key", "signer.pem", "signer.key"  # in the authority's folder
_CRL_DAYS = 7


def certify(folder: Path, url: str) -> None:
    """Give the signer a certificate that names `url` as the place of the revocation list, unless it has it.

    The key stays, and the tokens made before are good as they were.
    """
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    places = x509.CRLDistributionPoints([point])
    held = x509.load_pem_x509_certificate((folder / SIGNER).read_bytes())
    if any(extension.value == places for extension in held.extensions):
        return
    signer_key, authority_key = read_key(folder / SIGNER_KEY), read_key(folder / ROOT_KEY)
    write(folder / SIGNER, certificate("signer", signer_key, authority_key, places))


def revocation_list(folder: Path) -> bytes:
    """A CertificateList in DER, of this very moment: nothing was revoked."""
    key, now = read_key(folder / ROOT_KEY), datetime.now(UTC)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(_name("root"))
        .last_update(now)
        .next_update(now + timedelta(days=_CRL_DAYS))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def certificate(
    role: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *more: x509.ExtensionType,
) -> x509.Certificate:
    """The certificate of "root" or "signer" for ten years; `more` are extensions of it."""
    is_root = role == "root"
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(role))
        .issuer_name(_name("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(_usage(certificates=is_root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(purpose, critical=True)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, NAME),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{NAME} ({role})"),
        ]
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Put a key at `path`, for its owner alone."""
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key that `write_key` put there."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - it was written so
    return key


def write(path: Path, made: x509.Certificate) -> Path:
    """Put a certificate at `path`, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return draft.replace(path)
