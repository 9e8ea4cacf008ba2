"""The other commands: remote ones against a real service, the operator's on a folder of its own."""

import io
import json
import re
import stat
import time
import tomllib
from datetime import UTC, datetime, timedelta

import pytest
from rich.markup import render

from notary import __version__
from notary.cli import main
from notary.cli.state import table_of
from notary.evidence.commitments import name_of, parse_openings
from notary.evidence.package import read_package
from notary.store.tenants import add_api_key, find_api_key, tenant_named
from tests.api.service import DOCUMENT, ORIGIN, Service

UNKNOWN = "NA7W-Q3EU-N59P-CCZT"


def test_the_version_is_printed(notary):
    assert notary("--version").out.strip() == __version__


def test_help_lists_the_commands(notary):
    shown = notary("--help").out
    for command in (
        "verify",
        "submit",
        "status",
        "proof",
        "package",
        "report",
        "serve",
        "dev",
        "fsck",
        "erase",
        "incidents",
        "tenant",
        "key",
    ):
        assert command in shown


@pytest.mark.parametrize("command", [*main._REMOTE, *main._LOCAL])
def test_without_the_extra_each_command_says_what_to_install(notary, monkeypatch, command):
    monkeypatch.setattr(main, "_HAS_SERVER", False)
    for arguments in ([], ["a", "b"], ["--option", "x"]):
        done = notary(command, *arguments, expected=2)
        assert "tool_missing: this command is part of the service: install notary[server]" in " ".join(
            done.err.split()
        )


# --- remote


@pytest.fixture
def remote(served, notary):
    url, key, service = served

    def run(command, *arguments, **more):
        return notary(command, *arguments, "--url", url, "--key-file", key, **more)

    run.service = service
    return run


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "a [bold]contract[bold] 合同.txt"
    path.write_bytes(DOCUMENT)
    return path


def test_documents_are_submitted_and_their_numbers_printed(remote, document, tmp_path):
    other = tmp_path / "other.txt"
    other.write_bytes(b"another")
    lines = remote("submit", document, other).out.splitlines()
    assert len(lines) == 2
    assert str(document) in lines[0]
    numbers = [line.split()[0] for line in lines]
    done = remote("submit", document, "--title", "t", "--visibility", "public", "--json")
    answer = json.loads(done.out)
    assert answer["visibility"] == "public"
    listed = remote.service.get("/v1/evidence", remote.service.own).json()["records"]
    assert sorted([*numbers, answer["number"]]) == [record["number"] for record in listed]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: None, "No such file"),
        (lambda path: path.mkdir(), "there is no file to submit"),
        (lambda path: path.touch(), "at least one byte"),
    ],
)
def test_a_document_that_cannot_be_sent_is_one_clear_line(remote, tmp_path, make, reason):
    path = tmp_path / "x"
    make(path)
    assert reason in remote("submit", path, expected=2).err


def test_the_state_of_a_record_is_shown(remote, monkeypatch):
    number = remote.service.accepted()["number"]
    shown = remote("status", number).out
    assert number in shown
    assert re.search("still due 待完成 +close *\n", shown)
    remote.service.close()
    closed = remote("status", number.lower()).out
    assert "as entry 1" in closed
    assert re.search("still due 待完成 +nothing 无", closed)
    monkeypatch.setenv("COLUMNS", "60")
    narrow = remote("status", number).out
    assert json.loads(remote("status", number, "--json").out)["entry"] in re.sub(r"\W", "", narrow)
    assert json.loads(remote("status", number, "--json").out)["index"] == 1


def test_waiting_ends_and_names_what_is_due(remote):
    number = remote.service.accepted()["number"]
    done = remote("status", number, "--wait", "--timeout", "0", expected=2)
    assert "not_ready: after 0 s these are still due: close; ask again" in " ".join(done.err.split())


def test_waiting_is_for_nothing_that_never_comes(remote):
    """There is no anchor here: once the record is closed, all is there that will be."""
    number = remote.service.accepted()["number"]
    remote.service.close()
    done = remote("status", number, "--wait", "--timeout", "0", "--json")
    assert json.loads(done.out)["due"] == []


def test_evidence_is_downloaded(remote, document, tmp_path):
    number = json.loads(remote("submit", document, "--json").out)["number"]
    assert "not_ready" in remote("package", number, expected=2).err
    remote.service.close()
    out = tmp_path / "out"
    remote("package", number, "--document", document, "--out", out)
    package = read_package(io.BytesIO(out.read_bytes()))
    assert (package.document_name, package.document.size) == (document.name, len(DOCUMENT))
    assert remote("proof", number).out.startswith("c2sp.org/tlog-proof@v1\n")
    remote("report", number, "--out", out)
    assert out.read_bytes().startswith(b"%PDF-")
    for command in ("proof", "package", "report"):
        assert "not_found" in remote(command, UNKNOWN, expected=2).err
        assert "Is a directory" in remote(command, number, "--out", tmp_path, expected=2).err


def test_another_document_is_not_put_into_a_package(remote, document, tmp_path):
    number = json.loads(remote("submit", document, "--json").out)["number"]
    event = remote.service.post({"kind": "event"}).json()["number"]
    remote.service.close()
    document.write_bytes(b"another")
    out = tmp_path / "out"
    for one in (number, event):
        done = remote("package", one, "--document", document, "--out", out, expected=2)
        assert "digest_mismatch" in done.err
        assert "is not the document of this record" in " ".join(done.err.split())
    assert "No such file" in remote("package", number, "--document", tmp_path / "none", expected=2).err
    assert not out.exists()


def test_without_a_key_a_command_says_what_is_missing(notary, document):
    assert "key_missing: name the file of your API key" in " ".join(
        notary("submit", document, expected=2).err.split()
    )


# --- the operator's


@pytest.fixture
def folder(tmp_path, notary, monkeypatch):
    """A service with a log, given by variables."""
    service = Service(tmp_path / "service", {})
    assert service.assembly
    monkeypatch.setenv("NOTARY_DATA_DIR", str(service.settings.data_dir))
    monkeypatch.setenv("NOTARY_ORIGIN", ORIGIN)
    yield service
    service.end()


def test_an_organisation_gets_keys_that_can_be_revoked(notary, folder):
    client = folder.client

    def status(key):
        return client.get("/v1/evidence", headers={"Authorization": f"Bearer {key}"}).status_code

    first = notary("tenant", "add", "a company").out.strip()
    second = notary("tenant", "key", "a company", "--scope", "read").out.strip()
    third = notary("tenant", "key", "a company", "--scope", "submit", "--scope", "report").out.strip()
    assert [status(key) for key in (first, second, third)] == [200, 200, 403]
    notary("tenant", "revoke", first.split("_")[1])
    end = time.monotonic() + 20
    while status(first) != 401:  # a process that has just seen it takes it for two more seconds
        assert time.monotonic() < end
        time.sleep(0.1)
    assert status(second) == 200


def test_organisations_are_listed_with_their_keys_and_without_what_opens_anything(notary, folder):
    keys = [notary("tenant", *arguments).out.strip() for arguments in (
        ("add", "甲 [b]公司[/b]", "--scope", "read"), ("key", "甲 [b]公司[/b]", "--expires", "2999-12-31"),
    )]  # fmt: skip
    ids = [key.split("_")[1] for key in keys]
    notary("tenant", "revoke", ids[0])
    with folder.assembly.database.writing() as connection:
        tenant = tenant_named(connection, "甲 [b]公司[/b]").id
        at = datetime(2020, 1, 31, tzinfo=UTC)
        add_api_key(connection, "00" * 8, tenant, bytes(32), ["read"], at, at + timedelta(days=1))
    shown = notary("tenant", "list").out
    (found,) = [each for each in json.loads(notary("tenant", "list", "--json").out)["organisations"]
                if each["name"] == "甲 [b]公司[/b]"]  # fmt: skip
    told = {key["id"]: (key["state"], key["scopes"], key["expires"]) for key in found["keys"]}
    assert told == {
        ids[0]: ("revoked", ["read"], None),
        ids[1]: ("good", ["read", "report", "submit"], "2999-12-31T00:00:00Z"),
        "00" * 8: ("expired", ["read"], "2020-02-01T00:00:00Z"),
    }
    assert f"甲 [b]公司[/b], added {found['added']}\n" in shown
    assert f"  {ids[0]} revoked: read, from 20" in shown
    assert f"  {ids[1]} good: read report submit, from 20" in shown
    assert f"  {'00' * 8} expired: read, from 2020-01-31T00:00:00Z, expires 2020-02-01T00:00:00Z\n" in shown
    assert not any(key.split("_")[2] in shown for key in keys)


@pytest.mark.parametrize("end", ["2999-12-31", "2999-12-31T00:00:00Z"])
def test_an_organisation_gets_keys_that_expire(notary, folder, end):
    keys = [
        notary("tenant", command, "a company", "--expires", end).out.strip() for command in ("add", "key")
    ]
    with folder.assembly.database.reading() as connection:
        found = [find_api_key(connection, key.split("_")[1]) for key in keys]
    assert [key.expires_at for key in found] == [datetime(2999, 12, 31, tzinfo=UTC)] * 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["add", " "], "1 to 100 characters"),
        (["add", "x", "--scope", "all"], "scopes are one or more of"),
        (["add", "x", "--expires", "2020-01-31"], "2020-01-31T00:00:00Z is past"),
        (["add", "x", "--expires", "soon"], "'soon' does not match the formats"),
        (["key", "nobody"], "no tenant named 'nobody'"),
        (["revoke", "0123456789abcdef"], "no API key '0123456789abcdef'"),
    ],
)
def test_what_cannot_be_done_for_an_organisation_is_one_clear_line(notary, folder, arguments, reason):
    done = notary("tenant", *arguments, expected=2)
    assert reason in " ".join(done.err.split())
    assert done.out == ""


def test_a_name_is_taken_once(notary, folder):
    notary("tenant", "add", "a company")
    assert "conflict: there is a tenant named" in " ".join(
        notary("tenant", "add", "a company", expected=2).err.split()
    )


def test_keys_are_made_once_and_for_the_owner_alone(notary, tmp_path):
    folder = tmp_path / "keys"
    notary("key", "new", folder)
    assert {path.name for path in folder.iterdir()} == {"log.pem", "receipt.pem", "head.key", "wallet.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "keys are never overwritten" in " ".join(notary("key", "new", folder, expected=2).err.split())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_trust_file_is_that_of_the_log(notary, folder):
    trust = tomllib.loads(notary("trust").out)
    assert trust["origin"] == ORIGIN
    assert [key["vkey"] for key in trust["log_key"]] == [folder.assembly.genesis.log_key]


def test_a_block_that_no_node_is_named_for_is_not_guessed(notary, folder):
    err = " ".join(notary("trust", "--block", "7", expected=2).err.split())
    assert "is named for block 7: set NOTARY_CHAINS" in err


def test_what_is_stored_is_checked(notary, folder):
    folder.accepted()
    folder.close()
    assert "0 problems" in notary("fsck").out
    found = json.loads(notary("fsck", "--json").out)
    assert found["problems"] == []
    tile = folder.settings.data_dir / "log/tile/0/000.p/2"
    tile.chmod(0o600)
    tile.write_bytes(bytes(len(tile.read_bytes())))
    damaged = json.loads(notary("fsck", "--json", expected=1).out)
    assert damaged["problems"]


def test_values_are_erased_while_the_service_runs(notary, folder):
    request = {"holder": "Zhang San", "actor": "Li Si", "title": "Lease"}
    number = folder.accepted(**request)["number"]
    folder.close()

    def names():
        package = folder.get(f"/v1/evidence/{number}/package", folder.own).content
        data = read_package(io.BytesIO(package)).files.get("data/openings.json")
        return sorted(name_of(opening) for opening in parse_openings(data)) if data else []

    told = notary("erase", number.lower(), "--name", "holder", "--name", "actor").out
    assert told == f"erased actor, holder of {number}\n"
    assert names() == ["title"]
    again = notary("erase", number, "--name", "holder", expected=2)
    assert "not_found: there is nothing to erase" in again.err
    assert notary("erase", number, "--all").out == f"erased title of {number}\n"
    assert names() == []
    assert "0 problems" in notary("fsck").out


def test_broken_promises_are_shown(notary, folder):
    assert notary("incidents").out == "0 incidents\n"
    assert json.loads(notary("incidents", "--json").out) == []
    entry = folder.accepted()["entry"]
    folder.wait(70)
    folder.close()
    (step,) = (step for step in folder.assembly.steps if step.name == "promises")
    step.run()
    (found,) = json.loads(notary("incidents", "--json").out)
    assert (found["kind"], found["subject"], found["index"]) == ("promise_broken", entry, None)
    shown = notary("incidents").out
    assert shown.startswith(f"{found['number']}  promise_broken: 1 entries promised by ")
    assert f"closed at {found['detail']['closed']}; subject {entry}\n1 incidents\n" in shown
    assert notary("erase", found["number"], "--all").out == f"erased detail of {found['number']}\n"
    assert "its detail was erased; subject" in notary("incidents").out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([UNKNOWN], "bad_request: name what is to be erased with --name, or all of it with --all"),
        ([UNKNOWN, "--all", "--name", "holder"], "bad_request: name what is to be erased with --name"),
        ([UNKNOWN, "--name", "name"], "bad_request: 'name' is not the name of a commitment"),
        ([UNKNOWN, "--all"], "not_found: there is no record"),
        (["NA7W-Q3EU-N59P-CCZZ", "--all"], "bad_record_number: "),
    ],
)
def test_what_cannot_be_erased_is_one_clear_line(notary, folder, arguments, reason):
    assert reason in notary("erase", *arguments, expected=2).err


def test_a_service_without_settings_or_log_says_what_to_do(notary, tmp_path, monkeypatch):
    for command in ("serve", "worker", "fsck", "trust"):
        assert "settings: " in notary(command, expected=2).err
    monkeypatch.setenv("NOTARY_ORIGIN", ORIGIN)
    monkeypatch.setenv("NOTARY_DATA_DIR", str(tmp_path))
    assert "name exactly one chain" in " ".join(notary("setup", expected=2).err.split())
    for command in ("serve", "worker"):
        assert "the log is not open yet: run `notary setup` first" in " ".join(
            notary(command, expected=2).err.split()
        )
    assert "there is no log to check" in " ".join(notary("fsck", expected=2).err.split())
    assert "no chain is configured" in notary("anchor", "deploy", expected=2).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["tenant", "list"],
        ["tenant", "add", "x"],
        ["incidents"],
        ["anchor", "status"],
        ["anchor", "incidents"],
        ["fsck"],
        ["key", "list"],
        ["erase", UNKNOWN, "--all"],
        ["trust"],
    ],
)
def test_a_mistyped_folder_is_told_of_and_not_made(notary, tmp_path, monkeypatch, arguments):
    monkeypatch.setenv("NOTARY_ORIGIN", ORIGIN)
    err = notary(*arguments, "--data-dir", tmp_path / "typo", expected=2).err
    assert "there is no database at" in " ".join(err.split())
    assert not (tmp_path / "typo").exists()


def test_what_a_service_says_hides_no_sign_on_the_terminal():
    state = {
        "number": "MLNL-M6Q4-HC6Z-2YRH", "entry": "ab", "closed": None, "index": None, "inspection": "done", "due": [],
        "attestations": [{"anchor": "tsa\x1b[2J", "state": "failed", "size": 4, "updated": "",
                          "detail": "a\u202eb [red]"}],
    }  # fmt: skip
    table = table_of(state)
    names, values = ([str(render(cell)) for cell in column.cells] for column in table.columns)
    assert "tsaU+001B[2J" in names
    assert values[3] == "failed, head 4,  aU+202Eb [red]"
