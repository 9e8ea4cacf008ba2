"""Revocation lists and OCSP responses that can be told to say, and to do wrong, each thing."""

from datetime import timedelta

from asn1crypto import core
from asn1crypto import ocsp as lenient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509 import ocsp as builder
from cryptography.x509.oid import ExtendedKeyUsageOID

from notary.evidence.timestamp_status import Kind, RevocationData
from tests.mini_tsa import GEN_TIME, YEARS, certificate, key

DAY = timedelta(days=1)
OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING


def digest_for(signing_key):
    return None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def crl(
    issuer,
    issuer_key,
    *revoked,
    at=GEN_TIME,
    extensions=(),
    named=None,
    entry_extensions=(),
    identified=True,
):
    """A list; `revoked` are (certificate, when, reason or None, invalid since or nothing)."""
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name((named or issuer).subject)
        .last_update(at)
        .next_update(at + 7 * DAY)
    )
    if identified:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
        made = made.add_extension(authority, critical=False)
    for extension, critical in extensions:
        made = made.add_extension(extension, critical)
    for cert, when, reason, *since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(cert.serial_number).revocation_date(when)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(reason)), critical=False)
        for moment in since:
            entry = entry.add_extension(x509.InvalidityDate(moment.replace(tzinfo=None)), critical=False)
        for extension, critical in entry_extensions:
            entry = entry.add_extension(extension, critical)
        made = made.add_revoked_certificate(entry.build())
    signed = made.sign(issuer_key, digest_for(issuer_key))
    return RevocationData(Kind.CRL, signed.public_bytes(serialization.Encoding.DER))


def responder(
    issuer, issuer_key, *, purposes=(OCSP_SIGNING,), nocheck=True, usage=None, years=YEARS, name=None
):
    """Certificate and key of one who answers for the issuer."""
    own = key("p256", "responder")
    extensions = [(x509.ExtendedKeyUsage(list(purposes)), False)] if purposes else []
    if nocheck:
        extensions.append((x509.OCSPNoCheck(), False))
    if usage is not None:
        extensions.append((usage, True))
    signed_by = name or issuer.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    cert = certificate(
        "Responder", own.public_key(), signed_by, issuer_key, years=years, extensions=extensions
    )
    return cert, own


def ocsp(
    cert,
    issuer,
    issuer_key,
    *,
    status="GOOD",
    at=GEN_TIME,
    revoked_at=None,
    reason=None,
    by=None,
    digest=None,
    extensions=(),
    by_name=False,
    held=True,
    also=(),
    invalid=None,
    beside=(),
    change=None,
):
    """A response of the issuer, or of `by`: the certificate, `held` in it, and key of one who answers for it.

    `change` is given the list of answers before it is signed.
    """
    who, own = by or (issuer, issuer_key)
    encoding = builder.OCSPResponderEncoding.NAME if by_name else builder.OCSPResponderEncoding.HASH
    made = (
        builder.OCSPResponseBuilder()
        .add_response(
            cert,
            issuer,
            digest or hashes.SHA1(),
            builder.OCSPCertStatus[status],
            at,
            at + DAY,
            revoked_at,
            None if reason is None else x509.ReasonFlags(reason),
        )
        .responder_id(encoding, who)
    )
    if by is not None and held:
        made = made.certificates([who])
    for extension, critical in extensions:
        made = made.add_extension(extension, critical)
    signed = made.sign(own, digest_for(own))
    data = signed.public_bytes(serialization.Encoding.DER)
    return RevocationData(Kind.OCSP, produced(data, at, own, also, invalid, beside, change))


def produced(response, at, own, also=(), invalid=None, beside=(), change=None):
    """The response with another time of production, signed again: the library knows but its own clock's.

    With further answers about the same certificate, each (revocation time, reason), and of all the invalidity date and
    what extensions stand `beside` it, those before and those behind.
    """
    parsed = lenient.OCSPResponse.load(response)
    basic = parsed["response_bytes"]["response"].parsed
    basic["tbs_response_data"]["produced_at"] = at
    answers = basic["tbs_response_data"]["responses"]
    for when, reason in also:
        more = answers[0].copy()
        revoked = {"revocation_time": when, "revocation_reason": reason}
        more["cert_status"] = lenient.CertStatus("revoked", lenient.RevokedInfo(revoked))
        answers.append(more)
    before, behind = beside or ((), ())
    stated = [
        {"extn_id": "invalidity_date", "critical": False, "extn_value": core.GeneralizedTime(moment)}
        for moment in (() if invalid is None else (invalid,))
    ]
    for answer in answers if stated or beside else ():
        answer["single_extensions"] = [*before, *stated, *behind]
    if change is not None:
        change(answers)
    signed = basic["tbs_response_data"].dump(force=True)
    basic["signature"] = own.sign(signed, ec.ECDSA(hashes.SHA256()))
    parsed["response_bytes"]["response"] = lenient.ParsableOctetString(basic.dump(force=True))
    return parsed.dump(force=True)


def refusal():
    """A responder that is too busy to answer."""
    made = builder.OCSPResponseBuilder.build_unsuccessful(builder.OCSPResponseStatus.TRY_LATER)
    return RevocationData(Kind.OCSP, made.public_bytes(serialization.Encoding.DER))


def both(tsa, *revoked, at=GEN_TIME, **more):
    """The lists of the two CAs; `revoked` are entries of the intermediate's."""
    return (
        crl(tsa.middle, tsa.middle_key, *revoked, at=at, **more),
        crl(tsa.root, tsa.root_key, at=at),
    )
