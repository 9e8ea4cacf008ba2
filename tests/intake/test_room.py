"""How much may lie in the spool."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest

from notary.errors import Busy, TooManyRequests, Unavailable
from notary.intake.inspect import inspect_next
from notary.intake.inspection.report import empty
from notary.intake.room import free_bytes
from tests.rig import Rig, room_of


@pytest.fixture
def rig(database, tmp_path):
    rig = Rig(database, tmp_path).open()
    rig.intake.spool.folder.mkdir()
    return rig


def submit(rig, size=100):
    made = rig.intake.spool.receive([b"%PDF-".ljust(size)], size)
    values = {"seen": True, "digests": made.digests, "size": made.size, "media_type": made.media_type}
    return rig.intake.accept(rig.document(**values, spooled=made.path))


def let_in(room, tenant, size=100):
    with room.inspected(tenant, size):
        pass


def inspect(rig):
    assert inspect_next(rig.intake, lambda *_: empty("no_signatures", None, "test"))


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


def test_some_of_the_disk_stays_free(rig):
    free = [1000]
    room = room_of(rig.intake, reserve=400, unknown=250, free=lambda _: free[0])
    with (
        room.arriving(300),
        pytest.raises(Busy, match="the disk for documents is nearly full; send the digests"),
    ):
        room.arriving(1).__enter__()
    with room.arriving(200):
        with pytest.raises(Busy, match="nearly full"):
            room.arriving(101).__enter__()
        with room.arriving(100):
            pass
    with pytest.raises(Busy, match="nearly full"), room.arriving(51):
        room.arriving(None).__enter__()
    with room.arriving(None):
        pass
    free[0] = 399
    with pytest.raises(Busy, match="nearly full"):
        room.arriving(0).__enter__()


def test_the_disk_is_asked(tmp_path):
    assert free_bytes(tmp_path) > 0
    with pytest.raises(Unavailable, match="the spool cannot be looked at: No such file"):
        free_bytes(tmp_path / "nowhere")
