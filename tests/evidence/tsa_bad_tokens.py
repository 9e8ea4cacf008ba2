"""Responses and tokens that a verifier must refuse; the authority's certificates are as they should be."""

from datetime import UTC, datetime, timedelta

from asn1crypto import tsp

from notary.evidence.timestamp_signature import SM3
from tests.evidence.tsa_case import NOTE, OTHER, OURS, Case, Given, answer, authority, token
from tests.evidence.tsa_good import issuer_serial
from tests.mini_tsa import GEN_TIME, parsed

_TSP = "RFC 3161 §2.4.2"
_CMS = "RFC 5652 §5"
_LABEL = {"algorithm": {"algorithm": "sha384_rsa"}}
_CRITICAL = {"extn_id": "1.2.3", "critical": True, "extn_value": b"\x05\x00"}
_SHA1 = {"imprint_algorithm": "sha1", "imprint_hash": "sha1", "given": {"digest": "sha1"}}
_MINUTES = timedelta(minutes=10)


def _changed(change):
    """A good response, with its bytes or its parts changed."""
    return lambda: Given(change(answer()), authority())


def _without_content(response):
    parts = tsp.TimeStampResp.load(response)
    parts["time_stamp_token"]["content"]["encap_content_info"] = {"content_type": "tst_info"}
    return parts.dump(force=True)


def _other_signature(response):
    parts = tsp.TimeStampResp.load(response)
    (info,) = parts["time_stamp_token"]["content"]["signer_infos"]
    info["signature"] = authority().sign(b"something else", "sha256")
    return parts.dump(force=True)


def _bit_of_time(response):
    """genTime says 13 hours instead of 12."""
    at = response.index(b"20260301120000Z") + 9
    return response[:at] + bytes([response[at] ^ 1]) + response[at + 1 :]


def _other_issuer():
    stated = issuer_serial([parsed(OTHER).subject], parsed(authority().signer).serial_number)
    return Given(answer(ess_issuer=stated), authority())


def _future():
    now = datetime.now(UTC)
    response = answer(gen_time=now.replace(microsecond=0) + _MINUTES)
    return Given(response, authority(), received=now)


def _twin():
    tsa = authority()
    twin = tsa.issue("Twin", serial=tsa.signer.serial_number, extensions=tsa.extensions)
    return Given(answer(certificates=[tsa.signer, twin, tsa.middle]), tsa)


RESPONSES = (
    Case("no response at all", _TSP, _changed(lambda _: b""), 4, "cannot be read"),
    Case("a web page", _TSP, _changed(lambda _: b"<html>busy</html>"), 4, "cannot be read"),
    Case("cut off in the middle", _TSP, _changed(lambda r: r[: len(r) // 2]), 4, "cannot be read"),
    Case("a byte after the response", OURS, _changed(lambda r: r + b"\0"), 4, "cannot be read"),
    Case(
        "status waiting, no token", _TSP, token(status="waiting", token=False), 1, "is waiting, not granted"
    ),
    Case("status rejection, with a token", _TSP, token(status="rejection"), 2, "holds a token", "status"),
    Case("status granted, no token", _TSP, token(token=False), 2, "granted and holds no token"),
    Case("refused by the authority", _TSP, token(status="rejection", token=False), 3, "no reason given"),
    Case("token is not SignedData", _TSP, token(outer="data"), 4, "is not CMS SignedData"),
)

SIGNED = (
    Case("content type is not TSTInfo", _TSP, token(content_type="data"), 4, "content is not TSTInfo"),
    Case("no TSTInfo in the token", _TSP, _changed(_without_content), 4, "holds no TSTInfo"),
    Case(
        "bytes after TSTInfo, signed too",
        _TSP,
        token(tail=b"\x05\x00"),
        4,
        "cannot be read: ASN.1: bytes behind the value",
    ),
    Case("two SignerInfos", _TSP, token(signer_infos=2), 5, "has 2 signers instead of one"),
    Case("no SignerInfo", _TSP, token(signer_infos=0), 5, "has 0 signers instead of one"),
    Case("no signed attributes", f"{_CMS}.3", token(signed_attrs=False), 6, "no signed attributes"),
    Case("attribute contentType missing", f"{_CMS}.3", token(content_types=()), 6, "not there exactly once"),
    Case(
        "attribute contentType twice",
        "RFC 5652 §11.1",
        token(content_types=("tst_info", "tst_info")),
        6,
        "contentType is not there exactly once",
    ),
    Case(
        "attribute contentType of plain data",
        "RFC 5652 §11.1",
        token(content_types=("data",)),
        6,
        "contentType is not that of TSTInfo",
    ),
    Case(
        "attribute messageDigest missing",
        f"{_CMS}.3",
        token(message_digests=[]),
        6,
        "messageDigest is not there exactly once",
    ),
    Case(
        "attribute messageDigest of other bytes",
        f"{_CMS}.6",
        token(message_digests=[bytes(32)]),
        6,
        "messageDigest is not the digest",
    ),
    Case("one bit of genTime changed", f"{_CMS}.6", _changed(_bit_of_time), 6, "is not the digest"),
    Case("signature over other bytes", f"{_CMS}.6", _changed(_other_signature), 7, "signature does not fit"),
    Case("signature of SHA-256 called SHA-384", f"{_CMS}.6", token(**_LABEL), 7, "the signature uses digest"),
    Case(
        "attributes signed out of order", f"{_CMS}.3", token(unsorted=True), 8, "a SET that is not in order"
    ),
    Case("signed with SHA-1", OURS, token(digest="sha1"), 6, "of the signer is not on the allow-list"),
    Case("RSA of 1024 bits", OURS, token(kind="rsa1024"), 7, "with this key is not on the allow-list"),
)

IDENTITY = (
    Case(
        "no certificates, caller has none",
        "RFC 3161 §2.4.1",
        token(certificates=[]),
        9,
        "names 0 certificates",
        "roots",
    ),
    Case("two certificates of one issuer and serial", OURS, _twin, 9, "names 2 certificates"),
    Case(
        "no ESSCertID of any kind",
        "RFC 5816 §2.2.1",
        token(ess=()),
        10,
        "no attribute that names its signing",
    ),
    Case(
        "ESSCertIDv2 of another certificate", "RFC 5035 §3", token(ess_cert=OTHER), 10, "another certificate"
    ),
    Case(
        "ESSCertID of another certificate",
        "RFC 2634 §5.4",
        token(ess=("v1",), ess_cert=OTHER),
        10,
        "another certificate",
    ),
    Case("ESSCertIDv2 with another issuer", "RFC 5035 §4", _other_issuer, 10, "another issuer or serial"),
    Case("ESSCertIDv2 twice", "RFC 5035 §3", token(ess=("v2", "v2")), 10, "is not there exactly once"),
    Case(
        "ESSCertIDv2 of SHA-1", OURS, token(ess_digest="sha1"), 10, "of ESSCertIDv2 is not on the allow-list"
    ),
)

INFO = (
    Case("TSTInfo of version 2", _TSP, token(version="v2"), 16, "not of version 1"),
    Case("serial number of 161 bits", OURS, token(serial=1 << 160), 16, "more than 160 bits"),
    Case(
        "policy that was not asked for", _TSP, token(policy="1.2.3"), 17, r"1\.2\.3 is not allowed", "policy"
    ),
    Case("of other data", _TSP, token(given={"data": NOTE + b"\n"}), 18, "the token is of other data"),
    Case(
        "the right bytes under another hash's name",
        _TSP,
        token(imprint_algorithm="sha3_256"),
        18,
        "the token is of other data",
    ),
    Case(
        "the SHA-256 of the data, called SM3",
        _TSP,
        token(imprint_algorithm=SM3, given={"digest": "sm3"}),
        18,
        "the token is of other data",
    ),
    Case(
        "the SM3 of the data, called SHA-256",
        _TSP,
        token(imprint_hash="sm3"),
        18,
        "the token is of other data",
    ),
    Case("imprint of SHA-1", OURS, token(**_SHA1), 18, "of the imprint is not on the allow-list"),
    Case("another nonce", _TSP, token(nonce=6, given={"nonce": 5}), 19, "another nonce", "nonce"),
    Case("no nonce", _TSP, token(given={"nonce": 5}), 19, "does not hold the nonce", "nonce"),
    Case("genTime ten minutes from now", "RFC 3161 §2.2", _future, 20, "later than the response", "time"),
    Case(
        "genTime ten minutes before the request",
        "RFC 3161 §2.2",
        token(given={"sent": GEN_TIME + _MINUTES}),
        20,
        "earlier than the request",
        "time",
    ),
    Case("genTime without seconds", _TSP, token(gen_time=b"202603011200Z"), 20, "not a UTC time"),
    Case("genTime in a leap second", OURS, token(gen_time=b"20261231235960Z"), 20, "no moment"),
    Case("genTime in the year 0", OURS, token(gen_time=b"00000101000000Z"), 20, "no moment"),
    Case("genTime on a day that there is not", _TSP, token(gen_time=b"20260230000000Z"), 20, "no moment"),
    Case(
        "genTime in digits of another script",
        _TSP,
        token(gen_time="2026030112000٠Z".encode()),
        20,
        "not a UTC",
    ),
    Case("genTime in the year 9999", OURS, token(gen_time=b"99990601000000Z"), 20, "the year 9999"),
    Case("accuracy of 1000 ms", _TSP, token(accuracy={"millis": 1000}), 21, "not between 1 and 999"),
    Case("accuracy over an hour", OURS, token(accuracy={"seconds": 3601}), 21, "not between 0 and one hour"),
    Case("tsa name of somebody else", _TSP, token(tsa=parsed(OTHER).subject), 23, "the authority's name"),
    Case(
        "critical extension that is unknown",
        "RFC 5280 §4.2",
        token(extensions=[_CRITICAL]),
        24,
        "critical extension",
    ),
)
