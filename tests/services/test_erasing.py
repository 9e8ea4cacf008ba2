"""What was erased can neither be read nor tried out, wherever it stood."""

import base64
import io
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from threading import Event

import pypdfium2
import pytest
from sqlalchemy import inspect, text

from notary.errors import NotFound, RequestError, Unavailable
from notary.evidence.commitments import check_openings, parse_openings
from notary.evidence.package import read_package
from notary.evidence.statement import parse_statement
from notary.evidence.trust import Trust
from notary.evidence.verify import verify
from notary.intake.bulk import commit_bulk, fingerprint, prepare_bulk
from notary.intake.bulkparse import parse_lines
from notary.intake.inspect import inspect_next
from notary.intake.inspection.report import Inspected, empty
from notary.services.bulk import _canonical
from notary.services.erasing import Erasing
from notary.services.kept_reports import KeptReports
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.reports import Reports
from notary.services.trust_file import TrustSource
from notary.services.trust_statements import TrustStatements
from notary.services.types import Anchors, Principal, Viewer
from notary.services.wanted import Repeat, Wanted
from notary.services.wanted import fingerprint as single_fingerprint
from notary.store.claims import Claim
from notary.store.files import FileObjects
from tests.faults import Fault, faulty
from tests.rig import LOG_VERIFIER, ORIGIN, PROMISES, RECEIPT_VERIFIER, Rig

HOLDER = "Zhang San"
NAMES = ("Li Si", HOLDER, "Wang Wu")  # the dictionary of somebody who tries
DIGEST = {"sha-256": "ab" * 32}
LINE = '{"sha-256":"%s","holder":"%s","title":"%s"}'


def wanted(holder):
    return Wanted(digests=DIGEST, fields={"holder": holder, "title": "Lease"})


def bulk_of(holder):
    body = "\n".join(LINE % (f"{at:064x}", who, "Lease") for at, who in enumerate(("Li Si", holder), 1))
    return parse_lines(body.encode(), 1, 1 << 20)


@dataclass
class Bench:
    rig: Rig

    @property
    def erasing(self):
        return Erasing(self.rig.database, self.rig.intake.spool.discard)

    @property
    def packages(self):
        return Packages(self.rig.database, Records(self.rig.database), self.rig.prover())

    @property
    def reports(self):
        source = TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (), (), test_only=True)

        def trust(_package) -> Trust:
            return source.trust()

        return Reports(
            database=self.rig.database,
            kept=KeptReports(FileObjects(self.rig.folder / "reports"), os.urandom),
            intake=self.rig.intake,
            packages=self.packages,
            trust=trust,
            seal=bytes,
            operator="",
            public_url="http://127.0.0.1:8000",
            proves_nothing=True,
            now=self.rig.clock,
            statements=TrustStatements(self.rig.database, source),
        )

    def submit(self, claim=None, **fields):
        return self.rig.intake.accept(self.rig.document(fields=fields), claim)

    def submit_bulk(self, holder):
        bulk, rig = bulk_of(holder), self.rig
        claim = Claim(rig.tenant, "kbulk", fingerprint(bulk, _canonical))
        now, random = rig.clock(), rig.random.randbytes
        item = prepare_bulk(bulk, rig.tenant, claim, None, ORIGIN, now, random, lambda _: None)
        commit_bulk(rig.database, item, PROMISES, rig.intake.conditions().state, rig.clock)
        return [record.number for record in item.others.values()]

    def openings(self, number):
        package = self.read(number)
        opened = parse_openings(package.files.get("data/openings.json", b'{"openings":[],"version":1}'))
        return check_openings(opened, parse_statement(package.files["data/statement.json"]).commitments)

    def read(self, number):
        return read_package(io.BytesIO(self.packages.package(number, Viewer(self.rig.tenant))))

    def stored(self):
        """Every value in the database, and every file: on SQLite the database and its log, too."""
        with self.rig.database.reading() as connection:
            tables = inspect(connection).get_table_names()
            rows = [row for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]
        for value in (value for row in rows for value in row):
            if isinstance(value, (str, bytes, memoryview)):
                yield value.encode() if isinstance(value, str) else bytes(value)
        yield from (path.read_bytes() for path in self.rig.folder.rglob("*") if path.is_file())

    def found(self):
        """Which names of the dictionary are found, and how: in words, as a disclosure or by a digest of the request."""
        stored, found = b"\n".join(map(shown, self.stored())), set()
        for name in NAMES:
            if name.encode() in stored:
                found.add((name, "word"))
            # Of a disclosure the first 24 bytes are quotes and salt, eight groups of three: the rest is as it is here.
            disclosed = base64.urlsafe_b64encode(b'","holder","' + name.encode() + b'"]').rstrip(b"=")
            if disclosed in stored:
                found.add((name, "disclosure"))
            for how, digest in (
                ("claim", single_fingerprint(wanted(name))),
                ("bulk claim", fingerprint(bulk_of(name), _canonical)),
                ("client's key", sha256(name.encode()).digest()),
            ):
                if digest in stored or digest.hex().encode() in stored:
                    found.add((name, how))
        return found


def anywhere(word, bench):
    """Whether a word stands in any disclosure, wherever in a group of three bytes it begins."""
    spelt = [base64.urlsafe_b64encode(bytes(at) + word.encode())[4:-4] for at in range(3)]
    stored = b"".join(bench.stored())
    return any(text in stored for text in spelt)


@cache
def shown(data):
    if not data.startswith(b"%PDF"):
        return data
    with closing(pypdfium2.PdfDocument(data)) as document:
        return "".join(page.get_textpage().get_text_bounded() for page in document).encode()


@pytest.fixture
def bench(database, tmp_path):
    return Bench(Rig(database, tmp_path).open())


@pytest.fixture
def claims(bench):
    """A record by each way of being told from its repetition, all with the same holder; each with a report."""
    who, request = Principal(bench.rig.tenant, frozenset()), lambda: single_fingerprint(wanted(HOLDER))
    repeats = (
        Repeat(return_equal=True),
        Repeat(key="order-17"),
        Repeat(key=sha256(HOLDER.encode()).hexdigest()),
    )
    fields = {"holder": HOLDER, "title": "Lease"}
    numbers = [bench.submit(repeat.claim(who, request), **fields).number for repeat in repeats]
    numbers += [bench.submit_bulk(HOLDER)[1], bench.submit(**fields).number]
    bench.rig.sequencer().sequence()
    for number in numbers:
        bench.reports.report(number, bench.rig.tenant)
    return numbers


def test_after_erasure_a_dictionary_finds_nothing(bench, claims):
    before = {how for name, how in bench.found() if name == HOLDER}
    assert before >= {"disclosure", "claim", "bulk claim", "client's key"}  # so it finds what is there
    for number in claims:
        assert bench.erasing.erase(number, ["holder"]) == ["holder"]
    assert {name for name, _ in bench.found()} <= {
        "Li Si"
    }  # of the other record of the bulk request, as it was
    for number in claims:
        assert bench.openings(number) == {"title": "Lease"}
        package = bench.read(number)
        assert not [check for check in verify(package, None).checks if check.outcome == "failed"]
        report = bench.reports.report(number, bench.rig.tenant)
        assert HOLDER.encode() not in shown(report)
        assert b"Lease" in shown(report)
    bench.rig.sequencer().sequence()
    assert bench.rig.fsck().problems == []


@pytest.mark.parametrize("left", ["openings", "claims", "reports"])
def test_whatever_were_left_would_be_found(bench, claims, monkeypatch, left):
    """The negative control of the test above."""
    if left == "openings":
        monkeypatch.setattr("notary.services.erasing.erase_openings", lambda *_: ["holder"])
    elif left == "claims":
        monkeypatch.setattr("notary.services.erasing.delete_claims", lambda *_: None)
    else:
        for path in (bench.rig.folder / "reports").rglob("*"):
            path.unlink() if path.is_file() else None
        with monkeypatch.context() as plain:
            plain.setattr(KeptReports, "keep", lambda kept, number, package, pdf: write(kept, number, pdf))
            bench.reports.report(claims[0], bench.rig.tenant)
    for number in claims:
        bench.erasing.erase(number, ["holder"])
    how = {how for name, how in bench.found() if name == HOLDER}
    assert (
        how
        == {
            "openings": {"disclosure"},
            "claims": {"claim", "bulk claim", "client's key"},
            "reports": {"word"},
        }[left]
    )


def write(kept, number, pdf):
    kept.objects.create(f"reports/{number.lower()}/plain", pdf)
    return pdf


def test_a_report_that_is_being_made_meanwhile_cannot_be_read_afterwards(bench, monkeypatch):
    number = bench.submit(holder=HOLDER).number
    bench.rig.sequencer().sequence()
    rendered, erased = Event(), Event()

    def seal(pdf):
        rendered.set()
        assert erased.wait(30)
        return pdf

    reports = bench.reports
    object.__setattr__(reports, "seal", seal)
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(reports.report, number, bench.rig.tenant)
        assert rendered.wait(60)
        bench.erasing.erase(number, None)
        erased.set()
        assert HOLDER.encode() in shown(made.result())  # who asked before gets what he asked for
    assert bench.found() == set()
    assert HOLDER.encode() not in shown(bench.reports.report(number, bench.rig.tenant))


@pytest.mark.parametrize("committed", [False, True])
def test_a_crash_leaves_all_or_nothing(bench, committed):
    claim = Claim(bench.rig.tenant, "korder-17", single_fingerprint(wanted(HOLDER)))
    number = bench.submit(claim, holder=HOLDER).number
    before = bench.found()
    broken = Erasing(faulty(bench.rig.database, Fault("swap", committed)), bench.rig.intake.spool.discard)
    with pytest.raises(Unavailable, match="the database went away"):
        broken.erase(number, ["holder"])
    if committed:  # what a log of writes holds goes with the second try
        with pytest.raises(NotFound, match="there is nothing to erase"):
            bench.erasing.erase(number, ["holder"])
    else:
        assert bench.found() == before
        bench.erasing.erase(number, ["holder"])
    assert bench.found() == set()


def test_the_same_request_makes_a_new_record_afterwards_and_other_claims_stay(bench):
    one, other = (Claim(bench.rig.tenant, key, bytes(32)) for key in ("kone", "kother"))
    third = Claim(bench.rig.tenant, "kthird", bytes(32))
    first, second, last = (bench.submit(claim, holder=HOLDER) for claim in (other, one, third))
    bench.erasing.erase(second.number, ["holder"])
    assert bench.submit(one, holder=HOLDER).number != second.number
    assert bench.submit(other, holder=HOLDER).number == first.number
    assert bench.submit(third, holder=HOLDER).number == last.number


def test_what_is_not_there_is_said_and_changes_nothing(bench):
    claim = Claim(bench.rig.tenant, "kone", bytes(32))
    number = bench.submit(claim, holder=HOLDER).number
    with pytest.raises(RequestError, match="'name' is not the name of a commitment: use matter, phase"):
        bench.erasing.erase(number, ["holder", "name"])
    with pytest.raises(NotFound, match="never had these values, or has them no more"):
        bench.erasing.erase(number, ["actor"])
    with pytest.raises(NotFound, match="there is no record NA7WQ3EUN59PCCZT"):
        bench.erasing.erase("NA7WQ3EUN59PCCZT", None)
    assert bench.submit(claim, holder=HOLDER).number == number


def spooled(bench):
    made = bench.rig.intake.spool.receive([b"%PDF-1.7"], 1000)
    values = {"seen": True, "digests": made.digests, "size": made.size, "media_type": made.media_type}
    document = bench.rig.document(**values, spooled=made.path, fields={"title": "Lease"})
    return made.path, bench.rig.intake.accept(document)


@pytest.mark.parametrize("names", [None, ["inspection"]])
@pytest.mark.parametrize("under_way", [False, True])
def test_a_document_that_waits_for_its_inspection_is_erased_at_once(bench, names, under_way):
    path, accepted = spooled(bench)
    erased = []

    def inspector(*_):  # which was begun before, and has an end afterwards
        erased.extend(bench.erasing.erase(accepted.number, names))
        return Inspected(empty("inspected", None, "test") | {"signer": HOLDER})

    assert path.is_file()
    if under_way:
        assert inspect_next(bench.rig.intake, inspector)
    else:
        inspector()
    assert erased == (["inspection", "title"] if names is None else ["inspection"])
    assert not path.exists()
    assert inspect_next(bench.rig.intake, inspector) is False
    bench.rig.sequencer().sequence()
    assert not anywhere(HOLDER, bench)
    assert bench.rig.fsck().problems == []
    view = Records(bench.rig.database).view(accepted.number, Viewer(bench.rig.tenant))
    assert (view.inspection, view.due(Anchors())) == ("none", [])
    if names is None:
        with pytest.raises(NotFound, match="there is nothing to erase"):
            bench.erasing.erase(accepted.number, None)


def test_a_document_that_cannot_be_deleted_is_told_and_what_was_stored_is_erased(bench):
    path, accepted = spooled(bench)

    def discard(name):
        raise PermissionError(13, "Permission denied", name)

    erasing = Erasing(bench.rig.database, discard)
    with pytest.raises(
        Unavailable, match=f"the document {path.name} in the spool .*Permission denied.: delete it"
    ):
        erasing.erase(accepted.number, None)
    with pytest.raises(NotFound, match="there is nothing to erase"):
        erasing.erase(accepted.number, None)


def test_what_is_erased_beside_the_inspection_lets_it_wait(bench):
    path, accepted = spooled(bench)
    assert bench.erasing.erase(accepted.number, ["title"]) == ["title"]
    assert path.is_file()
    assert inspect_next(bench.rig.intake, lambda *_: Inspected(empty("inspected", None, "test")))


def test_what_the_signatures_say_is_erased_with_its_document(bench):
    _, accepted = spooled(bench)
    report = empty("inspected", None, "test") | {"signer": HOLDER}
    assert inspect_next(bench.rig.intake, lambda *_: Inspected(report))
    bench.rig.sequencer().sequence()
    assert anywhere(HOLDER, bench)
    assert bench.erasing.erase(accepted.number, ["inspection"]) == ["inspection"]
    assert not anywhere(HOLDER, bench)
    assert "inspection/openings.json" not in bench.read(accepted.number).files
    assert bench.openings(accepted.number) == {"title": "Lease"}
    assert bench.erasing.erase(accepted.number, None) == ["title"]


def test_while_somebody_reads_the_database_as_it_was_it_is_to_be_erased_again(sqlite, tmp_path, monkeypatch):
    bench = Bench(Rig(sqlite, tmp_path).open())
    number = bench.submit(holder=HOLDER).number
    with sqlite.reading() as reader:
        reader.execute(text("SELECT count(*) FROM opening")).scalar()
        monkeypatch.setattr("notary.store.engine.BUSY_SECONDS", 0.2)
        sqlite.engine.dispose()
        with pytest.raises(
            Unavailable, match="stands in its write-ahead log yet; run the same command again"
        ):
            bench.erasing.erase(number, ["holder"])
    with pytest.raises(NotFound, match="there is nothing to erase"):
        bench.erasing.erase(number, ["holder"])
    assert bench.found() == set()
