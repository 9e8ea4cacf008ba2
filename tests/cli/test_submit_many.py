"""`notary submit` of folders and lists: digests alone leave the machine, and a kill makes no second record."""

import io
import json
import os
import signal
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from notary.cli import many
from notary.cli.client import Client
from notary.cli.journal import File, Journal, Request
from notary.cli.recorded import check_answer
from notary.errors import Busy, ProofError, RequestError, Unavailable
from notary.evidence.note import Verifier
from notary.evidence.receipt import check_receipt, open_receipt
from notary.evidence.statement import parse_statement
from notary.services.bulk import BulkSubmitting
from notary.services.submitting import Submitting
from notary.store.records import count_records
from tests.api.service import ORIGIN
from tests.dev_service import environment
from tests.warm import WarmProcess


@pytest.fixture
def remote(served, notary, monkeypatch):
    url, key, service = served
    monkeypatch.setattr(many, "_PAUSES", ())

    def run(*arguments, **more):
        return notary("submit", *arguments, "--url", url, "--key-file", key, **more)

    def fsck():
        with monkeypatch.context() as local:
            local.setenv("NOTARY_DATA_DIR", str(service.settings.data_dir))
            local.setenv("NOTARY_ORIGIN", ORIGIN)
            return notary("fsck")

    run.service, run.url, run.key, run.fsck = service, url, key, fsck
    return run


@pytest.fixture
def small(monkeypatch):
    """Requests of three files."""
    monkeypatch.setattr(many, "MAX_FILES", 3)


@pytest.fixture
def folder(tmp_path):
    return filled(tmp_path / "合同 [bold]")


def filled(folder, count=8):
    for n in range(count):
        path = folder / ("sub" if n % 2 else ".hidden") / f"{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"contract %d" % n)
    return folder


def stored(remote):
    with remote.service.assembly.database.reading() as connection:
        return count_records(connection) - 1


def lines(done):
    return [json.loads(line) for line in done.out.splitlines()]


def sound(remote):
    remote.service.close()
    assert "0 problems" in remote.fsck().out


def journal_of(folder):
    return folder.parent / f"{folder.name}.notary-submit.jsonl"


# --- what is recorded


def test_every_file_under_a_folder_is_recorded_by_its_digest(remote, folder, small, tmp_path):
    receipts = tmp_path / "receipts"
    done = remote(folder, "--receipts", receipts, "--visibility", "public", "--json")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    found = lines(done)
    assert sorted(line["path"] for line in found) == [str(path) for path in paths]
    assert [line["index"] for line in found] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert len({line["group"] for line in found}) == 3
    verifier = Verifier.from_vkey(remote.service.assembly.genesis.receipt_key)
    for line in found:
        data = Path(line["path"]).read_bytes()
        statement = (receipts / f"{line['number']}.statement.json").read_bytes()
        receipt = (receipts / f"{line['number']}.receipt.txt").read_bytes()
        body = parse_statement(statement).body
        assert (body.seen, body.digests, body.size) == (
            False,
            {"sha-256": sha256(data).hexdigest()},
            len(data),
        )
        promise, file = open_receipt(receipt, ORIGIN, [verifier])
        check_receipt(promise, file, sha256(statement).digest())
        answer = remote.service.get(f"/v1/evidence/{line['number']}/receipt", remote.service.own)
        assert answer.content == receipt
        state = remote.service.get(f"/v1/evidence/{line['number']}").json()
        assert state["visibility"] == "public"
    assert len(list(receipts.iterdir())) == 16
    sound(remote)


def test_what_was_recorded_is_not_sent_again_and_what_changed_is(remote, folder, small):
    done = remote(folder)
    assert "8 recorded; numbers and receipts: " in done.out
    assert str(journal_of(folder)) in done.out
    before = journal_of(folder).read_bytes()
    assert "0 recorded, 8 recorded before; " in remote(folder).out
    assert journal_of(folder).read_bytes() == before
    changed = folder / "sub/1.txt"
    changed.write_bytes(b"contract 1, changed")
    os.utime(folder / "sub/3.txt", (1, 1))  # touched alone
    (folder / "new").write_bytes(b"new")
    assert "2 recorded, 7 recorded before; " in remote(folder).out
    assert stored(remote) == 10
    assert {line["size"] for line in lines(remote(folder, "--json")) if line["path"] == str(changed)} == {
        10,
        19,
    }
    assert stored(remote) == 10
    assert (journal_of(folder).stat().st_mode & 0o777) == 0o600


def test_a_folder_is_the_same_however_it_is_named(remote, folder, monkeypatch, tmp_path):
    remote(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    monkeypatch.chdir(folder)
    for name in (".", "sub/..", link):
        assert "0 recorded, 8 recorded before" in remote(name).out
    assert stored(remote) == 8


def test_our_own_files_are_not_recorded(remote, folder):
    arguments = (folder, "--journal", folder / "j", "--receipts", folder / "sub/r")
    assert "8 recorded;" in remote(*arguments).out
    assert "0 recorded, 8 recorded before;" in remote(*arguments).out


def test_a_list_names_files(remote, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"sub/5.txt\n")))
    (tmp_path / "list").write_bytes(b"sub/1.txt\r\n\n.hidden/2.txt\nsub/../sub/1.txt\nsub/3.txt")
    assert "3 recorded;" in remote("--from-file", tmp_path / "list").out
    assert (tmp_path / "list.notary-submit.jsonl").exists()
    assert "1 recorded;" in remote("--from-file", "-", "--title", "租赁合同").out
    assert (folder / "notary-submit.jsonl").exists()
    assert stored(remote) == 4


def test_names_that_are_no_text_are_recorded(remote, tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    name = os.fsdecode(b"\xff\n\\")
    (folder / name).write_bytes(b"x")
    remote(folder)
    assert lines(remote(folder, "--json"))[0]["path"] == str(folder / name)
    assert stored(remote) == 1


def test_what_has_no_digest_is_left_out_and_named(remote, folder):
    (folder / "empty").touch()
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    done = remote(folder, expected=1)
    assert "8 recorded, 3 left out;" in done.out
    for name, reason in (("empty", "no bytes"), ("broken", "No such file"), ("pipe", "not a file")):
        assert any(f"{name}: " in line and reason in line for line in done.err.splitlines()), done.err
    for n in range(30):
        (folder / f"empty-{n}").touch()
    assert "left out 13 more" in remote(folder, expected=1).err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name documents, a folder, or a list"),
        (["{empty}"], "there is no file to submit"),
        (["--from-file", "{empty}/none"], "No such file"),
        (["{file}", "--journal", "j"], "--journal and --receipts are for folders and lists"),
        (["{file}", "--receipts", "r"], "--journal and --receipts are for folders and lists"),
        (["{folder}", "--again"], "recorded anew with another --journal"),
        (["{folder}", "--journal", "{folder}/none/j"], "name another file with --journal"),
        (["{folder}", "--receipts", "{file}"], "File exists"),
        (["{folder}", "--visibility", "secret"], "visibility is one of"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(remote, folder, tmp_path, arguments, reason):
    empty, file = tmp_path / "empty", folder / "sub/1.txt"
    empty.mkdir()
    done = remote(*(a.format(empty=empty, folder=folder, file=file) for a in arguments), expected=2)
    assert reason in " ".join(done.err.split())


def test_a_request_that_was_refused_is_not_sent_for_ever(remote, folder):
    assert "line 1: visibility is one of" in remote(folder, "--visibility", "secret", expected=2).err
    assert stored(remote) == 0
    assert "8 recorded;" in remote(folder, "--visibility", "private").out


def test_a_folder_that_cannot_be_read_is_named(remote, folder, monkeypatch):
    def walk(_folder, onerror):
        onerror(PermissionError(13, "Permission denied", "a/b"))

    monkeypatch.setattr(many.os, "walk", walk)
    assert "a/b: Permission denied" in remote(folder, expected=2).err


def test_a_request_has_a_largest_size(remote, folder, monkeypatch):
    monkeypatch.setattr(many, "MAX_BODY", 300)  # three lines
    remote(folder)
    requests = [line for line in journal_of(folder).read_bytes().splitlines() if b'"request"' in line]
    assert len(requests) == 3


# --- kills and lost answers


class Killer:
    """The service kills the process that talks to it: before or after it stores the request."""

    def __init__(self, monkeypatch, plan):
        self.plan, self.process, self.calls = plan, None, 0
        plain = BulkSubmitting.submit

        async def submit(service, *arguments):
            self.calls += 1
            moment = self.plan.pop(0) if self.plan else None
            if moment == "before":
                self.kill()
            answer = await plain(service, *arguments)
            if moment == "after":
                self.kill()
            return answer

        monkeypatch.setattr(BulkSubmitting, "submit", submit)

    def kill(self):
        self.process.kill()
        self.process.wait_gone()


@pytest.mark.timeout(120)
def test_kills_make_no_second_record(remote, tmp_path, monkeypatch):
    folder = filled(tmp_path / "many", 2000)
    # With a title as long as may be there are some 800 files in a request.
    command = ["submit", folder, "--title", "\U0001f4dc" * 300, "--url", remote.url, "--key-file", remote.key]
    killer = Killer(monkeypatch, ["after", "before", None, "after", None, "before", "after"])
    out, deaths = tmp_path / "out", 0
    while True:
        killer.process = WarmProcess(command, out, out, environment())
        status = killer.process.wait(60)
        if status == 0:
            break
        assert status == -signal.SIGKILL, out.read_text()
        deaths += 1
    assert (deaths, killer.plan) == (5, [])
    assert stored(remote) == 2000
    found = lines(remote(folder, "--json"))
    assert len({line["number"] for line in found}) == len({line["path"] for line in found}) == 2000
    assert "recorded" in out.read_text()
    sound(remote)


def test_a_key_that_is_not_kept_makes_second_records(remote, folder, monkeypatch):
    """The control of the one above: without its journal the same folder is recorded again."""
    remote(folder)
    journal_of(folder).unlink()
    remote(folder)
    assert stored(remote) == 16


def test_a_journal_that_was_cut_at_any_byte_is_taken_up(remote, folder, small):
    remote(folder)
    journal = journal_of(folder)
    whole, numbers = journal.read_bytes(), [line["number"] for line in lines(remote(folder, "--json"))]
    parts = whole.splitlines(keepends=True)
    assert [next(iter(json.loads(part))) for part in parts] == ["journal", *["request", "answered"] * 3]
    start = len(whole) - len(parts[-1])  # here the last request was on its way
    for cut in (start, start + 1, start + 20, start + 500, len(whole) - 2, len(whole) - 1):
        journal.write_bytes(whole[:cut])
        assert "2 recorded, 6 recorded before" in remote(folder).out
        assert journal.read_bytes() == whole
    # A request that was cut short itself was never sent.
    journal.write_bytes(b"".join(parts[:5])[: -len(parts[4]) // 2])
    found = [line["number"] for line in lines(remote(folder, "--json"))]
    assert found[:3] == numbers[:3]
    # So was nothing, where not even the first line is whole.
    journal.write_bytes(whole[:5])
    assert "8 recorded;" in remote(folder).out


def test_a_service_that_is_busy_is_asked_again_and_one_that_is_away_later(remote, folder, monkeypatch):
    pauses, busy = [], [Busy("send it again in a second"), Unavailable("later")]
    plain = BulkSubmitting.submit

    async def submit(service, *arguments):
        if busy:
            raise busy.pop(0)
        return await plain(service, *arguments)

    monkeypatch.setattr(BulkSubmitting, "submit", submit)
    monkeypatch.setattr(many, "_PAUSES", (1, 2))
    monkeypatch.setattr(many.time, "sleep", pauses.append)
    assert "8 recorded;" in remote(folder).out
    assert pauses == [1, 2]
    busy += [Unavailable("later")] * 3
    (folder / "new").write_bytes(b"new")
    done = remote(folder, expected=2)
    assert "unavailable: later; the same command goes on from here" in " ".join(done.err.split())
    assert "1 recorded, 8 recorded before" in remote(folder).out
    assert stored(remote) == 9


# --- the journal


def test_two_submissions_at_once_are_one_too_many(remote, folder):
    with Journal(journal_of(folder), remote.url):
        assert "is in use by another submission" in " ".join(remote(folder, expected=2).err.split())
    assert "8 recorded;" in remote(folder).out


def test_a_journal_of_another_service_or_of_nothing_is_refused(remote, folder, tmp_path):
    with Journal(journal_of(folder), "https://notary.example.org"):
        pass
    done = remote(folder, expected=2)
    assert "is about the service at https://notary.example.org" in " ".join(done.err.split())
    text = tmp_path / "text"
    for content in (b"a text\n", b"a text", b"[]\n", b'{"journal":"x"}\n', b'{"a":1}\n'):
        text.write_bytes(content)
        done = " ".join(remote(folder, "--journal", text, expected=2).err.split())
        assert "is no journal of this program" in done or "is not of a journal of this program" in done
        assert text.read_bytes() == content
    text.write_bytes(json.dumps({"journal": "notary-submit@v1", "url": remote.url}).encode() + b"\nx\n")
    assert "line 2 of" in remote(folder, "--journal", text, expected=2).err
    assert stored(remote) == 0


def test_a_disk_that_is_full_ends_it_before_anything_is_sent(remote, folder, monkeypatch):
    journal = Journal(journal_of(folder), remote.url)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("notary.cli.journal.os.write", full)
    with pytest.raises(RequestError, match="No space left on device"):
        journal.sending(Request("k", {}, []))
    assert journal.pending == []
    journal.close()


# --- answers that are not about what was sent


@pytest.fixture
def answered(remote):
    """A request of three files with its answer."""
    files = [File(f"{n}", 5, 0, sha256(b"%d" % n).hexdigest()) for n in range(3)]
    request = Request("key", {"title": "t"}, files)
    client = Client(remote.url, remote.key)
    answer = client.submit_bulk(request.body(), "key")
    assert client.submit_bulk(request.body(), "key") == answer
    client.close()
    return request, answer


def change(path, value):
    def changed(answer):
        *names, last = path
        for name in names:
            answer = answer[name]
        answer[last] = value(answer) if callable(value) else value

    return changed


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (change(["lines"], lambda a: a["lines"][::-1]), "is not about 0"),
        (change(["lines"], lambda a: a["lines"][:2]), "not of the form"),
        (change(["lines", 1, "number"], "NA7W-Q3EU-N59P-CCZT"), "is not about 1"),
        (change(["lines", 1, "index"], 0), "is not about 1"),
        (change(["lines", 1, "statement"], "{}"), "not of the form"),
        (change(["lines", 1], lambda a: a[0]), "is not about 1"),
        (change(["tree"], lambda a: [*a["tree"][:-1], "A" * 43 + "="]), "is not of its statements"),
        (change(["tree", 0], "AAAA"), "not of the form"),
        (change(["receipt"], "x"), "not of the form"),
        (
            change(["receipt"], lambda a: a["receipt"].replace("count 3", "count 4")),
            "is not of its statements",
        ),
        (change(["lines"], None), "not of the form"),
    ],
)
def test_an_answer_that_is_not_about_the_files_is_not_believed(answered, damage, reason):
    request, answer = answered
    check_answer(request, answer)
    damage(answer)
    with pytest.raises(ProofError, match=reason):
        check_answer(request, answer)


# --- single documents


def test_a_document_submitted_again_is_the_same_record_unless_another_is_wished(remote, folder):
    path = folder / "sub/1.txt"
    first = remote(path, "--json").out
    assert remote(path, "--json").out == first
    (folder / "copy.txt").write_bytes(path.read_bytes())
    assert remote(folder / "copy.txt", "--json").out == first
    assert stored(remote) == 1
    assert remote(path, "--title", "another request", "--json").out != first
    assert remote(path, "--again", "--json").out != first
    assert stored(remote) == 3


def test_a_document_whose_answer_was_lost_is_recorded_once(remote, folder, monkeypatch):
    plain, made = Submitting.file, []

    def lost(*arguments):
        made.append(plain(*arguments))
        raise Unavailable("between commit and answer")

    monkeypatch.setattr(Submitting, "file", lost)
    path = folder / "sub/1.txt"
    assert "between commit and answer" in remote(path, expected=2).err
    monkeypatch.setattr(Submitting, "file", plain)
    assert json.loads(remote(path, "--json").out) == json.loads(made[0])
    assert stored(remote) == 1


def test_a_document_that_changes_on_its_way_is_refused(remote, folder, monkeypatch):
    class Other:
        @staticmethod
        def hexdigest():
            return "11" * 32

    monkeypatch.setattr("notary.cli.remote.file_digest", lambda *_: Other)
    assert "digest_mismatch" in remote(folder / "sub/1.txt", expected=2).err
    assert stored(remote) == 0
