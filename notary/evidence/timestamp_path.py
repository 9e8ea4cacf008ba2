"""The certificate of a time-stamping authority and its path to a pinned root (RFC 3161 §2.3, RFC 5280)."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import x509
from cryptography import x509 as strict
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import ValidationError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    AcceptAllAlgorithms,
    CertRevTrustPolicy,
)
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.sig_validate import SignatureValidator
from pyhanko_certvalidator.validate import async_validate_path

from notary.errors import FormatError, TimestampError
from notary.evidence.timestamp_der import dump
from notary.evidence.timestamp_extensions import check_extensions, key_usage
from notary.evidence.timestamp_signature import verify_signature

MAX_INTERMEDIATES = 6
_SIGNS = {0, 1}  # digitalSignature and nonRepudiation
# What we or the path validation act upon; any other critical extension is one that we do not understand.
_CRITICAL = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}


class _OurSignatures(SignatureValidator):
    """Signatures by our allow-list, not by the library's."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: Any = None,  # noqa: ARG002 - of signatures without an algorithm, which are none of ours
    ) -> None:
        verify_signature(dump(public_key_info), signature_algorithm, signature, signed_data)


def check_profile(signer: strict.Certificate, moment: datetime) -> None:
    """Checks 11 to 13, and of 14 what concerns the signer's certificate alone.

    Raises:
        TimestampError: 11 to 14.
    """
    extensions = {extension.oid: extension for extension in signer.extensions}
    purpose = extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)
    if purpose is None:
        raise TimestampError(11, "the signer's certificate has no extended key usage")
    if not purpose.critical:
        raise TimestampError(11, "the extended key usage of the signer's certificate is not critical")
    if list(purpose.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TimestampError(11, "the signer's certificate is not for time-stamping alone")
    usage = key_usage(signer.public_bytes(Encoding.DER))
    if usage is not None and not (usage and usage <= _SIGNS):
        raise TimestampError(12, "the key usage of the signer's certificate is not signatures alone")
    if not signer.not_valid_before_utc <= moment <= signer.not_valid_after_utc:
        raise TimestampError(13, "genTime is outside the validity of the signer's certificate")
    basic = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    if basic is not None and isinstance(basic.value, strict.BasicConstraints) and basic.value.ca:
        raise TimestampError(14, "the signer's certificate is that of a certificate authority")
    unknown = sorted(e.oid.dotted_string for e in signer.extensions if e.critical and e.oid not in _CRITICAL)
    if unknown:
        raise TimestampError(
            14, f"the signer's certificate has unknown critical extensions: {', '.join(unknown)}"
        )


def check_path(
    signer: x509.Certificate,
    candidates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    moment: datetime,
) -> tuple[x509.Certificate, ...]:
    """Check 14: a path from the signer over `candidates` to one of `roots`, all valid at `moment`.

    Each candidate is visited once, and only where it has signed the certificate below it, so that a token full
    of certificates of one name costs no more than their number.

    Returns:
        The certificates from the signer's to the root's, each issued by the next.

    Raises:
        TimestampError: 14.
    """
    problem = "no path leads from the signer's certificate to a pinned root"
    paths: deque[tuple[x509.Certificate, ...]] = deque([(signer,)])
    left = {dump(cert): cert for cert in candidates if cert.ca and _valid(cert, moment)}
    left.pop(dump(signer), None)
    while paths:
        path = paths.popleft()
        for root in roots:
            if issued(root, path[-1]):
                found = _validate(path, root, moment)
                if found is None:
                    return (*path, root)
                problem = found
        if len(path) > MAX_INTERMEDIATES:
            continue
        for key, cert in list(left.items()):
            if issued(cert, path[-1]):
                paths.append((*path, left.pop(key)))
    raise TimestampError(14, problem)


def key_of(cert: x509.Certificate) -> bytes:
    """SHA-256 of the SubjectPublicKeyInfo: the same for every certificate of one key."""
    return sha256(dump(cert.public_key)).digest()


def _validate(path: tuple[x509.Certificate, ...], root: x509.Certificate, moment: datetime) -> str | None:
    """RFC 5280 §6.1 with the library; None when the path is good, else the reason."""
    if not _valid(root, moment):
        return "the pinned root is not valid at genTime"
    try:
        for certificate in path:
            check_extensions(dump(certificate))
    except FormatError as error:
        return f"an extension of a certificate cannot be read: {error}"
    anchor = CertTrustAnchor(root)
    context = ValidationContext(
        trust_manager=SimpleTrustManager.build(trust_roots=[root]),
        moment=moment,
        allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(NO_REVOCATION),
        time_tolerance=timedelta(0),
        algorithm_usage_policy=AcceptAllAlgorithms(),  # those of verify_signature count; the library's knows no SHA-3
        signature_validator=_OurSignatures(),
    )
    whole = ValidationPath(anchor, list(reversed(path[1:])), path[0])
    # Nothing is fetched, so the coroutine never waits, needs no event loop and may run inside one.
    steps = async_validate_path(context, whole)
    try:
        steps.send(None)
    except StopIteration:
        return None
    except (
        ValidationError,
        NotImplementedError,
    ) as error:  # the latter: of constraints that it does not understand
        return str(error)
    finally:
        steps.close()
    return "the path could not be validated without fetching"


def issued(issuer: x509.Certificate, cert: x509.Certificate) -> bool:
    """Whether `issuer` is who `cert` names, and its key made the signature."""
    if issuer.subject != cert.issuer:
        return False
    try:
        verify_signature(
            dump(issuer.public_key),
            cert["signature_algorithm"],
            cert["signature_value"].native,
            dump(cert["tbs_certificate"]),
        )
    except TimestampError:
        return False
    return True


def _valid(cert: x509.Certificate, moment: datetime) -> bool:
    return bool(cert.not_valid_before <= moment <= cert.not_valid_after)
