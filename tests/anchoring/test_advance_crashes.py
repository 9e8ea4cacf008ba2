"""Crashes at every point, every order of events, and the guards without which they would do harm."""

import contextlib
from itertools import count
from random import Random

import pytest

from notary.anchoring import advance as module
from notary.anchoring.advance import Advance
from notary.anchoring.paying import Paying
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.store import anchorings, outbox
from notary.store.anchorings import Anchoring
from tests.anchoring.anchored import INTERVAL
from tests.anchoring.ledger import GONE, WRONG, Crash, Fuse, finished, mortal


def test_a_crash_at_any_point_leaves_one_transaction_for_a_nonce_and_one_anchoring_for_a_head(log, ledger):
    fuse = Fuse()
    ledger.fuse = fuse
    database = mortal(log.rig.database, fuse)
    crashes = 0
    for point in count(1):
        size = log.close()
        log.wait()
        fuse.left = point
        try:
            drive(log.advance(ledger, database), ledger)
        except Crash:
            crashes += 1
        fuse.left, survived = None, not fuse.blown
        ledger.check()
        log.wait(31)
        drive(log.advance(ledger), ledger)
        ledger.check()
        assert log.newest().size == size
        assert log.newest().state == "final"
        assert len(log.attempts(log.newest())) == 1
        if survived:
            break
    assert crashes >= 15, crashes
    assert {item.state for item in log.all()} == {"final"}
    assert len(log.all()) == len(ledger.mined) == crashes + 1


def drive(advance, ledger):
    """Due to final, with a reorg on the way."""
    for number in range(8):
        advance.step()
        if number in (1, 4):
            ledger.mine()
        if number == 2 and len(ledger.mined) > ledger.final:
            ledger.reorg(keep=True)
        if number == 6:
            ledger.finalize()


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.anchoring) for n in range(2, 8))])
def test_whatever_happens_in_whatever_order_the_rules_hold(log, ledger, seed):
    random = Random(seed)
    fuse = ledger.fuse = Fuse()
    database = mortal(log.rig.database, fuse)
    final: dict[int, Anchoring] = {}
    for _ in range(150):
        event = random.choice(
            ["close", "mine", "mine", "finalize", "reorg", "down", "wrong", "crash", "wait", "dear"]
        )
        ledger.errors.clear()
        fuse.left = None
        match event:
            case "close":
                log.close()
            case "mine":
                ledger.mine()
            case "finalize":
                ledger.finalize()
            case "reorg" if len(ledger.mined) > ledger.final:
                ledger.reorg(keep=random.random() < 0.5)
            case "down" | "wrong":
                method = random.choice(["attested_size", "first_nonce", "send", "observe", "replacement"])
                ledger.errors[method] = GONE if event == "down" else WRONG
            case "dear":
                ledger.dear = not ledger.dear
            case "crash":
                fuse.left = random.randrange(1, 6)
            case "wait":
                log.wait(random.choice([1, 31, 49, INTERVAL]))
        with contextlib.suppress(Crash, AnchorUnavailable, AnchorRejected):
            log.advance(ledger, database).step()
        ledger.check()
        now = {item.id: item for item in log.all() if item.state == "final"}
        assert final.items() <= now.items()
        final = now
        assert len([item for item in log.all() if item.state in module._OPEN]) <= 1
    ledger.errors.clear()
    fuse.left = None
    for _ in range(20):
        log.wait(31)
        ledger.mine()
        ledger.finalize()
        log.advance(ledger).step()
    assert {item.state for item in log.all()} == {"final"}
    assert final


# Each guard is needed


class SentBeforeItIsStored(Advance):
    def _sign(self, item):
        head = self.head_at(item.size)
        attempt = self.anchor.sign(head, self.anchor.first_nonce(), (), 0)
        self.anchor.send(head, attempt)
        with self.database.writing() as connection:
            outbox.add_attempt(connection, item.id, attempt.ref.hex(), attempt.raw, 5, self.now())


class SentBeforeTheCommit(Advance):
    def _sign(self, item):
        head = self.head_at(item.size)
        attempt = self.anchor.sign(head, self.anchor.first_nonce(), (), 0)
        with self.database.writing() as connection:
            outbox.add_attempt(connection, item.id, attempt.ref.hex(), attempt.raw, 5, self.now())
            anchorings.move(connection, item.id, "due", "signed", self.now())
            self.anchor.send(head, attempt)


class SignedAgainAfterACrash(Advance):
    def _send(self, item):
        self._sign(item)


class WithoutLane(Paying):
    def _problem(self, payer, expected, lane):
        return None


def careless(log, ledger, kind):
    given = log.advance(ledger)
    return kind(*(getattr(given, name) for name in Advance.__slots__)).step


@pytest.mark.parametrize("kind", [SentBeforeItIsStored, SentBeforeTheCommit])
def test_the_ledger_sees_what_is_sent_before_it_is_committed(log, ledger, kind):
    log.close()
    with pytest.raises(AssertionError, match="sent what is not stored"):
        careless(log, ledger, kind)()


def test_the_ledger_sees_a_second_signature_for_a_nonce(log, ledger, step):
    log.close()
    ledger.errors["send"] = GONE
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    with log.rig.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM lane")
    with pytest.raises(AssertionError, match="a second signature for one nonce"):
        careless(log, ledger, SignedAgainAfterACrash)()


def test_without_the_lane_a_foreign_transaction_leaves_a_gap_unseen(log, ledger, step, monkeypatch):
    log.close()
    finished(ledger, step)
    ledger.foreign = 2
    log.close()
    log.wait()
    monkeypatch.setattr(module, "Paying", WithoutLane)
    with pytest.raises(AssertionError, match="a nonce that is not the next one"):
        step()
