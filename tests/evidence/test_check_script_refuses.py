"""Trust files that contradict themselves, or are not of their form: `tools/check.sh` refuses them, too."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from notary.errors import TrustError
from notary.evidence.trust import parse_trust
from tests.evidence import build, ots_build
from tests.evidence import test_check_script as script
from tests.evidence.test_check_script_tokens import packed
from tests.mini_tsa import authority_extensions, certificate, key
from tests.ots_world import Bitcoin

bare, run = script.bare, script.run
A, B = script.TSAS["tsa-a"], script.TSAS["tsa-b"]
TABLES = script.TABLES
CHAIN = build.trust_tables(script.LOG)["chain"]
ADDRESS, OTHER = (f'"0x{digit * 40}"' for digit in "12")
FILES = {name: data for name, data in script.FILES.items() if "/revocation/" not in name}


def pem(cert):
    return cert.public_bytes(Encoding.PEM).decode()


def certified():
    """The root of the second authority, as the first certified it."""
    public = B.root_key.public_key()
    return pem(certificate("tsa-b root", public, "tsa-a root", A.root_key, extensions=authority_extensions()))


def of_one(**tables):
    """Both authorities under one organisation."""
    tables = TABLES | tables
    return script.trust_text(tsa_a=tables["tsa_a"], tsa_b=tables["tsa_b"].replace("tsa-b Ltd", "TSA A Ltd."))


SAME_ROOT = TABLES["tsa_b"].replace(B.pem, A.pem)
CERTIFIED = TABLES["tsa_b"].replace(B.pem, certified())
BRIDGED = TABLES["tsa_a"] + f"intermediates = ['''\n{certified()}''']\n"
ROLES = build.key_table("receipt_key", f"{script.LOG.origin}/receipt", script.LOG.key)
MOVED = CHAIN.replace("0x" + "11" * 20, "0x" + "33" * 20)
assert MOVED != CHAIN
TWO_HASHES = MOVED[: MOVED.rindex('"') - 4] + 'beef"\n'
SET = f"[[chain.validators]]\naddresses = [{ADDRESS}]\n"
SEALED = CHAIN.replace('"ethereum"', '"qbft"')
BITCOIN = Bitcoin()
BLOCK = ots_build.block_table(BITCOIN, BITCOIN.mine())
WITNESS = f'[[witness]]\nvkey = "{build.vkey("witness.example/w1", build.ed25519("witness"))}"\n'
PERIOD = "since = 2026-03-02T00:00:00Z\nuntil = 2026-03-01T00:00:00Z\n"
HEAD_KEY = f"[[chain.head_key]]\naddress = {ADDRESS}\n"


def plus(text):
    return script.trust_text() + text


def chain(text):
    return script.trust_text(chain=text)


# The first words of what the script says.
REFUSED = {
    "one key in two roles": (script.trust_text(receipt_key=ROLES), "one key is a log_key and a receipt_key"),
    "two hashes of one block": (chain(CHAIN + TWO_HASHES), "block 200 of chain 31337 has two hashes"),
    "one block twice": (chain(CHAIN + CHAIN[CHAIN.index("[[chain.block]]") :]), "two blocks of a chain"),
    "one contract twice": (chain(CHAIN + CHAIN), "two chain are of one contract"),
    "one root of two organisations": (script.trust_text(tsa_b=SAME_ROOT), "tsa-a and tsa-b are related"),
    "a root that another issued": (script.trust_text(tsa_b=CERTIFIED), "tsa-a and tsa-b are related"),
    "an intermediate between two roots": (script.trust_text(tsa_a=BRIDGED), "tsa-a and tsa-b are related"),
    "related, of which one is strict": (
        of_one(tsa_b=SAME_ROOT + 'revocation = "strict"\n'),
        "tsa-a and tsa-b are related",
    ),
    "related, of which one has an accuracy": (
        of_one(tsa_b=CERTIFIED + "accuracy_ms = 1\n"),
        "tsa-a and tsa-b are related",
    ),
    "related, of which one has a policy": (
        of_one(tsa_a=BRIDGED + 'policies = ["1.2.3"]\n'),
        "tsa-a and tsa-b are related",
    ),
    "validators that a profile has not": (
        chain(CHAIN + SET),
        "a chain of profile ethereum has no validators",
    ),
    "validators that are missing": (chain(SEALED), "a chain of profile qbft needs validators"),
    "two sets from one block": (chain(SEALED + SET + SET), "two sets of validators begin with one block"),
    "a validator twice": (chain(SEALED + SET[:-2] + f", {ADDRESS}]\n"), "two validators of a set"),
    "a validator of 19 bytes": (chain(SEALED + SET.replace('11"', '"')), "addresses is not 0x and 20 bytes"),
    "a chain without code": (chain(CHAIN.replace("code_hash", "# code_hash")), "a chain has no code_hash"),
    "a contract in capitals": (
        chain(CHAIN.replace("0x" + "11" * 20, "0x" + "AA" * 20)),
        "contract is not 0x",
    ),
    "a block without a hash": (chain(CHAIN + "[[chain.block]]\nnumber = 1\n"), "a chain.block has no hash"),
    "a number beyond 2^53": (
        chain(CHAIN + f"[[chain.block]]\nnumber = {2**53}\n"),
        "number is not a whole number",
    ),
    "a head key twice": (chain(CHAIN + HEAD_KEY + HEAD_KEY), "a head key of a chain is named twice"),
    "a head key in both places": (
        chain(CHAIN.replace("profile", f"head_keys = [{ADDRESS}]\nprofile") + HEAD_KEY),
        "a head key of a chain is named twice",
    ),
    "a head key without address": (chain(CHAIN + "[[chain.head_key]]\n"), "a chain.head_key has no address"),
    "a head key that ends before it begins": (
        chain(CHAIN + HEAD_KEY + PERIOD),
        "a key ends before it begins",
    ),
    "a head key with a size and no end": (
        chain(CHAIN + HEAD_KEY + "last_good_size = 1\n"),
        "a key with last_good_size",
    ),
    "a Bitcoin block without work": (
        plus(BLOCK.replace("ffff7f20", "ffff0020")),
        "a Bitcoin block header does not show",
    ),
    "a Bitcoin block twice": (plus(BLOCK + BLOCK), "two bitcoin_block are of one height"),
    "a Bitcoin block without height": (
        plus(BLOCK.replace("height", "# height")),
        "a bitcoin_block has no height",
    ),
    "a height beyond 2^31": (plus(BLOCK.replace("800001", str(2**31))), "height is not a whole number"),
    "a witness without a key": (plus("[[witness]]\n"), "a witness has no vkey"),
    "a witness of another key id": (plus(WITNESS.replace("w1+", "w2+")), "the key id of a vkey"),
    "a root with text before it": (
        script.trust_text(tsa_a=TABLES["tsa_a"].replace("'''\n", "'''\nMini\n", 1)),
        "roots: not one certificate",
    ),
    "two roots in one string": (
        script.trust_text(tsa_a=TABLES["tsa_a"].replace("'''\n", f"'''\n{B.pem}", 1)),
        "roots: not one certificate",
    ),
    "a root that is none": (
        script.trust_text(tsa_a=TABLES["tsa_a"].replace(A.pem.split("\n")[1], "AAAA", 1)),
        "roots: not a certificate",
    ),
    "an intermediate that is none": (
        script.trust_text(tsa_a=TABLES["tsa_a"] + 'intermediates = ["x"]\n'),
        "intermediates: not one certificate",
    ),
    "a policy that is none": (
        script.trust_text(tsa_a=TABLES["tsa_a"] + 'policies = ["1"]\n'),
        "a policy is no dotted",
    ),
    "an organisation of 201 characters": (
        script.trust_text(tsa_a=TABLES["tsa_a"].replace("tsa-a Ltd", "授" * 201)),
        "organisation has more than 200",
    ),
    "an empty revocation": (
        script.trust_text(tsa_a=TABLES["tsa_a"] + 'revocation = ""\n'),
        "revocation is not",
    ),
    "an empty organisation": (
        script.trust_text(tsa_a=TABLES["tsa_a"].replace("tsa-a Ltd", "")),
        "a tsa has no organisation",
    ),
    "an empty name": (script.trust_text(tsa_a=TABLES["tsa_a"].replace('"tsa-a"', '""')), "the name of a tsa"),
    "an empty policy": (
        script.trust_text(tsa_a=TABLES["tsa_a"] + 'policies = [""]\n'),
        "a policy is no dotted",
    ),
    "an empty root": (
        script.trust_text(tsa_a=TABLES["tsa_a"].replace("roots = [", "roots = ['', ")),
        "roots: not one certificate",
    ),
    "an empty profile": (chain(CHAIN.replace('"ethereum"', '""')), "a profile that is not known"),
    "an empty head key": (
        chain(CHAIN.replace("profile", 'head_keys = [""]\nprofile')),
        "head_keys is not 0x",
    ),
    "an empty witness": (plus('[[witness]]\nvkey = ""\n'), "the vkey of a witness"),
    "a control character in a comment": (plus("# \x07\n"), "a control character"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_and_no_check_is_made(run, what):
    text, words = REFUSED[what]
    with pytest.raises(TrustError, match=r"."):
        parse_trust(text.encode())
    status, checks, _, _, problems = run(packed(FILES), trust=text)
    assert (status, checks) == (2, {}), problems
    assert problems.startswith(f"check.sh: trust file: {words}")


def test_bytes_that_are_not_utf_8_are_refused(run, tmp_path):
    path = tmp_path / "trust.toml"
    path.write_bytes(script.trust_text().encode() + b"# \xff\n")
    with pytest.raises(TrustError, match="not TOML"):
        parse_trust(path.read_bytes())
    status, checks, _, _, problems = run(packed(FILES), "--trust", str(path))
    assert (status, checks, problems) == (2, {}, "check.sh: trust file: it is not UTF-8\n")


def by_pss():
    """A certificate whose algorithm the script does not know."""
    builder = certificate("tsa-b root", B.root_key.public_key(), "another", A.root_key)
    made = (
        x509.CertificateBuilder()
        .subject_name(builder.subject)
        .issuer_name(builder.issuer)
        .public_key(B.root_key.public_key())
        .serial_number(1)
        .not_valid_before(builder.not_valid_before_utc)
        .not_valid_after(builder.not_valid_after_utc)
    )
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return pem(made.sign(key("rsa", "another"), hashes.SHA256(), rsa_padding=scheme))


GOOD = {
    "related and alike": (of_one(tsa_b=SAME_ROOT), True),
    "of one organisation, related by nothing": (of_one(tsa_b=TABLES["tsa_b"] + "accuracy_ms = 1\n"), True),
    "policies in another order": (
        of_one(
            tsa_a=TABLES["tsa_a"] + 'policies = ["1.2.3", "1.3.6.1.4.1.4146.2.3"]\n',
            tsa_b=SAME_ROOT + 'policies = ["1.3.6.1.4.1.4146.2.3", "1.2.3", "1.2.3"]\n',
        ),
        True,
    ),
    "one block of two contracts": (chain(CHAIN + MOVED), True),
    "all that is known": (
        chain(CHAIN + HEAD_KEY.replace("\n", "\nsince = 2026-03-01T00:00:00Z\n", 1)) + BLOCK + WITNESS,
        True,
    ),
    "an algorithm that is not known": (
        script.trust_text(tsa_b=TABLES["tsa_b"].replace(B.pem, by_pss())),
        False,
    ),
}


@pytest.mark.parametrize(
    "what", script.some(GOOD, "related and alike", "all that is known", "an algorithm that is not known")
)
def test_what_the_verifier_reads_is_read_or_said_to_be_unknown(run, what):
    text, read = GOOD[what]
    parse_trust(text.encode())
    _, checks, _, _, problems = run(packed(FILES), trust=text)
    if read:
        assert (problems, checks["1.2", ""]) == ("", "passed")
    else:
        assert checks == {}
        assert "does not know the algorithm by which a certificate of a tsa is signed" in problems
