"""Each numbered check catches something that no other does, in both verifiers."""

from dataclasses import replace

import pytest

from notary.evidence.catalogue import CHECKS
from tests.evidence import build
from tests.evidence.build import EARLY, LATE, Log
from tests.evidence.test_incident import told
from tests.fuzz.alone import ALONE
from tests.fuzz.corpus import DOCUMENT_NAME, Sample, whole
from tests.fuzz.costly import COSTLY
from tests.fuzz.lines import STRANGERS
from tests.fuzz.pointed import POINTED
from tests.fuzz.verifiers import JavaScript, by_python, failed
from tests.fuzz.zips import FREE, TRICKS, free, members, packed


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


@pytest.mark.parametrize("name", [*POINTED, *COSTLY, *STRANGERS])
def test_what_chance_does_not_meet_is_judged_alike(javascript, name):
    pointed = (POINTED | COSTLY | STRANGERS)[name]
    sample = pointed.make()
    data = packed(sample.files)
    python = by_python(data, sample)
    wrong = pointed.outcome == "failed"
    assert failed(python) == ({pointed.check} if wrong else set())
    assert python["outcome"] == ("failed" if wrong else "passed")
    assert pointed.outcome in {each["outcome"] for each in python["checks"] if each["id"] == pointed.check}
    assert javascript.ask(data, sample) == python


def test_what_follows_a_record_is_told_in_one_order_by_both(javascript):
    """Checks in the order of docs/formats.md §12, bounds of one moment in that of §13."""
    log, files = told(log=Log(altered=lambda made: replace(made, previous=build.log().entries[1])))
    files = {name: data for name, data in files.items() if f"{EARLY}/tokens/tsa-a" not in name}
    more = {
        "previous/1/statement.json": log.statements[1].encode(),
        "previous/1/inclusion.tlog-proof": log.proof(1, LATE),
        f"heads/{LATE}/tokens/tsa-a.tsr": log.token("tsa-a", LATE, serial=99, gen_time=build.moment(12, 5)),
        DOCUMENT_NAME: build.CONTRACT,
    }
    sample = Sample("everything", files | more, build.trust_text(log))
    data = packed(sample.files)
    python = by_python(data, sample)
    assert [check["id"] for check in python["checks"]][-4:] == ["8.1", "9.1", "9.2", "9.3"]
    assert [(each["source"], each["size"]) for each in python["time"]["bounds"]] == [
        ("tsa-a", LATE), ("tsa-b", EARLY), ("chain 31337", LATE),
    ]  # fmt: skip
    assert javascript.ask(data, sample) == python


@pytest.mark.parametrize("what", TRICKS)
def test_a_zip_that_is_wrong_in_one_way_is_no_package(javascript, what):
    sample = whole()
    data = TRICKS[what](members(sample.files))
    python = by_python(data, sample)
    assert (failed(python), len(python["checks"])) == ({"1.1"}, 1)
    assert javascript.ask(data, sample) == python


@pytest.mark.parametrize("what", FREE)
def test_what_a_header_of_the_zip_may_say_makes_no_difference(javascript, what):
    sample = whole()
    data = free(what)(members(sample.files))
    python = by_python(data, sample)
    assert python == by_python(packed(sample.files), sample)
    assert python["outcome"] == "passed"
    assert javascript.ask(data, sample) == python
