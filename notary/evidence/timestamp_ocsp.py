"""A certificate's status by an OCSP response (RFC 6960 §3.2, §4.2): of its issuer, or of whom the issuer delegated."""

from hashlib import sha1
from typing import Any

from asn1crypto import core
from asn1crypto import ocsp as lenient
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from notary.errors import TimestampError
from notary.evidence.timestamp_der import dump, load
from notary.evidence.timestamp_issuing import issued
from notary.evidence.timestamp_names import same_name
from notary.evidence.timestamp_signature import DIGESTS, SHA1, digest
from notary.evidence.timestamp_status import CHECK, Status, asn1_of, extension, name_of, require_signature

_NAMING = DIGESTS | {SHA1: hashes.SHA1}  # which only identifies
# Of a responder's certificate; any other critical extension is one that we do not understand.
_CRITICAL = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE}


def ocsp_statuses(data: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> list[Status]:
    """All that the response says of the certificate; nothing where it says nothing of it, or does not know it.

    Raises:
        TimestampError: 15, whoever signed it may not speak for the issuer, or it is about too many.
        ValueError, TypeError: the bytes are no DER OCSPResponse.
    """
    response = ocsp.load_der_ocsp_response(data)  # strict DER to the last byte
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return []
    basic = load(lenient.OCSPResponse, data).basic_ocsp_response
    answers = basic["tbs_response_data"]["responses"]
    found = [
        (single, answer)
        for single, answer in zip(response.responses, answers, strict=True)
        if _is_about(single, answer, certificate, issuer)
    ]
    if not found:
        return []
    signer = _signer(response, basic["tbs_response_data"]["responder_id"], issuer)
    if signer is None:
        return []
    require_signature(signer, basic["signature_algorithm"], response.signature, response.tbs_response_bytes)
    if signer is not issuer and not _may_answer(signer, response, issuer):
        return []
    if _critical(basic["tbs_response_data"]["response_extensions"]):
        return []
    silent = [each for each in found if _is_silent(*each)]
    said = [each for each in found if each not in silent]
    # The worst decides: what says nothing hides no revocation, and is not made good by another answer.
    counted = [each for each in said if not silent or _is_revoked(each[0])]
    return [status for each in counted for status in _statuses(*each)]


def _is_about(
    single: ocsp.OCSPSingleResponse, answer: Any, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """By serial number, and by the issuer's name and key in the response's own digest, which only identifies."""
    oid = answer["cert_id"]["hash_algorithm"]["algorithm"].dotted
    name, key = dump(asn1_of(certificate).issuer), _key_bits(issuer)
    return (single.serial_number, single.issuer_name_hash, single.issuer_key_hash) == (
        certificate.serial_number,
        digest(oid, name, CHECK, "a certificate identifier", _NAMING),
        digest(oid, key, CHECK, "a certificate identifier", _NAMING),
    )


def _signer(response: ocsp.OCSPResponse, named: Any, issuer: x509.Certificate) -> x509.Certificate | None:
    """Whose answer it is; None where his certificate is not at hand, which RFC 6960 §4.2.1 lets him leave away."""
    for candidate in (issuer, *response.certificates):
        by_key = response.responder_key_hash == sha1(_key_bits(candidate), usedforsecurity=False).digest()
        if by_key or (named.name == "by_name" and same_name(named.chosen, asn1_of(candidate).subject)):
            return candidate
    return None


def _may_answer(signer: x509.Certificate, response: ocsp.OCSPResponse, issuer: x509.Certificate) -> bool:
    """RFC 6960 §4.2.2.2: issued by the CA itself, and for this purpose; §4.2.2.2.1: not to be checked in turn.

    Raises:
        TimestampError: 15, the CA has not delegated this.
    """
    if not issued(asn1_of(issuer), asn1_of(signer)):
        raise TimestampError(CHECK, f"{name_of(signer)} answers for a CA that did not issue its certificate")
    if any(each.critical and each.oid not in _CRITICAL for each in signer.extensions):
        return False  # of one that we do not understand nobody knows what it may
    purposes = extension(signer.extensions, x509.ExtendedKeyUsage) or ()
    usage = extension(signer.extensions, x509.KeyUsage)
    signs = usage is None or usage.digital_signature or usage.content_commitment
    if ExtendedKeyUsageOID.OCSP_SIGNING not in purposes or not signs:
        raise TimestampError(CHECK, f"{name_of(signer)} answers without a certificate for OCSP signing")
    if not signer.not_valid_before_utc <= response.produced_at_utc <= signer.not_valid_after_utc:
        raise TimestampError(CHECK, f"the certificate of {name_of(signer)} was not valid when it answered")
    # Without it the responder's own certificate may be revoked, and whether it is would have to be shown again.
    return extension(signer.extensions, x509.OCSPNoCheck) is not None


def _critical(extensions: Any) -> bool:
    return not isinstance(extensions, core.Void) and any(each["critical"].native for each in extensions)


def _is_silent(single: ocsp.OCSPSingleResponse, answer: Any) -> bool:
    """Whether an answer says nothing: it does not know the certificate, or has an extension that we do not."""
    unknown = single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    return unknown or _critical(answer["single_extensions"])


def _is_revoked(single: ocsp.OCSPSingleResponse) -> bool:
    return single.certificate_status is ocsp.OCSPCertStatus.REVOKED


def _statuses(single: ocsp.OCSPSingleResponse, answer: Any) -> list[Status]:
    """What an answer says; of two reasons, in its status and beside it (RFC 6960 §4.4.5), each by itself."""
    moment = single.this_update_utc
    if not _is_revoked(single):
        return [Status(moment)]
    reason, since = single.revocation_reason, single.revocation_time_utc
    assert since is not None  # noqa: S101 - of what is revoked it is stated (RFC 6960 §4.2.1)
    reasons = [None if reason is None else reason.value]
    beside = answer["single_extensions"]
    for each in () if isinstance(beside, core.Void) else beside:
        if each["extn_id"].native == "invalidity_date":
            since = min(since, each["extn_value"].parsed.native)
        elif each["extn_id"].native == "crl_reason":
            reasons.append(x509.ReasonFlags[each["extn_value"].parsed.native].value)
    return [Status(moment, since, each) for each in reasons]


def _key_bits(certificate: x509.Certificate) -> bytes:
    return bytes(
        asn1_of(certificate).public_key["public_key"].contents[1:]
    )  # without the count of unused bits
