"""From a submission to a package with an .ots file that verifies offline, with a calendar on loopback."""

import io
import json
import time

import pytest

from notary.errors import NotReady, SettingsError
from notary.evidence.outcome import Outcome
from notary.evidence.package import read_package, write_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from notary.wiring.headers import bitcoin_headers
from tests.api.service import Service
from tests.ots_world import Bitcoin, serving

NAME = "heads/2/ots/bitcoin.ots"


@pytest.fixture
def calendar():
    with serving(Bitcoin()) as found:
        yield found


@pytest.fixture
def service(calendar, tmp_path):
    ots = {"name": "bitcoin", "calendars": (calendar.uri,), "headers_url": f"{calendar.uri}/"}
    ots["ask_interval_seconds"] = 0.001
    changes = {"ots": (ots,), "allow_private_addresses": True, "anchor_interval_seconds": 0.001}
    service = Service(tmp_path / "service", changes)
    yield service
    service.end()


@pytest.fixture
def number(service):
    number = service.accepted()["number"]
    service.close()
    return number


def step(service):
    (found,) = [step for step in service.assembly.steps if step.name == "anchor bitcoin"]
    assert found.patience == 600
    time.sleep(0.01)
    found.run()


def package(service, number):
    data = service.get(f"/v1/evidence/{number}/package", service.own).content
    return data, read_package(io.BytesIO(data))


def outcomes(checks):
    return {check["id"]: check["outcome"] for check in checks}


def checked(service, data):
    answer = service.client.post("/v1/verify", files={"file": ("evidence.zip", data)})
    return outcomes(answer.json()["checks"])


def attestations(service, number):
    state = service.get(f"/v1/evidence/{number}", service.own).json()
    assert "bitcoin" not in " ".join(state["due"])  # nobody waits for hours
    return [(one["anchor"], one["kind"], one["state"]) for one in state["attestations"]]


def test_a_package_has_the_pending_file_and_then_the_one_with_the_block(
    service, number, calendar, notary, tmp_path
):
    _, before = package(service, number)
    assert NAME not in before.files
    step(service)
    assert attestations(service, number) == [("bitcoin", "opentimestamps", "sent")]
    data, pending = package(service, number)
    by_id = checked(service, data)
    assert (by_id["5.3"], by_id.get("5.4")) == ("could_not_be_checked", None)
    calendar.confirm()
    step(service)
    assert attestations(service, number) == [("bitcoin", "opentimestamps", "final")]
    data, final = package(service, number)
    assert pending.files[NAME] != final.files[NAME]
    by_id = checked(service, data)  # by the header that the service compared with itself
    assert (by_id["5.3"], by_id["5.4"], by_id["8.1"]) == ("passed", "passed", "passed")
    page = service.get(f"/e/{number}", service.own)
    assert page.status_code == 200
    # Offline, with a trust file that names the block.
    path = tmp_path / "evidence.zip"
    path.write_bytes(data)
    text = service.assembly.trust.file([], bitcoin_headers(service.settings, {800_001}))
    report = verify(final, parse_trust(text.encode()))
    assert {check.outcome for check in report.checks if check.id in ("5.3", "5.4", "8.1")} == {Outcome.PASSED}
    (tmp_path / "trust.toml").write_text(text)
    done = notary(
        "verify", path, "--trust", tmp_path / "trust.toml", "--json", expected=2
    )  # without the document
    assert outcomes(json.loads(done.out)["checks"])["5.4"] == "passed"


def test_a_lie_in_a_package_of_the_service_is_found_by_the_service(service, number, calendar):
    step(service)
    calendar.confirm()
    step(service)
    data, final = package(service, number)
    files = dict(final.files)
    other = bytearray(files[NAME])
    at = other.index(b"leaf")
    other[at] ^= 1
    by_id = checked(service, write_package(files | {NAME: bytes(other)}))
    assert (by_id["5.3"], by_id["5.4"]) == ("passed", "failed")
    by_id = checked(service, write_package(files | {NAME: b"no such file"}))
    assert by_id["5.3"] == "failed"
    assert data


def test_the_trust_file_of_the_service_names_the_blocks_of_a_package(
    service, number, calendar, notary, tmp_path, monkeypatch
):
    step(service)
    calendar.confirm()
    step(service)
    data, _ = package(service, number)
    (tmp_path / "evidence.zip").write_bytes(data)
    monkeypatch.setenv("NOTARY_ORIGIN", service.settings.origin)
    monkeypatch.setenv("NOTARY_ALLOW_PRIVATE_ADDRESSES", "true")
    ots = [{"name": "bitcoin", "calendars": [calendar.uri], "headers_url": calendar.uri}]
    monkeypatch.setenv("NOTARY_OTS", json.dumps(ots))
    command = ("trust", "--data-dir", service.settings.data_dir, "--package", tmp_path / "evidence.zip")
    trust = parse_trust(notary(*command).out.encode())
    assert [(height, block.raw) for height, block in trust.bitcoin_blocks] == [
        (800_001, calendar.bitcoin.headers[800_001])
    ]
    monkeypatch.delenv("NOTARY_OTS")
    assert "set NOTARY_OTS" in " ".join(notary(*command, expected=2).err.split())


def test_headers_are_asked_for_only_where_a_block_is_settled_and_a_source_is_named(service, calendar):
    settings = service.settings
    assert bitcoin_headers(settings.model_copy(update={"ots": ()}), set()) == []
    with pytest.raises(SettingsError, match="no source of Bitcoin headers is named"):
        bitcoin_headers(settings.model_copy(update={"ots": ()}), {800_001})
    calendar.bitcoin.mine(count=5)
    with pytest.raises(NotReady, match="Bitcoin block 800001 has too few confirmations"):
        bitcoin_headers(settings, {800_001})
    calendar.bitcoin.mine()
    assert bitcoin_headers(settings, {800_001}) == [(800_001, calendar.bitcoin.headers[800_001])]
