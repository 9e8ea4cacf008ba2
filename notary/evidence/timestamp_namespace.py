"""Name constraints (RFC 5280 §4.2.1.10, §6.1.3 b and c, §6.1.4 g): which names the CAs of a path may give."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from notary.errors import FormatError
from notary.evidence.asn1 import Node, refuse
from notary.evidence.timestamp_certificate import Certificate
from notary.evidence.timestamp_extensions import alternative_names, subtrees
from notary.evidence.timestamp_names import Key, name_key, texts_of

_EMAIL, _DNS, _DIRECTORY, _URI, _IP = 1, 2, 4, 6, 7  # tags of general names
_EMAIL_ADDRESS = "2a864886f70d010901"  # the attribute, by the contents of its object identifier
_NUMERIC = re.compile(r"[0-9.]*")

Name = tuple[int, Key | str | bytes]


@dataclass(slots=True)
class Namespace:
    """What the CAs of a path allow, from the root down.

    Attributes:
        permitted: of each certificate that has any, by kind of name: a name must fit into one of each.
        excluded: a name may fit into none.
    """

    permitted: list[list[Name]] = field(default_factory=list)
    excluded: list[Name] = field(default_factory=list)

    def narrow(self, der: bytes) -> None:
        """Take in the constraints of a certificate.

        Raises:
            FormatError: they cannot be read.
        """
        permitted, excluded = subtrees(der)
        if permitted:
            self.permitted.append([_name(each) for each in permitted])
        self.excluded += [_name(each) for each in excluded]

    def check(self, certificate: Certificate) -> None:
        """Refuse a certificate with a name that a CA above excludes or does not permit.

        Raises:
            FormatError: it has one; or one of a kind that is constrained and that we do not understand.
        """
        if not self.permitted and not self.excluded:
            return
        for name in _names(certificate):
            if any(_fits(name, base) for base in self.excluded if base[0] == name[0]):
                raise FormatError("a name of the certificate is excluded by a CA above it")
            for bases in self.permitted:
                alike = [base for base in bases if base[0] == name[0]]
                if alike and not any(_fits(name, base) for base in alike):
                    raise FormatError("a name of the certificate is not permitted by a CA above it")


def _names(certificate: Certificate) -> list[Name]:
    """The subject, where there is one, and its other names; without any the e-mail addresses in the subject."""
    found = [_name(each) for each in alternative_names(certificate.der)]
    if not found:
        found = [(_EMAIL, text) for text in texts_of(certificate.subject, _EMAIL_ADDRESS)]
    key = name_key(certificate.subject)
    return [(_DIRECTORY, key), *found] if key else found


def _name(node: Node) -> Name:
    kind = node.key[1]
    if kind == _DIRECTORY:
        return kind, name_key((node.children or ())[0].raw)
    return kind, node.content.decode() if kind in {_EMAIL, _DNS, _URI} else node.content


def _fits(name: Name, base: Name) -> bool:
    if name[0] not in _FITS:
        refuse("a name of a kind that is constrained and not understood")
    return _FITS[name[0]](name[1], base[1])


def _directory_fits(parts: Key, above: Key) -> bool:
    return parts[: len(above)] == above


def _domain_fits(host: str, domain: str) -> bool:
    """A host of a domain, or the domain itself; of an empty one any."""
    return not domain or f".{host.lower()}".endswith(f".{domain.lower()}")


def _uri_fits(uri: str, base: str) -> bool:
    return _host_fits(_host_of(uri), base.lower())


def _host_fits(host: str, base: str) -> bool:
    """A host, or with a dot in front all hosts of a domain but itself."""
    return host == base or (base.startswith(".") and len(host) > len(base) and host.endswith(base))


def _email_fits(address: str, base: str) -> bool:
    mailbox, _, host = address.rpartition("@")
    if "@" not in base:
        return _host_fits(host.lower(), base.lower())
    wanted, _, domain = base.rpartition("@")
    return (mailbox, host.lower()) == (wanted, domain.lower())


def _host_of(uri: str) -> str:
    _, *rest = uri.split("://")
    authority = re.split("[/?#]", rest[0])[0] if rest else ""
    host = authority.rpartition("@")[2].partition(":")[0].lower()
    if not host or host.startswith("[") or _NUMERIC.fullmatch(host):
        refuse("a URI without the name of a host, where hosts are constrained")
    return host


def _address_fits(address: bytes, masked: bytes) -> bool:
    size = len(masked) // 2
    base, mask = masked[:size], masked[size:]
    pairs = zip(address, base, mask, strict=False)
    return len(address) == size and all((one ^ two) & bits == 0 for one, two, bits in pairs)


_FITS: dict[int, Callable[[Any, Any], bool]] = {
    _EMAIL: _email_fits,
    _DNS: _domain_fits,
    _DIRECTORY: _directory_fits,
    _URI: _uri_fits,
    _IP: _address_fits,
}
