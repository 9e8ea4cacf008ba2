"""The trust file: each thing that can be wrong in it is refused with its name."""

from datetime import UTC, datetime

import pytest

from notary.errors import TrustError
from notary.evidence.trust import MAX_TRUST, parse_trust
from notary.evidence.trust_toml import certificate
from tests.evidence import build, mini_chain
from tests.evidence.build import ORIGIN, ed25519, key_table, trust_tables, trust_text, tsa_table, vkey

LOG = build.log()
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
GOOD = trust_text(LOG)
TABLES = trust_tables(LOG)
PEM = build.tsa("tsa-a").pem
OTHER_PEM = build.tsa("tsa-b").pem
WITNESS = vkey("witness.example/w1", ed25519("witness"))
# C2SP tlog-cosignature, type 0x04: name, and the key id that this type gives the same key.
COSIGNER = "witness.example/w1+bbfab71d+BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"


def test_a_trust_file_says_whom_to_believe():
    trust = parse_trust(GOOD.encode())
    assert (trust.origin, trust.k, trust.test_only) == (ORIGIN, 2, True)
    assert [key.verifier.vkey for key in trust.log_keys] == [vkey(ORIGIN, LOG.key)]
    assert [key.verifier.name for key in trust.receipt_keys] == [ORIGIN + "/receipt"]
    assert [authority.name for authority in trust.authorities] == ["tsa-a", "tsa-b"]
    (chain,) = trust.chains
    assert (chain.chain_id, chain.contract, chain.code_hash) == (
        31337,
        mini_chain.CONTRACT,
        mini_chain.CODE_HASH,
    )
    assert [number for number, _ in chain.blocks] == [200]
    assert trust.witnesses == ()


def test_the_smallest_trust_file_is_read():
    trust = parse_trust((f'version = 1\norigin = "{ORIGIN}"\n' + TABLES["log_key"]).encode())
    assert (trust.k, trust.test_only, trust.receipt_keys, trust.chains, trust.authorities) == (
        1,
        False,
        (),
        (),
        (),
    )


def test_a_key_has_its_period_and_its_last_good_size():
    more = ("since = 2026-01-01T08:00:00+08:00", "until = 2027-01-01T00:00:00Z", "last_good_size = 7")
    key = parse_trust(
        trust_text(LOG, log_key=key_table("log_key", ORIGIN, LOG.key, *more)).encode()
    ).log_keys[0]
    assert (key.since, key.until) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert key.last_good_size == 7


@pytest.mark.parametrize(
    ("changes", "k"),
    [
        ({}, 2),
        ({"chain": None}, 2),
        ({"chain": None, "tsa_b": None}, 1),
        ({"chain": None, "tsa_a": None, "tsa_b": None}, 1),
        ({"tsa_a": None}, 2),
        ({"chain": None, "tsa_b": TABLES["tsa-b"].replace("tsa-b Ltd", "tsa-a Ltd")}, 1),  # one organisation
        ({"top": TABLES["top"] + "k = 3\n"}, 3),
        ({"top": TABLES["top"] + "k = 1\n"}, 1),
    ],
)
def test_k_is_two_where_there_are_two_independent_sources(changes, k):
    assert build.trust(LOG, **changes).k == k


def test_two_contracts_on_one_chain_are_one_source():
    both = TABLES["chain"] + TABLES["chain"].replace("11" * 20, "33" * 20)
    assert build.trust(LOG, chain=both, tsa_a=None, tsa_b=None).k == 1


@pytest.mark.parametrize("key", [WITNESS, COSIGNER])
def test_there_is_room_for_witnesses_with_keys_of_any_type(key):
    assert build.trust(LOG, witness=f'[[witness]]\nvkey = "{key}"\n').witnesses == (key,)


def test_more_of_an_authority_may_be_said():
    more = ['policies = ["1.2.3", "0.4"]', "accuracy_ms = 1000", f"intermediates = ['''{OTHER_PEM}''']"]
    authority = build.trust(LOG, tsa_a=tsa_table("tsa-a", build.tsa("tsa-a"), *more)).authorities[0]
    assert (authority.policies, authority.accuracy_ms, len(authority.intermediates)) == (
        ("1.2.3", "0.4"),
        1000,
        1,
    )


@pytest.mark.parametrize(("stated", "strict"), [((), False), (("lenient",), False), (("strict",), True)])
def test_what_is_not_captured_is_let_pass_unless_the_file_is_strict(stated, strict):
    more = [f'revocation = "{word}"' for word in stated]
    table = tsa_table("tsa-a", build.tsa("tsa-a"), *more)
    assert build.trust(LOG, tsa_a=table).authorities[0].strict is strict


def other(table, old, new):
    assert old in TABLES[table], (table, old)
    return {table.replace("-", "_"): TABLES[table].replace(old, new)}


LOG_KEY, CHAIN, TSA = TABLES["log_key"], TABLES["chain"], TABLES["tsa-a"]
HASH = "0x" + mini_chain.CODE_HASH.hex()
ONE = f'"0x{"01" * 20}"'
MANY = ", ".join(f'"0x{number:040x}"' for number in range(100))
SET = f"addresses = [{ONE}]"


def sealed(*sets, profile="qbft"):
    more = "".join(f"[[chain.validators]]\n{each}\n" for each in sets)
    return {"chain": CHAIN.partition("[[chain.block]]")[0].replace('"ethereum"', f'"{profile}"') + more}


def test_a_sealed_chain_has_its_validators_and_a_log_its_head_keys():
    later = f"from_block = 70\naddresses = [{MANY}]"
    table = sealed(SET, later)["chain"].replace("profile =", f"head_keys = [{ONE}]\nprofile =")
    (chain,) = build.trust(LOG, chain=table).chains
    assert chain.head_keys == (b"\x01" * 20,)
    assert [(each.from_block, len(each.addresses)) for each in chain.validators] == [(0, 1), (70, 100)]
    assert build.trust(LOG).chains[0].head_keys == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top": "version = 1\nversion = 1\n"}, "not TOML"),
        ({"top": "version = \n"}, "not TOML"),
        ({"top": "version = 1" + "0" * 5000 + "\n"}, "not TOML"),
        ({"top": "version = " + "[" * 50_000 + "\n"}, "not TOML"),
        ({"top": f'origin = "{ORIGIN}"\n'}, "top has no 'version'"),
        ({"top": "version = 1\n"}, "top has no 'origin'"),
        ({"log_key": None}, "top has no 'log_key'"),
        ({"log_key": "", "top": TABLES["top"] + "log_key = []\n"}, "there is no log_key"),
        ({"top": TABLES["top"] + "keys = 1\n"}, "top has a key 'keys' that we do not know"),
        (other("top", "version = 1", "version = 2"), "top: the version is not 1"),
        (other("top", "version = 1", "version = true"), "top: the version is not 1"),
        (other("top", "version = 1", "version = 1.0"), "top: the version is not 1"),
        (other("top", "version = 1", "version = 0x" + "f" * 5000), "top: the version is not 1"),
        (other("top", f'"{ORIGIN}"', '"log example"'), "origin is not of the form"),
        (other("top", f'"{ORIGIN}"', "5"), "origin is not of the form"),
        (other("top", "true", '"true"'), "test_only is neither true nor false"),
        ({"top": TABLES["top"] + "k = 0\n"}, "k is at least 1"),
        (other("tsa-a", "roots", 'revocation = "STRICT"\nroots'), "revocation is not of the form"),
        (other("tsa-a", "roots", "revocation = true\nroots"), "revocation is not of the form"),
        ({"top": TABLES["top"] + "k = 65\n"}, "k is not a whole number"),
        ({"top": TABLES["top"] + 'k = "2"\n'}, "k is not a whole number"),
        ({"top": TABLES["top"] + "k = true\n"}, "k is not a whole number"),
        ({"log_key": None, "top": TABLES["top"] + "log_key = 1\n"}, "log_key is not a list of tables"),
        ({"log_key": None, "top": TABLES["top"] + "log_key = [1]\n"}, "key is not a table"),
        (other("log_key", "vkey", "key"), "key has no 'vkey'"),
        ({"log_key": LOG_KEY + "name = 1\n"}, "key has a key 'name'"),
        (other("log_key", "+A", "+B"), "key id in the vkey"),
        ({"log_key": '[[log_key]]\nvkey = "日志+00000000+AAAA"\n'}, "key id in the vkey"),
        ({"log_key": f'[[log_key]]\nvkey = "{COSIGNER}"\n'}, "not of an Ed25519 key"),
        ({"log_key": key_table("log_key", "another", LOG.key)}, "a log_key has the name 'another'"),
        ({"log_key": "[[log_key]]\nvkey = 1\n"}, "a vkey is not a string"),
        ({"log_key": key_table("log_key", ORIGIN + "/receipt", ed25519("x"))}, "a log_key has the name"),
        ({"receipt_key": key_table("receipt_key", ORIGIN, ed25519("x"))}, "a receipt_key has the name"),
        (
            {"receipt_key": key_table("receipt_key", ORIGIN + "/receipt", LOG.key)},
            "one key is a log_key and a receipt_key",
        ),
        ({"log_key": LOG_KEY + "since = 2026-01-01\n"}, "since is not a time with a zone"),
        ({"log_key": LOG_KEY + "since = 2026-01-01T00:00:00\n"}, "since is not a time with a zone"),
        ({"log_key": LOG_KEY + 'until = "2026-01-01T00:00:00Z"\n'}, "until is not a time with a zone"),
        ({"log_key": LOG_KEY + "since = 0001-01-01T00:00:00+01:00\n"}, "since is not within the years"),
        (
            {"log_key": LOG_KEY + "until = 2027-01-01T00:00:00Z\nlast_good_size = -1\n"},
            "last_good_size is not a whole number",
        ),
        (
            {"log_key": LOG_KEY + "since = 2026-01-02T00:00:00Z\nuntil = 2026-01-01T00:00:00Z\n"},
            "the 'until' of a key is before its 'since'",
        ),
        (
            {"log_key": LOG_KEY + "last_good_size = 7\n"},
            "^trust file: a key with last_good_size has no 'until'$",
        ),
        ({"log_key": LOG_KEY + LOG_KEY}, "two log_key have one key id"),
        ({"receipt_key": TABLES["receipt_key"] * 2}, "two receipt_key have one key id"),
        ({"chain": CHAIN + CHAIN}, "two chain are of one contract and log id"),
        (other("chain", "chain_id = 31337", 'chain_id = "31337"'), "chain_id is not a whole number"),
        (other("chain", "chain_id", "id"), "chain has no 'chain_id'"),
        (other("chain", "0x1111", "0x11"), "contract is not of the form"),
        (other("chain", 'log_id = "0x', 'log_id = "'), "^trust file: log_id is not of the form"),
        (other("chain", "0x1111", "1111"), "contract is not of the form"),
        (other("chain", HASH, HASH.upper()), "code_hash is not of the form"),
        (other("chain", 'profile = "ethereum"', 'profile = ""'), "profile is not of the form"),
        (other("chain", "number = 200", "number = -1"), "block number is not a whole number"),
        (other("chain", "number = 200", "number = 200\ntime = 1"), "block has a key 'time'"),
        ({"chain": CHAIN.partition("[[chain.block]]")[0] + "block = 5\n"}, "block is not a list of tables"),
        (
            other("chain", '"ethereum"', '"clique"'),
            "profile 'clique' is not known; known: ethereum, op, qbft",
        ),
        (other("chain", '"ethereum"', '"qbft"'), "a chain of profile qbft needs validators"),
        (sealed(SET, profile="op"), "a chain of profile op has no validators"),
        (sealed(SET, SET), "two sets of validators begin with one block"),
        (sealed("addresses = []"), "validators are not 1 to 100 different addresses"),
        (sealed(f"addresses = [{ONE}, {ONE}]"), "validators are not 1 to 100 different addresses"),
        (sealed(f"addresses = [{MANY}, {ONE}]"), "validators are not 1 to 100 different addresses"),
        (sealed('addresses = ["0x01"]'), "validators is not of the form"),
        (sealed(f"addresses = {ONE}"), "validators is not a list of strings"),
        (sealed("from_block = 1"), "validators has no 'addresses'"),
        (sealed(SET + "\nfrom_block = -1"), "from_block is not a whole number"),
        (sealed(SET + "\nquorum = 1"), "validators has a key 'quorum' that we do not know"),
        (other("chain", '"ethereum"', '"ethereum"\nhead_keys = ["0x01"]'), "head_keys is not of the form"),
        ({"tsa_b": TABLES["tsa-a"]}, "two tsa have the same name"),
        (other("tsa-a", 'name = "tsa-a"', 'name = "TSA A"'), "name of an authority is not of the form"),
        (other("tsa-a", "tsa-a Ltd", "a\\nb"), "organisation is not of the form"),
        (other("tsa-a", "organisation", "organization"), "tsa has no 'organisation'"),
        ({"tsa_a": TSA.partition("roots")[0] + "roots = []\n"}, "a tsa has no root certificate"),
        ({"tsa_a": TSA.partition("roots")[0] + "roots = 1\n"}, "roots is not a list of strings"),
        ({"tsa_a": TSA.partition("roots")[0] + "roots = [1]\n"}, "roots is not a list of strings"),
        (
            {"tsa_a": TSA.partition("roots")[0] + 'roots = [""]\n'},
            "roots: not one certificate in each string",
        ),
        (other("tsa-a", PEM[60:120], ""), "roots: not a certificate in PEM form"),
        (other("tsa-a", PEM, PEM + OTHER_PEM), "roots: not one certificate in each string"),
        (other("tsa-a", PEM, "a root\n" + PEM), "roots: not one certificate in each string"),
        (other("tsa-a", PEM, PEM + "a root"), "roots: not one certificate in each string"),
        (other("tsa-a", PEM[60:61], "é"), "roots: not a certificate in PEM form"),
        (other("tsa-a", PEM, PEM.replace("CERTIFICATE", "X509 CRL")), "roots: not one certificate in each"),
        ({"tsa_a": TSA + 'policies = "1.2.3"\n'}, "policies is not a list of strings"),
        ({"tsa_a": TSA + 'policies = ["1"]\n'}, "policy is not of the form"),
        ({"tsa_a": TSA + "accuracy_ms = 3600001\n"}, "accuracy_ms is not a whole number"),
        ({"tsa_a": TSA + 'intermediates = ["x"]\n'}, "intermediates: not one certificate in each string"),
        ({"witness": '[[witness]]\nvkey = "w+00000000+BAEC"\n'}, "key id in the vkey"),
        ({"witness": f'[[witness]]\nvkey = "{WITNESS}"\nweight = 1\n'}, "witness has a key 'weight'"),
        ({"witness": "[[witness]]\n"}, "witness has no 'vkey'"),
    ],
)
def test_each_mistake_is_refused_with_its_name(changes, message):
    with pytest.raises(TrustError, match=message):
        build.trust(LOG, **changes)


def test_size_and_encoding_are_checked_first():
    with pytest.raises(TrustError, match="larger than 1048576"):
        parse_trust(GOOD.encode() + b" " * MAX_TRUST)
    with pytest.raises(TrustError, match="not TOML"):
        parse_trust(b"\xff")
    with pytest.raises(TrustError, match="not TOML"):
        parse_trust(GOOD.encode("utf-16"))


def test_a_number_names_one_block_of_a_chain():
    chain = trust_tables(LOG)["chain"]
    block = f'[[chain.block]]\nnumber = 9\nhash = "0x{"00" * 32}"\n'
    parse_trust(trust_text(LOG, chain=chain + block).encode())
    with pytest.raises(TrustError, match="two blocks of a chain have one number"):
        parse_trust(trust_text(LOG, chain=chain + block + block.replace("00" * 32, "01" * 32)).encode())


def test_the_base64_of_a_certificate_has_one_form():
    texts = [build.tsa(label).pem for label in ("tsa-a", "tsa-b", "tsa-cc", "tsa-ddd")]
    first, *lines, last = next(text for text in texts if "=" in text).strip().split("\n")
    encoded = "".join(lines)
    certificate(f"{first}\n{encoded}\n{last}", "roots")
    # The last character before the padding holds bits that no byte needs.
    bare = encoded.rstrip("=")
    loose = bare[:-1] + _ALPHABET[_ALPHABET.index(bare[-1]) + 1] + "=" * (len(encoded) - len(bare))
    with pytest.raises(TrustError, match="base64 in another form"):
        certificate(f"{first}\n{loose}\n{last}", "roots")
