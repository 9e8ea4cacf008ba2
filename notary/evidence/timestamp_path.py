"""The certificate of a time-stamping authority and its path to a pinned root (RFC 3161 §2.3, RFC 5280)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from asn1crypto import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from notary.errors import FormatError, TimestampError
from notary.evidence.timestamp_certificate import Certificate, read_certificate
from notary.evidence.timestamp_der import dump
from notary.evidence.timestamp_extensions import criticals, is_authority, key_usage, purposes
from notary.evidence.timestamp_issuing import Tries
from notary.evidence.timestamp_pkix import check_below

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


def check_profile(signer: Certificate, moment: datetime) -> None:
    """Checks 11 to 13, and of 14 what concerns the signer's certificate alone.

    Raises:
        TimestampError: 11 to 14.
    """
    der = signer.der
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
    if not signer.valid_at(moment):
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
            if not _valid(root, moment):
                problem = "the pinned root is not valid at genTime"
                continue
            try:
                check_below([read_certificate(dump(each)) for each in path], read_certificate(dump(root)))
            except FormatError as error:
                problem = str(error)
                continue
            return (*path, root)
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


def _valid(cert: x509.Certificate, moment: datetime) -> bool:
    return bool(cert.not_valid_before <= moment <= cert.not_valid_after)
