"""Each numbered check catches something that no other does, in both verifiers."""

import pytest

from notary.evidence.catalogue import CHECKS
from tests.fuzz.alone import ALONE
from tests.fuzz.corpus import whole
from tests.fuzz.verifiers import JavaScript, by_python, failed
from tests.fuzz.zips import TRICKS, members, packed


@pytest.fixture(scope="module")
def javascript():
    with JavaScript() as running:
        yield running


def test_every_check_that_can_fail_has_a_package_that_only_it_catches():
    assert set(ALONE) | {"1.1", "1.2"} == set(CHECKS)


@pytest.mark.parametrize("id_", ALONE)
def test_it_alone_fails(javascript, id_):
    sample = ALONE[id_]()
    data = packed(sample.files)
    python = by_python(data, sample)
    assert (failed(python), python["outcome"]) == ({id_}, "failed")
    assert javascript.ask(data, sample) == python


@pytest.mark.parametrize("what", TRICKS)
def test_a_zip_that_is_wrong_in_one_way_is_no_package(javascript, what):
    sample = whole()
    data = TRICKS[what](members(sample.files))
    python = by_python(data, sample)
    assert (failed(python), len(python["checks"])) == ({"1.1"}, 1)
    assert javascript.ask(data, sample) == python
