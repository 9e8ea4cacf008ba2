"""The state machine: what moves it, what does not, and what a crash at any point leaves."""

import contextlib
from dataclasses import replace
from datetime import timedelta
from itertools import count, pairwise
from random import Random

import pytest

from notary.anchoring import advance as module
from notary.anchoring.advance import Advance
from notary.anchoring.port import Observation, Step
from notary.errors import AnchorRejected, AnchorUnavailable, Fatal
from notary.evidence.chain import NotBefore, decode_evidence, encode_evidence
from notary.store import anchorings
from notary.store.anchorings import Anchoring
from tests.anchoring.anchored import INTERVAL
from tests.anchoring.ledger import Crash, Fuse, Ledger, mortal
from tests.evidence import mini_chain

GONE = AnchorUnavailable("the node does not answer")
WRONG = AnchorRejected("the node is of chain 1, not 31337")


@pytest.fixture
def ledger(log):
    made = Ledger(log.rig.database)
    yield made
    made.check()


@pytest.fixture
def step(log, ledger):
    return log.advance(ledger).step


def finished(ledger, step):
    """Bring what is due or under way to its end."""
    step()
    ledger.mine()
    ledger.finalize()
    step()


# The way


def test_a_head_goes_its_way_and_one_step_changes_one_thing(log, ledger, step):
    size = log.close()
    step()
    assert log.states() == [(size, "sent")]
    (attempt,) = log.attempts(log.one())
    assert (ledger.wire, attempt.nonce) == ([attempt.raw], 5)
    step()
    assert log.one().state == "sent"
    ledger.mine()
    step()
    mined = log.one()
    assert (mined.state, mined.detail) == ("mined", "block 0")
    assert decode_evidence(mined.evidence).transaction_index == 1
    step()
    assert log.one() == mined
    ledger.finalize()
    step()
    final = log.one()
    assert (final.state, final.evidence) == ("final", mined.evidence)
    log.wait(10 * INTERVAL)
    step()
    assert (log.one(), ledger.wire) == (final, [attempt.raw])


def test_what_was_mined_or_final_before_it_was_looked_at_passes_through_every_state(log, ledger):
    class AtOnce(Ledger):
        def send(self, head, attempt):
            super().send(head, attempt)
            self.mine()
            self.finalize()
            return self.observe(head, [attempt])

    size = log.close()
    at_once = AtOnce(log.rig.database, 9, name="at-once")
    log.advance(at_once).step()
    found = log.one("at-once")
    assert (found.size, found.state) == (size, "final")
    assert found.evidence is not None
    log.advance(ledger).step()
    ledger.mine()
    ledger.finalize()
    log.advance(ledger).step()
    assert log.one().state == "final"


def test_every_way_is_made_of_moves_that_the_store_allows():
    for (state, _), way in module._WAY.items():
        assert state in module._OPEN
        assert set(pairwise((state, *way))) <= anchorings._MOVES


def test_what_nothing_is_said_of_changes_nothing(log, ledger, step):
    log.close()
    step()
    sent = log.one()
    ledger.observe = lambda _head, _attempts: Observation(Step.DUE, detail="no attempt was kept")
    step()
    assert log.one() == replace(sent, detail="no attempt was kept")


def test_many_checkpoints_are_one_anchoring_of_the_newest(log, ledger, step):
    sizes = [log.close() for _ in range(4)]
    finished(ledger, step)
    assert log.states() == [(sizes[-1], "final")]
    more = [log.close() for _ in range(3)]
    log.wait()
    finished(ledger, step)
    assert log.states() == [(sizes[-1], "final"), (more[-1], "final")]
    assert [head.size for _, head, _ in ledger.mined] == [sizes[-1], more[-1]]


def test_one_is_under_way_at_a_time(log, ledger, step):
    size = log.close()
    step()
    for _ in range(3):
        log.close()
        log.wait()
        step()
    assert log.states() == [(size, "sent")]


def test_the_next_head_waits_for_the_interval(log, ledger, step):
    log.close()
    finished(ledger, step)
    log.close()
    log.wait(INTERVAL - 1)
    step()
    assert len(log.all()) == 1
    log.wait(1)
    step()
    assert [item.state for item in log.all()] == ["final", "sent"]


def test_a_clock_that_was_ahead_holds_nothing_up(log, ledger, step):
    log.close()
    log.wait(86400)
    finished(ledger, step)
    log.wait(-86400)
    log.close()
    step()
    assert [item.state for item in log.all()] == ["final", "sent"]


# Reorganisations and evidence


def test_after_a_reorg_the_stored_bytes_are_sent_again(log, ledger, step):
    log.close()
    step()
    ledger.mine()
    step()
    before = log.one()
    ledger.reorg()
    log.wait(5)
    step()
    assert log.one().state == "sent"
    step()
    assert len(ledger.wire) == 1  # a moment for the node's own pool
    log.wait(31)
    step()
    assert ledger.wire == [ledger.wire[0]] * 2
    step()
    assert len(ledger.wire) == 2
    ledger.mine()
    ledger.finalize()
    step()
    after = log.one()
    assert after.state == "final"
    assert decode_evidence(after.evidence).header != decode_evidence(before.evidence).header
    assert len(log.attempts(after)) == 1


def test_what_stays_unmined_is_made_again_for_more_and_any_of_them_counts(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    for waited in (47, 2):
        log.wait(waited)
        step()
    first, second = log.attempts(log.one())
    assert ledger.wire == [first.raw, first.raw, second.raw]  # sent again after 30 seconds, replaced after 48
    assert second.nonce == first.nonce
    log.wait(2)
    step()
    assert len(log.attempts(log.one())) == 2
    ledger.pool[first.nonce] = (module._attempt(first), log.head(log.one().size))  # the earlier one is mined
    ledger.mine()
    step()
    ledger.finalize()
    step()
    assert log.one().state == "final"
    ledger.check()


def test_what_takes_no_more_for_more_is_sent_again_as_it_was(log, ledger, step):
    log.close()
    step()
    log.wait(49)
    step()
    assert [attempt.raw for attempt in log.attempts(log.one())] * 2 == ledger.wire


def test_a_replacement_that_was_stored_and_not_sent_is_sent_as_it_is(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    log.wait(49)
    ledger.errors["send"] = GONE
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    _, second = log.attempts(log.one())
    assert second.raw not in ledger.wire
    del ledger.errors["send"]
    log.wait(31)
    step()
    assert ledger.wire[-1] == second.raw
    ledger.check()


def test_what_cannot_be_replaced_is_sent_again_as_it_is(log, ledger, step):
    log.close()
    step()
    ledger.errors["replacement"] = GONE  # as where it would cost more than anybody pays
    log.wait(49)
    step()
    assert ledger.wire == [log.attempts(log.one())[0].raw] * 2
    ledger.mine()
    step()
    assert log.one().state == "mined"


def test_what_could_not_be_sent_for_long_is_replaced_before_it_is(log, ledger, step):
    log.close()
    ledger.errors["send"] = GONE
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    assert log.one().state == "signed"
    ledger.errors.clear()
    ledger.dear = True
    log.wait(49)
    step()
    first, second = log.attempts(log.one())
    assert ledger.wire == [second.raw]
    assert first.nonce == second.nonce
    ledger.check()


def test_of_replaced_transactions_that_the_chain_lost_the_last_is_sent_again(log, ledger, step):
    log.close()
    step()
    ledger.dear = True
    log.wait(49)
    step()
    ledger.mine()
    for _ in range(2):
        step()
        ledger.finalize()
    assert log.one().state == "final"
    _, second = log.attempts(log.one())
    ledger.reorg()
    log.close()
    log.wait()
    with pytest.raises(AnchorUnavailable, match="were sent again"):
        step()
    assert ledger.wire[-1] == second.raw
    assert len(ledger.wire) == 3


def test_mined_in_another_block_the_evidence_is_of_that_block(log, ledger, step):
    log.close()
    step()
    ledger.mine()
    step()
    before = log.one()
    ledger.reorg(keep=True)
    ledger.mine()
    log.wait(1)
    step()
    after = log.one()
    assert (after.state, after.updated_at) == ("mined", before.updated_at + timedelta(seconds=1))
    assert after.evidence == ledger.evidence(log.head(after.size), ledger.mined[0][2]) != before.evidence


def test_proofs_captured_when_mined_are_kept_when_the_node_has_none_any_more(log, ledger, step):
    log.close()
    step()
    ledger.mine()
    step()
    mined = log.one()
    ledger.forgets = True
    step()
    ledger.finalize()
    step()
    assert (log.one().state, log.one().evidence) == ("final", mined.evidence)


@pytest.mark.parametrize("when", ["mined", "final"])
def test_proofs_that_were_not_to_be_had_at_first_are_added(log, ledger, step, when):
    log.close()
    step()
    ledger.mine()
    ledger.forgets = True
    step()
    assert decode_evidence(log.one().evidence).account_proof is None
    ledger.forgets = False
    if when == "final":
        ledger.finalize()
    step()
    found = log.one()
    assert found.state == when
    assert decode_evidence(found.evidence).account_proof is not None


@pytest.mark.parametrize("missing", ["account_proof", "head_slots", "storage_proof"])
def test_evidence_with_more_proofs_takes_the_place_of_that_with_fewer_and_not_the_other_way(missing):
    whole = mini_chain.anchor(
        [mini_chain.event(7, bytes(32))],
        number=200,
        time=1000,
        stored=(7, b"\x01" * 32, b"\x02" * 20),
        not_before=[mini_chain.header(100, 900)],
    )
    fewer = {
        "account_proof": {"account_proof": None},
        "head_slots": {"head_slots": (whole.head_slots[0], None)},
        "storage_proof": {"not_before": (NotBefore(whole.not_before[0].header, None),)},
    }
    less = replace(whole, **fewer[missing])
    assert module._keeps(encode_evidence(whole), encode_evidence(less))
    assert not module._keeps(encode_evidence(less), encode_evidence(whole))
    assert module._keeps(encode_evidence(less), encode_evidence(less))
    assert not module._keeps(None, encode_evidence(less))
    old = replace(whole, head_slots=None)  # of version 1
    assert not module._keeps(encode_evidence(old), encode_evidence(whole))


def test_a_reorg_into_another_block_takes_its_evidence_even_without_proofs(log, ledger, step):
    log.close()
    step()
    ledger.mine()
    step()
    ledger.reorg(keep=True)
    ledger.mine()
    ledger.forgets = True
    ledger.finalize()
    step()
    found = log.one()
    assert found.state == "final"
    assert found.evidence == ledger.evidence(log.head(found.size), ledger.mined[0][2])


def test_nothing_leaves_final_whatever_becomes_of_its_block(log, ledger, step):
    log.close()
    finished(ledger, step)
    final = log.one()
    ledger.reorg()
    ledger.reverts = True
    log.wait(10 * INTERVAL)
    step()
    assert log.all() == [final]


# Answers that cannot be used


@pytest.mark.parametrize("method", ["attested_size", "first_nonce", "sign", "send"])
def test_an_authority_that_does_not_answer_leaves_it_where_it_is(log, ledger, step, method):
    size = log.close()
    ledger.errors[method] = GONE
    for _ in range(3):
        with pytest.raises(AnchorUnavailable, match="the node does not answer"):
            step()
        found = log.one()
        assert (found.size, found.detail) == (size, "the node does not answer")
        assert found.state == ("signed" if method == "send" else "due")
        assert ledger.wire == []
    del ledger.errors[method]
    step()
    assert (log.one().state, log.one().detail) == ("sent", "")
    assert len(log.attempts(log.one())) == 1


@pytest.mark.parametrize("method", ["attested_size", "first_nonce", "send"])
def test_an_answer_that_says_nothing_of_the_head_is_shown_and_asked_for_again(log, ledger, step, method):
    log.close()
    ledger.errors[method] = WRONG
    for _ in range(3):
        with pytest.raises(AnchorRejected, match="the node is of chain 1"):
            step()
        assert log.one().detail == "the node is of chain 1, not 31337"
        assert log.one().state == ("signed" if method == "send" else "due")
    del ledger.errors[method]
    finished(ledger, step)
    assert (log.one().state, len(log.all())) == ("final", 1)


@pytest.mark.parametrize("state", ["sent", "mined"])
@pytest.mark.parametrize("error", [GONE, WRONG])
def test_looking_in_vain_changes_nothing_but_what_is_said(log, ledger, step, state, error):
    log.close()
    step()
    if state == "mined":
        ledger.mine()
        step()
    before = log.one()
    assert before.state == state
    ledger.errors["observe"] = error
    log.wait(5)
    for _ in range(2):
        with pytest.raises(type(error), match="the node"):
            step()
        assert log.one() == replace(before, detail=str(error))
    ledger.errors.clear()
    step()
    assert log.one() == before
    ledger.mine()
    ledger.finalize()
    step()
    assert log.one().state == "final"


def test_a_long_reason_is_cut(log, ledger, step):
    log.close()
    ledger.errors["attested_size"] = AnchorRejected("x" * 1000)
    with pytest.raises(AnchorRejected, match="xxx"):
        step()
    assert log.one().detail == "x" * 300


def test_a_head_that_would_be_refused_is_rejected_and_tried_again_after_the_interval(log, ledger, step):
    size = log.close()
    ledger.errors["sign"] = AnchorRejected("tried before signing: insufficient funds")
    step()
    found = log.one()
    assert (found.state, found.detail) == ("rejected", "tried before signing: insufficient funds")
    step()
    assert log.all() == [found]
    ledger.errors.clear()
    log.wait()
    finished(ledger, step)
    assert log.states() == [(size, "rejected"), (size, "final")]
    assert [head.size for _, head, _ in ledger.mined] == [size]


def test_a_transaction_that_reverted_is_rejected_and_its_nonce_is_not_used_again(log, ledger, step):
    log.close()
    step()
    ledger.reverts = True
    step()
    assert (log.one().state, log.one().detail) == ("rejected", "the transaction reverted")
    ledger.reverts = False
    ledger.pool.clear()
    ledger.mined, ledger.first = [], ledger.first + 1  # it counts all the same
    later = log.close()
    log.wait()
    step()
    assert [item.state for item in log.all()] == ["rejected", "sent"]
    assert log.attempts(log.newest())[0].nonce == 6
    ledger.mine()
    ledger.finalize()
    step()
    assert log.states()[-1] == (later, "final")
    ledger.first = 5  # for the check at the end


def test_an_authority_that_is_ahead_rejects_with_a_reason_and_the_next_newer_head_is_anchored(
    log, ledger, step
):
    old = log.close()
    log.advance(ledger)._plan()
    newer = log.close()
    other = Ledger(log.rig.database, name="other")
    log.advance(other).step()
    other.mine()
    ledger.mined, ledger.first = list(other.mined), 4  # somebody else had our newer head anchored
    step()
    assert (log.one().size, log.one().state) == (old, "rejected")
    assert log.one().detail == f"the authority already holds a head of size {newer}"
    assert (ledger.wire, log.attempts(log.one())) == ([], [])
    newest = log.close()
    step()
    assert len(log.all()) == 1
    log.wait()
    step()
    assert log.states() == [(old, "rejected"), (newest, "sent")]
    assert log.attempts(log.newest())[0].nonce == 5
    ledger.first = 5  # for the check at the end


# Nonces


def test_the_first_nonce_is_the_chains_and_later_ones_are_ours(log, ledger, step):
    for number in range(3):
        log.close()
        log.wait()
        finished(ledger, step)
        assert log.attempts(log.newest())[0].nonce == 5 + number
    with log.rig.database.reading() as connection:
        assert anchorings.next_nonce(connection, "ledger") == 8


def test_a_foreign_transaction_stops_the_lane_and_says_so(log, ledger, step):
    log.close()
    finished(ledger, step)
    ledger.foreign = 2
    log.close()
    log.wait()
    for _ in range(3):
        with pytest.raises(AnchorRejected, match="somebody else uses its key"):
            step()
        found = log.newest()
        assert (found.state, log.attempts(found)) == ("due", [])
        assert found.detail == (
            "the wallet's next nonce is 8 on chain and 6 here: somebody else uses its key"
        )
    assert len(ledger.wire) == 1


def test_a_nonce_that_went_to_another_transaction_stops_the_lane_too(log, ledger, step):
    log.close()
    step()
    ledger.pool.clear()
    ledger.errors["send"] = AnchorRejected("nonce 5 went to another transaction")
    log.wait(31)
    for _ in range(2):
        with pytest.raises(AnchorRejected, match="nonce 5 went to another"):
            step()
        assert (log.one().state, log.one().detail) == ("sent", "nonce 5 went to another transaction")
    # It was the node that lagged behind.
    ledger.errors.clear()
    step()
    ledger.mine()
    ledger.finalize()
    step()
    assert log.one().state == "final"


def test_transactions_that_the_chain_lost_are_sent_again_before_anything_is_signed(log, ledger, step):
    for _ in range(3):
        log.close()
        log.wait()
        finished(ledger, step)
    finals = log.all()
    ledger.reorg(2)  # what must never happen, and does on a local chain after a power cut
    log.close()
    log.wait()
    with pytest.raises(AnchorUnavailable, match=r"next nonce is 6 on chain and 8 here: .* were sent again"):
        step()
    found = log.newest()
    assert (found.state, found.detail[:38]) == ("due", "the wallet's next nonce is 6 on chain ")
    assert ledger.wire[3:] == ledger.wire[1:3]
    ledger.mine()
    finished(ledger, step)
    assert log.all()[:3] == finals
    assert log.newest().state == "final"
    assert [head.size for _, head, _ in ledger.mined] == [item.size for item in log.all()]


def test_transactions_that_the_chain_lost_do_not_hold_up_the_one_under_way(log, ledger, step):
    for _ in range(2):
        log.close()
        log.wait()
        finished(ledger, step)
    log.close()
    log.wait()
    step()
    ledger.reorg(2)
    ledger.pool.clear()
    log.wait(31)
    step()
    assert ledger.wire[3:] == ledger.wire[:3]
    ledger.mine()
    ledger.finalize()
    step()
    assert [item.state for item in log.all()] == ["final"] * 3


def test_another_process_on_the_same_lane_is_fatal_and_nothing_is_sent(log, ledger, step):
    log.close()
    finished(ledger, step)
    log.close()
    log.wait()

    def meanwhile(head, nonce, consistency, old_size):
        with log.rig.database.writing() as connection:
            anchorings.set_nonce(connection, "ledger", 6, 7)
        return Ledger.sign(ledger, head, nonce, consistency, old_size)

    ledger.sign = meanwhile
    with pytest.raises(Fatal, match="the nonces of 'ledger' are not at 6: another process signs"):
        step()
    assert (log.newest().state, log.attempts(log.newest()), len(ledger.wire)) == ("due", [], 1)


def test_whoever_is_overtaken_between_signature_and_commit_sends_nothing(log, ledger, step):
    log.close()

    def slow(*given):
        del ledger.sign
        made = ledger.sign(*given)
        log.advance(ledger).step()
        return made

    ledger.sign = slow
    with pytest.raises(Fatal, match="the nonces of 'ledger' are not at None: another process signs"):
        step()
    assert (log.one().state, len(ledger.wire), len(log.attempts(log.one()))) == ("sent", 1, 1)


# Crashes


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


@pytest.mark.parametrize("seed", range(4))
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
            anchorings.add_attempt(connection, item.id, attempt.ref.hex(), attempt.raw, 5, self.now())


class SentBeforeTheCommit(Advance):
    def _sign(self, item):
        head = self.head_at(item.size)
        attempt = self.anchor.sign(head, self.anchor.first_nonce(), (), 0)
        with self.database.writing() as connection:
            anchorings.add_attempt(connection, item.id, attempt.ref.hex(), attempt.raw, 5, self.now())
            anchorings.move(connection, item.id, "due", "signed", self.now())
            self.anchor.send(head, attempt)


class SignedAgainAfterACrash(Advance):
    def _send(self, item):
        self._sign(item)


class WithoutLane(Advance):
    def _require_lane(self, expected, lane):
        pass


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


def test_without_the_lane_a_foreign_transaction_leaves_a_gap_unseen(log, ledger, step):
    log.close()
    finished(ledger, step)
    ledger.foreign = 2
    log.close()
    log.wait()
    with pytest.raises(AssertionError, match="a nonce that is not the next one"):
        careless(log, ledger, WithoutLane)()
