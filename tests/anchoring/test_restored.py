"""The database is a backup: the chain has used nonces of our wallet that it does not know."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from notary.anchoring import reclaiming
from notary.anchoring.compiled import CODE_HASH
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.rpc import Node
from notary.errors import AnchorUnavailable, LaneStopped
from notary.evidence.chain import ChainTrust
from notary.log.fsck_around import Attesters
from notary.observe import LANE_STOPPED
from notary.store import outbox
from notary.store.incidents import FOREIGN_NONCE, incidents
from tests.anchoring.local_chain import STRANGER, WALLET, LocalChain
from tests.anchoring.test_adopting import Mute, like
from tests.anchoring.test_wallets import by_hand, foreign, to_final
from tests.rig import ORIGIN


@dataclass
class Restored:
    """A log with a final anchor, and a second head that was closed before the backup and anchored after it."""

    chain: LocalChain
    log: object
    log_id: bytes
    folder: Path
    nonce: int = 0
    lost: object = None
    others: tuple = ()  # endpoints beside the chain's own

    @property
    def anchor(self):
        """As a new process makes it."""
        return self.chain.anchor(self.log_id, others=self.others)

    def final(self, *, more=()):
        to_final(self.chain, self.log, self.log.advance(self.anchor, reserves=more))

    def backup(self):
        names = (self.folder / name for name in ("notary.db", "backup.db"))
        live, copy = map(sqlite3.connect, names)
        with closing(live), closing(copy):
            live.backup(copy)

    def restore(self):
        self.log.rig.database.dispose()
        for end in ("-wal", "-shm"):
            (self.folder / f"notary.db{end}").unlink(missing_ok=True)
        shutil.copyfile(self.folder / "backup.db", self.folder / "notary.db")

    def next_nonce(self):
        with self.log.rig.database.reading() as connection:
            return outbox.next_nonce(connection, "test", WALLET.address)

    def another_head(self):
        self.log.wait()
        return self.log.close()

    def accused(self):
        with self.log.rig.database.reading() as connection:
            return [each.kind for each in incidents(connection)]

    def problems(self):
        trust = ChainTrust(31337, self.chain.contract, self.log_id, CODE_HASH, "ethereum", ())
        return self.log.rig.fsck(Attesters({"test": trust})).problems


@pytest.fixture
def world(chain, log, tmp_path):
    made = Restored(chain, log, chain.open(ORIGIN), tmp_path)
    log.close()
    made.final()
    made.another_head()
    made.backup()
    return made


def by_ourselves(world):
    """The second head is anchored by our own wallet, and the backup put in the place of what knows of it."""
    world.final()
    (world.lost,) = world.log.attempts(world.log.newest("test"))
    world.restore()
    assert world.next_nonce() == world.lost.nonce
    world.final()  # whoever anchored it: the chain holds it
    assert world.log.attempts(world.log.newest("test")) == []


def test_the_lane_goes_on_after_a_transaction_of_ours_that_the_backup_does_not_know(world):
    by_ourselves(world)
    second = world.log.newest("test")
    size = world.another_head()
    world.final()
    (taken,) = world.log.attempts(second)
    assert (taken.ref, taken.raw, taken.nonce, taken.lane) == (
        world.lost.ref,
        world.lost.raw,
        world.lost.nonce,
        WALLET.address,
    )
    (made,) = world.log.attempts(world.log.newest("test"))
    assert (made.nonce, world.next_nonce()) == (world.lost.nonce + 1, world.lost.nonce + 2)
    assert world.anchor.on_chain_head()[0] == size
    assert (world.accused(), LANE_STOPPED.labels("test", WALLET.address)._value.get()) == ([], 0)
    assert world.problems() == []


def test_two_of_them_are_taken_back_at_once(world):
    """The first head after the backup was due already, and a second one was closed by then."""
    advance = world.log.advance(world.anchor)
    advance._plan()
    world.another_head()
    world.backup()
    world.final()
    world.log.wait()
    world.final()
    lost = [world.log.attempts(item) for item in world.log.all("test")[1:]]
    assert [len(each) for each in lost] == [1, 1]
    world.restore()
    world.final()
    world.log.wait()
    world.final()
    assert world.next_nonce() == lost[0][0].nonce
    world.another_head()
    world.final()
    found = [world.log.attempts(item) for item in world.log.all("test")[1:3]]
    assert [[each.ref for each in item] for item in found] == [[each.ref for each in item] for item in lost]
    assert (world.accused(), world.problems()) == ([], [])


def stays_stopped(world, nonces):
    """And goes on by another wallet, which has a lane of its own."""
    size = world.another_head()
    before = world.next_nonce()
    with pytest.raises(LaneStopped, match=f"{before + nonces} on chain and {before} here: somebody else"):
        world.log.advance(world.anchor).step()
    assert (world.next_nonce(), world.accused()) == (before, [FOREIGN_NONCE])
    assert [world.log.attempts(item) for item in world.log.all("test")[1:]] == [[], []]
    reserve = like(EvmAnchor, world.anchor)
    reserve.wallet = STRANGER
    world.final(more=[reserve])
    assert (world.anchor.on_chain_head()[0], world.next_nonce()) == (size, before)
    assert [each.lane for each in world.log.attempts(world.log.newest("test"))] == [STRANGER.address]
    assert world.problems() == []


def test_where_somebody_else_used_a_nonce_too_none_is_taken_back(world):
    by_ourselves(world)
    foreign(world.chain)
    world.chain.mine()
    stays_stopped(world, 2)


def test_a_head_that_a_stranger_anchored_excuses_no_nonce_of_ours(world):
    size, proof = world.log.newest_size(), world.log.rig.prover().consistency
    old = world.log.newest("test").size
    head = world.log.head(size)
    world.chain.send(world.chain.data(world.log_id, size, head.root, proof(old, size)), STRANGER)
    world.final()
    foreign(world.chain)
    world.chain.mine()
    stays_stopped(world, 1)


def test_a_lane_that_is_far_behind_is_not_searched(world, monkeypatch):
    by_ourselves(world)
    monkeypatch.setattr(reclaiming, "_MOST", 0)
    stays_stopped(world, 1)


class Silent(EvmAnchor):
    def own(self, head, ref, lane):
        raise AnchorUnavailable("eth_getTransactionByHash: no answer from the node")


def test_nobody_is_accused_while_the_node_does_not_say_what_it_was(world):
    by_ourselves(world)
    world.another_head()
    with pytest.raises(AnchorUnavailable, match="no answer from the node"):
        world.log.advance(like(Silent, world.anchor)).step()
    assert (world.log.newest("test").state, world.accused()) == ("due", [])
    world.final()
    assert world.accused() == []


@pytest.fixture
def replaced(world):
    """The backup has a transaction that was not sent yet; after it that was sent, and another made in its place."""
    by_hand(world.chain)
    with pytest.raises(AnchorUnavailable, match="no answer"):
        world.log.advance(like(Mute, world.anchor)).step()
    world.backup()
    advance = world.log.advance(world.anchor)
    advance.step()
    world.chain.node.ask("evm_setNextBlockTimestamp", int(world.log.rig.clock().timestamp()) + 10**9)
    world.chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(10**11))
    world.chain.mine()
    world.log.wait(49)
    advance.step()
    return world


def test_one_that_was_made_in_its_place_after_the_backup_accuses_nobody(replaced):
    replaced.final()
    kept, later = replaced.log.attempts(replaced.log.newest("test"))
    replaced.restore()
    assert (replaced.log.newest("test").state, len(replaced.log.attempts(replaced.log.newest("test")))) == (
        "signed",
        1,
    )
    replaced.final()
    assert replaced.log.attempts(replaced.log.newest("test")) == [kept]
    assert (later.nonce, replaced.next_nonce()) == (kept.nonce, kept.nonce + 1)
    replaced.another_head()
    replaced.final()
    assert (replaced.accused(), replaced.problems()) == ([], [])


def test_with_an_endpoint_away_it_does_not_stop_its_wallet_either(replaced):
    replaced.final()
    replaced.restore()
    replaced.others = (Node("http://127.0.0.1:9", 31337),)
    with structlog.testing.capture_logs() as logs:
        replaced.final()
    assert replaced.accused() == []
    assert "a wallet does not anchor" not in [line["event"] for line in logs]


def test_where_a_thief_took_the_nonce_he_is_told_of(replaced):
    (_, later) = replaced.log.attempts(replaced.log.newest("test"))
    replaced.restore()
    replaced.chain.node.ask("anvil_dropTransaction", f"0x{later.ref}")
    foreign(replaced.chain, later.nonce)
    replaced.chain.mine()
    with pytest.raises(LaneStopped, match=f"nonce {later.nonce} went to another transaction"):
        replaced.log.advance(replaced.anchor).step()
    assert replaced.accused() == [FOREIGN_NONCE]


@pytest.mark.parametrize("payer", [WALLET, STRANGER], ids=["ours", "a stranger's"])
def test_a_nonce_that_a_thief_took_is_told_of_whoever_anchored_the_head_by_another(replaced, payer):
    log, old = replaced.log, replaced.log.all("test")[0].size
    (_, later) = log.attempts(log.newest("test"))
    head = log.head(log.newest("test").size)
    replaced.restore()
    replaced.chain.node.ask("anvil_dropTransaction", f"0x{later.ref}")
    foreign(replaced.chain, later.nonce)
    replaced.chain.mine()
    anchor = like(EvmAnchor, replaced.anchor)
    anchor.wallet = payer
    made = anchor.sign(head, anchor.first_nonce(), log.rig.prover().consistency(old, head.size), old)
    anchor.send(head, made)
    replaced.chain.mine()
    log.advance(replaced.anchor).step()
    assert (log.newest("test").state, replaced.accused()) == ("mined", [FOREIGN_NONCE])
