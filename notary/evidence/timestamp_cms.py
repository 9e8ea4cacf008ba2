"""The CMS part of a time stamp: response, signer, signed attributes (RFC 3161 §2.4.2, RFC 5652, RFC 5816)."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from asn1crypto import cms, core, tsp, x509

from notary.errors import FormatError, TimestampError
from notary.evidence import asn1
from notary.evidence.asn1_form import members
from notary.evidence.timestamp_der import check_der, dump, load, retag
from notary.evidence.timestamp_extensions import key_identifier
from notary.evidence.timestamp_form import ATTRIBUTES, ESS_V1, ESS_V2, parsed, read_pieces, require
from notary.evidence.timestamp_key import ED25519
from notary.evidence.timestamp_names import same_name
from notary.evidence.timestamp_signature import SHA512, digest, verify_signature

MAX_CERTIFICATES = 32  # in one token; real ones hold up to five
TST_INFO = "1.2.840.113549.1.9.16.1.4"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_ESS_V1 = "1.2.840.113549.1.9.16.2.12"
_ESS_V2 = "1.2.840.113549.1.9.16.2.47"
_VERSIONS = ("v3", "v4", "v5")  # RFC 5652 §5.1: 3 or more when the content is not plain data


class _Response(core.Sequence):
    """TimeStampResp, whose token is OPTIONAL: a refusal has none."""

    _fields = [  # noqa: RUF012 - asn1crypto's way
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


@dataclass(frozen=True, slots=True)
class Token:
    """An opened token of which nothing is verified."""

    content: bytes  # the TSTInfo, as it was hashed
    certificates: tuple[x509.Certificate, ...]
    signer_info: Any
    with_mods: bool  # the authority granted the request with modifications


def open_response(response: bytes) -> Token:
    """Checks 1 to 5: a granted TimeStampResp with one token, of one signer.

    Raises:
        TimestampError: 1 to 5.
    """
    opened = load(_Response, response)
    state = opened["status"]["status"].native
    token = opened["time_stamp_token"]
    missing = isinstance(token, core.Void)
    if state == "rejection" and missing:
        raise TimestampError(3, f"the authority refused: {_reason(opened['status'])}")
    if state not in {"granted", "granted_with_mods"}:
        if not missing:
            raise TimestampError(2, f"a response of status {state} holds a token")
        raise TimestampError(
            1, f"the status of the response is {state}, not granted: {_reason(opened['status'])}"
        )
    if missing:
        raise TimestampError(2, "the response is granted and holds no token")
    if token["content_type"].dotted != _SIGNED_DATA:
        raise TimestampError(4, "the token is not CMS SignedData")
    signed = token["content"]
    if signed["version"].native not in _VERSIONS:
        raise TimestampError(4, "the token's SignedData is not of version 3 or later")
    encapsulated = signed["encap_content_info"]
    if encapsulated["content_type"].dotted != TST_INFO:
        raise TimestampError(4, "the token's content is not TSTInfo")
    content = _content(encapsulated)
    if len(signed["signer_infos"]) != 1:
        raise TimestampError(5, f"the token has {len(signed['signer_infos'])} signers instead of one")
    return Token(
        content,
        _certificates(signed["certificates"]),
        signed["signer_infos"][0],
        state == "granted_with_mods",
    )


def _content(encapsulated: Any) -> bytes:
    """What is encapsulated. Not by the library, which reads pieces of indefinite length alone."""
    _, *wrapped = members(parsed(dump(encapsulated), 4, "the token's content"), asn1.SEQUENCE)
    if not wrapped:
        raise TimestampError(4, "the token holds no TSTInfo")
    (value,) = wrapped[0].children or ()
    try:
        return read_pieces(value)
    except FormatError as error:
        raise TimestampError(4, f"the token's content cannot be read: {error}") from error


def find_signer(token: Token, more: Sequence[x509.Certificate]) -> x509.Certificate:
    """Check 9: the one certificate that the signer identifier names, from the token or from `more`.

    Raises:
        TimestampError: 9, none or several.
    """
    sid = token.signer_info["sid"]
    found = {dump(cert): cert for cert in (*token.certificates, *more) if _named(cert, sid)}
    if len(found) != 1:
        raise TimestampError(9, f"the signer identifier names {len(found)} certificates instead of one")
    return next(iter(found.values()))


def check_signature(token: Token, signer: x509.Certificate) -> list[str]:
    """Checks 6, 7, 8 and 10: the signed attributes, their signature, and the certificate they name.

    Returns:
        Warnings.

    Raises:
        TimestampError: 6, 7, 8 or 10.
    """
    info = token.signer_info
    if isinstance(info["signed_attrs"], core.Void):
        raise TimestampError(6, "the token has no signed attributes")
    # Inside the token the SET carries the tag [0]; what is signed carries its own.
    signed = retag(0x31, info["signed_attrs"].contents)
    try:
        check_der(signed)
    except FormatError as error:
        raise TimestampError(8, f"the signed attributes are not DER: {error}") from error
    require(ATTRIBUTES, signed, 6, "the signed attributes")
    attributes = info["signed_attrs"]
    if _one(attributes, _CONTENT_TYPE, "contentType").dotted != TST_INFO:
        raise TimestampError(6, "the attribute contentType is not that of TSTInfo")
    digest_oid = info["digest_algorithm"]["algorithm"].dotted
    computed = digest(digest_oid, token.content, 6, "the signer")
    if bytes(_one(attributes, _MESSAGE_DIGEST, "messageDigest")) != computed:
        raise TimestampError(6, "the attribute messageDigest is not the digest of the TSTInfo")
    warnings = _check_identifiers(attributes, signer)
    verify_signature(
        dump(signer.public_key), info["signature_algorithm"], bytes(info["signature"]), signed, digest_oid
    )
    if info["signature_algorithm"]["algorithm"].dotted == ED25519 and digest_oid != SHA512:
        # RFC 8419 §3.1 asks it of signers, so that all agree. What the signature protects is another digest of the
        # allow-list, and no weaker: to refuse the token would turn sound evidence bad.
        warnings.append("the token is signed with Ed25519 over another digest than SHA-512 (RFC 8419)")
    return warnings


def _check_identifiers(attributes: Any, signer: x509.Certificate) -> list[str]:
    """Check 10: ESSCertID or ESSCertIDv2 or both, and what is there names the signer's certificate."""
    present = {attribute["type"].dotted for attribute in attributes} & {_ESS_V1, _ESS_V2}
    if not present:
        raise TimestampError(10, "the token has no attribute that names its signing certificate")
    for oid in present:
        named = _one(attributes, oid, "signingCertificate", check=10)
        require(ESS_V2 if oid == _ESS_V2 else ESS_V1, dump(named), 10, "the name of the signing certificate")
        first = named["certs"][0]
        if oid == _ESS_V2:
            hash_oid = first["hash_algorithm"]["algorithm"].dotted
            computed = digest(hash_oid, dump(signer), 10, "ESSCertIDv2")
        else:
            computed = sha1(dump(signer), usedforsecurity=False).digest()
        if bytes(first["cert_hash"]) != computed:
            raise TimestampError(10, "the signed attributes name another certificate")
        serial = first["issuer_serial"]
        if not isinstance(serial, core.Void) and not _same_issuer_serial(serial, signer):
            raise TimestampError(10, "the signed attributes name another issuer or serial number")
    if _ESS_V2 in present:
        return []
    return ["the signing certificate is named by its SHA-1 digest alone (ESSCertID)"]


def _same_issuer_serial(serial: Any, signer: x509.Certificate) -> bool:
    names = serial["issuer"]
    same = len(names) == 1 and names[0].name == "directory_name" and same_name(names[0].chosen, signer.issuer)
    return same and bool(serial["serial_number"].native == signer.serial_number)


def _one(attributes: Any, oid: str, name: str, check: int = 6) -> Any:
    found = [attribute for attribute in attributes if attribute["type"].dotted == oid]
    if len(found) != 1 or len(found[0]["values"]) != 1:
        raise TimestampError(check, f"the signed attribute {name} is not there exactly once")
    return found[0]["values"][0]


def _named(cert: x509.Certificate, sid: Any) -> bool:
    if sid.name == "subject_key_identifier":
        try:
            return key_identifier(dump(cert)) == bytes(sid.chosen)
        except FormatError:
            return False  # of one among many, whose own form is no matter of this check
    if cert.serial_number != sid.chosen["serial_number"].native:
        return False
    return same_name(cert.issuer, sid.chosen["issuer"])


def _certificates(choices: Any) -> tuple[x509.Certificate, ...]:
    if isinstance(choices, core.Void):
        return ()
    if len(choices) > MAX_CERTIFICATES:
        raise TimestampError(4, f"the token holds more than {MAX_CERTIFICATES} certificates")
    return tuple(choice.chosen for choice in choices if choice.name == "certificate")


def _reason(status: Any) -> str:
    """What the authority says, in printable characters and of bounded length."""
    stated = status["status_string"]
    texts = (
        () if isinstance(stated, core.Void) else (each.contents.decode("utf-8", "replace") for each in stated)
    )
    failure = status["fail_info"].native or set()
    names = sorted(map(str, failure)) if isinstance(failure, set) else [str(failure)]
    words = "; ".join([*texts, *names]) or "no reason given"
    return "".join(c if c.isprintable() else "?" for c in words)[:200]
