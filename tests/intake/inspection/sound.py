"""Who signs, and the sound files that every attack on a signature begins with: they pass, by the root of `party`."""

from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pdfs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _certificate(name, issuer, public, signing_key, ca):
    builder = x509.CertificateBuilder(issuer, name, public, 7 if ca else 8)
    builder = builder.not_valid_before(AT - timedelta(days=1)).not_valid_after(AT + timedelta(days=7000))
    usage = dict.fromkeys(
        (
            "digital_signature",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    usage |= {"content_commitment": not ca, "key_cert_sign": ca, "crl_sign": ca}
    builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(signing_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def party(organisation="Example"):
    """A root (DER), a signer under it, and a CRL (DER) that revokes him; made anew in each process."""
    return _party(organisation)


@cache
def _party(organisation):
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{organisation} {what}")])
        for what in ("Root", "Signer")
    ]
    root = _certificate(names[0], names[0], root_key.public_key(), root_key, ca=True)
    leaf = _certificate(names[1], names[0], key.public_key(), root_key, ca=False)
    with TemporaryDirectory() as folder:
        (Path(folder) / "key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (Path(folder) / "cert").write_bytes(leaf)
        (Path(folder) / "root").write_bytes(root)
        loaded = signers.SimpleSigner.load(
            f"{folder}/key", f"{folder}/cert", ca_chain_files=[f"{folder}/root"]
        )
    return root, loaded, _revoking(names[0], root_key, leaf)


def _revoking(issuer, issuer_key, leaf):
    serial = x509.load_der_x509_certificate(leaf).serial_number
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(AT - timedelta(hours=1))
    builder = builder.next_update(AT + timedelta(days=7))
    row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - timedelta(hours=20))
    crl = builder.add_revoked_certificate(row.build()).sign(issuer_key, hashes.SHA256())
    return crl.public_bytes(serialization.Encoding.DER)


_CONTENT = b"BT /F1 9 Tf 9 50 Td (Pay 100) Tj ET"
OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R/AcroForm 12 0 R>>",
    b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources 11 0 R/Annots[6 0 R 7 0 R]>>",
    b"<</Length %d>>stream\n%b\nendstream" % (len(_CONTENT), _CONTENT),
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    b"<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(100)/F 4/Rect[0 0 50 9]/P 3 0 R/DA(/F1 9 Tf)>>",
    b"<</Type/Annot/Subtype/Widget/FT/Tx/T(remark)/F 4/Rect[0 9 50 18]/P 3 0 R/DA(/F1 9 Tf)>>",
    b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>stream\n\nendstream",
    b"<</Type/XObject/Subtype/Form/BBox[0 0 50 9]/Length 0>>stream\n\nendstream",
    b"null",
    b"<</Font<</F1 5 0 R>>/XObject<</I 8 0 R>>>>",
    b"<</Fields[6 0 R 7 0 R]/DR<</Font<</F1 5 0 R>>>>/DA(/F1 9 Tf)>>",
)


def unsigned():
    return pdfs.pdf(*OBJECTS)


@cache
def signed(*, certify=None, lock=None, base=None):
    """One signature, of `party`; perhaps a certification with that permission, or with a lock of fields."""
    writer = IncrementalPdfFileWriter(BytesIO(base or unsigned()))
    spec = fields.SigFieldSpec("sig", field_mdp_spec=lock)
    fields.append_signature_field(writer, spec)
    fields.append_signature_field(writer, fields.SigFieldSpec("second"))
    metadata = signers.PdfSignatureMetadata(
        field_name="sig",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=certify is not None,
        **({} if certify is None else {"docmdp_permissions": certify}),
    )
    return signers.sign_pdf(writer, metadata, party()[1], existing_fields_only=True).getvalue()


@cache
def signed_twice(organisation="Example"):
    writer = IncrementalPdfFileWriter(BytesIO(signed()))
    metadata = signers.PdfSignatureMetadata(field_name="second", subfilter=fields.SigSeedSubFilter.PADES)
    return signers.sign_pdf(writer, metadata, party(organisation)[1], existing_fields_only=True).getvalue()
