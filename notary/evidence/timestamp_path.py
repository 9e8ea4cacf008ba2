"""The certificate of a time-stamping authority and its path to a pinned root (RFC 3161 §2.3, RFC 5280)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

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
from notary.evidence.timestamp_extensions import (
    check_extensions,
    criticals,
    is_authority,
    key_usage,
    purposes,
)
from notary.evidence.timestamp_issuing import Tries
from notary.evidence.timestamp_names import settle
from notary.evidence.timestamp_signature import verify_signature

MAX_INTERMEDIATES = 6
_MAX_PATHS = 128  # that are begun (docs/formats.md §9)
_SIGNS = {0, 1}  # digitalSignature and nonRepudiation
_PURPOSES, _TIME_STAMPING = (
    each.dotted_string for each in (ExtensionOID.EXTENDED_KEY_USAGE, ExtendedKeyUsageOID.TIME_STAMPING)
)
# What we or the path validation act upon; any other critical extension is one that we do not understand.
_CRITICAL = {
    each.dotted_string
    for each in (
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    )
}


_Value = TypeVar("_Value")


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
    der = signer.public_bytes(Encoding.DER)
    critical = criticals(der)
    stated = _read(11, purposes, der)
    if stated is None:
        raise TimestampError(11, "the signer's certificate has no extended key usage")
    if _PURPOSES not in critical:
        raise TimestampError(11, "the extended key usage of the signer's certificate is not critical")
    if stated != [_TIME_STAMPING]:
        raise TimestampError(11, "the signer's certificate is not for time-stamping alone")
    usage = _read(12, key_usage, der)
    if usage is not None and not (usage and usage <= _SIGNS):
        raise TimestampError(12, "the key usage of the signer's certificate is not signatures alone")
    if not signer.not_valid_before_utc <= moment <= signer.not_valid_after_utc:
        raise TimestampError(13, "genTime is outside the validity of the signer's certificate")
    if _read(14, is_authority, der):
        raise TimestampError(14, "the signer's certificate is that of a certificate authority")
    unknown = [oid for oid in critical if oid not in _CRITICAL]
    if unknown:
        raise TimestampError(
            14, f"the signer's certificate has unknown critical extensions: {', '.join(unknown)}"
        )


def _read(check: int, reader: Callable[[bytes], _Value], der: bytes) -> _Value:
    """What `reader` reads of the signer's certificate.

    Raises:
        TimestampError: `check`.
    """
    try:
        return reader(der)
    except FormatError as error:
        raise TimestampError(
            check, f"an extension of the signer's certificate cannot be read: {error}"
        ) from error


def check_path(
    signer: x509.Certificate,
    candidates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    moment: datetime,
    tries: Tries,
) -> tuple[x509.Certificate, ...]:
    """Check 14: the shortest valid path from the signer over `candidates` to one of `roots`, all valid at `moment`.

    No more than 128 paths are begun: certificates of one name and key that issued each other lead to very many.

    Returns:
        The certificates from the signer's to the root's, each issued by the next.

    Raises:
        TimestampError: 14.
    """
    problem = "no path leads from the signer's certificate to a pinned root"
    held = {dump(cert): cert for cert in candidates if _valid(cert, moment)}
    above, anchors = _issuers_among(list(held.values()), tries), _issuers_among(roots, tries)
    paths: list[tuple[x509.Certificate, ...]] = [(held.get(dump(signer), signer),)]
    for path in paths:  # which grows meanwhile: shorter ones come first
        for root in anchors(path[-1]):
            found = _validate(path, root, moment)
            if found is None:
                return (*path, root)
            problem = found
        if len(path) > MAX_INTERMEDIATES:
            continue
        begun = set(map(id, path))
        more = [(*path, cert) for cert in above(path[-1]) if id(cert) not in begun]
        paths += more[: _MAX_PATHS - len(paths)]
    raise TimestampError(14, problem)


def _issuers_among(
    certificates: Sequence[x509.Certificate], tries: Tries
) -> Callable[[x509.Certificate], list[x509.Certificate]]:
    """Who of them issued a certificate, in their order; looked for once, by which object it is."""
    known = dict[int, list[x509.Certificate]]()

    def issuers(cert: x509.Certificate) -> list[x509.Certificate]:
        if id(cert) not in known:
            known[id(cert)] = [each for each in certificates if tries.issued(each, cert)]
        return known[id(cert)]

    return issuers


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
    for certificate in (*path, root):
        settle(certificate)
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


def _valid(cert: x509.Certificate, moment: datetime) -> bool:
    return bool(cert.not_valid_before <= moment <= cert.not_valid_after)
