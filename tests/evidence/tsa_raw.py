"""Certificates, lists and responses written byte by byte: what no library makes, and CAs do."""

import hashlib
from itertools import count

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notary.evidence.asn1 import parse
from notary.evidence.timestamp_der import retag
from notary.evidence.timestamp_status import Kind, RevocationData
from tests.mini_tsa import MiniTsa, key

_SERIALS = count(1000)
ECDSA = bytes.fromhex("300a06082a8648ce3d040302")
NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"
LATER = "20260302120000Z"  # a day after genTime


def seq(*parts):
    return retag(0x30, b"".join(parts))


def tagged(number, *parts):
    return retag(0xA0 | number, b"".join(parts))


def oid(arcs):
    first, second, *others = map(int, arcs.split("."))
    found = b""
    for arc in (40 * first + second, *others):
        part = [arc & 127]
        while arc := arc >> 7:
            part.insert(0, arc & 127 | 128)
        found += bytes(part)
    return retag(6, found)


def integer(number):
    return retag(2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def enumerated(number):
    return retag(10, bytes([number]))


def time(text):
    return retag(24, text.encode())


def named(*attributes):
    """A Name of (dotted type, value in DER), each a part of its own."""
    return seq(*(retag(0x31, seq(oid(kind), value)) for kind, value in attributes))


def common(text, tag=12):
    return named(("2.5.4.3", retag(tag, text if isinstance(text, bytes) else text.encode())))


def extension(kind, value, *, critical=False):
    return seq(oid(kind), TRUE if critical else b"", retag(4, value))


AUTHORITY = (
    extension("2.5.29.19", seq(TRUE), critical=True),
    extension("2.5.29.15", b"\x03\x02\x01\x06", critical=True),
)
SIGNER = (
    extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.8")), critical=True),
    extension("2.5.29.15", b"\x03\x02\x06\xc0", critical=True),
)
RESPONDER = (
    extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.9"))),
    extension("1.3.6.1.5.5.7.48.1.5", NULL),
)


def changed(node, path, new):
    """The value with other bytes at a place, which is named by the numbers of the values on the way."""
    if not path:
        return new
    first, *rest = path
    held = [each.raw for each in node.children]
    held[first] = changed(node.children[first], rest, new)
    return retag(node.raw[0], b"".join(held))


# Where the one SignerInfo of a response is: token, content of ContentInfo, SignedData, signerInfos.
SIGNER_INFO = (1, 1, 0, 4, 0)


class Raw:
    """Bytes in the place of a certificate of the library."""

    def __init__(self, data):
        self.data = data
        fields = parse(data).children[0].children
        self.serial, self.issuer = fields[1].raw, fields[3].raw
        self.key_bits = fields[6].children[1].content[1:]

    def public_bytes(self, _encoding):
        return self.data


def signed(own, *fields):
    body = seq(*fields)
    return seq(body, ECDSA, retag(3, b"\0" + own.sign(body, ec.ECDSA(hashes.SHA256()))))


def public_info(own):
    """Its SubjectPublicKeyInfo in DER."""
    return own.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def certificate(subject, subject_key, issuer, issuer_key, extensions, *, any_length=False, serial=None):
    """With `any_length` its length may be one with which the library that writes tokens encodes it anew, if it can.

    The subject's key may be a SubjectPublicKeyInfo in DER.
    """
    public = subject_key if isinstance(subject_key, bytes) else public_info(subject_key)
    validity = seq(time("20200101000000Z"), time("20400101000000Z"))
    number = next(_SERIALS) if serial is None else serial
    fields = (tagged(0, integer(2)), integer(number), ECDSA, issuer, validity, subject, public)
    while True:  # each signature has another length
        made = signed(issuer_key, *fields, tagged(3, seq(*extensions)))
        if any_length or made[3] != 0x80:
            return Raw(made)


class RawTsa(MiniTsa):
    """The same authority, of whose certificates names and extensions are given in DER.

    So are the signer's public key and serial number, and its and the root's extensions in the place of the usual ones.
    """

    def __init__(
        self,
        kind="p256",
        *,
        names=None,
        extensions=None,
        issuer=None,
        public=None,
        signer=None,
        root=None,
        serial=None,
        **more,
    ):
        self.kind = kind
        self.root_key, self.middle_key, self.key = key("p256", "Root"), key("p256", "middle"), key(kind)
        self.names = {"root": common("Root"), "middle": common("Middle"), "signer": common("Mini TSA")} | (
            names or {}
        )
        held = {
            "root": AUTHORITY if root is None else root,
            "middle": AUTHORITY,
            "signer": SIGNER if signer is None else signer,
        }
        held = {place: (*usual, *(extensions or {}).get(place, ())) for place, usual in held.items()}
        top, middle = self.names["root"], self.names["middle"]
        self.root = certificate(top, self.root_key, top, self.root_key, held["root"], **more)
        self.middle = certificate(middle, self.middle_key, top, self.root_key, held["middle"], **more)
        issuer = issuer or middle
        self.signer = certificate(
            self.names["signer"],
            public or self.key,
            issuer,
            self.middle_key,
            held["signer"],
            serial=serial,
            **more,
        )

    def list_of_root(self):
        return revocation_list(self.names["root"], self.root_key)

    def lists(self, *entries, extensions=()):
        mine = revocation_list(self.names["middle"], self.middle_key, *entries, extensions=extensions)
        return mine, self.list_of_root()


def entry(serial, *extensions):
    return seq(serial, time(LATER), seq(*extensions) if extensions else b"")


def revocation_list(issuer, own, *entries, extensions=()):
    more = (seq(*entries) if entries else b"", tagged(0, seq(*extensions)) if extensions else b"")
    return RevocationData(Kind.CRL, signed(own, integer(1), ECDSA, issuer, time(LATER), *more))


def answer_about(cert, issuer, status=b"\x80\x00", *extensions):
    """`status` is good where nothing is said."""
    named_by = seq(
        seq(oid("1.3.14.3.2.26"), NULL),
        retag(4, hashlib.sha1(cert.issuer).digest()),
        retag(4, hashlib.sha1(issuer.key_bits).digest()),
        cert.serial,
    )
    return seq(named_by, status, time(LATER), tagged(1, seq(*extensions)) if extensions else b"")


def revoked(reason=None, when=LATER):
    return tagged(1, time(when), b"" if reason is None else tagged(0, enumerated(reason)))


def response(own, who, *answers, certificates=()):
    """Of whoever has the certificate `who`."""
    responder = tagged(2, retag(4, hashlib.sha1(who.key_bits).digest()))
    body = signed(own, responder, time(LATER), seq(*answers))
    if certificates:
        body = seq(parse(body).content, tagged(0, seq(*(each.data for each in certificates))))
    return RevocationData(
        Kind.OCSP, seq(enumerated(0), tagged(0, seq(oid("1.3.6.1.5.5.7.48.1.1"), retag(4, body))))
    )
