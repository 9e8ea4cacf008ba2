"""What every kind of objects keeps: made once and never changed; one name is replaced whole."""

import threading
from hashlib import sha256

import pytest

from notary.errors import Fatal, NotFound
from notary.store import objects as port
from notary.store.files import FileObjects
from tests.s3 import opened


@pytest.fixture(params=["files", "s3"])
def objects(request, tmp_path):
    if request.param == "files":
        return FileObjects(tmp_path / "log")
    return request.getfixturevalue("s3")


@pytest.fixture
def others(objects, request):
    """Makes the same objects as another process sees them."""
    if isinstance(objects, FileObjects):
        return lambda: FileObjects(objects.root)
    server, bucket = (request.getfixturevalue(name) for name in ("s3_server", "bucket"))
    return lambda: opened(server, bucket)


def test_an_object_is_read_as_it_was_made(objects, others):
    objects.create("tile/0/x001/000.p/7", b"hashes")
    objects.create("tile/0/x001/000.p/7", b"hashes")
    assert objects.read("tile/0/x001/000.p/7") == b"hashes"
    assert others().read("tile/0/x001/000.p/7") == b"hashes"
    for name in ("tile/0/x001/000", "tile/0/x001/000.p", "tile/0/x001/000.p/7/8", "tile/0/x001/000.p/70"):
        assert objects.read(name) is None
    assert list(objects.names("tile")) == ["tile/0/x001/000.p/7"]


def test_an_object_of_no_bytes_is_one(objects):
    objects.create("tile/0/000", b"")
    assert objects.read("tile/0/000") == b""
    with pytest.raises(Fatal, match="tile/0/000 is there with other bytes"):
        objects.create("tile/0/000", b"x")


def test_an_object_never_changes(objects, others):
    objects.create("tile/0/000", b"first")
    for maker in (objects, others()):
        with pytest.raises(Fatal, match="tile/0/000 is there with other bytes"):
            maker.create("tile/0/000", b"second")
        with pytest.raises(Fatal, match="tile/0/000 is there with other bytes"):
            maker.create_all([("tile/0/001", b"new"), ("tile/0/000", b"second")])
    assert objects.read("tile/0/000") == b"first"


@pytest.mark.parametrize("data", [b"", b"few bytes", bytes(300_000)])
def test_an_object_is_named_by_its_bytes(objects, others, data):
    wanted = f"staging/7/{sha256(data).hexdigest()}"
    assert objects.create_named("staging/7", data) == wanted
    assert others().create_named("staging/7", data) == wanted
    assert others().read(wanted) == data
    assert list(objects.names("staging")) == [wanted]


def test_a_name_of_other_bytes_is_not_given(objects):
    objects.create(f"staging/7/{sha256(b'ours').hexdigest()}", b"theirs")
    with pytest.raises(Fatal, match="is there with other bytes"):
        objects.create_named("staging/7", b"ours")


@pytest.mark.parametrize("folder", ["", "../secret", ".new-1"])
def test_a_folder_that_no_object_can_be_in_gets_none(objects, folder):
    with pytest.raises(NotFound):
        objects.create_named(folder, b"data")


def test_many_are_made_and_found(objects):
    made = {f"tile/{level}/x{n:03}/000": b"%d %d" % (level, n) for level in range(3) for n in range(20)}
    objects.create_all(made.items())
    objects.create_all(iter(made.items()))
    objects.create_all([])
    assert {name: objects.read(name) for name in made} == made
    assert sorted(objects.names("tile")) == sorted(made)
    assert sorted(objects.names("tile/1")) == sorted(name for name in made if name.startswith("tile/1/"))
    assert list(objects.names("til")) == []
    assert list(objects.names("staging")) == []


def test_of_many_who_make_an_object_one_wins(objects, others):
    outcomes = []

    def make(maker, data):
        try:
            maker.create("tile/0/000", data)
            outcomes.append(data)
        except Fatal:
            outcomes.append(None)

    makers = [objects, *(others() for _ in range(7))]
    threads = [
        threading.Thread(target=make, args=[maker, b"%d" % n * 1000]) for n, maker in enumerate(makers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    (winner,) = [data for data in outcomes if data]
    assert objects.read("tile/0/000") == winner
    assert list(objects.names("tile")) == ["tile/0/000"]


def test_of_many_who_make_the_same_object_all_win(objects, others):
    failed = []

    def make(maker):
        try:
            maker.create_all([(f"tile/0/{n:03}", b"%d" % n) for n in range(10)])
        except Fatal as error:
            failed.append(error)

    threads = [threading.Thread(target=make, args=[maker]) for maker in (objects, others(), others())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(list(objects.names("tile"))) == 10


def test_a_replaced_object_is_old_or_new(objects):
    objects.replace("checkpoint", b"old")
    objects.replace("checkpoint", b"new")
    assert objects.read("checkpoint") == b"new"
    objects.delete("checkpoint")
    objects.delete("checkpoint")
    assert objects.read("checkpoint") is None


@pytest.mark.parametrize(
    "name", ["", "../secret", "/etc/passwd", "tile/../../x", "Tile/0", "a//b", "a" * 201, ".new-1", ".probe"]
)
def test_other_names_are_refused(objects, name):
    for use in (
        objects.read,
        objects.delete,
        lambda name: objects.create(name, b""),
        lambda name: objects.create_all([("tile/0", b""), (name, b"")]),
        lambda name: objects.replace(name, b""),
        lambda name: list(objects.names(name)),
    ):
        with pytest.raises(NotFound, match="not the name of an object"):
            use(name)


def test_an_object_that_is_too_large_is_neither_written_nor_read(objects, monkeypatch):
    monkeypatch.setattr(port, "MAX_BYTES", 1000)
    objects.create("tile/0/000", bytes(1000))
    for write in (objects.create, objects.replace):
        with pytest.raises(Fatal, match="tile/0/001 has 1001 bytes, more than the 1000 of any of ours"):
            write("tile/0/001", bytes(1001))
    assert objects.read("tile/0/001") is None
    with pytest.raises(Fatal, match=r"object staging/7\S* has 1001 bytes, more than the 1000 of any of ours"):
        objects.create_named("staging/7", bytes(1001))
    assert list(objects.names("staging")) == []
    monkeypatch.setattr(port, "MAX_BYTES", 999)
    with pytest.raises(Fatal, match="tile/0/000 has 1000 bytes, more than the 999 of any of ours"):
        objects.read("tile/0/000")
