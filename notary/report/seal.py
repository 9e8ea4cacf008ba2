"""Seals a report: PAdES baseline B-B, or B-T with a time stamp (ETSI EN 319 142-1), in an invisible field."""

from dataclasses import dataclass
from io import BytesIO

from asn1crypto import algos, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from notary.errors import AnchorUnavailable, FormatError, SettingsError

FIELD = "NotarySeal"
_TIMEOUT = 20  # seconds, for the time-stamping authority
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class _KeptSigner(Signer):
    """Holds the loaded key: pyHanko's own signer parses it twice for every signature."""

    def __init__(self, chain: list[asn1_x509.Certificate], key: Key) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(chain)
        name = "sha256_rsa" if isinstance(key, rsa.RSAPrivateKey) else "sha256_ecdsa"
        mechanism = algos.SignedDigestAlgorithm({"algorithm": name})
        super().__init__(signing_cert=chain[0], cert_registry=store, signature_mechanism=mechanism)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002 - always sha256, see `seal`
        if dry_run:  # only the length is wanted, to reserve room: the longest that this key can give
            return bytes(self._key.key_size // 4 + 16)
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class Sealer:
    """A seal's certificate chain and key, loaded once; `seal` may be called from any thread."""

    signer: _KeptSigner
    holder: str  # the certificate's subject, for people


def load_sealer(certificates: bytes, key: bytes) -> Sealer:
    """Read the seal.

    Args:
        certificates: PEM, the seal's own first, then those that lead to its root.
        key: PEM of an RSA or ECDSA private key, not encrypted.

    Raises:
        SettingsError: one of them cannot be read, or the key is not that of the certificate.
    """
    try:
        chain = [
            asn1_x509.Certificate.load(der, strict=True)
            for _, _, der in pem.unarmor(certificates, multiple=True)
        ]
        own = x509.load_der_x509_certificate(chain[0].dump())
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"the seal's certificate or key cannot be read: {error}") from error
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SettingsError("the seal's key is neither RSA nor ECDSA")
    if private.public_key() != own.public_key():
        raise SettingsError("the seal's key is not that of its certificate")
    return Sealer(_KeptSigner(chain, private), own.subject.rfc4514_string())


def seal(pdf: bytes, sealer: Sealer, tsa_url: str | None = None) -> bytes:
    """Append a certifying signature that allows no later change; the given bytes stay a prefix.

    Args:
        pdf: the report as rendered.
        sealer: from `load_sealer`.
        tsa_url: an RFC 3161 authority; with it the seal is dated (B-T). Without it nothing is sent anywhere.

    Raises:
        FormatError: `pdf` is not a PDF.
        AnchorUnavailable: the authority did not answer, or not with a time stamp.
    """
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    stamper = None if tsa_url is None else HTTPTimeStamper(tsa_url, timeout=_TIMEOUT)
    signer = PdfSigner(metadata, sealer.signer, timestamper=stamper, new_field_spec=SigFieldSpec(FIELD))
    try:
        output = signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)))
    except PdfError as error:
        raise FormatError(f"the report cannot be sealed: {error}") from error
    except (TimestampRequestError, OSError) as error:
        raise AnchorUnavailable(f"no time stamp for the seal: {error}") from error
    return bytes(output.getbuffer())
