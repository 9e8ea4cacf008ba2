"""The state machine: what moves it, and what does not."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from notary.anchoring import advance as module
from notary.anchoring.moves import WAY, keeps
from notary.anchoring.port import Observation, Step
from notary.evidence.chain import NotBefore, decode_evidence, encode_evidence
from notary.observe import ANCHOR_MOVES
from notary.store import anchorings
from tests.anchoring.anchored import INTERVAL
from tests.anchoring.ledger import GONE, Ledger, finished
from tests.evidence import mini_chain

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
    for (state, _), way in WAY.items():
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


def moves(state):
    return ANCHOR_MOVES.labels("ledger", state)._value.get()


def test_what_leaves_its_block_is_counted_and_what_is_sent_again(log, ledger, step):
    before, sent = moves("reorged"), moves("resent")

    def counted():
        step()
        return moves("reorged") - before

    log.close()
    assert counted() == 0
    ledger.mine()
    assert (counted(), log.one().state) == (0, "mined")
    ledger.reorg()
    assert (counted(), log.one().state) == (1, "sent")
    assert moves("resent") == sent + 1
    log.wait(49)
    assert counted() == 1
    assert moves("resent") == sent + 2
    ledger.mine()
    assert (counted(), log.one().state) == (1, "mined")
    ledger.reorg(keep=True)
    ledger.mine()  # in another block before anybody looked
    assert (counted(), log.one().state) == (2, "mined")
    assert counted() == 2
    ledger.reorg(keep=True)
    ledger.mine()
    ledger.finalize()
    assert (counted(), log.one().state) == (3, "final")


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
    assert ledger.wire == [ledger.wire[0]] * 2  # its node may have lost them
    log.wait(47)
    step()
    assert len(ledger.wire) == 2
    log.wait(2)
    step()
    assert ledger.wire == [ledger.wire[0]] * 3
    ledger.mine()
    ledger.finalize()
    step()
    after = log.one()
    assert after.state == "final"
    assert decode_evidence(after.evidence).header != decode_evidence(before.evidence).header
    assert len(log.attempts(after)) == 1


def test_after_a_reorg_nothing_is_made_for_more_before_blocks_had_time_to_take_the_stored_bytes(
    log, ledger, step
):
    ledger.dear = True
    log.close()
    step()
    ledger.mine()
    step()
    log.wait(3600)
    ledger.reorg()
    made = []
    for _ in range(16):
        log.wait(4)
        step()
        made.append(len(log.attempts(log.one())))
    # Seen after 4 seconds, and 48 later it was left out for long enough; then as ever.
    assert made == [1] * 12 + [2] * 4
    assert ledger.wire[:2] == [ledger.wire[0]] * 2
    ledger.mine()
    step()
    ledger.reorg()
    step()
    ledger.errors["replacement"] = GONE
    log.wait(3600)
    step()  # where none can be made, the stored bytes are sent again as ever
    assert ledger.wire[-1] == ledger.wire[-2]
    assert log.one().detail == "the node does not answer"


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
    assert keeps(encode_evidence(whole), encode_evidence(less))
    assert not keeps(encode_evidence(less), encode_evidence(whole))
    assert keeps(encode_evidence(less), encode_evidence(less))
    assert not keeps(None, encode_evidence(less))
    old = replace(whole, head_slots=None)  # of version 1
    assert not keeps(encode_evidence(old), encode_evidence(whole))


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
