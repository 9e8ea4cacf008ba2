"""Wallets are looked at while nothing is signed: a theft is told, our own backup is none, and nobody waits."""

from dataclasses import replace

import pytest
import structlog

from notary.anchoring.rpc import Node
from notary.anchoring.watching import WalletWatch
from notary.observe import INCIDENTS, LANE_STOPPED, RPC_CONTRADICTIONS, WALLET_WEI
from notary.store.incidents import FOREIGN_NONCE, incidents
from tests.anchoring.local_chain import STRANGER, WALLET
from tests.anchoring.lying_node import lying_node
from tests.anchoring.test_restored import Restored
from tests.anchoring.test_wallets import by_hand, foreign, fund, to_final
from tests.rig import ORIGIN

GONE = "http://127.0.0.1:9"


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


@pytest.fixture
def quiet(chain, log, on_chain):
    """A log whose only head is final."""
    log.close()
    to_final(chain, log, log.advance(on_chain))


def watch(log, anchor, *urls, needed=1, reserves=()):
    nodes = tuple(Node(url, 31337) for url in urls)
    asked = [replace(each, node=nodes[0], others=nodes[1:], needed=needed) for each in (anchor, *reserves)]
    return WalletWatch(log.rig.database, asked, nodes, log.rig.clock)


def look(log, watching):
    log.wait(12)
    watching.look()


def accused(log):
    with log.rig.database.reading() as connection:
        return [(each.kind, each.subject, each.detail) for each in incidents(connection)]


def stopped(log, anchor, wallet=WALLET):
    log.advance(anchor).show()
    return LANE_STOPPED.labels("test", wallet.address)._value.get()


def held(wallet=WALLET):
    return WALLET_WEI.labels("test", wallet.address)._value.get()


def told():
    return INCIDENTS.labels("test", FOREIGN_NONCE)._value.get()


def theft(chain, nonces=1):
    for _ in range(nonces):
        foreign(chain)
        chain.mine()


def test_a_theft_on_a_quiet_log_is_told_at_the_next_look_and_once(chain, log, on_chain, quiet):
    watching, before = watch(log, on_chain, chain.url), told()
    nonce = on_chain.first_nonce()
    look(log, watching)
    assert (accused(log), stopped(log, on_chain)) == ([], 0)
    theft(chain)
    what = f"the wallet's next nonce is {nonce + 1} on chain and {nonce} here: somebody else uses its key"
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            look(log, watching)
            assert accused(log) == [(FOREIGN_NONCE, f"{WALLET.address} {nonce}", what)]
    assert [line["event"] for line in logs] == ["a wallet does not anchor"]
    assert (stopped(log, on_chain), told()) == (1, before + 1)
    theft(chain)
    look(log, watching)
    assert (len(accused(log)), told()) == (1, before + 1)


def test_a_theft_while_a_head_waits_to_be_final_is_told_too(chain, log, on_chain, quiet):
    log.close()
    log.wait()
    by_hand(chain)
    advance = log.advance(on_chain)
    advance.step()
    chain.mine()
    advance.step()
    assert log.newest("test").state == "mined"
    theft(chain)
    look(log, watch(log, on_chain, chain.url))
    assert [kind for kind, *_ in accused(log)] == [FOREIGN_NONCE]
    to_final(chain, log, advance)  # it holds nothing up


def test_what_is_under_way_is_left_to_its_own_step(chain, log, on_chain, quiet):
    log.close()
    log.wait()
    by_hand(chain)
    log.advance(on_chain).step()
    (ours,) = log.attempts(log.newest("test"))
    chain.node.ask("anvil_dropTransaction", f"0x{ours.ref}")
    theft(chain, 2)
    look(log, watch(log, on_chain, chain.url))
    assert accused(log) == []


def test_a_theft_from_a_wallet_in_reserve_is_shown_again_after_another_one_has_signed(
    chain, log, on_chain, quiet
):
    reserve = replace(on_chain, wallet=STRANGER)
    log.close()
    log.wait()
    to_final(chain, log, log.advance(reserve))
    watching = watch(log, on_chain, chain.url, reserves=[reserve])
    foreign(chain, wallet=STRANGER)
    chain.mine()
    look(log, watching)
    assert stopped(log, on_chain, STRANGER) == 1
    by_hand(chain)
    log.close()
    log.wait()
    log.advance(on_chain, reserves=[reserve]).step()
    assert stopped(log, on_chain, STRANGER) == 0
    look(log, watching)  # also while the other one's is under way
    assert log.newest("test").state == "sent"
    assert (stopped(log, on_chain, STRANGER), len(accused(log))) == (1, 1)


@pytest.mark.parametrize(
    ("said", "needed", "accuses", "contradicted"),
    [
        (("lie", "true"), 1, False, True),
        (("true", "lie"), 1, False, True),
        (("lie", "gone"), 1, False, False),
        (("lie", "lie"), 1, True, False),
        (("lie", "lie", "gone"), 2, True, False),
        (("lie", "lie", "gone"), 3, False, False),
    ],
)
def test_by_one_word_alone_nobody_is_accused(
    chain, log, on_chain, quiet, said, needed, accuses, contradicted
):
    before = RPC_CONTRADICTIONS.labels("31337")._value.get()
    with lying_node(chain.url, eth_getTransactionCount=lambda n: hex(int(n, 16) + 1)) as liar:
        urls = {"lie": liar, "true": chain.url, "gone": GONE}
        named = [f"{urls[each]}/{at}" if each == "lie" else urls[each] for at, each in enumerate(said)]
        look(log, watch(log, on_chain, *named, needed=needed))
    assert bool(accused(log)) is accuses
    assert (RPC_CONTRADICTIONS.labels("31337")._value.get() > before) is contradicted


def test_the_first_endpoint_hides_no_theft_that_the_others_show(chain, log, on_chain, quiet):
    nonce, before = on_chain.first_nonce(), RPC_CONTRADICTIONS.labels("31337")._value.get()
    theft(chain)
    with lying_node(chain.url, eth_getTransactionCount=lambda _: hex(nonce)) as hiding:
        look(log, watch(log, on_chain, hiding, chain.url))
    assert (accused(log), RPC_CONTRADICTIONS.labels("31337")._value.get()) == ([], before + 1)


def test_each_wallet_is_shown_with_the_least_that_an_endpoint_says_it_holds(chain, log, on_chain):
    fund(chain, hex(10**18))
    fund(chain, hex(7), STRANGER)
    WALLET_WEI.clear()
    with lying_node(chain.url, eth_getBalance=lambda wei: hex(int(wei, 16) * 2)) as more:
        watching = watch(log, on_chain, more, chain.url, GONE, reserves=[replace(on_chain, wallet=STRANGER)])
        look(log, watching)
        assert (held(), held(STRANGER)) == (10**18, 7)
        fund(chain, "0x5")
        watching.look()
        assert held() == 10**18  # a block's time apart
        look(log, watching)
        assert held() == 5
        log.wait(-(10**6))  # a clock that was ahead holds nothing up
        fund(chain, "0x6")
        watching.look()
        assert held() == 6


def test_who_hangs_is_not_asked_and_who_does_not_answer_stops_nothing(chain, log, on_chain, quiet):
    asked = []
    with lying_node(chain.url, asked=asked) as first:
        watching = watch(log, on_chain, first, GONE)
        watching.nodes[0]._away_until = watching.nodes[0]._hung_until = 10**12
        assert watching.nodes[0].hung
        look(log, watching)
    assert asked == []


def test_a_wallet_that_has_not_begun_is_no_theft(chain, log, on_chain):
    log.close()
    look(log, watch(log, on_chain, chain.url))
    assert accused(log) == []


def test_nonces_of_ours_that_a_backup_does_not_know_accuse_nobody(chain, log, tmp_path):
    world = Restored(chain, log, chain.open(ORIGIN), tmp_path)
    log.close()
    world.final()
    world.another_head()
    world.backup()
    world.final()
    world.restore()
    watching = watch(log, world.anchor, chain.url)
    look(log, watching)  # the chain holds a head that no anchoring is of
    advance = log.advance(world.anchor)
    advance.step()
    assert log.newest("test").state in ("mined", "final")
    look(log, watching)
    world.final()
    look(log, watching)
    assert world.accused() == []
    theft(chain)  # and what is more than these is told
    look(log, watching)
    assert world.accused() == [FOREIGN_NONCE]
