"""One bit of what evidence is made from has changed in the database: it is refused, and all other is given."""

import json
from hashlib import sha256

import pytest

from notary.store import sound
from tests.faults.damage import cells, with_flipped

TABLES = ("record", "commit_group", "checkpoint")
ASKED = ("proof", "proof?format=json", "proof?format=cose", "statement", "receipt", "package")
OTHER, FLIPPED = b"another", b"flipped"
# What each of these is made from; of the others a bit changes nothing that is handed out here, or nothing is found.
MADE_FROM = {
    ("record", "statement"), ("record", "entry"), ("record", "number"), ("record", "seq"),
    ("commit_group", "note"), ("commit_group", "first_idx"),
    ("checkpoint", "note"), ("checkpoint", "root"), ("checkpoint", "cose"), ("checkpoint", "size"),
}  # fmt: skip


def again(service, data):
    digests = {"sha-256": sha256(data).hexdigest()}
    return service.post({"digests": digests}, headers={"Idempotency-Key": data.decode()})


@pytest.fixture
def closed(service):
    """Two records, the second of which is the last row of each table, and their numbers."""
    service.numbers = {}
    for data in (OTHER, FLIPPED):
        service.numbers[data] = again(service, data).json()["number"]
        service.close()
        service.wait(1)
    return service


def told(service, data):
    """What is handed out of a record, by how it is asked for; None where it is refused."""
    path = f"/v1/evidence/{service.numbers[data]}/"
    answers = {what: service.get(path + what, service.own) for what in ASKED}
    answers["again"] = again(service, data)
    found = {what: answer.content if answer.is_success else None for what, answer in answers.items()}
    looked_up = service.get(f"/v1/lookup/sha-256/{sha256(data).hexdigest()}", service.own)
    records = looked_up.json()["records"] if looked_up.is_success else []
    evidence = ("number", "entry", "statement", "proof")
    found["lookup"] = tuple(records[0][name] for name in evidence) if records else None
    return found


def unproved(answer):
    """A look-up that tells of a record without a proof of it."""
    return (*answer[:-1], None) if isinstance(answer, tuple) else answer


def changed(service):
    """By table and column that is flipped: how something else is handed out than before, and whether all is."""
    wrong, refused = {}, set()
    before = {data: told(service, data) for data in (OTHER, FLIPPED)}
    assert None not in {answer for each in before.values() for answer in each.values()}
    database = service.settings.data_dir / "notary.db"
    for table, column, row in list(cells(database)):
        if table not in TABLES:
            continue
        with with_flipped(database, table, column, row):
            after = {data: told(service, data) for data in before}
        for data, answers in after.items():
            for what, answer in answers.items():
                if answer is None and data == FLIPPED:
                    refused.add((table, column))
                elif answer not in (before[data][what], unproved(before[data][what])):
                    wrong.setdefault((table, column), []).append((data, what))
    assert {data: told(service, data) for data in before} == before
    return wrong, refused


def test_what_a_flipped_bit_stands_in_is_refused_and_all_else_is_given_as_before(closed):
    wrong, refused = changed(closed)
    assert wrong == {}
    assert refused >= MADE_FROM, MADE_FROM - refused


def test_without_the_comparison_a_statement_would_go_out_that_is_not_in_the_log(closed, monkeypatch):
    monkeypatch.setattr(sound, "entry_of", lambda _statement: Anything())
    wrong, _ = changed(closed)
    assert {what for _, what in wrong["record", "statement"]} >= {"proof", "statement", "lookup", "again"}


class Anything:
    """Equal to all."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None


def test_a_bulk_request_is_not_answered_again_with_other_lines(service):
    def answer():
        lines = json.dumps([sha256(b"%d" % number).hexdigest() for number in range(3)])
        headers = {**service.own, "Idempotency-Key": "bulk", "Content-Type": "application/json"}
        return service.client.post("/v1/evidence/bulk", content=lines, headers=headers)

    first = answer()
    assert first.status_code == 202, first.text
    database = service.settings.data_dir / "notary.db"
    wrong = {}
    for table, column, row in list(cells(database)):
        if table in TABLES:
            with with_flipped(database, table, column, row):
                found = answer()
            if found.is_success and found.content != first.content:
                wrong[table, column] = found.content
    assert wrong == {}
    assert answer().content == first.content
