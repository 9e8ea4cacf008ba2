"""What a key's end waits for is judged by the database, whatever the settings of whoever rotates it lack."""

from dataclasses import replace
from itertools import pairwise

import pytest

from notary.errors import NotReady, RequestError, SettingsError, Unavailable
from notary.evidence.key_history import HEAD, LOG, RECEIPT
from notary.services.outstanding import Outstanding
from notary.services.trust_statements import TrustStatements
from notary.store.anchorings import anchoring_by_id, create_anchoring, move
from notary.store.checkpoints import newest_checkpoint
from tests.services.keys_world import TSAS, World

STATES = ("due", "signed", "sent", "mined")


@pytest.fixture
def world(sqlite, tmp_path):
    made = World.make(sqlite, tmp_path)
    made.record()
    return made


def under_way(world, name="calendar", kind="opentimestamps", state="due"):
    """The newest head, on its way to an anchor."""
    now = world.rig.clock()
    with world.rig.database.writing() as connection:
        item = create_anchoring(connection, name, kind, newest_checkpoint(connection).size, now)
        for old, new in pairwise(STATES[: STATES.index(state) + 1]):
            move(connection, item.id, old, new, now, evidence=b"x")
    return item


def found(world, item):
    with world.rig.database.reading() as connection:
        return anchoring_by_id(connection, item.id)


def ended(world, role=LOG):
    return [period.ended for period in world.history.periods(role)]


@pytest.mark.parametrize("state", STATES)
def test_settings_that_lack_a_workers_anchor_give_nothing_up_that_it_still_asks_for(world, state):
    item = under_way(world, state=state)
    with pytest.raises(Unavailable, match="are still on their way to calendar: the new key signs") as caught:
        world.rotating(named=TSAS).rotate(LOG)
    assert "These settings do not name calendar: where no worker will ask there again" in str(caught.value)
    assert str(caught.value).endswith("run it with --give-up calendar")
    assert (ended(world), found(world, item).state) == ([False, False], state)
    with pytest.raises(Unavailable, match="on their way to calendar") as caught:
        world.rotating(named=(*TSAS, "calendar")).rotate(LOG)
    assert "--give-up" not in str(caught.value)
    # It comes in, by the worker that asked for it.
    with world.rig.database.writing() as connection:
        move(connection, item.id, state, "rejected", world.rig.clock())
    assert world.rotating(named=TSAS).rotate(LOG) is False
    assert ended(world) == [True, False]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("how", ["given_up", "gone"])
def test_what_is_given_up_holds_no_key_up_and_cannot_come_in_too_late(world, state, how):
    item, other = under_way(world, state=state), under_way(world, "tsa-a", "rfc3161")
    leave = {how: ("calendar",)}
    with pytest.raises(Unavailable, match="still on their way to tsa-a: "):
        world.rotating(named=TSAS, **leave).rotate(LOG)
    assert found(world, item).state == state  # nothing is given up before the key can end
    with world.rig.database.writing() as connection:
        move(connection, other.id, "due", "rejected", world.rig.clock())
    assert world.rotating(named=TSAS, **leave).rotate(LOG) is False
    assert ended(world) == [True, False]
    assert found(world, item).state == "rejected"
    assert "given up: the key that signed this head has ended" in found(world, item).detail
    # A worker that had it in hand: the moves that it might make are refused.
    with world.rig.database.writing() as connection, pytest.raises(NotReady, match=f"rejected, not {state}"):
        move(
            connection,
            item.id,
            state,
            {"due": "final", "mined": "final"}.get(state, "rejected"),
            world.rig.clock(),
        )
    # A head of the new key is due there as anywhere.
    world.record()
    later = under_way(world)
    assert world.rotating(named=(*TSAS, "calendar"), given_up=()).rotate(RECEIPT) is True
    assert found(world, later).state == "due"


def test_a_head_of_the_new_key_is_neither_waited_for_nor_given_up(world):
    with pytest.raises(Unavailable, match="not now"):
        world.rotating(outstanding=NotNow(world.rig.database)).rotate(LOG)
    item = under_way(world)
    assert world.rotating(given_up=("calendar",)).rotate(LOG) is False
    assert (ended(world), found(world, item).state) == ([True, False], "due")


class NotNow(Outstanding):
    def heads(self, last):
        raise Unavailable("not now")


def test_an_anchor_that_nothing_was_ever_due_at_is_no_name_to_give_up(world):
    with pytest.raises(
        RequestError, match=r"ever due at tsa-c, so .* the anchors of this log are tsa-a, tsa-b"
    ):
        world.rotating(given_up=("tsa-c",)).rotate(LOG)
    assert world.history.events == ()


def test_what_waits_for_no_anchor_gives_none_up(world):
    chained(world)
    for role, name in ((RECEIPT, "tsa-a"), (HEAD, "tsa-a"), (HEAD, "mainnet")):
        with pytest.raises(RequestError, match=f"nothing of a {role} key is waited for at {name} here"):
            world.rotating(named=(*TSAS, "mainnet"), given_up=(name,)).rotate(role)
    with pytest.raises(RequestError, match="nothing of a log key is waited for at tsa-a here"):
        world.rotating(given_up=("tsa-a",)).compromise(LOG, world.history.first(LOG), 1, None)
    assert world.history.events == ()


def chained(world):
    under_way(world, "mainnet", "evm")


def test_a_head_key_does_not_end_by_settings_without_the_chain_that_takes_it(world):
    chained(world)
    old = world.history.in_force(HEAD)
    with pytest.raises(
        SettingsError, match=r"is anchored on mainnet, .* keep the old head key.*--give-up mainnet"
    ):
        world.rotating(chained=False).rotate(HEAD)
    assert (world.history.events, world.handed) == ((), [])
    assert world.rotating(named=(*TSAS, "renamed")).rotate(HEAD) is True
    assert world.handed[0][0] == old
    # Nor is it asked of the contract whether it still takes a stolen one.
    with pytest.raises(SettingsError, match="is anchored on mainnet"):
        world.rotating(chained=False).compromise(HEAD, old, 1, None)
    # A thief was first: the log id is ended, and the chain taken out of the settings.
    world.rotating(chained=False, given_up=("mainnet",)).compromise(HEAD, old, 1, None)
    assert world.history.periods(HEAD)[0].compromised
    assert world.rotating(chained=False).rotate(RECEIPT) is True


def lacking(world, **less):
    return TrustStatements(world.rig.database, replace(world.source, **less))


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("what", ["authorities", "chains"])
def test_a_rotation_does_not_take_back_trust_that_its_settings_lack(world, published, what):
    if what == "chains":
        with world.rig.database.writing() as connection:
            item = create_anchoring(connection, "mainnet", "evm", 2, world.rig.clock())
            move(connection, item.id, "due", "final", world.rig.clock())
    if published:
        world.rotating().publish()
    less = lacking(world, **{what: getattr(world.source, what)[1:]})
    missing = {"authorities": "tsa-a", "chains": "chain 31337"}[what]
    old, before = world.history.in_force(LOG), world.statements.newest()
    for call in (
        lambda: world.rotating(trust=less).rotate(LOG),
        lambda: world.rotating(trust=less).compromise(LOG, old, 1, None),
    ):
        with pytest.raises(
            SettingsError, match=f"verifiers trust {missing}, which these settings do not name"
        ):
            call()
    assert (world.history.events, world.statements.newest()) == ((), before)
    # Said first, by the command that says it, it is so.
    world.rotating(trust=less).publish()
    assert world.rotating(trust=less).rotate(LOG) is True
