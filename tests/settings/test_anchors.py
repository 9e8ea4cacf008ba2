"""Tables of anchors: nothing in one that would not be done, or be done twice."""

from itertools import count

import pytest

from notary.anchoring.rfc3161 import request
from notary.errors import SettingsError
from notary.evidence import chain_bft
from notary.evidence.chain_header import PROFILES
from notary.settings.anchors import Chain
from notary.settings.loading import load_settings
from notary.wiring.nodes import nodes_of

ONE, TWO = "0x" + "01" * 20, "0x" + "02" * 20
SEALED = {"profile": "qbft", "validators": [{"addresses": [ONE, TWO]}]}


def test_nothing_is_accepted_that_would_not_be_done(environment):
    """More endpoints that must agree than there are, and seals that nobody checks, would be promises."""
    chain = {"name": "x", "rpc_urls": ["https://a.example.org"], "chain_id": 1}
    load_settings(chains=(chain,))
    load_settings(
        chains=(chain | {"rpc_urls": ["https://a.example.org", "https://b.example.org"], "quorum": 2},)
    )
    for change, what in (
        ({"rpc_urls": [f"https://{number}.example.org" for number in range(9)]}, "at most 8 items"),
        *(
            ({"rpc_urls": ["https://a.example.org/v2?key=1", again]}, "an endpoint is named twice")
            for again in (
                "https://A.example.org/v2?key=1",
                "HTTPS://a.example.org:443/v2?key=1",
                "https://a.example.org./v2/?key=1",
            )
        ),
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
