"""Taking records out: who sees what, by which credential, in which form."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from threading import Barrier

import pikepdf
import pytest

from notary.api.app import create_app
from notary.api.schemas import RecordPage, RecordState
from notary.embedded.contract import make_contract
from notary.errors import Fatal
from notary.evidence.commitments import check_openings, parse_openings
from notary.evidence.number import parse_number
from notary.evidence.package import read_package
from notary.evidence.proof_file import RECEIPT, TLOG_PROOF, parse_proof_file
from notary.evidence.statement import entry_of, parse_statement
from notary.intake.report import log_report
from notary.settings.anchors import Tsa
from notary.store.anchorings import create_anchoring, note_detail
from notary.store.records import record_at
from notary.store.views import Anchors
from notary.wiring.serving import anchors_of
from tests.api.service import DIGEST, TestClient, problem

NOW = datetime(2026, 3, 1, tzinfo=UTC)
UNKNOWN = "NA7W-Q3EU-N59P-CCZT"
WRONG = sha256(b"another").hexdigest()
VISIBILITIES = ("by-document", "by-code", "public", "private")
# What may be presented -> visibilities that it opens. A key of one's own opens everything.
OPENS = {
    "own key": {"by-document", "by-code", "public", "private"},
    "other key": {"public"},
    "nothing": {"public"},
    "digest": {"by-document", "public"},
    "sm3": {"by-document", "public"},
    "wrong digest": {"public"},
    "code": {"by-document", "by-code", "public"},
    "code in a header": {"by-document", "by-code", "public"},
    "code as typed": {"by-document", "by-code", "public"},
    "wrong code": {"public"},
    "code of another record": {"public"},
    "no code at all": {"public"},
    "digest and other key": {"by-document", "public"},
    "code and other key": {"by-document", "by-code", "public"},
}


@pytest.fixture(scope="module")
def signed_pdf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    make_contract(folder / "contract.pdf", folder / "keys")
    return (folder / "contract.pdf").read_bytes()


def submit_each(service):
    """A closed record of each visibility, of bytes that were seen, and one more."""
    found = {}
    for visibility in (*VISIBILITIES, "by-code"):
        data = f"{visibility} {len(found)}".encode()
        request = {"visibility": visibility, "title": "secret title", "metadata": {"薪资": 7, "𠮷": "x"}}
        answer = service.upload(data, request=json.dumps(request))
        found.setdefault(visibility, (answer.json(), data))
        found["another"] = (answer.json(), data)
    service.close()
    return found


@pytest.fixture
def submitted(service):
    return submit_each(service)


@pytest.fixture(scope="module")
def standing(shared_service):
    """The same, of which is only read."""
    return submit_each(shared_service)


def credential(service, submitted, visibility, how):
    """Headers and query of one who presents what `how` says."""
    answer, data = submitted[visibility]
    code, body = answer["lookup_code"], json.loads(answer["statement"])["document"]
    other = service.other if how.endswith("other key") else {}
    return {
        "own key": (service.own, {}),
        "other key": (other, {}),
        "nothing": ({}, {}),
        "digest": ({}, {"digest": f"sha-256:{sha256(data).hexdigest()}"}),
        "sm3": ({}, {"digest": f"sm3:{body['digests']['sm3'].upper()}"}),
        "wrong digest": ({}, {"digest": f"sha-256:{WRONG}"}),
        "code": ({}, {"code": code}),
        "code in a header": ({"Notary-Lookup-Code": code}, {}),
        "code as typed": ({}, {"code": f" {code.replace('-', ' ').lower()} "}),
        "wrong code": ({}, {"code": UNKNOWN}),
        "code of another record": ({}, {"code": submitted["another"][0]["lookup_code"]}),
        "no code at all": ({}, {"code": "open sesame"}),
        "digest and other key": (other, {"digest": f"sha-256:{sha256(data).hexdigest()}"}),
        "code and other key": (other, {"code": code}),
    }[how]


@pytest.mark.parametrize("how", OPENS)
def test_who_presents_what_sees_what(shared_service, standing, how):
    for visibility in VISIBILITIES:
        answer, _ = standing[visibility]
        headers, query = credential(shared_service, standing, visibility, how)
        path = f"/v1/evidence/{answer['number']}"
        seen = visibility in OPENS[how]
        unknown = shared_service.get(f"/v1/evidence/{UNKNOWN}", headers, params=query)
        for what in ("", "/statement", "/proof", "/package"):
            got = shared_service.get(path + what, headers, params=query)
            assert (got.status_code == 200) is seen, (visibility, what, got.text)
            assert got.headers["Cache-Control"] in {"private, no-store", "no-store"}
            if not seen:  # as if it were not there, to the byte
                assert (got.status_code, got.content) == (404, unknown.content)
                problem(got, 404, "not_found")
            elif what == "/package":
                files = read_package(io.BytesIO(got.content)).files
                assert ("data/openings.json" in files) is (how == "own key")
                assert ("receipt.txt" in files) is (how == "own key")
            else:
                assert "secret title" not in got.text


@pytest.mark.parametrize("how", OPENS)
def test_receipt_and_report_are_for_the_submitter_alone(shared_service, standing, how):
    for visibility in VISIBILITIES:
        headers, query = credential(shared_service, standing, visibility, how)
        path = f"/v1/evidence/{standing[visibility][0]['number']}"
        answer = shared_service.get(f"{path}/receipt", headers, params=query)
        if how == "own key":
            assert answer.status_code == 200
            continue
        for what in ("receipt", "report"):
            answer = shared_service.get(f"{path}/{what}", headers, params=query)
            unknown = shared_service.get(f"/v1/evidence/{UNKNOWN}/{what}", headers, params=query)
            assert answer.status_code == (404 if "other key" in how else 401)
            assert answer.content == unknown.content


@pytest.mark.parametrize("how", OPENS)
def test_who_looks_a_digest_up_finds_what(shared_service, standing, how):
    for visibility in VISIBILITIES:
        answer, data = standing[visibility]
        headers, query = credential(shared_service, standing, visibility, how)
        query.pop("digest", None)
        got = shared_service.get(f"/v1/lookup/sha-256/{sha256(data).hexdigest()}", headers, params=query)
        assert got.status_code == 200
        # The digest stands in the address, whatever else is presented.
        seen = visibility in OPENS[how] | {"by-document"}
        assert [r["number"] for r in got.json()["records"]] == ([answer["number"]] if seen else [])
        assert "secret title" not in got.text


def test_what_is_seen_is_what_was_submitted(service, submitted):
    answer, data = submitted["public"]
    path = f"/v1/evidence/{answer['number']}"
    state = RecordState.model_validate(service.get(path).json())
    assert (state.number, state.entry, state.visibility) == (answer["number"], answer["entry"], "public")
    assert state.digests["sha-256"] == sha256(data).hexdigest()
    assert (state.index, state.size, state.due) == (3, 6, [])
    assert state.attestations == []
    statement = service.get(f"{path}/statement")
    assert statement.headers["Content-Type"] == "application/json"
    assert statement.text == answer["statement"]
    assert entry_of(statement.content).hex() == answer["entry"]
    proof = service.get(f"{path}/proof")
    assert proof.headers["Content-Disposition"] == f'attachment; filename="{answer["number"]}.tlog-proof"'
    file = parse_proof_file(proof.content, TLOG_PROOF)
    assert (file.index, file.extra) == (3, statement.content)
    package = service.get(f"{path}/package", service.own)
    assert package.headers["Content-Type"] == "application/zip"
    files = read_package(io.BytesIO(package.content)).files
    assert files["data/statement.json"] == statement.content
    commitments = parse_statement(statement.content).commitments
    opened = check_openings(parse_openings(files["data/openings.json"]), commitments)
    assert opened == {"title": "secret title", "metadata": {"薪资": 7, "𠮷": "x"}}
    receipt = service.get(f"{path}/receipt", service.own)
    assert receipt.content == files["receipt.txt"] == answer["receipt"].encode()
    parse_proof_file(receipt.content, RECEIPT)


def test_the_heads_of_a_package_can_be_named(service, submitted):
    path = f"/v1/evidence/{submitted['public'][0]['number']}/package"
    default = service.get(path)
    assert service.get(path, params={"heads": "6"}).content == default.content
    assert read_package(io.BytesIO(default.content)).sizes() == [6]
    for heads, status in (
        ("5", 404),
        ("3", 409),
        ("0", 400),
        ("06", 400),
        ("6,", 400),
        ("x", 400),
        (",".join("6" * 17), 400),
    ):
        assert service.get(path, params={"heads": heads}).status_code == status, heads


def test_what_an_anchor_waits_for_is_told_to_the_submitter_alone(service, submitted):
    told = "the node http://10.0.0.7:8545 does not take the transaction: nonce 17"
    with service.assembly.database.writing() as connection:
        made = create_anchoring(connection, "chain", "evm", 6, NOW)
        note_detail(connection, made.id, told)

    def details(record):
        return [item["detail"] for item in record["attestations"]]

    seen = {}
    for visibility, how in (
        ("public", "nothing"),
        ("by-code", "code"),
        ("public", "other key"),
        ("public", "own key"),
    ):
        headers, query = credential(service, submitted, visibility, how)
        path = f"/v1/evidence/{submitted[visibility][0]['number']}"
        seen[how] = details(service.get(path, headers, params=query).json())
    assert seen == {"nothing": [""], "code": [""], "other key": [""], "own key": [told]}
    listed = service.get("/v1/evidence", service.own).json()["records"]
    assert [details(record) for record in listed] == [[told]] * 5


def test_a_package_is_the_same_to_the_byte_until_something_happens(service, submitted):
    path = f"/v1/evidence/{submitted['public'][0]['number']}/package"
    first = service.get(path, service.own).content
    assert service.get(path, service.own).content == first
    assert service.get(path).content != first  # without openings and receipt


@pytest.mark.parametrize("spelling", ["lower", "no dashes", "spaces", "dashes elsewhere"])
def test_a_number_may_be_typed_in_several_ways(service, submitted, spelling):
    number = submitted["public"][0]["number"]
    plain = parse_number(number)
    typed = {
        "lower": number.lower(),
        "no dashes": plain,
        "spaces": number.replace("-", "%20"),
        "dashes elsewhere": f"{plain[:2]}-{plain[2:]}",
    }[spelling]
    assert service.get(f"/v1/evidence/{typed}").json()["number"] == number
    download = service.get(f"/v1/evidence/{typed}/proof")
    assert f'filename="{number}.tlog-proof"' in download.headers["Content-Disposition"]


@pytest.mark.parametrize("what", ["", "/statement", "/proof", "/package", "/receipt", "/report"])
def test_a_mistyped_number_is_told_from_an_unknown_one(service, submitted, what):
    number = submitted["public"][0]["number"]
    last = "2" if number[-1] != "2" else "3"
    mistyped = service.get(f"/v1/evidence/{number[:-1]}{last}{what}", service.own)
    assert "mistyped" in problem(mistyped, 400, "bad_record_number")
    for typed in ("x", "0000-0000-0000-0000", number + "2", "%C3%9F" * 16, "a" * 5000):
        answer = service.get(f"/v1/evidence/{typed}{what}", service.own)
        assert "has 16 characters" in problem(answer, 400, "bad_record_number")
    unknown = service.get(f"/v1/evidence/{UNKNOWN}{what}", service.own)
    assert "that you may see" in problem(unknown, 404, "not_found")


def test_what_is_not_closed_yet_has_no_proof(service):
    answer = service.accepted()
    path = f"/v1/evidence/{answer['number']}"
    for what in ("proof", "package", "report"):
        got = service.get(f"{path}/{what}", service.own)
        assert "in no checkpoint yet" in problem(got, 409, "not_ready")
        assert got.headers["Retry-After"] == "5"
    state = service.get(path, service.own).json()
    assert (state["index"], state["closed"], state["size"]) == (None, None, None)
    assert state["due"] == ["close"]  # no anchor is configured here, so nobody waits for one
    service.close()
    assert service.get(path, service.own).json()["due"] == []
    assert service.get(f"{path}/proof", service.own).status_code == 200


@pytest.mark.parametrize(
    ("kinds", "due"),
    [((), []), (("rfc3161",), ["stamp"]), (("evm",), ["anchor"]), (("evm", "rfc3161"), ["stamp", "anchor"])],
)
def test_what_is_due_is_what_an_anchor_is_configured_for(service, submitted, kinds, due):
    app = create_app(replace(service.services, anchors=Anchors(frozenset(kinds))))
    with TestClient(app) as client:
        number = submitted["public"][0]["number"]
        assert client.get(f"/v1/evidence/{number}").json()["due"] == due
        page = client.get("/v1/evidence", headers=service.own).json()
    assert {tuple(record["due"]) for record in page["records"]} == {tuple(due)}


def test_the_anchors_are_those_of_the_settings(service):
    def tsa(name, organisation):
        return Tsa(name=name, organisation=organisation, url="https://a.example", roots=["a.pem"])

    def of(**changes):
        return anchors_of(service.settings.model_copy(update=changes))

    tsas = (tsa("a", "One, Inc."), tsa("b", "ONE INC"), tsa("c", "Two"))
    assert of() == service.services.anchors == Anchors()
    assert of(chains=(object(),)).kinds == {"evm"}
    assert of(tsas=tsas).kinds == {"rfc3161"}
    assert of(tsas=tsas, chains=(object(),), stamps_needed=2) == Anchors(
        frozenset({"rfc3161", "evm"}), {"a": "oneinc", "b": "oneinc", "c": "two"}, 2
    )


def test_a_digest_to_present_is_checked(service, submitted):
    path = f"/v1/evidence/{submitted['by-document'][0]['number']}"
    for shown, code in (
        ("sha-256:00", "bad_digest"),
        ("md5:00", "unknown_algorithm"),
        ("x", "unknown_algorithm"),
    ):
        problem(service.get(path, params={"digest": shown}), 400, code)


def test_a_claimed_digest_opens_nothing(service):
    claimed = sha256(b"another document").hexdigest()
    answer = service.post(
        {"digests": {"sha-256": DIGEST, "sm3": claimed}, "visibility": "by-document"}
    ).json()
    path = f"/v1/evidence/{answer['number']}"
    assert service.get(path, params={"digest": f"sm3:{claimed}"}).status_code == 404
    assert service.get(path, params={"digest": f"sha-256:{DIGEST}"}).status_code == 200


def test_the_genesis_statement_is_for_everybody(service):
    with service.assembly.database.reading() as connection:
        number = record_at(connection, 0).number
    state = service.get(f"/v1/evidence/{number}").json()
    assert (state["type"], state["index"], state["visibility"]) == ("genesis", 0, "public")
    assert service.get(f"/v1/evidence/{number}/package", service.own).status_code == 200
    problem(service.get(f"/v1/evidence/{number}/receipt", service.own), 404, "not_found")


def test_an_event_is_seen_by_its_code_alone(service):
    answer = service.post({"kind": "event", "phase": "sent"}).json()
    path = f"/v1/evidence/{answer['number']}"
    assert answer["visibility"] == "by-code"
    assert service.get(path, params={"digest": f"sha-256:{DIGEST}"}).status_code == 404
    assert service.get(path, params={"code": answer["lookup_code"]}).json()["type"] == "event"
    assert service.get(path, params={"code": answer["lookup_code"]}).json()["digests"] == {}


def test_a_code_that_was_given_out_still_opens_a_record_whose_default_changed(service, signed_pdf):
    answer = service.upload(signed_pdf).json()
    assert answer["visibility"] == "by-code"
    service.inspect()
    service.close()
    path = f"/v1/evidence/{answer['number']}"
    state = service.get(path, params={"code": answer["lookup_code"]}).json()
    assert (state["visibility"], state["inspection"]) == ("by-document", "done")
    files = read_package(io.BytesIO(service.get(f"{path}/package", service.own).content)).files
    assert {"inspection/statement.json", "inspection/openings.json"} <= set(files)
    shown = {"digest": f"sha-256:{sha256(signed_pdf).hexdigest()}"}
    files = read_package(io.BytesIO(service.get(f"{path}/package", params=shown).content)).files
    assert "inspection/statement.json" in files
    assert not [name for name in files if name.endswith(("openings.json", "receipt.txt"))]
    again = service.upload(signed_pdf, headers={"Idempotency-Key": "x"}).json()
    replayed = service.upload(signed_pdf, headers={"Idempotency-Key": "x"}).json()
    assert again == replayed


# --- lists


def numbers(answer):
    page = RecordPage.model_validate(answer.json())
    return [record.number for record in page.records]


def test_a_list_holds_ones_own_records_only_oldest_first(service):
    ours = [service.accepted(b"%d" % n, visibility="public")["number"] for n in range(3)]
    theirs = service.post(
        {"digests": {"sha-256": DIGEST}, "visibility": "public"}, headers=service.other
    ).json()
    assert numbers(service.get("/v1/evidence", service.own)) == sorted(ours)
    assert numbers(service.get("/v1/evidence", service.other)) == [theirs["number"]]


def test_a_list_goes_on_behind_its_cursor(service):
    ours = sorted(service.accepted(b"%d" % n)["number"] for n in range(5))
    found, cursor = [], None
    for _ in range(3):
        query = {"limit": 2} | ({} if cursor is None else {"cursor": cursor.lower()})
        answer = service.get("/v1/evidence", service.own, params=query)
        found.append(numbers(answer))
        cursor = answer.json()["next"]
    assert found == [ours[:2], ours[2:4], ours[4:]]
    assert cursor is None


def test_a_list_is_filtered_by_type_and_digest(service):
    document = service.accepted()["number"]
    service.accepted(b"a second")
    event = service.post({"kind": "event", "phase": "sent"}).json()["number"]
    assert numbers(service.get("/v1/evidence", service.own, params={"type": "event"})) == [event]
    assert numbers(service.get("/v1/evidence", service.own, params={"digest": DIGEST.upper()})) == [document]
    assert numbers(service.get("/v1/evidence", service.own, params={"digest": WRONG})) == []


@pytest.mark.parametrize(
    ("query", "code", "detail"),
    [
        ({"limit": 0}, "bad_request", "query.limit: "),
        ({"limit": 201}, "bad_request", "query.limit: "),
        ({"limit": "many"}, "bad_request", "query.limit: "),
        ({"type": "genesis"}, "bad_request", "query.type: "),
        ({"digest": "00"}, "bad_request", "query.digest: "),
        ({"cursor": "x"}, "bad_record_number", "has 16 characters"),
        ({"cursor": "x" * 25}, "bad_request", "query.cursor: "),
    ],
)
def test_a_list_refuses_what_it_does_not_know(service, query, code, detail):
    assert detail in problem(service.get("/v1/evidence", service.own, params=query), 400, code)


# --- reports


def test_a_report_is_made_once_for_each_state_and_is_logged(service):
    number = service.accepted()["number"]
    service.close()
    path = f"/v1/evidence/{number}/report"
    answer = service.get(path, service.own)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{number}.pdf"'
    assert service.get(path, service.own).content == answer.content
    logged = service.get("/v1/evidence", service.own, params={"type": "report"}).json()["records"]
    assert [record["digests"]["sha-256"] for record in logged] == [sha256(answer.content).hexdigest()]


def test_the_result_in_a_report_waits_for_no_document(service):
    """docs/formats.md §13: nobody compared one, and the report says so."""
    number = service.accepted()["number"]
    service.close()
    with pikepdf.open(io.BytesIO(service.get(f"/v1/evidence/{number}/report", service.own).content)) as pdf:
        attached = json.loads(pdf.attachments["check-result.json"].get_file().read_bytes())
    package = service.get(f"/v1/evidence/{number}/package", service.own).content
    verified = service.client.post("/v1/verify", files={"file": ("evidence.zip", package)}).json()

    def required(result):
        return {check["id"] for check in result["checks"] if check["required"]}

    assert required(attached) == required(verified) - {"2.3"}
    (compared,) = [check for check in attached["checks"] if check["id"] == "2.3"]
    assert compared["outcome"] == "could_not_be_checked"
    assert "2.3" in required(verified)


def test_the_report_of_another_organisations_public_record_is_not_made(service):
    answer = service.accepted(visibility="public")
    service.close()
    path = f"/v1/evidence/{answer['number']}/report"
    unknown = service.get(f"/v1/evidence/{UNKNOWN}/report", service.other)
    for _ in range(2):
        assert service.get(path, service.other).content == unknown.content
    assert [path for path in (service.settings.data_dir / "reports").rglob("*") if path.is_file()] == []


def test_a_report_that_was_stored_but_not_logged_is_logged_by_the_next_request(service, monkeypatch):
    number = service.accepted()["number"]
    service.close()
    path = f"/v1/evidence/{number}/report"

    def killed(*_args):
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr("notary.services.reports.log_report", killed)
        problem(service.get(path, service.own), 500, "error")
    assert service.count() == 1
    answer = service.get(path, service.own)
    assert answer.status_code == 200
    assert service.count() == 2
    checked = service.client.post("/v1/verify", files={"file": ("r.pdf", answer.content)})
    assert "in no checkpoint yet" in problem(checked, 409, "not_ready")
    service.close()
    checked = service.client.post("/v1/verify", files={"file": ("r.pdf", answer.content)}).json()
    assert [c["outcome"] for c in checked["checks"] if c["id"] == "2.3"] == ["passed"]


def test_of_two_reports_made_at_once_one_stands(service, monkeypatch):
    number = service.accepted()["number"]
    service.close()
    path = f"/v1/evidence/{number}/report"
    first = service.get(path, service.own).content
    reports = type(service.services.reports.kept.objects)
    read, calls = reports.read, []

    def nothing_yet(self, name):
        calls.append(name.startswith("reports/"))
        return None if sum(calls) == 1 and calls[-1] else read(self, name)

    with monkeypatch.context() as raced:
        raced.setattr(reports, "read", nothing_yet)
        raced.setattr("notary.services.reports.render", lambda _facts: b"%PDF-another")
        assert service.get(path, service.own).content == first
    assert service.count() == 2


def test_whoever_asks_at_the_same_time_gets_one_report_that_is_logged_once(service, monkeypatch):
    number = service.accepted()["number"]
    service.close()
    barrier = Barrier(4, timeout=60)

    def together(*given):
        barrier.wait()
        return log_report(*given)

    monkeypatch.setattr("notary.services.reports.log_report", together)
    with ThreadPoolExecutor(4) as pool:
        ask = partial(service.get, f"/v1/evidence/{number}/report", service.own)
        answers = [asked.result() for asked in [pool.submit(ask) for _ in range(4)]]
    assert [answer.status_code for answer in answers] == [200] * 4
    (pdf,) = {answer.content for answer in answers}
    listed = service.get("/v1/evidence", service.own, params={"type": "report"}).json()["records"]
    assert [record["digests"]["sha-256"] for record in listed] == [sha256(pdf).hexdigest()]


def test_a_report_that_cannot_be_stored_is_not_shown(service, monkeypatch):
    number = service.accepted()["number"]
    service.close()

    def broken(*_args):
        raise Fatal("the disk failed")

    monkeypatch.setattr(type(service.services.reports.kept.objects), "create", broken)
    problem(service.get(f"/v1/evidence/{number}/report", service.own), 500, "error")
    assert service.count() == 1
