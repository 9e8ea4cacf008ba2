"""A report can be read with its package, and with nothing else that is stored."""

import os

import pytest

from notary.errors import Fatal
from notary.services.kept_reports import KeptReports
from notary.store.files import FileObjects

NUMBER = "NA7WQ3EUN59PCCZT"
PACKAGE = b"a package with the salts of all that is opened"
PDF = b"%PDF-1.7 holder: Zhang San"


@pytest.fixture
def kept(tmp_path):
    return KeptReports(FileObjects(tmp_path), os.urandom)


def files(kept):
    return [path for path in kept.objects.root.rglob("*") if path.is_file()]


def test_a_report_is_given_back_for_its_package_alone(kept):
    assert kept.read(NUMBER, PACKAGE) is None
    assert kept.keep(NUMBER, PACKAGE, PDF) == PDF
    assert kept.read(NUMBER, PACKAGE) == PDF
    assert kept.read(NUMBER, PACKAGE + b".") is None
    assert kept.read(NUMBER[::-1], PACKAGE) is None


def test_what_is_stored_says_nothing_of_report_or_package(kept):
    kept.keep(NUMBER, PACKAGE, PDF)
    kept.keep(NUMBER, PACKAGE + b".", PDF)
    one, two = files(kept)
    for path in (one, two):
        assert b"Zhang" not in path.read_bytes()
        assert b"%PDF" not in path.read_bytes()
    one.write_bytes(two.read_bytes())  # under another name it is none
    with pytest.raises(Fatal, match="is damaged: delete it, and the next request makes another"):
        _ = [kept.read(NUMBER, package) for package in (PACKAGE, PACKAGE + b".")]


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-1], lambda data: bytes([data[0] ^ 1]) + data[1:]]
)
def test_a_damaged_report_is_not_shown(kept, damage):
    kept.keep(NUMBER, PACKAGE, PDF)
    (path,) = files(kept)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Fatal, match="is damaged: delete it, and the next request makes another"):
        kept.read(NUMBER, PACKAGE)
    path.unlink()
    assert kept.keep(NUMBER, PACKAGE, PDF) == PDF


def test_of_two_reports_the_one_that_was_stored_stands(kept):
    assert kept.keep(NUMBER, PACKAGE, PDF) == PDF
    assert kept.keep(NUMBER, PACKAGE, b"%PDF-1.7 a second later") == PDF
    assert len(files(kept)) == 1


def test_a_report_that_cannot_be_stored_is_an_error(kept, monkeypatch):
    def broken(*_):
        raise Fatal("the disk failed")

    monkeypatch.setattr(FileObjects, "create", broken)
    with pytest.raises(Fatal, match="the disk failed"):
        kept.keep(NUMBER, PACKAGE, PDF)
