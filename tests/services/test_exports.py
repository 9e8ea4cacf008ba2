"""Proofs in other forms, what is opened in them and in packages, and the statements before a record."""

import io
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import text

from notary.errors import Fatal, NotFound, NotReady, RequestError
from notary.evidence.checkpoint import parse_checkpoint
from notary.evidence.commitments import NAMES, name_of, parse_openings
from notary.evidence.cose import open_receipt, parse_receipt
from notary.evidence.exports import package_of_cose, package_of_json, package_of_ots, package_of_proof
from notary.evidence.json_proof import parse_json_proof
from notary.evidence.note import parse_note
from notary.evidence.number import lookup_code
from notary.evidence.package import read_package
from notary.evidence.package_names import MAX_OPENED, OPENINGS
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.evidence.statement import parse_statement
from notary.evidence.verify import verify
from notary.services.erasing import Erasing
from notary.services.exports import Exports, Format
from notary.services.opening import ALL, MAX_WORDS, NONE, Choice, chosen
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.trust_file import TrustSource
from notary.services.types import Viewer
from notary.store.anchorings import create_anchoring, move
from notary.store.checkpoints import checkpoint_at
from notary.store.tenants import create_tenant
from tests.evidence.ots_build import stamped, upgraded
from tests.ots_world import Bitcoin, file_of
from tests.rig import LOG_KEY, LOG_VERIFIER, ORIGIN, RECEIPT_VERIFIER, Rig

TRUST = TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (), (), test_only=True).trust()
FIELDS = {"title": "secret", "matter": "M-1", "metadata": {"pages": 3}}


class Bench:
    """One log with an organisation that submits, and another that does not."""

    def __init__(self, rig):
        self.rig = rig
        self.records, self.prover = Records(rig.database), rig.prover()
        self.packages = Packages(rig.database, self.records, self.prover)
        self.exports = Exports(rig.database, self.records, self.packages, self.prover)
        self.sequencer = rig.sequencer()
        self.own = Viewer(rig.tenant)
        with rig.database.writing() as connection:
            self.other = Viewer(create_tenant(connection, "another company", rig.clock()).id)

    def submit(self, fields=FIELDS, content=b"a contract", **more):
        more = {"visibility": "public", **more}
        return self.rig.intake.accept(self.rig.document(content, fields=fields, **more)).number

    def close(self):
        return self.sequencer.sequence().size

    def export(self, number, form=Format.JSON, viewer=None, size=None, opened=()):
        return self.exports.export(number, viewer or self.own, form, size, chosen(opened, NONE)).data

    def package(self, number, viewer=None, opened=()):
        data = self.packages.package(number, viewer or self.own, choice=chosen(opened, ALL))
        return read_package(io.BytesIO(data))

    def calendar(self, size, data, state="final"):
        now = self.rig.clock()
        with self.rig.database.writing() as connection:
            made = create_anchoring(connection, "ots", "opentimestamps", size, now)
            if state == "final":
                move(connection, made.id, "due", "final", now, evidence=data)
            else:
                move(connection, made.id, "due", "signed", now)
                move(connection, made.id, "signed", "sent", now, evidence=data)

    def execute(self, statement):
        with self.rig.database.writing() as connection:
            connection.execute(text(statement))


@pytest.fixture
def bench(database, tmp_path):
    return Bench(Rig(database, tmp_path).open())


def outcomes(package):
    return {check.id: check.outcome.value for check in verify(package, TRUST).checks}


# The forms


def test_each_checkpoint_is_signed_for_receipts_where_it_is_made(bench):
    number = bench.submit()
    bench.close()
    with bench.rig.database.reading() as connection:
        for size in (1, 2):
            assert len(checkpoint_at(connection, size).cose) == 64
    statement = bench.records.view(number, bench.own).statement
    receipt = bench.export(number, Format.COSE)
    checkpoint, key = open_receipt(parse_receipt(receipt), sha256(statement).digest(), [LOG_VERIFIER])
    assert (checkpoint.size, key) == (2, LOG_VERIFIER)
    assert checkpoint == bench.prover.checkpoint(2).checkpoint
    assert outcomes(package_of_cose(receipt, statement))["3.1"] == "passed"
    assert bench.rig.fsck().problems == []


def test_a_stranger_gets_the_same_receipt_as_the_owner(bench):
    number = bench.submit()
    bench.close()
    assert bench.export(number, Format.COSE, Viewer()) == bench.export(number, Format.COSE)
    private = bench.submit(visibility="private")
    bench.close()
    for form in Format:
        with pytest.raises(NotFound, match="that you may see"):
            bench.export(private, form, bench.other)


def test_a_record_that_waits_has_no_proof_of_any_form(bench):
    number = bench.submit()
    for form in Format:
        with pytest.raises(NotReady, match="in no checkpoint yet"):
            bench.export(number, form)
    size = bench.close()
    for form in Format:
        with pytest.raises(NotReady, match="not in a checkpoint of size 1 yet"):
            bench.export(number, form, size=1)
    for form in (Format.TLOG_PROOF, Format.JSON, Format.COSE):
        assert bench.export(number, form, size=size)
        with pytest.raises(NotFound, match="no checkpoint of size 99"):
            bench.export(number, form, size=99)


def test_a_checkpoint_of_before_has_no_receipts_and_the_next_one_has(bench):
    number = bench.submit()
    size = bench.close()
    bench.execute("UPDATE checkpoint SET cose = NULL")
    with pytest.raises(NotReady, match="no checkpoint that COSE receipts can be of"):
        bench.export(number, Format.COSE)
    with pytest.raises(NotReady, match="was not signed for COSE receipts"):
        bench.export(number, Format.COSE, size=size)
    assert bench.rig.fsck().problems == []
    bench.submit()
    later = bench.close()
    assert parse_receipt(bench.export(number, Format.COSE)).size == later


def test_a_signature_that_is_damaged_leaves_nobody_and_fsck_names_it(bench):
    number = bench.submit()
    size = bench.close()
    bench.execute("UPDATE checkpoint SET cose = (SELECT cose FROM checkpoint WHERE size = 1) WHERE size = 2")
    with pytest.raises(Fatal, match=f"the stored signature for receipts of size {size}"):
        bench.export(number, Format.COSE)
    (problem,) = bench.rig.fsck().problems
    assert "has not signed the root" in str(problem)


def test_a_json_proof_says_what_the_tlog_proof_says(bench):
    number = bench.submit()
    bench.close()
    file = parse_proof_file(bench.export(number, Format.TLOG_PROOF), TLOG_PROOF)
    proof = parse_json_proof(bench.export(number))
    assert (proof.statement, proof.index, proof.path, proof.note) == (
        file.extra, file.index, file.path, file.note,
    )  # fmt: skip
    assert proof.openings == ()
    assert outcomes(package_of_json(bench.export(number)))["3.2"] == "passed"


@pytest.mark.parametrize("state", ["sent", "final"])
def test_an_opentimestamps_file_is_given_out_where_there_is_one(bench, state):
    number = bench.submit()
    size = bench.close()
    with pytest.raises(NotFound, match="no OpenTimestamps file for this record"):
        bench.export(number, Format.OTS)
    bitcoin, note = Bitcoin(), bench.prover.checkpoint(size).note
    stamp = upgraded(stamped(note), bitcoin) if state == "final" else stamped(note)
    bench.calendar(size, file_of(stamp), state)
    bench.submit()
    later = bench.close()
    made = bench.exports.export(number, Viewer(), Format.OTS, None, chosen((), NONE))
    assert (made.data, made.size) == (file_of(stamp), size)
    assert bench.export(number, Format.OTS, size=size) == made.data
    with pytest.raises(NotFound, match="or none over that checkpoint"):
        bench.export(number, Format.OTS, size=later)
    proof = package_of_proof(bench.export(number, Format.TLOG_PROOF, size=size))
    found = outcomes(package_of_ots(made.data, proof))
    assert found["5.3"] == ("passed" if state == "final" else "could_not_be_checked")


# What is opened


def opened(package, name="data/openings.json"):
    data = package.files.get(name)
    return set() if data is None else {name_of(item) for item in parse_openings(data)}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), set(FIELDS)),
        (("all",), set(FIELDS)),
        (("none",), set()),
        (("title",), {"title"}),
        (("title,metadata",), {"title", "metadata"}),
        (("title", "matter"), {"title", "matter"}),
        ((" title , matter",), {"title", "matter"}),
    ],
)
def test_a_package_opens_what_is_chosen_and_all_by_default(bench, words, names):
    number = bench.submit()
    bench.close()
    package = bench.package(number, opened=words)
    assert opened(package) == names
    report = verify(package, TRUST)
    assert (set(report.openings), report.withheld) == (names, 3 - len(names))
    assert not report.failures()


@pytest.mark.parametrize(
    ("words", "names"), [((), set()), (("all",), set(FIELDS)), (("matter",), {"matter"})]
)
def test_a_json_proof_opens_what_is_chosen_and_nothing_by_default(bench, words, names):
    number = bench.submit()
    bench.close()
    report = verify(package_of_json(bench.export(number, opened=words)), TRUST)
    assert (set(report.openings), report.withheld) == (names, 3 - len(names))


def strangers(bench, number):
    view = bench.records.view(number, bench.own)
    code = lookup_code(parse_statement(view.statement).salt)
    return {
        "another organisation": bench.other,
        "whoever holds the document": Viewer(digest=("sha-256", view.sha256)),
        "whoever has the code": Viewer(code=code),
        "another organisation that holds the document": replace(bench.other, digest=("sha-256", view.sha256)),
    }


BY_DOCUMENT = ("by-document", ("sha-256", sha256(b"a contract").digest()))


@pytest.mark.parametrize("visibility", ["public", "by-document", "by-code"])
def test_nobody_else_can_open_anything(bench, visibility):
    number = bench.submit(visibility=visibility)
    bench.close()
    for who, viewer in strangers(bench, number).items():
        if viewer.code is None and visibility != "public" and (visibility, viewer.digest) != BY_DOCUMENT:
            continue  # he does not see the record at all
        for words in ((), ("all",), ("none",)):
            assert verify(bench.package(number, viewer, words), TRUST).withheld == 3, who
            assert parse_json_proof(bench.export(number, Format.JSON, viewer, opened=words)).openings == ()
        # Of what is there nothing else is said than of what is not.
        said = set()
        for name in ("title", "holder"):
            for ask in (bench.package, lambda n, v, w: bench.export(n, Format.JSON, v, opened=w)):
                with pytest.raises(RequestError, match="there is no opening of") as caught:
                    ask(number, viewer, (name,))
                said.add(str(caught.value).replace(name, ""))
        assert len(said) == 1, who


def test_what_is_erased_stays_withheld_and_cannot_be_named(bench):
    number = bench.submit()
    bench.close()
    Erasing(bench.rig.database, bench.rig.intake.spool.discard).erase(number, ["title"])
    assert verify(bench.package(number), TRUST).withheld == 1
    assert verify(bench.package(number, opened=("matter",)), TRUST).withheld == 2
    for ask in (bench.package, lambda n, opened: bench.export(n, opened=opened)):
        with pytest.raises(RequestError, match="no opening of 'title' for you"):
            ask(number, opened=("title",))
        with pytest.raises(RequestError, match="no opening of 'holder' for you"):
            ask(number, opened=("matter", "holder"))


@pytest.mark.parametrize(
    "words", [("Title",), ("",), ("title,",), ("all,title",), ("all", "none"), ("0/title",), ("65/title",)]
)
def test_a_name_that_no_commitment_has_is_refused(words):
    with pytest.raises(RequestError, match="cannot be opened: use matter"):
        chosen(words, ALL)


def test_no_more_names_are_read_than_there_could_be():
    with pytest.raises(RequestError, match=f"more than {MAX_WORDS} names"):
        chosen([",".join(str(at) for at in range(MAX_WORDS + 1))], ALL)
    assert chosen(NAMES, NONE).names == set(NAMES)
    assert chosen((), NONE) == Choice(frozenset())
    assert chosen((), ALL) == Choice(None)


@pytest.mark.parametrize("form", [Format.TLOG_PROOF, Format.COSE, Format.OTS])
def test_a_form_without_openings_opens_none(bench, form):
    number = bench.submit()
    bench.close()
    for words in (("title",), ("all",)):
        with pytest.raises(RequestError, match="in the JSON form of a proof alone"):
            bench.export(number, form, opened=words)


# The statements before it


def chain(bench, count, **more):
    """Records of which each follows the one before; their numbers, the last one first."""
    numbers = [bench.submit(content=b"0", **more)]
    for at in range(1, count):
        fields = {"title": f"step {at}"}
        numbers.append(bench.submit(fields, content=b"%d" % at, previous=numbers[-1], **more))
    return numbers[::-1]


def folders(package):
    return sorted({int(name.split("/")[1]) for name in package.files if name.startswith("previous/")})


def test_a_package_holds_the_statements_before_it_back_to_the_first(bench):
    numbers = chain(bench, 4)
    bench.close()
    package = bench.package(numbers[0])
    assert folders(package) == [1, 2, 3]
    assert outcomes(package)["9.3"] == "passed"
    stated = [parse_statement(package.files[f"previous/{at}/statement.json"]).number for at in (1, 2, 3)]
    assert stated == numbers[1:]
    assert opened(package, "previous/3/openings.json") == set(FIELDS)
    assert "9.3" not in outcomes(bench.package(numbers[-1]))


def test_what_the_earlier_ones_committed_to_is_opened_by_name_and_number(bench):
    numbers = chain(bench, 3)
    bench.close()
    package = bench.package(numbers[0], opened=("title", "2/metadata"))
    assert opened(package) == {"title"}
    assert opened(package, "previous/1/openings.json") == set()
    assert opened(package, "previous/2/openings.json") == {"metadata"}
    assert outcomes(package)["9.3"] == "passed"
    none = bench.package(numbers[0], opened=("none",))
    assert not [name for name in none.files if name.endswith("openings.json")]
    with pytest.raises(RequestError, match="no opening of '1/metadata'"):
        bench.package(numbers[0], opened=("1/metadata",))


def test_a_stranger_gets_the_chain_as_far_as_he_may_see_it_and_no_openings(bench):
    first = bench.submit(visibility="private", content=b"1")
    second = bench.submit(previous=first, content=b"2")
    third = bench.submit(previous=second, content=b"3")
    bench.close()
    package = bench.package(third, Viewer())
    assert folders(package) == [1]
    assert not [name for name in package.files if name.endswith("openings.json")]
    (check,) = [check for check in verify(package, TRUST).checks if check.id == "9.3"]
    assert check.outcome.value == "could_not_be_checked"
    assert bench.records.view(first, bench.own).entry.hex() in check.detail
    assert folders(bench.package(third)) == [1, 2]
    assert folders(bench.package(second, Viewer())) == []


def test_a_document_that_is_presented_shows_no_other_one(bench):
    first = bench.submit(visibility="by-document", content=b"1")
    second = bench.submit(visibility="by-document", content=b"2", previous=first)
    bench.close()
    held = Viewer(digest=("sha-256", sha256(b"2").digest()))
    assert folders(bench.package(second, held)) == []
    assert folders(bench.package(second)) == [1]


def test_a_chain_of_more_than_64_is_cut_there(bench):
    numbers = chain(bench, 66)
    bench.close()
    package = bench.package(numbers[0])
    assert folders(package) == list(range(1, 65))
    assert outcomes(package)["9.3"] == "could_not_be_checked"
    assert outcomes(bench.package(numbers[1]))["9.3"] == "passed"


def test_openings_of_earlier_statements_leave_room_for_those_of_the_record_and_no_more(bench):
    large = {"metadata": {"a": "x" * 90000}}  # 120 KiB in a file of openings
    numbers = [bench.submit(large, content=b"0")]
    for at in range(1, 20):
        numbers.append(bench.submit(large, content=b"%d" % at, previous=numbers[-1]))
    bench.close()
    package = bench.package(numbers[-1])
    openings = [name for name in package.files if name.endswith("/openings.json")]
    sizes = {len(package.files[name]) for name in openings}
    assert folders(package) == list(range(1, 20))
    most = MAX_OPENED // max(sizes)
    assert set(openings) == {OPENINGS, *(f"previous/{at}/openings.json" for at in range(1, most))}
    assert outcomes(package)["9.3"] == "passed"


def test_each_earlier_statement_is_proved_under_a_head_of_the_package(bench):
    first = bench.submit(content=b"1")
    bench.close()
    second = bench.submit(content=b"2", previous=first)
    size = bench.close()
    package = bench.package(second)
    note = parse_proof_file(package.files["previous/1/inclusion.tlog-proof"], TLOG_PROOF).note
    assert parse_checkpoint(parse_note(note).text).size == size
    assert package.sizes() == [size]
    assert LOG_KEY.public_key().public_bytes_raw() == LOG_VERIFIER.public
