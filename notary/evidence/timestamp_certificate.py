"""A certificate's fields, by the forms of docs/formats.md §9 alone.

No library reads them: each reads all or nothing, and refuses certificates for what no check asks of.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import x509

from notary.evidence import asn1
from notary.evidence.asn1 import parse
from notary.evidence.asn1_form import members, read_integer, read_time
from notary.evidence.timestamp_der import load
from notary.evidence.timestamp_form import CERTIFICATE
from notary.evidence.timestamp_names import shown_name


@dataclass(frozen=True, slots=True)
class Certificate:
    """What of a certificate counts beside its signature; its extensions are read from `der` where a check needs them.

    Attributes:
        issuer: Name in DER, as `subject` is.
        not_before: UTC, as `not_after` is; both are within the validity.
        key: SubjectPublicKeyInfo in DER.
        key_bits: the key in it, without the count of unused bits.
    """

    der: bytes
    serial: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    key: bytes
    key_bits: bytes

    @property
    def title(self) -> str:
        """Its subject as it may be shown (RFC 4514)."""
        return shown_name(self.subject)

    def valid_at(self, moment: datetime) -> bool:
        """Whether a moment, UTC, is within its validity."""
        return self.not_before <= moment <= self.not_after

    def asn1(self) -> Any:
        """As asn1crypto parses it."""
        return load(x509.Certificate, self.der)


def read_certificate(der: bytes) -> Certificate:
    """A certificate in DER.

    Raises:
        FormatError: it is none.
    """
    node = parse(der, der=True)
    CERTIFICATE.check(node)
    fields = list(members(members(node, asn1.SEQUENCE)[0], asn1.SEQUENCE))
    stated = fields[0].key == (2, 0)  # the version
    serial, _, issuer, validity, subject, key = fields[stated : stated + 6]
    not_before, not_after = map(read_time, members(validity, asn1.SEQUENCE))
    return Certificate(
        der,
        read_integer(serial.content),
        issuer.raw,
        subject.raw,
        not_before,
        not_after,
        key.raw,
        members(key, asn1.SEQUENCE)[1].content[1:],
    )
