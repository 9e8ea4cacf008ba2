"""A log whose objects are in a bucket: it opens, closes, loses its server at any request, recovers, and is sound."""

import pytest

from notary.errors import Fatal, Unavailable
from notary.evidence.checkpoint import open_checkpoint
from notary.store.logstate import read_state
from notary.store.objects import CHECKPOINT
from tests.rig import LOG_VERIFIER, ORIGIN, Rig
from tests.s3 import opened

ADDED = 260  # more than a tile


@pytest.fixture
def rig(sqlite, tmp_path, s3):
    return Rig(sqlite, tmp_path, objects=s3).open()


def size_of(rig):
    with rig.database.reading() as connection:
        return read_state(connection).size


def submit(rig, count):
    mark = rig.random.randbytes(4).hex().encode()
    return rig.intake.accept_all([rig.document(b"%s %d" % (mark, n)) for n in range(count)])


def judge(rig, size):
    assert rig.fsck().problems == []
    assert open_checkpoint(rig.objects.read(CHECKPOINT), ORIGIN, [LOG_VERIFIER]).checkpoint.size == size
    assert list(rig.objects.names("staging")) == []
    prover = rig.prover()
    prover.proof_at(size - 1, size)
    prover.consistency(1, size)


def test_a_log_in_a_bucket_grows_and_is_sound(rig, s3_server, bucket):
    sequencer = rig.sequencer()
    sizes = []
    for count in (1, ADDED, 3):
        submit(rig, count)
        rig.clock.advance(1)
        sizes.append(sequencer.sequence().size)
    assert sizes == [2, 262, 265]
    judge(rig, 265)
    # What another process sees through another connection.
    rig.objects = opened(s3_server, bucket)
    judge(rig, 265)
    rig.objects.delete("tile/0/000")
    assert rig.fsck().problems == ["tile/0/000 is missing"]


def test_every_answer_to_a_put_may_be_lost(rig, proxy):
    """Each object is stored at the first try, and its answer never comes."""
    done = set()

    def drop_first(request):
        if request.method == "PUT" and request.path not in done:
            done.add(request.path)
            return "drop"
        return None

    submit(rig, ADDED)
    sequencer = rig.sequencer()
    proxy.fault = drop_first
    assert sequencer.sequence().size == 1 + ADDED
    assert any("/staging/" in path for path in done)
    assert any("/tile/" in path for path in done)
    assert any(path.endswith("/checkpoint") for path in done)
    judge(rig, 1 + ADDED)


# what of the bucket fails -> error, size of the log afterwards
POINTS = {
    "/staging/": (Unavailable, 1),
    "/tile/entries/": (Unavailable, 1 + ADDED),
    "/tile/0/": (Unavailable, 1 + ADDED),
    "/checkpoint": (Unavailable, 1 + ADDED),
}


@pytest.mark.parametrize("fault", ["lost", 403])
@pytest.mark.parametrize("point", POINTS)
def test_a_bucket_that_takes_nothing_leaves_a_log_that_recovers(rig, proxy, point, fault):
    error, size = POINTS[point]
    submit(rig, ADDED)
    sequencer = rig.sequencer()
    assert sequencer.acquire()
    proxy.fault = lambda request: fault if request.method == "PUT" and point in request.path else None
    with pytest.raises(error, match="the object store: "):
        sequencer.sequence()
    submit(rig, 3)
    with pytest.raises(Unavailable, match="the object store: "):  # the next process meets the same
        rig.sequencer().sequence()
    assert size_of(rig) == size
    proxy.fault = lambda _request: None
    survivor = rig.sequencer()
    while survivor.sequence():
        pass
    judge(rig, 1 + ADDED + 3)


def test_a_process_that_stops_after_the_swap_is_finished_by_the_next(rig, proxy, s3_server, bucket):
    """The bucket is gone between the swap and the tiles: the promise stands in the database alone."""
    submit(rig, ADDED)
    sequencer = rig.sequencer()
    assert sequencer.acquire()
    proxy.fault = lambda request: 403 if request.method == "PUT" and "/tile/" in request.path else None
    with pytest.raises(Unavailable, match="the object store: "):
        sequencer.sequence()
    assert size_of(rig) == 1 + ADDED
    rig.objects = opened(s3_server, bucket)  # another process, another connection
    assert rig.sequencer().acquire()
    judge(rig, 1 + ADDED)


def test_a_tile_that_somebody_else_put_there_stops_everything(rig):
    submit(rig, ADDED)
    rig.objects.create("tile/0/000", bytes(256 * 32))
    with pytest.raises(Fatal, match="tile/0/000 is there with other bytes"):
        rig.sequencer().sequence()


def test_a_tile_that_is_lost_stops_recovery(rig):
    submit(rig, ADDED)
    assert rig.sequencer().sequence().size == 1 + ADDED
    rig.objects.delete("tile/0/000")
    with pytest.raises(Fatal, match=r"tile/0/000 is missing or damaged"):
        rig.sequencer().acquire()
