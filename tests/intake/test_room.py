"""How much may wait for inspection."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest

from notary.errors import Busy, TooManyRequests
from notary.intake.inspect import inspect_next
from notary.intake.inspection.report import Inspected, empty
from tests.rig import Rig, room_of


@pytest.fixture
def rig(database, tmp_path):
    return Rig(database, tmp_path).open()


def submit(rig, size=100):
    made = rig.intake.spool.receive([b"%PDF-".ljust(size)], size)
    values = {"seen": True, "digests": made.digests, "size": made.size, "media_type": made.media_type}
    return rig.intake.accept(rig.document(**values, spooled=made.path))


def let_in(room, tenant, size=100):
    with room.inspected(tenant, size):
        pass


def inspect(rig):
    assert inspect_next(rig.intake, lambda *_: Inspected(empty("no_signatures", None, "test")))


def test_an_organisation_has_as_many_waiting_as_it_may(rig):
    room, other = room_of(rig.intake, max_own=2), rig.tenant + 1
    submit(rig)
    let_in(room, rig.tenant)
    submit(rig)
    with pytest.raises(
        TooManyRequests, match=r"2 documents of your organisation wait to be inspected; send this"
    ):
        let_in(room, rig.tenant)
    let_in(room, other)
    inspect(rig)
    let_in(room, rig.tenant)


def test_all_together_have_as_many_bytes_waiting_as_they_may(rig):
    room = room_of(rig.intake, max_bytes=300)
    submit(rig, 200)
    let_in(room, rig.tenant, 100)
    with pytest.raises(
        Busy, match="too many documents wait to be inspected; send this one later, or its digests"
    ):
        let_in(room, rig.tenant + 1, 101)
    inspect(rig)
    let_in(room, rig.tenant + 1, 300)


def test_all_together_have_as_many_documents_waiting_as_can_be_counted(rig, monkeypatch):
    monkeypatch.setattr("notary.intake.room.MAX_WAITING", 2)
    room = room_of(rig.intake)
    submit(rig)
    let_in(room, rig.tenant)
    submit(rig)
    with pytest.raises(Busy, match="too many documents wait to be inspected"):
        let_in(room, rig.tenant + 1)


def test_what_is_being_taken_in_counts_too(rig):
    """Of requests at the same time none is let in because the others are not durable yet."""
    room = room_of(rig.intake, max_own=2, max_bytes=300)
    with ExitStack() as held:
        held.enter_context(room.inspected(1, 100))
        held.enter_context(room.inspected(1, 100))
        with pytest.raises(TooManyRequests, match="2 documents of your organisation"):
            let_in(room, 1)
        with pytest.raises(Busy, match="too many documents"):
            let_in(room, 2, 101)
        let_in(room, 2, 100)
    let_in(room, 1, 300)  # what was refused or is over does not count any more


def test_requests_at_the_same_time_never_go_over_the_limit(rig):
    room, barrier = room_of(rig.intake, max_own=3), Barrier(8, timeout=20)

    def ask():
        try:
            with room.inspected(rig.tenant, 100):
                submit(rig)
        except TooManyRequests:
            return 0
        return 1

    def together(_):
        barrier.wait()
        return ask()

    with ThreadPoolExecutor(8) as pool:
        let_in = sum(pool.map(together, range(8)))
    while let_in < 3:
        let_in += ask()
    assert (let_in, ask()) == (3, 0)
    assert len(list(rig.intake.spool.folder.iterdir())) == 3
