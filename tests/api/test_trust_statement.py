"""GET /.well-known/notary-trust: the newest version and every earlier one, for everybody; the report names it."""

from functools import partial
from hashlib import sha256

import pytest
from sqlalchemy import text

from notary.evidence.key_history import LOG
from notary.log.index import index_digests
from notary.report.details import page_two
from notary.services.outstanding import Outstanding
from notary.services.rotating import Rotating
from notary.services.types import Viewer
from notary.wiring.key_files import maker, note_key
from tests.api.service import Service

PATH = "/.well-known/notary-trust"


@pytest.fixture
def service(tmp_path):
    made = Service(tmp_path, {})
    yield made
    made.end()


def rotating(service):
    assembly = service.assembly
    return Rotating(
        database=assembly.database,
        intake=service.services.submitting.intake,
        close=assembly.sequencer.sequence,
        trust=service.services.trust_statements,
        outstanding=Outstanding(assembly.database),
        find_key=partial(note_key, service.settings.log_key),
        make=maker(service.settings, None),
        take_over={},
        patience=0.0,
    )


def test_versions_are_served_as_they_were_signed(service):
    assert service.get(PATH).status_code == 404
    rotating(service).publish()
    first = service.get(PATH)
    assert (first.status_code, first.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert first.headers["access-control-allow-origin"] == "*"
    rotating(service).rotate(LOG)
    newest = service.get(PATH)
    assert newest.text.startswith("notary trust statement v1\n")
    assert "\nversion 3\n" in newest.text
    assert f"\nprevious {sha256(service.get(f'{PATH}?version=2').content).hexdigest()}\n" in newest.text
    assert service.get(f"{PATH}?version=1").content == first.content
    assert "immutable" in service.get(f"{PATH}?version=1").headers["cache-control"]
    assert newest.headers["cache-control"] == "public, max-age=60"
    for wrong in ("4", "0", "x", "1001"):
        assert service.get(f"{PATH}?version={wrong}").status_code == (404 if wrong == "4" else 400)


def test_its_digest_is_a_record_that_everybody_finds(service):
    rotating(service).publish()
    rotating(service).wait_closed()
    digest = sha256(service.get(PATH).content).hexdigest()

    index_digests(service.assembly.database)
    (found,) = service.get(f"/v1/lookup/sha-256/{digest}").json()["records"]
    assert found["proof"] is not None


def test_a_process_that_runs_goes_on_under_the_new_keys(service):
    before = service.accepted(b"before")
    service.services.submitting  # noqa: B018 - it has promised by now
    for role in ("log", "receipt"):
        rotating(service).rotate(role)
    after = service.accepted(b"after")
    service.assembly.sequencer.sequence()
    for made in (before, after):
        assert service.get(f"/v1/evidence/{made['number']}/proof", service.own).status_code == 200
    assert service.get("/").text.count("log.example.org/2026+") >= 2


def test_the_report_carries_its_fingerprint(service):
    rotating(service).publish()
    made = service.accepted()
    service.assembly.sequencer.sequence()
    number = made["number"].replace("-", "")
    reports = service.services.reports
    with service.assembly.database.reading() as connection:
        (owner,) = connection.execute(
            text("SELECT tenant_id FROM record WHERE number = :n"), {"n": number}
        ).scalars()
    members = reports.packages.members(number, Viewer(owner))
    facts = reports._facts(number, members, b"")
    digest = sha256(service.get(PATH).content).hexdigest()
    assert facts.trust == (1, digest)

    (row,) = [row for row in page_two(facts)["evidence"] if row["value"]["en"] == digest]
    assert row["label"] == {
        "zh": "信任声明第 1 版的 SHA-256",
        "en": "SHA-256 of trust statement, version 1",
    }
