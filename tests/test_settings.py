"""Settings: variables, a file below them, and nothing unknown."""

import os
from itertools import count
from pathlib import Path

import pytest

from notary.anchoring.rfc3161 import request
from notary.errors import SettingsError
from notary.evidence import chain_bft
from notary.evidence.chain_header import PROFILES
from notary.settings import Chain, Ots, Settings, Tsa, load_settings
from notary.wiring.nodes import nodes_of


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("NOTARY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NOTARY_ORIGIN", "log.example.org")
    return monkeypatch


def test_defaults_follow_the_data_folder(environment):
    environment.setenv("NOTARY_DATA_DIR", "/srv/notary")
    settings = load_settings()
    assert settings.database_url == "sqlite:////srv/notary/notary.db"
    assert settings.log_key == Path("/srv/notary/keys/log.pem")
    assert settings.wallet_key == Path("/srv/notary/keys/wallet.key")
    assert settings.temp_dir == Path("/srv/notary/spool")
    assert (settings.close_promise_seconds, settings.max_document_bytes) == (60, 100 * 2**20)


FILE = """
operator = "Example Ltd"
port = 9000
[[chains]]
name = "main"
rpc_urls = ["https://rpc.example.org"]
chain_id = 1
finality = "depth:12"
[[tsas]]
name = "tsa-one"
organisation = "One"
url = "https://tsa.example.org"
roots = ["one.pem"]
accuracy_ms = 1000
"""


def test_variables_win_over_the_file_and_arguments_over_both(environment, tmp_path):
    (tmp_path / "notary.toml").write_text(FILE)
    environment.setenv("NOTARY_CONFIG", str(tmp_path / "notary.toml"))
    settings = load_settings()
    assert (settings.operator, settings.port) == ("Example Ltd", 9000)
    assert settings.chains == (
        Chain(name="main", rpc_urls=("https://rpc.example.org",), chain_id=1, finality="depth:12"),
    )
    assert settings.tsas[0].roots == (Path("one.pem"),)
    environment.setenv("NOTARY_PORT", "9001")
    assert load_settings().port == 9001
    assert load_settings(port=9002).port == 9002


def test_nested_settings_may_be_json_in_a_variable(environment):
    environment.setenv("NOTARY_TSAS", '[{"name":"a","organisation":"A","url":"https://a","roots":["a.pem"]}]')
    assert load_settings().tsas[0].name == "a"


def test_settings_are_frozen(environment):
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


ONE, TWO = "0x" + "01" * 20, "0x" + "02" * 20
SEALED = {"profile": "qbft", "validators": [{"addresses": [ONE, TWO]}]}

WRONG = {
    "unknown variable": ({"NOTARY_PROT": "1"}, "NOTARY_PROT is not a setting"),
    "lower case": ({"notary_prot": "1"}, "notary_prot is not a setting"),
    "missing": ({"NOTARY_ORIGIN": None}, "origin: Field required"),
    "port": ({"NOTARY_PORT": "65536"}, "port: Input should be less than or equal to 65535"),
    "url": ({"NOTARY_DATABASE_URL": "mysql://secret@host/db"}, "database_url: String should match"),
    "origin": ({"NOTARY_ORIGIN": "has spaces"}, "origin: String should match"),
    "json": ({"NOTARY_CHAINS": "[secret"}, "settings cannot be read"),
    "nested": ({"NOTARY_CHAINS": '[{"name":"x","rpc":1}]'}, "chains.0.rpc: Extra inputs are not permitted"),
    "no file": ({"NOTARY_CONFIG": "/nowhere/secret.toml"}, "is not a file"),
}


def test_nothing_is_accepted_that_would_not_be_done(environment):
    """More endpoints that must agree than there are, and seals that nobody checks, would be promises."""
    chain = {"name": "x", "rpc_urls": ["https://a.example.org"], "chain_id": 1}
    load_settings(chains=(chain,))
    load_settings(
        chains=(chain | {"rpc_urls": ["https://a.example.org", "https://b.example.org"], "quorum": 2},)
    )
    for change, what in (
        ({"rpc_urls": [f"https://{number}.example.org" for number in range(9)]}, "at most 8 items"),
        (
            {"rpc_urls": ["https://a.example.org"] * 2},
            "an endpoint is named twice, and would agree with itself",
        ),
        ({"quorum": 2}, "2 endpoints cannot agree where 1 are named"),
        ({"finality": "sealed"}, "finality: String should match pattern"),
        ({"finality": "seals"}, "a chain of profile ethereum does not tell what is final by seals"),
        (
            SEALED | {"finality": "finalized"},
            "a chain of profile qbft does not tell what is final by finalized",
        ),
        (
            {"profile": "clique"},
            "headers of no other chains can be hashed than of ethereum, op, qbft, ibft2, anvil",
        ),
        ({"profile": "op", "finality": "depth:9"}, "profile op does not tell what is final by depth:9"),
        ({"profile": "qbft"}, "a chain of profile qbft needs validators"),
        (SEALED | {"profile": "op"}, "a chain of profile op has no validators"),
        ({"validators": [{"addresses": []}], "profile": "qbft"}, "at least 1 item"),
        ({"validators": [{"addresses": ["0x12"]}], "profile": "qbft"}, "String should match pattern"),
        (
            {"validators": [{"addresses": [ONE]}, {"from_block": 0, "addresses": [TWO]}], "profile": "qbft"},
            "two sets of validators begin with one block",
        ),
        ({"validators": [{"addresses": [ONE, ONE]}], "profile": "qbft"}, "one is named twice in a set"),
        ({"head_keys": ["0x12"]}, "head_keys.0: String should match pattern"),
    ):
        with pytest.raises(SettingsError, match=what):
            load_settings(chains=(chain | change,))


def test_a_chain_is_named_once(environment):
    """Nonces are counted by the name of an anchor: two of one chain would give away the same ones."""
    one, two = ({"name": name, "rpc_urls": [f"https://{name}.example"], "chain_id": 5} for name in ("a", "b"))
    with pytest.raises(
        SettingsError, match="one chain is named twice, and its wallets would fight over nonces"
    ):
        load_settings(chains=(one, two))
    load_settings(chains=(one, two | {"chain_id": 6}))


def test_every_profile_of_the_settings_is_one_that_headers_are_hashed_by():
    for profile in PROFILES:
        more = SEALED if profile in chain_bft.SEALED else {}
        chain = Chain(
            **{"name": "x", "rpc_urls": ["https://a.example.org"], "chain_id": 1, **more, "profile": profile}
        )
        assert (chain.profile, chain.finality) == (profile, "seals" if more else "finalized")
        assert chain.fees == ("free" if more else "eip1559")


def test_what_anchors_cost_is_bounded_where_the_settings_say_nothing():
    made = {"name": "x", "rpc_urls": ["https://a.example.org"], "chain_id": 1}
    bounds = [Chain(**made | {"profile": profile}) for profile in ("ethereum", "op", "anvil")]
    assert [(each.max_fee_gwei, each.max_tip_gwei) for each in bounds] == [(300, 50)] * 3
    assert [each.max_ether_per_day for each in bounds] == [2, 2, None]
    assert Chain(**made | {"max_ether_per_day": None}).max_ether_per_day is None
    (node,) = nodes_of(Chain(**made | {"max_fee_gwei": 7, "max_tip_gwei": 3}), load_settings())
    assert (node.max_fee, node.max_tip) == (7 * 10**9, 3 * 10**9)


def test_validators_may_change_with_a_block():
    sets = [{"addresses": [ONE]}, {"from_block": 7, "addresses": [ONE, TWO]}]
    chain = {"name": "x", "rpc_urls": ["https://a.example.org"], "chain_id": 1, "profile": "qbft"}
    (made,) = load_settings(chains=(chain | {"validators": sets, "finality": "depth:2"},)).chains
    assert [(each.from_block, len(each.addresses)) for each in made.validators] == [(0, 1), (7, 2)]
    assert made.finality == "depth:2"


def test_what_waits_may_be_no_less_than_one_document(environment):
    assert load_settings().max_spool_bytes == 4 * 2**30
    load_settings(max_document_bytes=1000, max_spool_bytes=1000)
    with pytest.raises(SettingsError, match="max_spool_bytes: a document of max_document_bytes would never"):
        load_settings(max_document_bytes=1000, max_spool_bytes=999)


def test_a_promise_leaves_room_for_two_closes(environment):
    load_settings(close_interval_seconds=29.9)
    load_settings(close_interval_seconds=0.5, close_promise_seconds=2)
    for interval, promise in ((30, 60), (3600, 60), (1, 2)):
        with pytest.raises(
            SettingsError, match=f"close_promise_seconds: a promise of {promise} seconds is refused"
        ):
            load_settings(close_interval_seconds=interval, close_promise_seconds=promise)


@pytest.mark.parametrize("url", ["https://notary.example", "http://127.0.0.1:8000", "https://[::1]:8/a/b"])
def test_people_reach_the_service_at_an_address(environment, url):
    assert load_settings(public_url=url).public_url == url


@pytest.mark.parametrize(
    "url", ["http://", "https:///x", "ftp://a", "https://a/x?y", "https://a#x", "https://a b", "https://me@a"]
)
def test_what_is_no_address_is_refused(environment, url):
    with pytest.raises(SettingsError, match="public_url: String should match pattern"):
        load_settings(public_url=url)


def with_policies(*policies):
    named = {"name": "a", "organisation": "One", "url": "https://a.example.org", "roots": ["one.pem"]}
    return load_settings(tsas=(named | {"policies": policies},)).tsas[0].policies


@pytest.mark.parametrize(
    "policy", ["1.2.3.4.1", "0.4.0.2023.1.1", "2.25.310943214671094117361735923452351923517", "2.999"]
)
def test_a_policy_of_an_authority_is_an_object_identifier(environment, policy):
    assert with_policies(policy, "1.2.3") == (policy, "1.2.3")
    assert request(b"data", 1, policy=policy)  # it may be asked for


@pytest.mark.parametrize(
    "policy", ["", "1", "3.1", "1.40", "1.2.", ".1.2", "1.2.03", "1.2.x", "1.2 .3", "1.٢", "1.2\n"]
)
def test_what_is_none_is_refused(environment, policy):
    with pytest.raises(SettingsError, match=r"tsas\.0\.policies\.0: String should match pattern"):
        with_policies(policy)


def test_no_two_anchors_have_one_name(environment):
    def chain(name):
        return {"name": name, "rpc_urls": ["https://a.example.org"], "chain_id": next(ids)}

    ids = count(1)

    def tsa(name):
        return {"name": name, "organisation": "One", "url": "https://a.example.org", "roots": ["one.pem"]}

    def load(chains, tsas, calendars):
        return load_settings(
            chains=tuple(map(chain, chains)), tsas=tuple(map(tsa, tsas)), ots=tuple(map(ots, calendars))
        )

    load("ab", "cd", "ef")
    for where, chains, tsas, calendars in (
        ("chains", "aa", "", ""),
        ("tsas", "", "aa", ""),
        ("tsas", "ab", "cb", ""),
        ("ots", "", "", "aa"),
        ("ots", "a", "b", "b"),
        ("ots", "a", "b", "a"),
    ):
        with pytest.raises(
            SettingsError, match=f"{where}: two chains, authorities or sets of calendars have one"
        ):
            load(chains, tsas, calendars)


def ots(name, **changes):
    found = {"name": name, "calendars": ["https://a.example.org"], "headers_url": "https://b.example.org/api"}
    return found | changes


def test_calendars_are_addresses_that_may_stand_in_a_file(environment):
    settings = load_settings(ots=(ots("a", calendars=["https://a.example.org/", "http://b:1/x"]),))
    assert settings.ots[0].calendars == ("https://a.example.org", "http://b:1/x")
    assert load_settings(ots=(ots("a", headers_url="https://b/api/"),)).ots[0].headers_url == "https://b/api"
    assert load_settings().ots == ()
    for change, what in (
        (
            {"calendars": ["https://a.example.org/?key=1"]},
            "the address of a calendar is https://, letters, digits",
        ),
        ({"calendars": ["ftp://a.example.org"]}, "the address of a calendar is https://, letters, digits"),
        ({"calendars": ["https://a", "https://a/"]}, "a calendar is named twice"),
        ({"calendars": []}, "at least 1 item"),
        ({"calendars": [f"https://{number}" for number in range(9)]}, "at most 8 items"),
        ({"headers_url": "file:///headers"}, "headers_url: String should match pattern"),
        ({"name": "-a"}, "name: String should match pattern"),
    ):
        with pytest.raises(SettingsError, match=what):
            load_settings(ots=(ots("a") | change,))


def test_no_more_organisations_are_needed_than_there_are(environment):
    def tsa(name, organisation):
        return {"name": name, "organisation": organisation, "url": "https://a.example", "roots": ["a.pem"]}

    three = (tsa("a", "One, Inc."), tsa("b", "ONE INC"), tsa("c", "Two"))
    assert load_settings().stamps_needed == 1
    assert load_settings(tsas=three, stamps_needed=2).stamps_needed == 2
    for tsas, needed, there in ((three, 3, 2), ((), 2, 0), (three[:2], 2, 1)):
        what = f"stamps_needed: {needed} organisations cannot stamp where authorities of {there} are named"
        with pytest.raises(SettingsError, match=what):
            load_settings(tsas=tsas, stamps_needed=needed)


def test_a_profile_and_an_imprint_are_among_those_that_are_known(environment):
    known = {"name": "a", "roots": ["a.pem"]}
    assert load_settings(tsas=(known | {"profile": "digicert"},)).tsas[0].organisation == "DigiCert"
    assert load_settings(tsas=(known | {"profile": "digicert", "imprint": "sm3"},)).tsas[0].imprint == "sm3"
    for change, what in (
        ({"profile": "digicertt"}, "no authority is known by this profile, but of apple, digicert, freetsa"),
        ({}, "organisation: Field required"),
        ({"profile": "digicert", "imprint": "sha1"}, "imprint: Input should be 'sha256' or 'sm3'"),
        ({"profile": "digicert", "root_sha256": ["AA"]}, "root_sha256.0: String should match"),
        ({"profile": "digicert", "interval_seconds": -1}, "interval_seconds: Input should be greater"),
    ):
        with pytest.raises(SettingsError, match=what):
            load_settings(tsas=(known | change,))


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(environment, case):
    values, what = WRONG[case]
    for name, value in values.items():
        environment.delenv(name, raising=False) if value is None else environment.setenv(name, value)
    with pytest.raises(SettingsError, match=what) as caught:
        load_settings()
    assert "default factory" not in str(caught.value)
    if case != "no file":
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [("colour = 1", "colour: Extra inputs are not permitted"), ("port = ", "settings cannot be read")],
)
def test_a_file_that_is_wrong_is_refused(environment, tmp_path, text, what):
    (tmp_path / "notary.toml").write_text(text)
    environment.setenv("NOTARY_CONFIG", str(tmp_path / "notary.toml"))
    with pytest.raises(SettingsError, match=what):
        load_settings()


@pytest.mark.parametrize("kind", [Settings, Chain, Tsa, Ots])
def test_every_setting_says_what_it_is_for(kind):
    for name, field in kind.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
