"""The steps of a worker, with the adapters that the settings name."""

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from notary.anchoring import rpc
from notary.anchoring.compiled import CODE
from notary.errors import AnchorRejected, AnchorUnavailable, Fatal, OutOfTime, SettingsError
from notary.observe import ANCHOR_FINAL_AGE, ANCHOR_PENDING, STAMPED_AGE, WALLET_WEI
from notary.outbound import TOTAL_SECONDS
from notary.settings.anchors import Chain
from notary.store import anchorings, stamps
from notary.store.blocks import newest_block
from notary.store.breakers import breaker_of
from notary.store.final_words import final_words
from notary.store.heartbeats import beat
from notary.wiring import nodes, now
from notary.wiring.nodes import chain_patience
from tests.anchoring.local_chain import running
from tests.anchoring.lying_node import Lost, lying_node
from tests.api.service import Service
from tests.tsa_process import running_tsa

CHAIN_ID = 1  # of the log that `Service` opens


@pytest.fixture
def chain():
    with running(CHAIN_ID) as started:
        yield started


@pytest.fixture
def service(chain, tmp_path):
    made = {"name": "main", "rpc_urls": (chain.url,), "chain_id": CHAIN_ID}
    service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
    yield service
    service.end()


def lost(_):
    raise Lost


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"max_ether_per_day": None}, True),
        ({"max_ether_per_day": None, "fees": "legacy"}, True),
        ({"max_ether_per_day": None, "fees": "free"}, False),
        ({"profile": "anvil"}, False),
        ({}, False),
    ],
)
def test_a_worker_warns_once_where_nothing_bounds_what_a_wallet_spends_in_a_day(tmp_path, changes, warned):
    made = {"name": "main", "rpc_urls": ("https://a.example.org",), "chain_id": CHAIN_ID} | changes
    service = Service(tmp_path / "service", {"chains": (made,)})
    with structlog.testing.capture_logs() as logs:
        assert service.assembly.steps
    said = [line for line in logs if line["event"].startswith("nothing bounds what a wallet spends")]
    assert [line["chain"] for line in said] == ["main"] * warned
    service.end()


def test_what_anchors_owe_is_measured_by_objectives_and_told_by_readiness(stamping):
    steps = {step.name: step for step in stamping.assembly.steps}
    number = stamping.accepted()["number"]
    stamping.close()
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        steps["anchor dead"].run()
    steps["anchor one"].run()
    steps["owing"].run()
    assert number
    assert ANCHOR_PENDING.labels("one")._value.get() == 0
    assert ANCHOR_PENDING.labels("dead")._value.get() > 0
    assert STAMPED_AGE._value.get() >= ANCHOR_FINAL_AGE.labels("one")._value.get()  # one of two organisations

    def failing(seconds):
        health = stamping.services.health
        later = replace(health, now=lambda: now() + timedelta(seconds=seconds))
        with stamping.assembly.database.writing() as connection:
            beat(connection, "anchor dead", 60.0, later.now(), succeeded=True)
        return later.look().failing

    bound = stamping.settings.stamp_target_seconds / 2
    assert failing(bound - 100) == []
    (said,) = failing(bound + 1)
    assert said.startswith(
        "anchor dead: nothing has become final for 12 h; the head of size 2 is signed: no token"
    )


def test_two_wallets_of_one_key_are_refused(chain, tmp_path):
    made = {"name": "main", "rpc_urls": (chain.url,), "chain_id": CHAIN_ID}
    twice = made | {"wallets": (tmp_path / "service" / "data" / "keys" / "wallet.key",)}
    service = Service(tmp_path / "service", {"chains": (twice,), "allow_private_addresses": True})
    with pytest.raises(
        SettingsError, match="two wallets of chain main have one key, and would fight over nonces"
    ):
        assert service.assembly.steps


def test_an_endpoint_that_is_away_does_not_keep_a_worker_from_closing(chain, tmp_path):
    chain.node.ask("anvil_setCode", "0x" + "00" * 20, f"0x{CODE.hex()}")  # the contract of `Service`
    made = {"name": "main", "rpc_urls": ("http://127.0.0.1:9", chain.url), "chain_id": CHAIN_ID}
    service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
    service.accepted()
    assert service.assembly.sequencer.sequence().size == 2
    service.end()


def test_where_no_endpoint_answers_nothing_is_closed_and_all_is_accepted(tmp_path):
    away = ("http://127.0.0.1:9", "http://127.0.0.1:10")
    made = {"name": "main", "rpc_urls": away, "chain_id": CHAIN_ID}
    service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
    service.accepted()
    with pytest.raises(AnchorUnavailable, match="no answer from the node"):
        service.assembly.sequencer.sequence()
    service.accepted(b"another")
    service.end()


HEADS = {
    "none": (0, bytes(32)),
    "later": (2**64 - 1, bytes(32)),  # more than a database can compare
    "fork": (1, bytes(32)),
}


@contextmanager
def two_endpoints(chain, tmp_path, **more):
    """A service by two of them, and what they say is anchored, to be changed."""
    chain.node.ask("anvil_setCode", "0x" + "00" * 20, f"0x{CODE.hex()}")  # the contract of `Service`
    says = ["none", "none"]

    def told(place):
        if says[place] == "nothing":
            raise Lost
        size, root = HEADS[says[place]]
        return f"0x{size:064x}{root.hex()}"

    with (
        lying_node(chain.url, eth_call=lambda _: told(0)) as one,
        lying_node(chain.url, eth_call=lambda _: told(1)) as two,
    ):
        made = {"name": "main", "rpc_urls": (one, two), "chain_id": CHAIN_ID} | more
        service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
        service.accepted()
        yield service, says
        service.end()


@pytest.mark.parametrize("lie", ["later", "fork"])
def test_an_endpoint_that_contradicts_the_database_alone_is_waited_for_and_two_end_the_worker(
    chain, tmp_path, lie
):
    with two_endpoints(chain, tmp_path) as (service, says):
        close = service.assembly.sequencer.sequence
        for place in (0, 1):
            says[place] = lie
            told = f"say too few of 2 endpoints: endpoint {place + 1} of size {HEADS[lie][0]}"
            for _ in range(2):
                with pytest.raises(AnchorUnavailable, match=told):
                    close()
            says[place] = "none"
        service.accepted(b"another")
        assert service.services.health.look().late == []
        says[:] = [lie, lie]
        with pytest.raises(Fatal, match=f"size {HEADS[lie][0]}"):
            close()
        says[:] = ["none", "none"]
        assert close().size == 3
        says[:] = [lie, lie]  # once it has closed, its own checkpoints are the newest that there are
        service.accepted(b"a third")
        assert close().size == 4


def test_before_its_first_checkpoint_a_worker_waits_for_as_many_endpoints_as_must_agree(chain, tmp_path):
    with two_endpoints(chain, tmp_path, quorum=2) as (service, says):
        says[0] = "nothing"
        with pytest.raises(AnchorUnavailable, match="1 of 2 endpoints tell what is anchored, and 2 must"):
            service.assembly.sequencer.sequence()
        service.accepted(b"another")
        says[0] = "none"
        assert service.assembly.sequencer.sequence().size == 3


def test_each_step_of_a_chain_has_a_time_that_ends_before_it_is_late(chain, tmp_path, monkeypatch):
    chain.node.ask("anvil_setCode", "0x" + "00" * 20, f"0x{CODE.hex()}")  # the contract of `Service`
    made = {"name": "main", "rpc_urls": (chain.url,), "chain_id": CHAIN_ID}
    monkeypatch.setattr(nodes, "_REST_SECONDS", 10**6)  # none is left
    service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
    service.accepted()
    assert service.assembly.sequencer.sequence().size == 2  # closing is no step of a chain
    steps = {step.name: step for step in service.assembly.steps}
    for name in ("anchor main", "blocks main"):
        with pytest.raises(
            OutOfTime, match="is left to the next turn: the endpoints of the chain take too long"
        ):
            steps[name].run()
    service.end()


@pytest.mark.parametrize("answers", [True, False])
def test_endpoints_that_hang_make_no_step_of_their_chain_late(chain, tmp_path, monkeypatch, answers):
    chain.node.ask("anvil_setCode", "0x" + "00" * 20, f"0x{CODE.hex()}")  # the contract of `Service`
    monkeypatch.setattr(rpc, "HANGS_SECONDS", 0)  # whoever gives no answer counts as one that was waited for
    asked = []
    with lying_node(chain.url, asked=asked, eth_chainId=lost) as silent:
        last = chain.url if answers else f"{silent}/7"
        urls = (*(f"{silent}/{number}" for number in range(7)), last)
        made = {"name": "main", "rpc_urls": urls, "chain_id": CHAIN_ID}
        service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
        service.accepted()
        monkeypatch.setattr(service.assembly.sequencer, "witnesses", ())
        service.assembly.sequencer.sequence()
        steps = {step.name: step for step in service.assembly.steps}
        for name in ("anchor main", "blocks main", "review main"):
            step, began = steps[name], now()
            assert step.patience == chain_patience(Chain(**made), step.period)
            asked.clear()
            with suppress(AnchorUnavailable, AnchorRejected):
                step.run()
            # The first question, the nonce of a new lane, and whose head the contract holds; then they are left alone,
            # but for what is final, where none is left.
            times = {"anchor main": 3 * 7 if answers else 8, "blocks main": 0 if answers else 8}
            assert len(asked) == times.get(name, 0)
            # As long as that is waited for, and what else may lie between two notes that it ran.
            later = began + timedelta(seconds=TOTAL_SECONDS * len(asked) + step.period + 20)
            with service.assembly.database.writing() as connection:
                beat(connection, name, step.patience, began, succeeded=True)
            assert name not in replace(service.services.health, now=lambda at=later: at).look().late
        service.end()


@pytest.mark.parametrize("wallets", [0, 1])
@pytest.mark.parametrize("endpoints", [1, 3, 8])
def test_the_patience_of_a_chains_steps_grows_with_its_endpoints_and_wallets(endpoints, wallets):
    urls = tuple(f"https://rpc{number}.example.org" for number in range(endpoints))
    made = Chain(name="x", rpc_urls=urls, chain_id=1, wallets=(Path("w"),) * wallets)
    assert chain_patience(made, 5) == 120 + endpoints * (30 + 10 * wallets)
    assert chain_patience(made, 600) == 1260 + endpoints * (30 + 10 * wallets)


def test_a_block_with_an_invented_time_is_an_anomaly_and_no_statement_names_it(chain, service):
    (poll,) = (step for step in service.assembly.steps if step.name == "blocks main")
    chain.mine(3)
    time.sleep(3)  # each block of this chain is a second later than the one before it
    poll.run()

    def known():
        with service.assembly.database.reading() as connection:
            return newest_block(connection, now())

    before = known()
    assert before is not None
    chain.node.ask("evm_setNextBlockTimestamp", hex(253_402_300_000))  # year 9999
    chain.mine(4)
    with pytest.raises(AnchorRejected, match=r"is dated \d+ seconds after our clock: compare the clock"):
        poll.run()
    assert known() == before


def test_of_a_quick_chain_one_block_is_kept_for_each_half_of_the_margin(chain, service):
    (poll,) = (step for step in service.assembly.steps if step.name == "blocks main")
    chain.mine(3)
    time.sleep(3)
    kept = []
    for _ in range(2):  # the second is a second later or more, and less than thirty
        poll.run()
        with service.assembly.database.reading() as connection:
            kept.append(newest_block(connection, now()))
        chain.mine(2)
        time.sleep(3)
    assert kept[0] == kept[1] is not None


def test_who_leads_shows_what_a_wallet_holds_before_it_signs_anything(chain, service):
    chain.node.ask("anvil_setCode", "0x" + "00" * 20, f"0x{CODE.hex()}")  # the contract of `Service`
    (poll,) = (step for step in service.assembly.steps if step.name == "blocks main")
    chain.mine(3)
    time.sleep(3)

    def shown():
        return [(each.labels["anchor"], each.value) for each in WALLET_WEI.collect()[0].samples]

    WALLET_WEI.clear()
    poll.run()
    assert shown() == []
    service.accepted()
    service.assembly.sequencer.sequence()
    poll.run()
    assert shown() == [("main", 0)]


@contextmanager
def leading(chain, tmp_path, **lies):
    """A service that leads, its chain by one endpoint that tells these lies, and the step that polls blocks."""
    chain.node.ask("anvil_setCode", "0x" + "00" * 20, f"0x{CODE.hex()}")  # the contract of `Service`
    chain.mine(3)
    time.sleep(3)
    with lying_node(chain.url, **lies) as url:
        made = {"name": "main", "rpc_urls": (url,), "chain_id": CHAIN_ID}
        service = Service(tmp_path / "service", {"chains": (made,), "allow_private_addresses": True})
        service.accepted()
        service.assembly.sequencer.sequence()
        yield service, next(step for step in service.assembly.steps if step.name == "blocks main")
        service.end()


def test_a_look_at_wallets_that_takes_all_time_leaves_the_block(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(nodes, "_REST_SECONDS", 143.5)  # one and a half are left

    def slowly(said):
        time.sleep(2)
        return said

    with leading(chain, tmp_path, eth_getTransactionCount=slowly) as (service, poll):
        with pytest.raises(OutOfTime, match="eth_getBalance is left to the next turn"):
            poll.run()
        with service.assembly.database.reading() as connection:
            assert newest_block(connection, now()) is not None


def test_wallets_are_looked_at_while_no_block_becomes_final(chain, tmp_path):
    with leading(chain, tmp_path, eth_getBlockByNumber=lambda _: None) as (_, poll):
        WALLET_WEI.clear()
        with pytest.raises(AnchorUnavailable, match="the node has no block finalized"):
            poll.run()
        assert [each.value for each in WALLET_WEI.collect()[0].samples] == [0]


@pytest.fixture
def stamping(tmp_path):
    """Three authorities of as many organisations, of which one is dead; two are needed."""
    folders = {name: tmp_path / name for name in ("one", "two")}
    with running_tsa(folders["one"]) as one, running_tsa(folders["two"]) as two:
        made = [
            {"name": name, "organisation": name, "url": url, "roots": (folders[whose] / "root.pem",)}
            for name, url, whose in (("one", one, "one"), ("two", two, "two"))
        ]
        made[0]["interval_seconds"] = 3600
        with running_tsa(tmp_path / "dead"):
            root = tmp_path / "dead/root.pem"
        dead = {"name": "dead", "organisation": "dead", "url": "http://127.0.0.1:1/", "roots": (root,)}
        changes = {"tsas": (dead, *made), "stamps_needed": 2, "allow_private_addresses": True}
        service = Service(tmp_path / "service", changes | {"stamp_interval_seconds": 0.1})
        yield service
        service.end()


def test_two_of_three_organisations_are_reached_with_one_dead(stamping):
    steps = {step.name: step for step in stamping.assembly.steps if step.name.startswith("anchor ")}
    assert {step.period for step in steps.values()} == {0.5}, "looked at twice a second, whatever is polled"
    number = stamping.accepted()["number"]
    stamping.close()

    def due():
        return stamping.get(f"/v1/evidence/{number}", stamping.own).json()["due"]

    with pytest.raises(AnchorUnavailable, match=r"dead: 127\.0\.0\.1 does not answer"):
        steps["anchor dead"].run()
    with stamping.assembly.database.reading() as connection:
        assert breaker_of(connection, "dead").failures == 1
    steps["anchor one"].run()
    assert due() == ["stamp"], "one of two"
    steps["anchor two"].run()
    assert due() == []


def test_an_authority_may_have_an_interval_of_its_own(stamping):
    steps = {step.name: step for step in stamping.assembly.steps}
    for _ in range(2):
        stamping.accepted()
        stamping.close()
        for name in ("one", "two"):
            steps[f"anchor {name}"].run()
        time.sleep(0.2)
    with stamping.assembly.database.reading() as connection:
        stamped = {name: len(anchorings.anchorings(connection, anchor=name)) for name in ("one", "two")}
    assert stamped == {"one": 1, "two": 2}


def test_a_worker_that_leads_asks_what_became_of_the_certificates_behind_its_stamps(tmp_path):
    folder = tmp_path / "tsa"
    with running_tsa(folder) as url:
        made = {"name": "tsa", "organisation": "x", "url": url, "roots": (folder / "root.pem",)}
        changes = {"tsas": (made,), "allow_private_addresses": True}
        leader, other = (Service(tmp_path / name, changes) for name in ("leader", "other"))
        steps = {step.name: step for step in leader.assembly.steps}
        for name in ("close", "anchor tsa", "revocation"):
            steps[name].run()
        idle = {step.name: step for step in other.assembly.steps}["revocation"]
        with other.assembly.database.writing() as connection:
            item = anchorings.create_anchoring(connection, "tsa", "rfc3161", 1, now())
            anchorings.move(connection, item.id, "due", "final", now(), evidence=b"no token")
        idle.run()
    with leader.assembly.database.reading() as connection:
        (stamped,) = final_words(connection, "tsa", most=2)
        assert [kind for kind, _ in stamps.revocation_of(connection, stamped.id)] == ["crl"]
    with other.assembly.database.reading() as connection:
        assert stamps.newest_stamp(connection, "tsa") == 0
    leader.end()
    other.end()
