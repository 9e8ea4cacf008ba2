"""Where lists of a CA's are, and which part of its certificates each covers (RFC 5280 §4.2.1.13, §5.2.5, §6.3.3 b)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from notary.evidence import asn1
from notary.evidence.asn1 import Node
from notary.evidence.asn1_form import members
from notary.evidence.timestamp_extensions import distribution_points, is_authority
from notary.evidence.timestamp_names import Key, general_key

_NAME, _USERS, _AUTHORITIES = 0, 1, 2  # tags of an issuing distribution point; those above take parts away
_REASONS, _ISSUER = 1, 2  # tags of a distribution point
_FULL = (2, 0)

_Names = frozenset[tuple[int, Key | bytes]]


class Shown(Enum):
    """What a list can show of a certificate."""

    ALL = auto()
    REVOKED_ALONE = auto()  # that it was revoked; never that it was not
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Scope:
    """An issuing distribution point: the certificates that its list covers.

    Attributes:
        names: where the list is, or None where it does not say.
        nobody: of some reasons, indirect, of attribute certificates, or at a name relative to the issuer's.
    """

    names: _Names | None
    users: bool
    authorities: bool
    nobody: bool

    def shows(self, der: bytes) -> Shown:
        """What the list can show of a certificate.

        A certificate that names the list for some reasons alone, or with another issuer, is not shown to be good by it.
        Whom a list of its own CA's revokes is revoked all the same.

        Raises:
            FormatError: basic constraints or distribution points of the certificate cannot be read.
        """
        authority = is_authority(der)
        if self.nobody or (self.users and authority) or (self.authorities and not authority):
            return Shown.NOTHING
        if self.names is None:
            return Shown.ALL
        points = [_fields(each) for each in distribution_points(der)]
        here = [each for each in points if self.names & _where(each)]
        if any(not {_REASONS, _ISSUER} & each.keys() for each in here):
            return Shown.ALL
        return Shown.REVOKED_ALONE if here else Shown.NOTHING


def read_scope(node: Node) -> Scope:
    """The value of an issuing distribution point, whose form was checked."""
    fields = _fields(node)
    names = _full_names(fields)
    others = fields.keys() - {_NAME, _USERS, _AUTHORITIES}
    return Scope(
        names,
        _USERS in fields,
        _AUTHORITIES in fields,
        bool(others) or (_NAME in fields and names is None),
    )


def _fields(node: Node) -> dict[int, Node]:
    return {each.key[1]: each for each in members(node, asn1.SEQUENCE)}


def _full_names(fields: dict[int, Node]) -> _Names | None:
    """The full names in a DistributionPointName; None where there is none, or one relative to the issuer's."""
    (name,) = (fields[_NAME].children or ()) if _NAME in fields else (None,)
    return _keys(name.children or ()) if name is not None and name.key == _FULL else None


def _where(fields: dict[int, Node]) -> _Names:
    """Where a point says that the list is; its issuer's names where it has no full ones (§6.3.3 b 2)."""
    names = _full_names(fields)
    if names is None:
        return _keys(fields[_ISSUER].children or ()) if _ISSUER in fields else frozenset()
    return names


def _keys(names: Iterable[Node]) -> _Names:
    return frozenset(map(general_key, names))
