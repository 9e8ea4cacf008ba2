"""A signed example contract: a real PDF, two real PAdES signatures, certificates of an authority of our own.

For demonstrations and tests. The text says on every page that it is an example, and the authority's name says
what it is.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import typst
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

import notary
from notary.embedded.authority import read_key, write_key

_TEMPLATE = Path(__file__).with_suffix(".typ")
FONTS = Path(notary.__file__).parent / "report" / "fonts"
_DER = serialization.Encoding.DER


@dataclass(frozen=True, slots=True)
class Party:
    """Who signs: the name of the signature field, and who the certificate says it is."""

    field: str
    person: str
    organisation: str


PARTIES = (Party("party-a", "张三", "甲方示例有限公司"), Party("party-b", "李四", "乙方示例有限公司"))
_ROOT_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "示例测试机构"),
        x509.NameAttribute(NameOID.COMMON_NAME, "示例测试根证书 Example Test Root"),
    ]
)


def make_contract(
    out: Path,
    folder_for_keys: Path,
    *,
    now: datetime | None = None,
    tsa_url: str | None = None,
    font_paths: Sequence[Path] = (FONTS,),
) -> bytes:
    """Write the contract, signed by both parties one after the other, to `out`.

    Args:
        out: where the PDF goes; an existing file is replaced.
        folder_for_keys: where the authority and the parties keep keys and certificates; made on first use
            and used again afterwards.
        now: when new certificates are issued; default the machine's clock, which also dates the signatures.
        tsa_url: a time-stamping authority; with it the signatures are PAdES B-T, without it B-B.
        font_paths: folders with the family Noto Sans SC.

    Returns:
        The DER certificate of the root, for whoever wants to trust it.
    """
    moment = now or datetime.now(UTC)
    folder_for_keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_key, root = _root(folder_for_keys, moment)
    document = unsigned_contract(font_paths)
    for party in PARTIES:
        key, certificate = _party(folder_for_keys, party, root_key, root, moment)
        document = _sign(document, party, (key, certificate, root), tsa_url)
    out.write_bytes(document)
    return root.public_bytes(_DER)


def unsigned_contract(font_paths: Sequence[Path] = (FONTS,)) -> bytes:
    """The contract before anybody signed: PDF/A-3b, the same bytes every time."""
    made = typst.compile(
        str(_TEMPLATE),
        font_paths=[str(path) for path in font_paths],
        ignore_system_fonts=True,
        pdf_standards=["a-3b"],
    )
    assert isinstance(made, bytes)  # noqa: S101 - no output path was named
    return made


def _root(folder: Path, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = _key(folder / "root.key.pem")
    path = folder / "root.der"
    if not path.exists():
        builder = _builder(_ROOT_NAME, _ROOT_NAME, key, now, years=20)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(_DER))
    return key, x509.load_der_x509_certificate(path.read_bytes())


def _party(
    folder: Path, party: Party, root_key: ec.EllipticCurvePrivateKey, root: x509.Certificate, now: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = _key(folder / f"{party.field}.key.pem")
    path = folder / f"{party.field}.der"
    if not path.exists():
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, party.organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, party.person),
            ]
        )
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        builder = _builder(subject, root.subject, key, now, years=2)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage("digital_signature", "content_commitment"), critical=True)
        builder = builder.add_extension(issuer_id, critical=False)
        path.write_bytes(builder.sign(root_key, hashes.SHA256()).public_bytes(_DER))
    return key, x509.load_der_x509_certificate(path.read_bytes())


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        write_key(path, ec.generate_private_key(ec.SECP256R1()))
    return read_key(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, years: int
) -> x509.CertificateBuilder:
    start = now - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * years))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def _usage(*wanted: str) -> x509.KeyUsage:
    # content_commitment is the newer name of nonRepudiation (RFC 5280 §4.2.1.3).
    return x509.KeyUsage(**{usage: usage in wanted for usage in _USAGES})


def _sign(
    document: bytes,
    party: Party,
    credentials: tuple[ec.EllipticCurvePrivateKey, x509.Certificate, x509.Certificate],
    tsa_url: str | None,
) -> bytes:
    key, certificate, root = credentials
    private = key.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    registry = SimpleCertificateStore()
    registry.register(_asn1(root))
    signer = signers.SimpleSigner(
        signing_cert=_asn1(certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=registry,
    )
    settings = signers.PdfSignatureMetadata(
        field_name=party.field,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=party.person,
        reason="同意并签署本合同 I agree to and sign this contract",
    )
    stamper = RequestsHTTPTimeStamper(tsa_url) if tsa_url else None
    pdf_signer = signers.PdfSigner(settings, signer, timestamper=stamper)
    signed = asyncio.run(pdf_signer.async_sign_pdf(IncrementalPdfFileWriter(BytesIO(document))))
    return bytes(signed.getvalue())


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    parsed: asn1_x509.Certificate = asn1_x509.Certificate.load(certificate.public_bytes(_DER))
    return parsed
