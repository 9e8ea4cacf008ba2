"""Tokens where openssl and the verifiers differ by a hair: `tools/check.sh` leaves open what it cannot tell.

In a key's encoding, in the last second of a certificate, in how the authority spells its own name, and in what a pinned
root says.
"""

from functools import partial

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from notary.evidence.timestamp_form import MAX_NAME
from tests.evidence import test_check_script as script
from tests.evidence.build import EARLY
from tests.evidence.test_check_script_tokens import agrees, packed
from tests.evidence.test_long_names import of_size
from tests.evidence.test_odd_certificates import pem
from tests.evidence.test_odd_keys import RSA, elliptic, rsa
from tests.evidence.tsa_raw import (
    AUTHORITY,
    NULL,
    SIGNER,
    TRUE,
    RawTsa,
    common,
    extension,
    integer,
    oid,
    retag,
    seq,
    tagged,
)
from tests.mini_tsa import GEN_TIME, YEARS, MiniTsa, key, signer_extensions

bare, run = script.bare, script.run
PLACE = "5.1", f"tsa-a@{EARLY}"
UP_TO_GEN_TIME = (YEARS[0], GEN_TIME)


def table(tsa):
    root = pem(tsa.root.public_bytes(serialization.Encoding.DER))
    return f"[[tsa]]\nname = \"tsa-a\"\norganisation = \"tsa-a Ltd\"\nroots = ['''\n{root}''']\n"


def of_rsa(info):
    made = RawTsa("rsa", public=info)
    made.key = key("rsa")
    return made


def spelt(text):
    return {"tsa": asn1.Name.build({"common_name": text})}


def in_two_languages():
    """Its certificate has another name beside the subject."""
    other = asn1.GeneralName("directory_name", asn1.Name.build({"common_name": "\uff2dini"}))
    value = asn1.GeneralNames([other]).dump()
    extension = (x509.UnrecognizedExtension(x509.ExtensionOID.SUBJECT_ALTERNATIVE_NAME, value), False)
    return MiniTsa("rsa", extensions=[*signer_extensions(), extension])


CA, SIGNS = AUTHORITY
PROXY = seq(seq(oid("1.3.6.1.5.5.7.21.1")))  # RFC 3820
NUMBERS = seq(tagged(0, seq(integer(5))))  # of autonomous systems, RFC 3779
# Of a pinned root only name, key and validity count.
ROOTS = {
    "no extensions of a CA": (extension("2.5.29.14", retag(4, b"ab")),),
    "the word that it is no CA": (extension("2.5.29.19", seq(), critical=True), SIGNS),
    "a key that signs no certificates": (CA, extension("2.5.29.15", b"\x03\x02\x06\xc0", critical=True)),
    "a path of no CA": (extension("2.5.29.19", seq(TRUE, integer(0)), critical=True), SIGNS),
    "constraints on names": (*AUTHORITY, extension("2.5.29.30", seq(tagged(0, seq(retag(0xA4, common("X"))))))),
    "an unknown critical extension": (*AUTHORITY, extension("1.2.3.4", NULL, critical=True)),
}  # fmt: skip

# The authority, what is special in its token, what the verifiers say and what the script does.
CASES = {
    "a key of RSA": (lambda: of_rsa(rsa(RSA, NULL)), {}, "passed", "passed"),
    "a key of RSA without parameters": (lambda: of_rsa(rsa(RSA)), {}, "passed", "passed"),
    "a key of RSA with odd parameters": (lambda: of_rsa(rsa(RSA, integer(5))), {}, "failed", "open"),
    "a compressed point": (lambda: RawTsa(public=elliptic("compressed")), {}, "passed", "passed"),
    "a hybrid point": (lambda: RawTsa(public=elliptic("hybrid")), {}, "failed", "open"),
    "a name of 2048 bytes": (lambda: RawTsa(names={"middle": of_size(MAX_NAME)}), {}, "passed", "passed"),
    "a name of 2049 bytes": (lambda: RawTsa(names={"middle": of_size(MAX_NAME + 1)}), {}, "failed", "open"),
    "the last second of the signer": (lambda: MiniTsa("rsa", years=UP_TO_GEN_TIME), {}, "passed", "open"),
    "half a second after it": (
        lambda: MiniTsa("rsa", years=UP_TO_GEN_TIME), {"gen_time": b"20260301120000.5Z"}, "failed", "open",
    ),
    "the last second of the root": (lambda: MiniTsa("rsa", root_years=UP_TO_GEN_TIME), {}, "passed", "open"),
    "its name in wide letters": (lambda: MiniTsa("rsa"), spelt("\uff2dini TSA"), "passed", "open"),
    "its name in small letters": (lambda: MiniTsa("rsa"), spelt("mini  tsa"), "passed", "passed"),
    "its other name in usual letters": (in_two_languages, spelt("Mini"), "passed", "open"),
    **{
        f"a root with {what}": (partial(RawTsa, root=held), {}, "passed", "open")
        for what, held in ROOTS.items()
    },
    "a proxy": (lambda: RawTsa(signer=(*SIGNER, extension("1.3.6.1.5.5.7.1.14", PROXY))), {}, "passed", "open"),
    "addresses": (lambda: RawTsa(signer=(*SIGNER, extension("1.3.6.1.5.5.7.1.8", NUMBERS))), {}, "passed", "open"),
    "the name of somebody else": (lambda: MiniTsa("rsa"), spelt("Maxi TSA"), "failed", "failed"),
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    script.some(
        CASES,
        "a hybrid point",
        "the last second of the signer",
        "its name in wide letters",
        "a root with a path of no CA",
    ),
)
def test_what_openssl_sees_otherwise_is_left_open(run, name):
    make, special, verdict, word = CASES[name]
    tsa = make()
    response = tsa.respond(script.LOG.checkpoint(EARLY), **special)
    files = {name: data for name, data in script.FILES.items() if "/revocation/tsa-a/" not in name}
    data = packed(files | {f"heads/{EARLY}/tokens/tsa-a.tsr": response})
    trust = script.trust_text(tsa_a=table(tsa))
    _, checks, _, _, problems = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert (expected[PLACE], problems) == (verdict, "")
    assert checks[PLACE] == ("could_not_be_checked" if word == "open" else word)
