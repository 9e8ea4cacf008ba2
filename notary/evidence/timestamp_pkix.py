"""Whether a path is valid (RFC 5280 §6.1): what one certificate says of those below it.

Names, key usages and critical extensions are judged here, of extensions that were read to their last byte; length and
policies by pyhanko-certvalidator, which is given certificates with nothing else in them: it reads extensions that no
check asks of, and refuses what it cannot read.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import x509
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import ValidationError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import NO_REVOCATION, AcceptAllAlgorithms, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.sig_validate import SignatureValidator
from pyhanko_certvalidator.validate import async_validate_path

from notary.errors import FormatError
from notary.evidence import asn1
from notary.evidence.asn1 import parse
from notary.evidence.asn1_form import members
from notary.evidence.timestamp_certificate import Certificate
from notary.evidence.timestamp_der import load, retag
from notary.evidence.timestamp_extensions import (
    check_extensions,
    criticals,
    is_authority,
    key_usage,
    purposes,
    values_of,
)
from notary.evidence.timestamp_names import Key, name_key
from notary.evidence.timestamp_namespace import Namespace

_KEY_CERT_SIGN = 5
# Of an intermediate that states any: else whoever may issue for web servers alone could date whatever he likes.
_STAMPING = {"1.3.6.1.5.5.7.3.8", "2.5.29.37.0"}  # id-kp-timeStamping, anyExtendedKeyUsage
# Critical extensions of an intermediate that are acted upon here, or restrict no path.
_UNDERSTOOD = {
    *(f"2.5.29.{arc}" for arc in (14, 15, 17, 19, 30, 31, 32, 33, 35, 36, 37, 46, 54)),
    "1.3.6.1.5.5.7.1.1",  # authorityInfoAccess
    "1.3.6.1.5.5.7.1.3",  # qcStatements
    "1.3.6.1.5.5.7.48.1.5",  # id-pkix-ocsp-nocheck
}
_POLICIES = "551d20"  # certificatePolicies, by the contents of the object identifier
_KEPT = ("551d13", "551d21", "551d24", "551d36")  # basicConstraints, mappings, constraints, inhibitAnyPolicy
_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_VALIDITY = retag(0x30, 2 * b"\x17\x0d000101000000Z")
_ALGORITHM = bytes.fromhex("300506032b6570")  # Ed25519
_KEY = retag(0x30, _ALGORITHM + b"\x03\x21" + bytes(33))


class _Verified(SignatureValidator):
    """The signatures of a path were verified when it was found."""

    def validate_signature(self, *_: Any, **__: Any) -> None:
        """Nothing is left to do."""


def check_below(path: Sequence[Certificate], root: Certificate) -> None:
    """Judge a path whose names, signatures and validities fit. Of the root its name counts.

    Args:
        path: the signer's certificate first, each issued by the next, the last by the root.
        root: the pinned one.

    Raises:
        FormatError: with the reason.
    """
    for certificate in path:
        try:
            check_extensions(certificate.der)
        except FormatError as error:
            raise FormatError(f"an extension of a certificate cannot be read: {error}") from error
    names = Namespace()
    for certificate in reversed(path):
        last = certificate is path[0]
        if last or name_key(certificate.subject) != name_key(certificate.issuer):
            names.check(certificate)
        if not last:
            _check_intermediate(certificate)
            names.narrow(certificate.der)
    _check_policies(path, root)


def _check_intermediate(certificate: Certificate) -> None:
    usage = key_usage(certificate.der)
    if not is_authority(certificate.der):
        raise FormatError(f"{certificate.title} is not a CA")
    if usage is not None and _KEY_CERT_SIGN not in usage:
        raise FormatError(f"{certificate.title} is not allowed to sign certificates")
    stated = purposes(certificate.der)
    if stated is not None and _STAMPING.isdisjoint(stated):
        raise FormatError(f"{certificate.title} is a CA for other purposes than time-stamping")
    unknown = [oid for oid in criticals(certificate.der) if oid not in _UNDERSTOOD]
    if unknown:
        raise FormatError(f"{certificate.title} has unknown critical extensions: {', '.join(unknown)}")


def _check_policies(path: Sequence[Certificate], root: Certificate) -> None:
    """Path length and policies, with the library."""
    numbers = dict[Key, int]()
    for each in (*path, root):
        numbers.setdefault(name_key(each.subject), len(numbers))
    bare = [
        _bare(at, numbers[name_key(each.issuer)], numbers[name_key(each.subject)], values_of(each.der))
        for at, each in enumerate(path)
    ]
    anchor = _bare(len(path), *2 * (numbers[name_key(root.subject)],), {})
    context = ValidationContext(
        trust_manager=SimpleTrustManager.build(trust_roots=[anchor]),
        moment=_MOMENT,
        allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(NO_REVOCATION),
        time_tolerance=timedelta(0),
        algorithm_usage_policy=AcceptAllAlgorithms(),
        signature_validator=_Verified(),
    )
    whole = ValidationPath(CertTrustAnchor(anchor), list(reversed(bare[1:])), bare[0])
    # Nothing is fetched, so the coroutine never waits, needs no event loop and may run inside one.
    steps = async_validate_path(context, whole)
    try:
        steps.send(None)
    except StopIteration:
        return
    except ValidationError as error:
        raise FormatError(str(error)) from error
    finally:
        steps.close()
    raise FormatError("the path could not be validated without fetching")


def _bare(serial: int, issuer: int, subject: int, values: dict[str, bytes]) -> x509.Certificate:
    """A certificate with numbers for its names, of no key, and with what the library is to judge."""
    kept = [(oid, values[oid]) for oid in _KEPT if oid in values]
    if _POLICIES in values:
        kept.append((_POLICIES, _without_qualifiers(values[_POLICIES])))
    extensions = retag(0x30, b"".join(_extension(*each) for each in kept))
    tbs = retag(
        0x30,
        b"\xa0\x03\x02\x01\x02\x02\x01"
        + bytes([serial])
        + _ALGORITHM
        + _numbered(issuer)
        + _VALIDITY
        + _numbered(subject)
        + _KEY
        + (retag(0xA3, extensions) if kept else b""),
    )
    made: x509.Certificate = load(x509.Certificate, retag(0x30, tbs + _ALGORITHM + b"\x03\x01\x00"))
    return made


def _numbered(number: int) -> bytes:
    attribute = b"\x06\x03\x55\x04\x03" + retag(0x0C, str(number).encode())
    return retag(0x30, retag(0x31, retag(0x30, attribute)))


def _extension(oid: str, value: bytes) -> bytes:
    return retag(0x30, retag(0x06, bytes.fromhex(oid)) + retag(0x04, value))


def _without_qualifiers(value: bytes) -> bytes:
    policies = members(parse(value), asn1.SEQUENCE)
    return retag(0x30, b"".join(retag(0x30, members(each, asn1.SEQUENCE)[0].raw) for each in policies))
