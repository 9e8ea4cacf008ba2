"""What openssl passes over, and the verifiers do not: `tools/check.sh` passes no such token."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from notary.evidence.asn1 import parse
from notary.evidence.package import write_package
from tests.evidence import test_check_script as script
from tests.evidence import tsa_raw as raw
from tests.evidence.build import CONTRACT, EARLY
from tests.evidence.test_check_script_narrow import PLACE, table
from tests.evidence.test_check_script_tokens import agrees
from tests.evidence.tsa_raw import NULL, SIGNER_INFO, RawTsa, changed, extension, integer, oid, retag, seq
from tests.mini_tsa import MiniTsa

bare, run = script.bare, script.run
STAMPING, USAGE = "1.3.6.1.5.5.7.3.8", raw.SIGNER[1]
PROTECTION = "1.2.840.113549.1.9.52"  # RFC 6211: an attribute that holds algorithms


class Odd:
    """An authority, and how its response over the checkpoint is changed."""

    def __init__(self, tsa, change=lambda response, tsa: response, **special):
        self.tsa, self.change, self.special = tsa, change, special

    def response(self):
        return self.change(self.tsa.respond(script.LOG.checkpoint(EARLY), **self.special), self.tsa)


def for_purposes(*purposes):
    value = seq(*map(oid, purposes))
    return Odd(RawTsa(signer=(extension("2.5.29.37", value, critical=True), USAGE)))


def of_usage(bits):
    return Odd(RawTsa(signer=(raw.SIGNER[0], extension("2.5.29.15", bits, critical=True))))


def called(kind, algorithm):
    return Odd(MiniTsa(kind), algorithm={"algorithm": algorithm})


def with_failure(bits):
    def change(response, _tsa):
        status = parse(response).children[0].children[0].raw
        return changed(parse(response), (0,), seq(status, bits))

    return Odd(RawTsa(), change)


def resigned(response, tsa, attributes):
    """With these signed attributes."""
    attributes = b"".join(sorted(attributes))
    signature = tsa.key.sign(retag(0x31, attributes), ec.ECDSA(hashes.SHA256()))
    with_them = changed(parse(response), (*SIGNER_INFO, 3), retag(0xA0, attributes))
    return changed(parse(with_them), (*SIGNER_INFO, 5), retag(4, signature))


def attributes_of(response):
    node = parse(response)
    for at in (*SIGNER_INFO, 3):
        node = node.children[at]
    return list(node.children)


def protected(value):
    """A signed attribute that is read by no check holds this."""

    def change(response, tsa):
        held = [each.raw for each in attributes_of(response)]
        return resigned(response, tsa, [*held, seq(oid(PROTECTION), retag(0x31, seq(value)))])

    return Odd(RawTsa(), change)


PARTS = sorted(
    seq(oid(kind), retag(12, text)) for kind, text in (("2.5.4.3", b"Middle"), ("2.5.4.10", b"Org"))
)
MIDDLE, UNSORTED = (seq(retag(0x31, b"".join(each))) for each in (PARTS, reversed(PARTS)))


def named_by(issuer):
    """ESSCertIDv2 states this issuer and the serial number."""

    def change(response, tsa):
        *others, ess = sorted(attributes_of(response), key=lambda each: len(each.raw))
        entry = ess.children[1].children[0].children[0].children[0]
        stated = seq(seq(retag(0xA4, issuer)), tsa.signer.serial)
        value = seq(seq(seq(*(each.raw for each in entry.children), stated)))
        made = seq(ess.children[0].raw, retag(0x31, value))
        return resigned(response, tsa, [*(each.raw for each in others), made])

    return Odd(RawTsa(names={"middle": MIDDLE}), change)


def nested(levels):
    value = NULL
    for _ in range(levels):
        value = seq(value)
    return value


# What is odd, what the verifiers say and what the script does.
CASES = {
    "time-stamping alone": (lambda: for_purposes(STAMPING), "passed", "passed"),
    "another purpose that openssl does not know": (lambda: for_purposes(STAMPING, "1.2.3.4"), "failed", "failed"),
    "time-stamping twice": (lambda: for_purposes(STAMPING, STAMPING), "failed", "failed"),
    "a use beyond the sixteenth": (lambda: of_usage(b"\x03\x04\x03\xc0\x00\x08"), "failed", "open"),
    "RSA called ECDSA": (lambda: called("rsa", "sha256_ecdsa"), "failed", "failed"),
    "ECDSA called RSA": (lambda: called("p256", "sha256_rsa"), "failed", "failed"),
    "ECDSA called RSA without a digest": (lambda: called("p256", "rsassa_pkcs1v15"), "failed", "failed"),
    "ECDSA called Ed25519": (lambda: called("p256", "ed25519"), "failed", "failed"),
    "a reason beside granted": (lambda: with_failure(b"\x03\x02\x07\x80"), "passed", "passed"),
    "a reason with an unused bit": (lambda: with_failure(b"\x03\x02\x07\x81"), "failed", "open"),
    "a policy of 65 bytes": (
        lambda: Odd(RawTsa(), policy=f"1.3.6.1.{'.'.join(['99999999999999999999999999999'] * 5)}"), "failed", "open",
    ),
    "an attribute in DER": (lambda: protected(seq(oid("2.5.4.3"))), "passed", "passed"),
    "a SET out of order in it": (lambda: protected(retag(0x31, NULL + integer(1))), "failed", "open"),
    "an unused bit in it": (lambda: protected(b"\x03\x02\x07\x81"), "failed", "open"),
    "an object identifier in it that begins with zeros": (lambda: protected(b"\x06\x03\x2a\x80\x01"), "failed", "open"),
    "a long number in it": (lambda: protected(b"\x0a\x02\x00\x01"), "failed", "open"),
    "16 levels": (lambda: protected(nested(12)), "passed", "passed"),
    "17 levels": (lambda: protected(nested(13)), "failed", "open"),
    "an issuer of two attributes": (lambda: named_by(MIDDLE), "passed", "passed"),
    "the same out of order": (lambda: named_by(UNSORTED), "failed", "open"),
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    script.some(CASES, "another purpose that openssl does not know", "RSA called ECDSA", "17 levels"),
)
def test_no_token_passes_for_what_openssl_does_not_look_at(run, name):
    make, verdict, word = CASES[name]
    odd = make()
    files = {name: data for name, data in script.FILES.items() if "/revocation/tsa-a/" not in name}
    files[f"heads/{EARLY}/tokens/tsa-a.tsr"] = odd.response()
    data = write_package(files, ("a.pdf", CONTRACT))
    trust = script.trust_text(tsa_a=table(odd.tsa))
    _, checks, _, _, problems = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert (expected[PLACE], problems) == (verdict, "")
    assert checks[PLACE] == ("could_not_be_checked" if word == "open" else word)


def test_a_revoked_certificate_of_a_negative_number_does_not_count(run):
    """openssl prints such a number in another way than it stands in the list."""
    tsa = RawTsa(serial=-5)
    files = script.FILES | {f"heads/{EARLY}/tokens/tsa-a.tsr": tsa.respond(script.LOG.checkpoint(EARLY))}
    for number, each in enumerate(tsa.lists(raw.entry(tsa.signer.serial)), 1):
        files[f"heads/{EARLY}/revocation/tsa-a/{number}.crl"] = each.data
    data = write_package(files, ("a.pdf", CONTRACT))
    trust = script.trust_text(tsa_a=table(tsa))
    _, checks, _, _, _ = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert expected["5.2", PLACE[1]] == "failed"
    assert checks[PLACE] == "could_not_be_checked"
