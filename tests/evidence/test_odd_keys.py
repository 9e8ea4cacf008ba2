"""Public keys that libraries read in different ways: both verifiers take and refuse the same ones.

Whoever runs an authority chooses its key. Could he choose one that a verifier takes and another does not, his tokens
would be good or bad as he likes.
"""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notary.evidence.asn1 import parse
from notary.evidence.timestamp_key import check_key
from tests.evidence.test_odd_certificates import GOOD, agreed, case
from tests.evidence.tsa_raw import NULL, RawTsa, integer, oid, public_info, retag, seq, tagged
from tests.mini_tsa import SALT_LENGTH, key

SIGNATURE, PATH = 7, 14
RSA, PSS, MGF1, EC, ED25519 = (
    "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8", "1.2.840.10045.2.1", "1.3.101.112",
)  # fmt: skip
P = 2**255 - 19


def rsa(kind, *parameters):
    """The key of an authority that signs by `kind`, for that algorithm and with these parameters."""
    return seq(seq(oid(kind), *parameters), parse(public_info(key("rsa"))).children[1].raw)


def sha(number):
    return seq(oid(f"2.16.840.1.101.3.4.2.{number}"))


def pss(number=1, mask=1, salt=SALT_LENGTH):
    return seq(
        tagged(0, sha(number)),
        tagged(1, seq(oid(MGF1), sha(mask))),
        *([] if salt is None else [tagged(2, integer(salt))]),
    )


def signed(kind, info):
    """An authority with this public key, which signs with the RSA key in it."""
    made = RawTsa(kind, public=info)
    made.key = key("rsa")
    return case(made, (), strict=False)


def test_an_rsa_key_is_for_what_it_says(tmp_path):
    cases = {
        ("any", "rsa"): (rsa(RSA, NULL), GOOD),
        ("any", "pss"): (rsa(RSA, NULL), GOOD),
        ("no parameters", "rsa"): (rsa(RSA), GOOD),
        ("odd parameters", "rsa"): (rsa(RSA, integer(5)), SIGNATURE),
        ("odd parameters", "pss"): (rsa(RSA, seq()), SIGNATURE),
        ("PSS", "pss"): (rsa(PSS), GOOD),
        ("PSS", "rsa"): (rsa(PSS), SIGNATURE),
        ("PSS, null", "pss"): (rsa(PSS, NULL), SIGNATURE),
        ("PSS, SHA-1", "pss"): (rsa(PSS, seq()), SIGNATURE),
        ("PSS, SHA-256", "pss"): (rsa(PSS, pss()), GOOD),
        ("PSS, SHA-256", "rsa"): (rsa(PSS, pss()), SIGNATURE),
        ("PSS, less salt", "pss"): (rsa(PSS, pss(salt=None)), GOOD),
        ("PSS, more salt", "pss"): (rsa(PSS, pss(salt=SALT_LENGTH + 1)), SIGNATURE),
        ("PSS, SHA-512", "pss"): (rsa(PSS, pss(3)), SIGNATURE),
        ("PSS, SHA-512 in the mask", "pss"): (rsa(PSS, pss(mask=3)), SIGNATURE),
    }
    made = {name: signed(name[1], info) for name, (info, _) in cases.items()}
    agreed(tmp_path, made, {name: expected for name, (_, expected) in cases.items()})


def elliptic(form, info=EC):
    numbers = key("p256").public_key().public_numbers()
    x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
    odd = numbers.y & 1
    point = {"whole": b"\4" + x + y, "compressed": bytes([2 + odd]) + x, "hybrid": bytes([6 + odd]) + x + y}[
        form
    ]
    return seq(seq(oid(info), oid("1.2.840.10045.3.1.7")), retag(3, b"\0" + point))


def test_a_point_is_in_a_form_of_rfc_5480(tmp_path):
    made = {
        form: case(RawTsa(public=elliptic(form)), (), strict=False)
        for form in ("whole", "compressed", "hybrid")
    }
    agreed(tmp_path, made, {"whole": GOOD, "compressed": GOOD, "hybrid": SIGNATURE})


class Anybody:
    """Signs for the key whose point is the identity: any message, by R = identity and S = 0."""

    def sign(self, _data):
        return (1).to_bytes(32, "little") + bytes(32)


def test_a_point_has_the_encoding_of_rfc_8032(tmp_path):
    odd = 1 << 255
    points = {
        "identity": 1,
        "y beyond the prime": P + 1,
        "an x of 0 that is odd": odd | 1,
        "both": odd | P + 1,
    }
    made = {}
    for name, number in points.items():
        info = seq(seq(oid(ED25519)), retag(3, b"\0" + number.to_bytes(32, "little")))
        tsa = RawTsa("ed25519", public=info)
        tsa.key = Anybody()
        made[name] = case(tsa, (), strict=False)
    agreed(tmp_path, made, {name: GOOD if name == "identity" else SIGNATURE for name in points})


@pytest.mark.parametrize("curve", ["p256", "p384", "ed25519"])
def test_usual_keys_are_of_their_form(curve):
    own = key(curve).public_key()
    info = own.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    check_key(info, parse(seq(oid(ED25519))), ())
