"""What a package holds, by what is final."""

import io
import os
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import pytest
from sqlalchemy import text

from notary.errors import NotFound, NotReady, RequestError
from notary.evidence.bag import evidence_manifest
from notary.evidence.chain import ChainTrust, decode_evidence, decode_header, encode_evidence
from notary.evidence.consistency import parse_consistency
from notary.evidence.package import Package, read_package
from notary.evidence.package_names import MAX_LISTS, MAX_OTS
from notary.evidence.statement import Block
from notary.evidence.verify import verify
from notary.intake.broken import log_broken
from notary.intake.inspect import inspect_next
from notary.intake.inspection.report import TOOL, Inspected, empty
from notary.services.kept_reports import KeptReports
from notary.services.packages import Packages
from notary.services.records import Records
from notary.services.trust_file import TrustSource
from notary.services.types import Viewer
from notary.store import stamps
from notary.store.anchorings import create_anchoring, move
from notary.store.blocks import add_block
from notary.store.files import FileObjects
from tests.evidence import mini_chain
from tests.rig import LOG_VERIFIER, ORIGIN, RECEIPT_VERIFIER, Rig

PUBLIC = {"visibility": "public"}


@dataclass
class Bench:
    rig: Rig

    @cached_property
    def sequencer(self):
        return self.rig.sequencer()

    @property
    def packages(self):
        return Packages(self.rig.database, Records(self.rig.database), self.rig.prover())

    def close(self, size):
        """Close batches until the log has that size."""
        self.sequencer.sequence()
        while self.packages.prover.checkpoint().checkpoint.size < size:
            self.rig.submit(1)
            self.sequencer.sequence()

    def submit(self, **more):
        accepted = self.rig.intake.accept(self.rig.document(fields={"title": "secret"}, **more))
        return accepted.number

    def anchored(self, name, size, state="final", evidence=b"a token", kind="rfc3161"):
        now = self.rig.clock()
        with self.rig.database.writing() as connection:
            made = create_anchoring(connection, name, kind, size, now)
            if state == "final":
                move(connection, made.id, "due", "final", now, evidence=evidence)
            elif state in ("sent", "rejected") and kind == "opentimestamps":
                move(connection, made.id, "due", "signed", now)
                move(connection, made.id, "signed", "sent", now, evidence=evidence)
                if state == "rejected":
                    move(connection, made.id, "sent", "rejected", now)
        return made

    def looked_at(self, item, verdict="", path=(b"signer", b"middle", b"root")):
        """What the worker stores of a final stamp."""
        now = self.rig.clock()
        with self.rig.database.writing() as connection:
            stamps.watch(connection, path, now)
            row = (item.id, item.anchor, item.size, "TSA", str(item.id), b"", now, stamps.digest_of(path[0]))
            stamps.add_stamp(connection, stamps.StoredStamp(*row, verdict))

    def said(self, certificate, after, data, kind="crl"):
        """A CA's word of so many seconds after now."""
        moment = self.rig.clock() + timedelta(seconds=after)
        with self.rig.database.writing() as connection:
            stamps.add_revocation(connection, stamps.digest_of(certificate), moment, kind, data)

    def read(self, number, viewer=None) -> Package:
        data = self.packages.package(number, viewer or Viewer(self.rig.tenant))
        return read_package(io.BytesIO(data))


@pytest.fixture
def bench(database, tmp_path):
    return Bench(Rig(database, tmp_path).open())


def evidence(package):
    """Names of the members that a check reads."""
    lines = evidence_manifest(package.files).decode().splitlines()
    return {line[66:] for line in lines}


def tokens(package):
    return {(size, name) for size in package.sizes() for name in package.tokens(size)}


def test_without_anchors_a_package_has_the_first_head_that_covers_the_record(bench):
    number = bench.submit(**PUBLIC)
    with pytest.raises(NotReady, match="in no checkpoint yet"):
        bench.packages.package(number, Viewer())
    with pytest.raises(NotReady, match="in no checkpoint yet"):
        bench.packages.proof(number, Viewer())
    bench.close(2)
    before = bench.packages.package(number, Viewer())
    bench.close(4)
    package = bench.read(number)
    assert package.sizes() == [2]
    assert bench.packages.package(number, Viewer()) == before  # later heads change nothing
    assert evidence(package) == {
        "data/statement.json", "data/openings.json", "receipt.txt", "heads/2/checkpoint",
        "heads/2/inclusion.tlog-proof",
    }  # fmt: skip
    assert {"README.en.txt", "README.zh.txt", "tools/check.sh", "bag-info.txt"} <= set(package.files)


def test_of_each_anchor_its_earliest_final_word_counts(bench):
    bench.close(2)
    number = bench.submit(**PUBLIC)  # entry 2
    bench.close(5)
    for name, size, state in [
        ("tsa-a", 2, "final"),  # before the record
        ("tsa-a", 4, "final"), ("tsa-a", 5, "final"), ("tsa-b", 3, "due"), ("tsa-b", 5, "final"),
    ]:  # fmt: skip
        bench.anchored(name, size, state)
    package = bench.read(number)
    assert tokens(package) == {(4, "tsa-a"), (5, "tsa-b")}
    assert package.sizes() == [4, 5]
    consistency = parse_consistency(package.files["consistency.json"])
    assert [(proof.old, proof.new) for proof in consistency] == [(4, 5)]
    trust = TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (), (), test_only=True).trust()
    outcomes = {(check.id, check.subject): check.outcome for check in verify(package, trust).checks}
    failed = {id_ for (id_, _), outcome in outcomes.items() if outcome == "failed"}
    assert failed == set(), outcomes


def files_of_calendars(package):
    return {(size, name, data) for size in package.sizes() for name, data in package.ots(size).items()}


def test_of_calendars_the_pending_file_is_there_until_the_final_one_is(bench):
    bench.close(2)
    number = bench.submit(**PUBLIC)  # entry 2
    bench.close(6)

    def calendars(*found):
        for name, size, state in found:
            bench.anchored(name, size, state, f"{name} {size}".encode(), "opentimestamps")
        return files_of_calendars(bench.read(number))

    assert calendars(("ots-a", 2, "sent"), ("ots-a", 3, "rejected"), ("ots-b", 3, "due")) == set()
    pending = {(4, "ots-a", b"ots-a 4"), (5, "ots-b", b"ots-b 5")}
    assert calendars(("ots-a", 4, "sent"), ("ots-b", 5, "sent"), ("ots-b", 6, "sent")) == pending
    assert bench.read(number).sizes() == [3, 4, 5]  # without a final word, the first head as ever
    assert calendars(("ots-b", 6, "final")) == {(4, "ots-a", b"ots-a 4"), (6, "ots-b", b"ots-b 6")}
    assert bench.read(number).sizes() == [4, 6]


def test_beside_a_stamp_is_what_its_cas_said_first_from_then_on(bench):
    number = bench.submit(**PUBLIC)
    bench.close(2)
    item = bench.anchored("tsa-a", 2)
    assert bench.read(number).revocation(2, "tsa-a") == ()
    bench.looked_at(item)
    for certificate, after, data, kind in [
        (b"signer", -1, b"too early", "crl"),
        (b"signer", 9, b"later", "crl"),
        (b"signer", 0, b"of that moment", "crl"),
        (b"middle", 5, b"an answer", "ocsp"),
    ]:
        bench.said(certificate, after, data, kind)
    package = bench.read(number)
    assert {name: data for name, data in package.files.items() if "/revocation/" in name} == {
        "heads/2/revocation/tsa-a/1.crl": b"of that moment",
        "heads/2/revocation/tsa-a/2.ocsp": b"an answer",
    }
    assert [(each.kind, each.data) for each in package.revocation(2, "tsa-a")] == [
        ("crl", b"of that moment"),
        ("ocsp", b"an answer"),
    ]
    assert package.revocation(2, "tsa-b") == ()


def test_one_list_of_two_certificates_stands_there_once(bench):
    number = bench.submit(**PUBLIC)
    bench.close(2)
    bench.looked_at(bench.anchored("tsa-a", 2))
    for certificate in (b"signer", b"middle"):
        bench.said(certificate, 1, b"one list")
    assert [each.data for each in bench.read(number).revocation(2, "tsa-a")] == [b"one list"]


def test_a_stamp_that_is_not_believed_any_more_gives_way_to_the_next(bench):
    number = bench.submit(**PUBLIC)
    for size in (2, 3, 4):
        bench.close(size)
    first, second, third = (bench.anchored("tsa-a", size) for size in (2, 3, 4))
    assert tokens(bench.read(number)) == {(2, "tsa-a")}
    bench.looked_at(first, "reused")
    bench.looked_at(second, "revoked")
    assert tokens(bench.read(number)) == {(4, "tsa-a")}
    bench.looked_at(third, "unreadable")
    assert tokens(bench.read(number)) == set()


def test_the_same_state_gives_the_same_bytes_and_others_get_no_openings(bench):
    number = bench.submit(**PUBLIC)
    bench.close(2)
    bench.anchored("tsa-a", 2)
    own, other = Viewer(bench.rig.tenant), Viewer(bench.rig.tenant + 1)
    assert bench.packages.package(number, own) == bench.packages.package(number, own)
    for stranger in (other, Viewer()):
        package = bench.read(number, stranger)
        assert not {"data/openings.json", "receipt.txt"} & set(package.files)
        said = [data for name, data in package.files.items() if not name.startswith("tools/")]
        assert all(b"secret" not in data for data in said)
    assert evidence(bench.read(number)) - evidence(bench.read(number, other)) == {
        "data/openings.json",
        "receipt.txt",
    }


def test_the_same_heads_named_give_the_same_bytes_whatever_came_later(bench, monkeypatch):
    bench.close(2)
    number = bench.submit(**PUBLIC)  # entry 2
    bench.close(4)
    bench.anchored("tsa-a", 4)
    own = Viewer(bench.rig.tenant)
    before = bench.packages.package(number, own), bench.packages.package(number, own, [4])
    assert before[0] == before[1]
    bench.close(7)
    bench.anchored("tsa-a", 7)
    bench.anchored("tsa-b", 7)
    assert bench.packages.package(number, own) != before[0]  # another source has spoken
    # Another process (each access makes its objects anew), clock, place and order: nothing of them is in it.
    bench.rig.clock.advance(86400 * 400)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert bench.packages.package(number, own, [4]) == before[1]
        several = bench.packages.package(number, own, [7, 4, 7])
        assert several == bench.packages.package(number, own, [4, 7])
    finally:
        monkeypatch.undo()
        time.tzset()
    package = read_package(io.BytesIO(several))
    assert package.sizes() == [4, 7]
    assert tokens(package) == {(4, "tsa-a"), (7, "tsa-a"), (7, "tsa-b")}
    assert "consistency.json" in package.files


def test_what_a_package_cannot_hold_is_left_out_or_the_heads_are_to_be_fewer(bench):
    number = bench.submit()
    bench.close(2)
    bench.submit()
    bench.close(3)
    for at in range(MAX_OTS + 1):
        bench.anchored(f"calendar-{at}", 2 + at % 2, evidence=b"a file", kind="opentimestamps")
    assert len(files_of_calendars(bench.read(number))) == MAX_OTS
    with pytest.raises(
        RequestError, match=r"these heads have: a package holds at most 32 OpenT.*; name fewer, or none"
    ):
        bench.packages.package(number, Viewer(bench.rig.tenant), [2, 3])
    bench.packages.package(number, Viewer(bench.rig.tenant), [2])


def test_a_token_is_not_there_without_its_lists(bench):
    number = bench.submit()
    bench.close(2)
    for at in range(17):
        signer = b"signer %d" % at
        bench.looked_at(bench.anchored(f"tsa-{at}", 2), path=(signer, b"root"))
        bench.said(signer, 1, b"%02d" % at * (MAX_LISTS // 32))
    package = bench.read(number)
    assert len(tokens(package)) == 16
    assert all(package.revocation(*place) for place in tokens(package))


def test_heads_that_do_not_have_the_record_or_do_not_exist_are_refused(bench):
    bench.close(2)
    number = bench.submit(**PUBLIC)  # entry 2
    bench.close(4)
    with pytest.raises(NotReady, match="a head of 2 entries does not have it"):
        bench.packages.package(number, Viewer(), [2, 4])
    for size in (5, 2**62):
        with pytest.raises(NotFound):
            bench.packages.package(number, Viewer(), [size])


def test_a_stored_report_is_in_the_package_of_its_owner_alone(bench, tmp_path):
    number = bench.submit(**PUBLIC)
    bench.close(2)
    own = Viewer(bench.rig.tenant, reports=True)
    kept = KeptReports(FileObjects(tmp_path), os.urandom)
    packages = replace(bench.packages, kept=kept)
    without = packages.package(number, own)
    assert without == bench.packages.package(number, own)
    kept.keep(number, evidence_manifest(packages.members(number, own)), b"%PDF-1.7")
    package = read_package(io.BytesIO(packages.package(number, own)))
    assert package.files["data/report.pdf"] == b"%PDF-1.7"
    assert packages.package(number, own, [2]) == packages.package(number, own)
    assert evidence_manifest(package.files) == evidence_manifest(read_package(io.BytesIO(without)).files)
    for stranger in (Viewer(), Viewer(bench.rig.tenant + 1, reports=True), Viewer(bench.rig.tenant)):
        assert "data/report.pdf" not in read_package(io.BytesIO(packages.package(number, stranger))).files


def test_what_may_not_be_seen_gives_no_package_and_no_proof(bench):
    number = bench.submit(visibility="private")
    bench.close(2)
    for take in (bench.packages.package, bench.packages.proof):
        with pytest.raises(NotFound, match="that you may see"):
            take(number, Viewer())


def test_the_anchor_keeps_the_block_of_this_record_and_no_other(bench):
    headers = [mini_chain.header(number, 1772362000 + number) for number in (100, 101)]
    numbers = []
    for raw in headers:
        header = decode_header(raw, "ethereum")
        block = Block(mini_chain.CHAIN_ID, header.number, header.hash, header.time)
        with bench.rig.database.writing() as connection:
            add_block(connection, block, raw, bench.rig.clock())
        numbers.append(bench.submit(**PUBLIC))
    bench.close(3)
    root = bench.rig.prover().checkpoint(3).checkpoint.root
    logs = [mini_chain.event(3, root)]
    evidence = mini_chain.anchor(logs, number=200, time=1772367000, not_before=headers)
    bench.anchored("chain", 3, evidence=encode_evidence(evidence), kind="evm")
    for number, raw in zip(numbers, headers, strict=True):
        package = bench.read(number)
        kept = decode_evidence(package.files["heads/3/anchor.json"])
        assert [item.header for item in kept.not_before] == [raw]
        assert package.files["heads/3/header.rlp"] == evidence.header == kept.header


@pytest.fixture
def left_out(bench):
    """A record whose block, like those of a batch beyond the 256th, the anchor's evidence does not hold."""
    raw, other = (mini_chain.header(number, 1772362000 + number) for number in (100, 101))
    block = block_of(raw)
    with bench.rig.database.writing() as connection:
        add_block(connection, block, raw, bench.rig.clock())
    number = bench.submit(**PUBLIC)
    bench.close(2)
    logs = [mini_chain.event(2, bench.rig.prover().checkpoint(2).checkpoint.root)]
    evidence = mini_chain.anchor(logs, number=200, time=1772367000, not_before=[other])
    bench.anchored("chain", 2, evidence=encode_evidence(evidence), kind="evm")
    return number, raw, decode_header(evidence.header, "ethereum")


def block_of(raw):
    header = decode_header(raw, "ethereum")
    return Block(mini_chain.CHAIN_ID, header.number, header.hash, header.time)


def checked(package, *blocks):
    """The checks on the not-before block, and the time that it shows, for who trusts these blocks."""
    chain = ChainTrust(
        mini_chain.CHAIN_ID, mini_chain.CONTRACT, mini_chain.LOG_ID, mini_chain.CODE_HASH, "ethereum", ()
    )
    source = TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (chain,), (), test_only=True)
    trust = source.trust([(mini_chain.CHAIN_ID, block.number, block.hash) for block in blocks])
    report = verify(package, trust)
    outcomes = {check.id: check.outcome for check in report.checks if check.id in ("6.5", "7.1", "7.2")}
    return outcomes, report.interval.made_after


def test_a_block_that_the_evidence_lacks_is_added_without_a_proof(bench, left_out):
    number, raw, anchored = left_out
    package = bench.read(number)
    (kept,) = decode_evidence(package.files["heads/2/anchor.json"]).not_before
    assert (kept.header, kept.storage_proof) == (raw, None)
    block = block_of(raw)
    # What is proven is said, and nothing more: the header is that of the statement; whether it is of the chain is
    # for whoever finds it there himself.
    outcomes, made_after = checked(package, anchored)
    assert outcomes == {"6.5": "passed", "7.1": "passed", "7.2": "could_not_be_checked"}
    assert made_after is None
    outcomes, made_after = checked(package, anchored, block)
    assert outcomes == {"6.5": "passed", "7.1": "passed", "7.2": "passed"}
    assert made_after.timestamp() == block.time
    outcomes, _ = checked(package, anchored, replace(block, hash=bytes(32)))
    assert outcomes["7.2"] == "failed"


@pytest.mark.parametrize(
    "change", ["DELETE FROM block", "UPDATE block SET header = :other", "UPDATE block SET chain_id = 5"]
)
def test_a_block_that_was_not_kept_as_it_is_named_is_not_added(bench, left_out, change):
    number, _, anchored = left_out
    with bench.rig.database.writing() as connection:
        other = {"other": mini_chain.header(100, 1)} if ":other" in change else {}
        connection.execute(text(change), other)
    package = bench.read(number)
    assert decode_evidence(package.files["heads/2/anchor.json"]).not_before == ()
    assert checked(package, anchored)[0] == {"6.5": "passed", "7.1": "could_not_be_checked"}


def test_a_block_of_another_chain_than_the_anchors_is_not_added(bench):
    raw = mini_chain.header(100, 1772362100)
    with bench.rig.database.writing() as connection:
        add_block(connection, replace(block_of(raw), chain_id=1), raw, bench.rig.clock())
    number = bench.submit(**PUBLIC)
    bench.close(2)
    logs = [mini_chain.event(2, bench.rig.prover().checkpoint(2).checkpoint.root)]
    evidence = mini_chain.anchor(logs, number=200, time=1772367000)
    bench.anchored("chain", 2, evidence=encode_evidence(evidence), kind="evm")
    assert decode_evidence(bench.read(number).files["heads/2/anchor.json"]).not_before == ()


def test_an_anchor_without_proof_of_the_code_gives_way_to_the_next_that_has_one(bench):
    number = bench.submit(**PUBLIC)
    bench.close(5)

    def anchored(size, *, whole):
        root = bench.rig.prover().checkpoint(size).checkpoint.root
        evidence = mini_chain.anchor([mini_chain.event(size, root)], number=200 + size, time=1772367000)
        assert evidence.account_proof is not None
        evidence = evidence if whole else replace(evidence, account_proof=None)
        bench.anchored("chain", size, evidence=encode_evidence(evidence), kind="evm")

    def sizes():
        package = bench.read(number)
        return [size for size in package.sizes() if f"heads/{size}/anchor.json" in package.files]

    anchored(2, whole=False)
    anchored(3, whole=False)
    assert sizes() == [2]  # nothing better is there
    anchored(4, whole=True)
    anchored(5, whole=True)
    assert sizes() == [4]


def spooled(bench):
    made = bench.rig.intake.spool.receive([b"%PDF-1.7"], 1000)
    values = {"seen": True, "digests": made.digests, "size": made.size, "media_type": made.media_type}
    return bench.rig.document(**values, spooled=made.path, visibility="public")


def test_an_inspection_that_nothing_attests_is_in_the_package_once_it_is_in_the_log(bench):
    number = bench.rig.intake.accept(spooled(bench)).number
    bench.close(2)
    assert inspect_next(bench.rig.intake, lambda *_: Inspected(empty("not_a_pdf", None, TOOL)))
    assert bench.read(number).sizes() == [2]
    bench.close(3)
    package = bench.read(number)
    assert package.sizes() == [2, 3]
    trust = TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (), (), test_only=True).trust()
    checks = verify(package, trust).checks
    assert [c.outcome for c in checks if c.id in ("3.3", "9.1")] == ["passed", "passed"]
    assert not [c for c in checks if c.outcome == "failed"]


def test_an_inspection_is_in_the_package_once_a_head_covers_it(bench):
    number = bench.rig.intake.accept(spooled(bench)).number
    bench.close(2)
    bench.anchored("tsa-a", 2)
    assert inspect_next(bench.rig.intake, lambda *_: Inspected(empty("not_a_pdf", None, TOOL)))
    assert not [name for name in bench.read(number).files if name.startswith("inspection/")]
    bench.close(3)
    assert not [
        name for name in bench.read(number).files if name.startswith("inspection/")
    ]  # no head of it yet
    bench.anchored("tsa-a", 3)
    package = bench.read(number)
    inspection = {"inspection/statement.json", "inspection/inclusion.tlog-proof", "inspection/openings.json"}
    assert inspection <= set(package.files)
    assert tokens(package) == {(2, "tsa-a"), (3, "tsa-a")}
    assert inspection & set(bench.read(number, Viewer()).files) == inspection - {"inspection/openings.json"}
    trust = TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (), (), test_only=True).trust()
    assert [c.outcome for c in verify(package, trust).checks if c.id == "9.1"] == ["passed"]


def test_a_broken_promise_is_in_the_package_of_each_record_of_its_group_once_a_head_covers_it(bench):
    made = bench.rig.intake.accept_all([bench.rig.document(b"%d" % n, **PUBLIC) for n in range(3)])
    bench.rig.clock.advance(61)
    bench.close(4)
    kept = bench.submit()
    bench.anchored("tsa-a", 4)
    assert log_broken(bench.rig.intake) == 1
    incident = {"incident/statement.json", "incident/inclusion.tlog-proof", "incident/openings.json"}
    for _ in range(2):
        assert not incident & set(
            bench.read(made[1].number).files
        )  # not in the log, then under no head of it
        bench.close(6)
    bench.anchored("tsa-a", 6)
    trust = TrustSource(ORIGIN, LOG_VERIFIER, RECEIPT_VERIFIER, (), (), test_only=True).trust()
    for accepted in made:
        package = bench.read(accepted.number)
        assert incident <= set(package.files)
        assert tokens(package) == {(4, "tsa-a"), (6, "tsa-a")}
        checks = verify(package, trust).checks
        assert [c.outcome for c in checks if c.id == "9.2"] == ["passed"]
        assert not [c for c in checks if c.outcome == "failed"]
    assert not incident & set(bench.read(kept).files)
    # A stranger has no receipt that it could be of.
    assert not incident & set(bench.read(made[0].number, Viewer()).files)
