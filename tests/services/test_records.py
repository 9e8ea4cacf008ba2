"""Who may see a record, as one rule."""

import re
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from itertools import product

import pytest
from sqlalchemy import event

from notary.errors import NotFound, UnknownAlgorithm
from notary.evidence.number import lookup_code, show_number
from notary.evidence.statement import parse_statement
from notary.services.records import Records, may_see
from notary.services.types import Viewer
from notary.store import anchorings, views
from tests.rig import Rig

DIGEST, OTHER = bytes(32), bytes([1]) * 32


@pytest.fixture
def record(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    accepted = rig.intake.accept(rig.document())
    with sqlite.reading() as connection:
        found = views.by_number(connection, accepted.number)
    return replace(found, sha256=DIGEST, sm3=OTHER)


def test_a_viewer_sees_what_one_of_his_credentials_opens(record):
    code = show_number(lookup_code(parse_statement(record.statement).salt))
    tenants = {None: False, record.tenant_id: True, record.tenant_id + 1: False}
    digests = {None: False, ("sha-256", DIGEST): True, ("sm3", OTHER): True, ("sha-256", OTHER): False}
    digests |= {("sm3", DIGEST): False, ("sha-512", DIGEST): False}
    codes = {
        None: False,
        code: True,
        code.lower(): True,
        "x": False,
        show_number(lookup_code(bytes(32))): False,
    }
    for tenant, digest, shown in product(tenants, digests, codes):
        viewer = Viewer(tenant, digest, shown)
        own, has_digest, has_code = tenants[tenant], digests[digest], codes[shown]
        expected = {
            "public": True,
            "private": own,
            "by-code": own or has_code,
            "by-document": own or has_digest or has_code,
            "a new word": own,
        }
        found = {name: may_see(replace(record, visibility=name), viewer) for name in expected}
        assert found == expected, viewer


def test_a_record_of_nobody_is_not_everybodys(record):
    """Entry 0 has no organisation, and a stranger none either."""
    assert not may_see(replace(record, tenant_id=None, visibility="private"), Viewer())


def test_a_record_without_digests_is_opened_by_none(record):
    event = replace(record, sha256=None, sm3=None, visibility="by-document")
    assert not may_see(event, Viewer(digest=("sha-256", DIGEST)))
    assert not may_see(event, Viewer(digest=("sm3", DIGEST)))


def test_hidden_and_unknown_are_one(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    accepted = rig.intake.accept(rig.document(visibility="private"))
    records = Records(sqlite)
    errors = []
    for read in (
        lambda number: records.view(number, Viewer()),
        lambda number: records.view(number, Viewer(rig.tenant + 1)),
        lambda number: records.own(number, rig.tenant + 1),
        lambda number: records.receipt(number, rig.tenant + 1),
    ):
        for number in (accepted.number, "2" * 16):
            with pytest.raises(NotFound, match="no record of this number that you may see") as caught:
                read(number)
            errors.append(str(caught.value))
    assert len(set(errors)) == 1
    assert records.own(accepted.number, rig.tenant).number == accepted.number


def test_a_public_record_of_another_is_seen_and_not_ones_own(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    accepted = rig.intake.accept(rig.document(visibility="public"))
    records = Records(sqlite)
    assert records.view(accepted.number, Viewer(rig.tenant + 1))
    with pytest.raises(NotFound, match="that you may see"):
        records.own(accepted.number, rig.tenant + 1)


def test_nothing_is_looked_up_by_a_claim(sqlite):
    with pytest.raises(UnknownAlgorithm, match="looked up by sha-256 or sm3"):
        Records(sqlite).lookup("sha-512", bytes(64), Viewer())


@pytest.fixture
def work(sqlite, monkeypatch):
    """What a call costs that can be measured from outside: statements of SQL, and codes derived."""
    done = []

    def derive(salt):
        done.append("code")
        return lookup_code(salt)

    def note(statement):
        done.append(re.sub(r"x?'[^']*'|\d+", "?", statement, flags=re.IGNORECASE))  # whatever is asked for

    def watch(driver, *_more):
        driver.set_trace_callback(note)

    def of(call):
        done.clear()
        with suppress(NotFound):
            call()
        return sorted(done)

    monkeypatch.setattr("notary.services.records.lookup_code", derive)
    event.listen(sqlite.engine, "checkout", watch)
    yield of
    event.remove(sqlite.engine, "checkout", watch)


@pytest.mark.parametrize("visibility", ["private", "by-code", "by-document"])
@pytest.mark.parametrize("code", [None, "x", show_number(lookup_code(bytes(32)))])
def test_hidden_and_unknown_take_the_same_work(sqlite, tmp_path, work, visibility, code):
    """Else the time of an answer would tell whose file is on record."""
    rig = Rig(sqlite, tmp_path).open()
    accepted = rig.intake.accept(rig.document(visibility=visibility))
    rig.sequencer().sequence()
    records, stranger = Records(sqlite), Viewer(code=code)
    own = work(lambda: records.view(accepted.number, Viewer(rig.tenant)))
    there, nowhere = (work(lambda n=n: records.view(n, stranger)) for n in (accepted.number, "2" * 16))
    asked = [step for step in there if step != "code"]
    assert len(own) > len(asked)  # that it is closed, and attested, is looked up only for who may know
    assert there == nowhere


@pytest.mark.parametrize("code", [None, show_number(lookup_code(bytes(32)))])
def test_a_digest_on_record_takes_the_work_of_any_other(sqlite, tmp_path, work, code):
    rig = Rig(sqlite, tmp_path).open()
    rig.intake.accept(rig.document(visibility="by-code"))
    rig.sequencer().sequence()
    records, viewer = Records(sqlite, lambda: 0.0), Viewer(code=code)
    digest = sha256(b"a contract").digest()
    assert records.lookup("sha-256", digest, Viewer(rig.tenant))
    there, nowhere = (work(lambda d=d: records.lookup("sha-256", d, viewer)) for d in (digest, OTHER))
    assert there == nowhere


def test_a_code_opens_its_record_however_many_of_the_same_file_came_before(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    rig.intake.accept_all([rig.document(visibility="by-code") for _ in range(150)])
    last = rig.intake.accept(rig.document(visibility="by-code"))
    code = lookup_code(parse_statement(last.statement).salt)
    found = Records(sqlite).lookup("sha-256", sha256(b"a contract").digest(), Viewer(code=code))
    assert [item.record.number for item in found] == [last.number]


def test_what_a_look_up_says_of_anchors_is_soon_as_it_is(sqlite, tmp_path):
    rig = Rig(sqlite, tmp_path).open()
    rig.intake.accept(rig.document(visibility="public"))
    rig.sequencer().sequence()
    ticks = [0.0]
    records = Records(sqlite, lambda: ticks[0])

    def words():
        (found,) = records.lookup("sha-256", sha256(b"a contract").digest(), Viewer())
        return [word.state for word in found.record.attestations]

    assert words() == []
    with sqlite.writing() as connection:
        item = anchorings.create_anchoring(connection, "tsa", "rfc3161", 2, rig.clock())
        anchorings.move(connection, item.id, "due", "final", rig.clock(), evidence=b"token")
    ticks[0] += 0.1
    assert words() == []
    ticks[0] += 0.2
    assert words() == ["final"]
    ticks[0] -= 100  # a clock that was ahead holds nothing up
    assert words() == ["final"]
