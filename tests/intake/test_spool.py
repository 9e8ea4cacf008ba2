"""Documents on their way in."""

import errno
import os
from dataclasses import replace
from hashlib import sha256

import pytest

from notary.errors import (
    BadDigest,
    Busy,
    DigestMismatch,
    EmptyDocument,
    Fatal,
    TooLarge,
    Unavailable,
    UnknownAlgorithm,
)
from notary.intake.spool import Spool


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


def left(spool):
    return list(spool.folder.iterdir()) if spool.folder.exists() else []


def test_a_document_is_written_and_digested_in_one_pass(spool):
    made = spool.receive(iter([b"%P", b"", b"DF-1.7 ", b"rest"]), 100, ["sha-512"])
    content = b"%PDF-1.7 rest"
    assert made.path.read_bytes() == content
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert (made.size, made.media_type) == (len(content), "application/pdf")
    assert list(made.digests) == ["sha-256", "sm3", "sha-512"]
    assert made.digests["sha-256"] == sha256(content).hexdigest()
    spool.discard(made.path.name)
    spool.discard(made.path.name)
    assert left(spool) == []


def test_sm3_is_the_standards(spool):
    """GB/T 32905-2016, example 1."""
    made = spool.receive([b"abc"], 3)
    assert made.digests["sm3"] == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_the_media_type_is_the_submitters_unless_it_is_a_pdf(spool):
    assert spool.receive([b"hello"], 10, media_type="text/plain").media_type == "text/plain"
    assert spool.receive([b"%PDF-"], 10, media_type="text/plain").media_type == "application/pdf"
    assert spool.receive([b" %PDF-"], 10).media_type is None


def test_a_claimed_digest_is_taken_and_compared(spool):
    digest = sha256(b"hello").hexdigest()
    assert spool.receive([b"hello"], 10, claimed={"sha-256": digest.upper()}).digests["sha-256"] == digest
    with pytest.raises(
        DigestMismatch, match=r"the sha-256 of the bytes that arrived is .* was changed on its way"
    ):
        spool.receive([b"hellO"], 10, claimed={"sha-256": digest})
    assert len(left(spool)) == 1


def test_some_of_the_disk_stays_free(spool):
    free = [1000]
    spool = replace(spool, reserve=400, free=lambda _: free[0])
    spool.require(600)
    with pytest.raises(Busy, match="the disk for documents is nearly full; send the digests instead, or try"):
        spool.require(601)

    def filling():
        """Others write meanwhile."""
        for left in (500, 400, 399):
            free[0] = left
            yield b"x"

    with pytest.raises(Busy, match="nearly full"):
        spool.receive(filling(), 100)
    assert left(spool) == []
    free[0] = 400
    assert spool.receive([b"x"], 100).size == 1


def test_the_disk_is_asked(tmp_path):
    Spool(tmp_path).require(1)
    with pytest.raises(Busy, match="nearly full"):
        Spool(tmp_path).require(2**62)
    with pytest.raises(Unavailable, match="the spool cannot be looked at: No such file"):
        Spool(tmp_path / "nowhere").require()


def broken_off():
    yield b"first"
    raise ConnectionError("the client went away")


REFUSED = {
    "empty": ([], {}, EmptyDocument, "the document is empty"),
    "empty chunks": ([b"", b""], {}, EmptyDocument, "the document is empty"),
    "too large": ([b"12345", b"678901"], {}, TooLarge, "larger than 10 bytes"),
    "claimed": ([b"x"], {"claimed": {"sha-256": "12"}}, BadDigest, "64 hexadecimal characters"),
    "claimed algorithm": ([b"x"], {"claimed": {"md5": "12"}}, UnknownAlgorithm, "'md5' is not a digest"),
    "algorithm": ([b"x"], {"algorithms": ["md5"]}, UnknownAlgorithm, "'md5' is not a digest"),
    "broken off": (broken_off(), {}, Unavailable, "cannot be stored now"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing_behind(spool, case):
    chunks, options, error, what = REFUSED[case]
    with pytest.raises(error, match=what):
        spool.receive(chunks, 10, **options)
    assert left(spool) == []


def test_exactly_the_limit_is_accepted(spool):
    assert spool.receive([b"12345", b"67890"], 10).size == 10


def test_a_disk_that_takes_nothing_leaves_nothing_behind(spool, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Unavailable, match="cannot be stored now: No space left"):
        spool.receive([b"hello"], 10)
    monkeypatch.undo()
    assert left(spool) == []


def test_a_disk_that_fails_is_the_end(spool, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.EIO, "failed")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Fatal, match="the disk failed under the spool: Input/output error"):
        spool.receive([b"hello"], 10)
    monkeypatch.undo()
    assert left(spool) == []


def test_only_old_files_that_nothing_needs_are_swept(spool):
    assert spool.sweep(set) == 0
    orphan, needed, new = (spool.receive([b"x"], 10).path for _ in range(3))
    for path in (orphan, needed):
        os.utime(path, (0, 0))
    assert spool.sweep(lambda: {needed.name}) == 1
    assert sorted(left(spool)) == sorted([needed, new])


def test_nothing_that_is_not_ours_is_swept(spool, monkeypatch):
    orphan = spool.receive([b"x"], 10).path
    others = [spool.folder / name for name in ("thesis.docx", "a" * 31, "A" * 32, f"{'a' * 32}.pdf")]
    for path in others:
        path.write_bytes(b"x")
    folder = spool.folder / ("b" * 32)
    folder.mkdir()
    for path in (orphan, *others, folder):
        os.utime(path, (0, 0))
    assert spool.sweep(set) == 1
    assert sorted(left(spool)) == sorted([*others, folder])

    gone = spool.receive([b"x"], 10).path
    monkeypatch.setattr(type(gone), "is_file", lambda _: (_ for _ in ()).throw(FileNotFoundError()))
    assert spool.sweep(set) == 0  # another process was quicker
