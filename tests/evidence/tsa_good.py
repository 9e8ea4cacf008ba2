"""Tokens that a verifier must accept."""

from datetime import UTC, datetime
from itertools import pairwise

from asn1crypto import core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from notary.evidence.asn1 import parse
from notary.evidence.timestamp_der import retag
from notary.evidence.timestamp_signature import SM3
from tests.evidence.tsa_case import OTHER, OURS, Case, Given, answer, authority, signer, token
from tests.mini_tsa import MiniTsa, authority_extensions, certificate, der, parsed, signer_extensions

ODD = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
EXTENSION = {"extn_id": "1.3.6.1.5.5.7.1.3", "critical": False, "extn_value": b"\x30\x00"}


def issuer_serial(names, serial):
    return {"issuer": [asn1.GeneralName("directory_name", name) for name in names], "serial_number": serial}


def _issuer_and_serial():
    cert = parsed(authority().signer)
    stated = issuer_serial([cert.issuer], cert.serial_number)
    return Given(answer(ess_issuer=stated), authority())


def _supplied():
    tsa = authority()
    return Given(answer(certificates=[]), tsa, supplied=(tsa.signer, tsa.middle))


def _unsorted():
    tsa = authority()
    one, two = sorted((der(tsa.signer), der(tsa.middle)))
    response = answer()
    if one + two not in response:
        raise AssertionError("the certificates are not where they are looked for")
    return Given(response.replace(one + two, two + one), tsa)


def _indefinite():
    response = tsp.TimeStampResp.load(answer())
    held = response["time_stamp_token"]
    body = b"\x30\x80" + held["content"].contents + bytes(2)
    body = b"\x30\x80" + held["content_type"].dump() + b"\xa0\x80" + body + bytes(4)
    return Given(b"\x30\x80" + response["status"].dump() + body + bytes(2), authority())


def _in_pieces(*cuts):
    """The content of SignedData as a constructed OCTET STRING of a definite length, cut at each of these places."""

    def pieces(node):
        content, places = node.content, (None, *cuts, None)
        parts = (content[start:stop] for start, stop in pairwise(places))
        return retag(0x24, b"".join(retag(0x04, part) for part in parts))

    def rebuilt(node, path):
        if not path:
            return pieces(node)
        first, *rest = path
        held = [each.raw for each in node.children]
        held[first] = rebuilt(node.children[first], rest)
        return retag(node.raw[0], b"".join(held))

    def make():
        return Given(rebuilt(parse(answer()), _CONTENT), authority())

    return make


# Where it is: token, content of ContentInfo, SignedData, encapContentInfo, eContent, the OCTET STRING.
_CONTENT = (1, 1, 0, 2, 1, 0)


def _expired():
    years = (datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
    tsa = MiniTsa("rsa", years=years, root_years=years)
    tsa.middle = between(tsa, years=years)
    return Given(answer(tsa, gen_time=datetime(2019, 6, 1, tzinfo=UTC)), tsa)


def _crowd():
    """Those needed, the one before that of the intermediate, the root, and a stranger's."""
    tsa = authority()
    past = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    held = [between(tsa, years=past), OTHER, tsa.signer, tsa.middle, tsa.root]
    return Given(answer(certificates=held), tsa)


def between(tsa, **more):
    """Another certificate for the intermediate's key."""
    fields = {"extensions": authority_extensions(), **more}
    return certificate("Middle", tsa.middle_key.public_key(), "Root", tsa.root_key, **fields)


_IMPRINT = {"imprint_algorithm": "sha384", "imprint_hash": "sha384", "given": {"digest": "sha384"}}
_SM3 = {"imprint_algorithm": SM3, "imprint_hash": "sm3", "given": {"digest": "sm3"}}
_SHA3 = {"imprint_algorithm": "sha3_256", "imprint_hash": "sha3_256", "given": {"digest": "sha3_256"}}
_NONCE = 2**63 + 1
_TSP = "RFC 3161 §2.4.2"

GOOD = (
    Case("RSA, PKCS #1 v1.5", _TSP, token()),
    Case("RSA, PSS", "RFC 4056 §3", token(kind="pss")),
    Case("ECDSA, P-256", "RFC 5753 §2.1", token(kind="p256")),
    Case("ECDSA, P-384 with SHA-384", "RFC 5753 §2.1", token(kind="p384", digest="sha384")),
    Case("Ed25519 with SHA-512", "RFC 8419 §3.1", token(kind="ed25519", digest="sha512")),
    Case("Ed25519 with SHA-256", OURS, token(kind="ed25519"), says="another digest than SHA-512"),
    Case("imprint of SHA-384", _TSP, token(**_IMPRINT)),
    Case("imprint of SHA3-256", OURS, token(**_SHA3)),
    Case("imprint of SM3", OURS, token(**_SM3)),
    Case("NULL parameters in the imprint's algorithm", "RFC 5754 §2", token(parameters=core.Null())),
    Case("signature with SHA-512", "RFC 5754 §3.2", token(digest="sha512")),
    Case("signer named by key identifier", "RFC 5652 §5.3", token(sid="ski")),
    Case("ESSCertID alone, which is SHA-1", _TSP, token(ess=("v1",)), says=r"SHA-1 digest alone"),
    Case("ESSCertID and ESSCertIDv2", "RFC 5816 §2.2.1", token(ess=("v1", "v2"))),
    Case("ESSCertIDv2 of SHA-384", "RFC 5035 §4", token(ess_digest="sha384")),
    Case("ESSCertIDv2 with issuer and serial", "RFC 5035 §4", _issuer_and_serial),
    Case("no certificates in the token, caller has them", "RFC 3161 §2.4.1", _supplied),
    Case("certificates not in the order of DER", "RFC 5652 §1", _unsorted),
    Case("BER with indefinite lengths outside of what is signed", "RFC 5652 §1", _indefinite),
    Case("content in two pieces of definite length", "RFC 5652 §5.2", _in_pieces(40)),
    Case("content in many pieces, some of them empty", "RFC 5652 §5.2", _in_pieces(0, 0, 1, 50, 50, 51)),
    Case("certificates more than needed", "RFC 5652 §5.1", _crowd),
    Case("valid at genTime, expired today", "RFC 5280 §6.1", _expired),
    Case("tsa name is the signer's subject", _TSP, token(tsa=True)),
    Case("extension of TSTInfo, not critical", "RFC 5280 §4.2", token(extensions=[EXTENSION])),
    Case("genTime with a fraction of a second", _TSP, token(gen_time=b"20260301120000.25Z")),
    Case("no accuracy stated", _TSP, token(accuracy=False), says="it bounds nothing"),
    Case("granted with modifications", OURS, token(status="granted_with_mods"), says="with modifications"),
    Case("nonce of the request came back", _TSP, token(nonce=_NONCE, given={"nonce": _NONCE})),
    Case(
        "certificate without key usage", "RFC 5280 §4.2.1.3", signer(extensions=signer_extensions(usage=()))
    ),
    Case(
        "certificate with an unknown extension, not critical",
        "RFC 5280 §4.2",
        signer(extensions=[*signer_extensions(), (ODD, False)]),
    ),
)
