"""Other people's PDF files through the running service: evidence for every one, and the truth about signatures.

For the regular signatures that can be found at all, `openssl cms -verify` over the bytes that their ByteRange
names says the same of integrity as the table here.
"""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from notary.evidence.commitments import check_openings, parse_openings
from notary.evidence.package import digest_stream, read_package
from notary.evidence.statement import parse_statement
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify

HANG_SECONDS = 30
# What is said when nothing can be: the file is signed or not, and nobody claims to know. `by-document` are those
# in which a signature was seen, whatever became of it.
UNREADABLE = {
    "EmptyPage-corrupted": "malformed",
    "pades-5-signatures-and-1-document-timestamp": "unreadable",  # its first trailer names a table that is none
    "pades_infinite_loop": "malformed",
}
UNSIGNED = {"not_signed_pdfa"}
UNCHANGED = "intact whole_file none"
ADDED = "intact revision allowed"  # what came later is what may come: a stamp, validation data, a signature
SUSPECT = "intact revision suspicious"  # what was signed is there, and what came later nobody signed
SIGNED = {
    "DSS1376-rev_n": [SUSPECT, UNCHANGED],  # a field was added to a certified document, and signed in
    "Signature-P-HU_MIC-1": [UNCHANGED],
    "certified-changes-permitted": [UNCHANGED],
    "doc-firmado-LT": [ADDED],
    "doc-firmado-T": [UNCHANGED],
    "doc-firmado": [ADDED, UNCHANGED],
    "encrypted": [UNCHANGED],  # opens without a password
    "pdf-byterange-overlap": [ADDED, "broken unclear unclear"],
    "pdf-signed-added-page": [SUSPECT],
    "pdf-with-empty-sig": ["could_not_be_checked unclear unclear"],  # /Contents is zeros
    "pkcs7": [UNCHANGED],
    "replace": [SUSPECT],  # other words were put over those that were signed
    "siwa": ["intact unclear unclear"],  # the signed bytes are there; what is shown is elsewhere
}
UNPARSED = {"pdf-with-empty-sig"}  # no CMS signature in it
NAMES = sorted({*UNREADABLE, *UNSIGNED, *SIGNED})
# Of `make test` one of each kind: each is inspected in a process of its own. `make test-hostile` takes the others.
SAMPLE = {
    "DSS1376-rev_n",
    "EmptyPage-corrupted",
    "encrypted",
    "not_signed_pdfa",
    "pdf-byterange-overlap",
    "pdf-with-empty-sig",
    "siwa",
}


def wait_inspected(service, numbers):
    """Until none waits to be inspected; one after the other, and none for longer than it may take."""
    waiting, since = set(numbers), time.monotonic()
    while waiting:
        done = {n for n in waiting if service.client.state(n)["inspection"] != "waiting"}
        if done:
            waiting, since = waiting - done, time.monotonic()
        # The limit itself, and what it takes to start, to be killed and to be noticed.
        assert time.monotonic() - since < HANG_SECONDS + 15, (waiting, service.words())
        time.sleep(0.3)


@pytest.fixture(scope="module")
def answers(request, vectors, dev_service, signed_contract):
    """All that are asked for submitted at once, inspected, and final; with our own contract as a control."""
    here = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    names = [*(item.callspec.params["name"] for item in here), "ours"]
    paths = [vectors / "signed-pdfs" / f"{name}.pdf" for name in names[:-1]] + [signed_contract]

    def submit(path):
        start = time.monotonic()
        answer = dev_service.submit(path.name, path.read_bytes())
        assert time.monotonic() - start < HANG_SECONDS
        return answer

    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(names, pool.map(submit, paths), strict=True))
    numbers = [answer["number"] for answer in found.values()]
    wait_inspected(dev_service, numbers)
    dev_service.wait_final(*numbers)
    return {name: (path, found[name]) for name, path in zip(names, paths, strict=True)}


@pytest.fixture(scope="module")
def packages(answers, dev_service, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    for name, (_, answer) in answers.items():
        (folder / name).write_bytes(dev_service.client.download(answer["number"], "package"))
    trust = parse_trust(dev_service.trust(*(folder / name for name in answers)).encode())
    return folder, trust


def inspection_of(package):
    """The report, opened from the logged statement that follows the document's."""
    statement = parse_statement(package.files["inspection/statement.json"])
    opened = check_openings(parse_openings(package.files["inspection/openings.json"]), statement.commitments)
    return statement, opened["inspection"]


def told(report):
    if not report["signatures"]:
        return report["reason"] or report["outcome"]
    return [f"{row['integrity']} {row['covers']} {row['changes_after']}" for row in report["signatures"]]


def test_every_file_has_an_expectation(vectors):
    assert sorted(path.stem for path in (vectors / "signed-pdfs").glob("*.pdf")) == NAMES
    assert set(NAMES) > SAMPLE


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.hostile) for name in NAMES]
)
def test_a_file_becomes_evidence_with_true_words_about_its_signatures(name, answers, packages, dev_service):
    (path, answer), (folder, trust) = answers[name], packages
    with (folder / name).open("rb") as stream, path.open("rb") as document:
        package = read_package(stream)
        result = verify(package, trust, digest_stream(document))
    assert (result.outcome.value, result.failures()) == ("passed", [])
    assert package.files["data/statement.json"].decode() == answer["statement"]

    statement, report = inspection_of(package)
    assert statement.previous == hashlib.sha256(package.files["data/statement.json"]).digest()
    assert report["outcome"] == (
        "could_not_be_inspected"
        if name in UNREADABLE
        else "no_signatures"
        if name in UNSIGNED
        else "inspected"
    )
    assert told(report) == (UNREADABLE.get(name) or SIGNED.get(name) or "no_signatures")
    # Of all these people the service knows nobody.
    assert all(row["trust"] == "unrecognised" for row in report["signatures"])
    assert all(row["validity"] != "passed" for row in report["signatures"])
    state = dev_service.client.state(answer["number"])
    assert state["inspection"] == ("failed" if name in UNREADABLE else "done")
    signed = name in SIGNED and name not in UNPARSED
    assert state["visibility"] == ("by-document" if signed else "by-code")
    assert report["cms"] == signed


def test_a_contract_whose_root_it_knows_passes(answers, packages):
    with (packages[0] / "ours").open("rb") as stream:
        _, report = inspection_of(read_package(stream))
    assert {(row["trust"], row["validity"]) for row in report["signatures"]} == {("trusted", "passed")}


def test_nothing_went_wrong_in_the_service(answers, dev_service):
    said = dev_service.log.read_text()
    assert "Traceback" not in said
    assert '"level": "error"' not in said
    with dev_service.http() as http:
        assert http.get("/healthz").is_success
