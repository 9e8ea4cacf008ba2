"""Well-known public time-stamping authorities: what is known of each, and from where.

None is vouched for here: whoever names one in the settings accepts its terms, and supplies its root from a source of
his own. A fingerprint guards against a file that is another certificate; where none is known, nothing does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class TsaProfile:
    """Defaults for the settings of one authority.

    Attributes:
        organisation: who runs it.
        url: where requests are sent.
        policies: the policy that its tokens state; none known: any.
        root_sha256: SHA-256 of the DER of its root, hex; none known: the operator compares it himself.
        interval_seconds: least time between two requests that it asks for; 0 where it asks for none.
    """

    organisation: str
    url: str
    policies: tuple[str, ...] = ()
    root_sha256: tuple[str, ...] = ()
    interval_seconds: float = 0.0


# Addresses, policies, fingerprints and terms are those that others recorded of live services and published; each
# was read on 2026-11-26. docs/operations.md lists the same, with what to know before choosing one.
_PROFILES = {
    # Root: record of 2026-08-02 of freetsa.org/files/cacert.pem, the same in archive.org's copies of 2016-08-29 and
    # 2019-07-23. Policy: tokens of 2022-05-27 (notaryproject/specifications #158) and of 2026.
    "freetsa": TsaProfile(
        "Free TSA",
        "https://freetsa.org/tsr",
        ("1.2.3.4.1",),
        ("a6379e7cecc05faa3cbf076013d745e327bbbaa38c0b9af22469d4701d18aabc",),
    ),
    # Root: DigiCert Trusted Root G4 in Mozilla's list (certifi 2026.10.18); record of 2026-08-02 of
    # cacerts.digicert.com/DigiCertTrustedRootG4.crt.pem. Policy: tokens of 2026-08-25 and 2026-10-02.
    "digicert": TsaProfile(
        "DigiCert",
        "http://timestamp.digicert.com",
        ("2.16.840.1.114412.7.1",),
        ("552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",),
    ),
    # "add a delay of 15 seconds or more": sectigo.com/resource-library/time-stamping-server. Root: Sectigo Public Time
    # Stamping Root R46, record of 2026-08-02 of crt.sectigo.com/SectigoPublicTimeStampingRootR46.crt, whose key is that
    # of the cross-certificate in its tokens. Policy: tokens of 2026.
    "sectigo": TsaProfile(
        "Sectigo",
        "http://timestamp.sectigo.com",
        ("1.3.6.1.4.1.6449.2.1.1",),
        ("4941b001b8a97e961b7817c9d9e960ec4b056bfc915a8c1aabf6ef6b3ac046a5",),
        15.0,
    ),
    # Root: Apple Root CA, www.apple.com/appleca/AppleIncRootCertificate.cer by several records of 2026; that Apple's
    # tokens lead to it is recorded too. Policy: not found.
    "apple": TsaProfile(
        "Apple",
        "http://timestamp.apple.com/ts01",
        (),
        ("b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024",),
    ),
    # Root and policy: no record found that names both for this address.
    "globalsign": TsaProfile("GlobalSign", "http://timestamp.globalsign.com/tsa/r6advanced1"),
    # About ten requests a day, for customers (records of 2026). Root: seen in tokens alone, so none is pinned.
    "swisssign": TsaProfile(
        "SwissSign", "http://tsa.swisssign.net", ("2.16.756.1.89.1.1.3.5",), (), 86_400.0 / 10
    ),
}
PROFILES: Mapping[str, TsaProfile] = MappingProxyType(_PROFILES)
