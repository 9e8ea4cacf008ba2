"""Seals a report: PAdES baseline B-B, or B-T with a time stamp (ETSI EN 319 142-1), in an invisible field."""

from dataclasses import dataclass
from io import BytesIO
from typing import cast

from asn1crypto import algos, pem, tsp
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
from pyhanko.sign.timestamps.api import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from notary.errors import AnchorRejected, AnchorUnavailable, FormatError, SettingsError, Unavailable
from notary.evidence.timestamp_der import dump
from notary.outbound import Outbound

FIELD = "NotarySeal"
_MAX_RESPONSE = 64 * 1024
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class _KeptSigner(Signer):
    """Holds the loaded key: pyHanko's own signer parses it twice for every signature."""

    def __init__(self, chain: list[asn1_x509.Certificate], key: Key) -> None:
        store = SimpleCertificateStore()
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


class Stamper(TimeStamper):
    """An RFC 3161 authority, asked through the one client for requests that leave the service.

    Keep it: it remembers how long the authority's tokens are, which pyHanko would ask anew for every seal.
    """

    def __init__(self, url: str, outbound: Outbound) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # pyHanko gives it no types
        self._url = url
        self._outbound = outbound

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Post the request.

        Raises:
            AnchorUnavailable: no answer.
            AnchorRejected: the answer is no response, or its token is over something else.
        """
        try:
            answer = self._outbound.post(self._url, req.dump(), "application/timestamp-query", _MAX_RESPONSE)
        except Unavailable as error:
            raise AnchorUnavailable(f"no time stamp for the seal: {error}") from error
        try:
            return _checked(answer, req)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise AnchorRejected(f"the answer to the seal's request is no time stamp: {error}") from error


def _checked(answer: bytes, request: tsp.TimeStampReq) -> tsp.TimeStampResp:
    """The response, granted and over what was asked; who signed it is for the verifier to judge."""
    response = tsp.TimeStampResp.load(answer, strict=True)
    status = response["status"]["status"].native
    if status != "granted":
        raise AnchorRejected(f"the authority answered the seal's request with {status!r}")
    info = response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    asked, stamped = request["message_imprint"], info["message_imprint"]
    same_imprint = (
        asked["hash_algorithm"]["algorithm"].native == stamped["hash_algorithm"]["algorithm"].native
        and asked["hashed_message"].native == stamped["hashed_message"].native
    )
    if not same_imprint or info["nonce"].native != request["nonce"].native:
        raise AnchorRejected("the time stamp for the seal is over something else")
    return cast("tsp.TimeStampResp", response)


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
        own = x509.load_der_x509_certificate(dump(chain[0]))
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"the seal's certificate or key cannot be read: {error}") from error
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SettingsError("the seal's key is neither RSA nor ECDSA")
    if private.public_key() != own.public_key():
        raise SettingsError("the seal's key is not that of its certificate")
    return Sealer(_KeptSigner(chain, private), own.subject.rfc4514_string())


def seal(pdf: bytes, sealer: Sealer, stamper: Stamper | None = None) -> bytes:
    """Append a certifying signature that allows no later change; the given bytes stay a prefix.

    Args:
        pdf: the report as rendered.
        sealer: from `load_sealer`.
        stamper: with it the seal is dated (B-T). Without it nothing is sent anywhere.

    Raises:
        FormatError: `pdf` is not a PDF.
        AnchorUnavailable: the authority did not answer.
        AnchorRejected: it answered, but not with a time stamp.
    """
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    signer = PdfSigner(metadata, sealer.signer, timestamper=stamper, new_field_spec=SigFieldSpec(FIELD))
    try:
        output = signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)))
    except PdfError as error:
        raise FormatError(f"the report cannot be sealed: {error}") from error
    return bytes(output.getbuffer())
