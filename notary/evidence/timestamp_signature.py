"""The digests and signatures that a time-stamp token and its certificates may use: an allow-list, by OID.

SHA-1 and MD5 are in none of the tables; a token that needs them is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from notary.errors import FormatError, TimestampError
from notary.evidence.asn1 import Node, parse
from notary.evidence.asn1_form import OID, sequence
from notary.evidence.timestamp_der import dump
from notary.evidence.timestamp_key import ED25519, PLAIN, PSS, RSA_PSS, check_key, read_pss

_NIST = "2.16.840.1.101.3.4"
SHA512 = f"{_NIST}.2.3"
DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    f"{_NIST}.2.1": hashes.SHA256,
    f"{_NIST}.2.2": hashes.SHA384,
    SHA512: hashes.SHA512,
    f"{_NIST}.2.8": hashes.SHA3_256,
    f"{_NIST}.2.9": hashes.SHA3_384,
    f"{_NIST}.2.10": hashes.SHA3_512,
}
SHA1 = "1.3.14.3.2.26"  # in no table of signatures; OCSP may name certificates by it
SM3 = "1.2.156.10197.1.401"  # GB/T 33560
# Of what is stamped, SM3 too: OpenSSL knows it. Nothing is signed with it here, since that is done with SM2.
IMPRINTS = DIGESTS | {SM3: hashes.SM3}
_RSA = {  # PKCS #1 v1.5
    "1.2.840.113549.1.1.11": f"{_NIST}.2.1",
    "1.2.840.113549.1.1.12": f"{_NIST}.2.2",
    "1.2.840.113549.1.1.13": f"{_NIST}.2.3",
    f"{_NIST}.3.14": f"{_NIST}.2.8",
    f"{_NIST}.3.15": f"{_NIST}.2.9",
    f"{_NIST}.3.16": f"{_NIST}.2.10",
}
_ECDSA = {
    "1.2.840.10045.4.3.2": f"{_NIST}.2.1",
    "1.2.840.10045.4.3.3": f"{_NIST}.2.2",
    "1.2.840.10045.4.3.4": f"{_NIST}.2.3",
    f"{_NIST}.3.10": f"{_NIST}.2.8",
    f"{_NIST}.3.11": f"{_NIST}.2.9",
    f"{_NIST}.3.12": f"{_NIST}.2.10",
}
_RSA_PLAIN = "1.2.840.113549.1.1.1"  # the hash is the signer's digest algorithm
_RSA_BITS = range(2048, 8193)  # above, a verifier can be kept busy; below, a signature can be made
_RSA_EXPONENT_BITS = 64  # one as long as the modulus takes a thousand times as long
_CURVES = {"secp256r1", "secp384r1", "secp521r1", "secp256k1"} | {
    f"brainpoolP{bits}r1" for bits in (256, 384, 512)
}
_BARE = sequence(OID)


def digest(
    oid: str,
    data: bytes,
    check: int,
    what: str,
    allowed: Mapping[str, Callable[[], hashes.HashAlgorithm]] = DIGESTS,
) -> bytes:
    """Hash `data` with the algorithm of a dotted OID.

    Raises:
        TimestampError: `check`, when the algorithm is not on the allow-list.
    """
    if oid not in allowed:
        raise TimestampError(check, f"the digest algorithm {oid} of {what} is not on the allow-list")
    context = hashes.Hash(allowed[oid]())
    context.update(data)
    return context.finalize()


def verify_signature(
    key_info: bytes, algorithm: Any, signature: bytes, data: bytes, digest_oid: str = ""
) -> None:
    """Verify a signature of a token or a certificate.

    Args:
        key_info: the DER SubjectPublicKeyInfo.
        algorithm: the parsed AlgorithmIdentifier of the signature.
        signature: its value.
        data: what was signed.
        digest_oid: the signer's digest algorithm, which the signature's must equal; empty for certificates.

    Raises:
        TimestampError: 7, the signature does not fit, or key or algorithm are not allowed.
    """
    oid = algorithm["algorithm"].dotted
    try:
        stated = parse(dump(algorithm))
        {RSA_PSS: PSS, ED25519: _BARE}.get(oid, PLAIN).check(stated)
        check_key(key_info, stated, DIGESTS)
        key = serialization.load_der_public_key(key_info)
        if isinstance(key, RSAPublicKey) and _usable(key):
            scheme, hash_oid = _rsa_scheme(oid, stated, digest_oid)
            _same_digest(hash_oid, digest_oid)
            key.verify(signature, data, scheme, DIGESTS[hash_oid]())
        elif isinstance(key, EllipticCurvePublicKey) and key.curve.name in _CURVES and oid in _ECDSA:
            _same_digest(_ECDSA[oid], digest_oid)
            key.verify(signature, data, ECDSA(DIGESTS[_ECDSA[oid]]()))
        elif isinstance(key, Ed25519PublicKey) and oid == ED25519:
            key.verify(signature, data)
        else:
            raise TimestampError(7, f"the signature algorithm {oid} with this key is not on the allow-list")
    except InvalidSignature as error:
        raise TimestampError(7, "the signature does not fit what was signed") from error
    except FormatError as error:
        raise TimestampError(
            7, f"the key or the parameters of the signature algorithm {oid} are not allowed: {error}"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TimestampError(7, "the key of the signature cannot be used") from error


def _rsa_scheme(oid: str, algorithm: Node, digest_oid: str) -> tuple[padding.AsymmetricPadding, str]:
    if oid == RSA_PSS:
        found = read_pss(algorithm, DIGESTS)
        return padding.PSS(padding.MGF1(DIGESTS[found.mask]()), found.salt), found.digest
    hash_oid = digest_oid if oid == _RSA_PLAIN else _RSA.get(oid, "")
    if hash_oid not in DIGESTS:
        raise TimestampError(7, f"the signature algorithm {oid} with an RSA key is not on the allow-list")
    return padding.PKCS1v15(), hash_oid


def _usable(key: RSAPublicKey) -> bool:
    short = key.public_numbers().e.bit_length() <= _RSA_EXPONENT_BITS
    return short and key.key_size in _RSA_BITS


def _same_digest(hash_oid: str, digest_oid: str) -> None:
    if digest_oid and hash_oid != digest_oid:
        raise TimestampError(7, f"the signature uses digest {hash_oid}, its signer names {digest_oid}")
