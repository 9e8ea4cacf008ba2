"""Who issued a certificate: by the name that it states, and by the signature (docs/formats.md §9)."""

from hashlib import sha256
from typing import NamedTuple

from asn1crypto import x509

from notary.errors import TimestampError
from notary.evidence.timestamp_der import dump
from notary.evidence.timestamp_names import Key, name_key, same_name
from notary.evidence.timestamp_signature import verify_signature

# Signatures in the paths of one authority's tokens in a package; real ones need two or three a token, fewer than ten.
MAX_TRIES = 64
# In the path of a token that the service takes in: one that used up the 64 would make others of its authority fail. Its
# certificates are not signed, so that whoever is on the way to an authority may add some.
MAX_TAKEN_IN = 8


class _Read(NamedTuple):
    """What of a certificate is compared again and again, where many bear one name."""

    cert: x509.Certificate
    subject: Key
    issuer: Key
    key: bytes  # digest of its SubjectPublicKeyInfo
    digest: bytes


class Tries:
    """The signatures tried in search of the paths of one authority's tokens: each once, and no more than `most`.

    A token may hold 32 certificates of one name, and each signature takes a verifier up to ten milliseconds. What it
    holds harms no other authority, each of which has its own: how many there are, the trust file says.
    """

    def __init__(self, most: int | None = None) -> None:
        """Allow `most` signatures, 64 if not said."""
        self._most = MAX_TRIES if most is None else most
        self._known = dict[tuple[bytes, bytes], bool]()
        self._read = dict[int, _Read]()  # by which object it is, kept with it

    def _of(self, cert: x509.Certificate) -> "_Read":
        if id(cert) not in self._read:
            digests = (sha256(dump(each)).digest() for each in (cert.public_key, cert))
            self._read[id(cert)] = _Read(
                cert, name_key(dump(cert.subject)), name_key(dump(cert.issuer)), *digests
            )
        return self._read[id(cert)]

    def issued(self, issuer: x509.Certificate, cert: x509.Certificate) -> bool:
        """As the function `issued`; where the name fits, the signature counts as one that is tried.

        Raises:
            TimestampError: 14, too many were tried before.
        """
        above, below = self._of(issuer), self._of(cert)
        if above.subject != below.issuer:
            return False
        pair = above.key, below.digest
        if pair not in self._known:
            if len(self._known) == self._most:
                raise TimestampError(
                    14, f"more than {self._most} signatures of certificates would have to be tried"
                )
            self._known[pair] = _signed(issuer, cert)
        return self._known[pair]


def issued(issuer: x509.Certificate, cert: x509.Certificate) -> bool:
    """Whether `issuer` is who `cert` names, and its key made the signature."""
    return same_name(issuer.subject, cert.issuer) and _signed(issuer, cert)


def _signed(issuer: x509.Certificate, cert: x509.Certificate) -> bool:
    try:
        verify_signature(
            dump(issuer.public_key),
            cert["signature_algorithm"],
            cert["signature_value"].native,
            dump(cert["tbs_certificate"]),
        )
    except TimestampError:
        return False
    return True
