"""The state machine with calendars on loopback, made with the reference library."""

from dataclasses import replace
from hashlib import sha256

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation, UnknownAttestation
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from notary.errors import AnchorRejected, AnchorUnavailable, NotReady, SettingsError
from notary.evidence.ots_file import MAX_ANSWER, InBlock, Pending, parse_ots
from notary.outbound import Outbound
from notary.settings.anchors import Ots
from notary.store.bitcoin_blocks import keep_block, kept_blocks
from notary.wiring.calendars import ots_anchor
from tests.anchoring.ledger import Crash, Fuse, mortal
from tests.ots_world import Bitcoin, block_hash, header, mined, promised, serialized, serving

DAY = 86_400
ASKED = 600  # seconds between two questions to a calendar


@pytest.fixture
def bitcoin():
    return Bitcoin()


@pytest.fixture
def calendar(bitcoin):
    with serving(bitcoin) as found:
        yield found


@pytest.fixture
def other(bitcoin):
    with serving(bitcoin) as found:
        yield found


def anchor_of(log, *calendars, database=None, **more):
    values = {"name": "bitcoin", "calendars": [each.uri for each in calendars]} | more
    ots = Ots(**{"headers_url": calendars[0].uri} | values)
    return ots_anchor(ots, database or log.rig.database, True, log.rig.clock)


def advance_of(log, *calendars, **more):
    return log.advance(anchor_of(log, *calendars, **more))


def attested(log, item):
    return parse_ots(item.evidence, sha256(log.head(item.size).note).digest())


def one(log):
    return log.one("bitcoin")


def later(log, step, seconds=ASKED):
    log.wait(seconds)
    step()
    return log.newest("bitcoin")


# The way


def test_a_head_is_pending_and_then_final_with_the_file_that_leads_to_a_block(log, calendar, bitcoin):
    size = log.close()
    step = advance_of(log, calendar).step
    step()
    sent = one(log)
    assert (sent.size, sent.state) == (size, "sent")
    assert sent.detail == "bitcoin: taken in by 1 of 1 calendars"
    (promise,) = attested(log, sent)
    assert promise == Pending(*calendar.promised, calendar.uri)
    step()
    waiting = one(log)
    assert (waiting.state, waiting.evidence) == ("sent", sent.evidence)
    calendar.confirm()
    final = later(log, step)
    assert final.state == "final"
    assert final.detail.startswith("bitcoin: in Bitcoin block 800001 of 20")
    found = attested(log, final)
    assert set(found) == {promise, InBlock(bitcoin.headers[800_001][36:68], 800_001)}
    with log.rig.database.reading() as connection:
        assert kept_blocks(connection, {800_001}) == [(800_001, bitcoin.headers[800_001])]


def test_what_is_posted_is_blinded_and_stored_before_it_leaves(log, calendar):
    size = log.close()
    posted = []

    class Watched(type(calendar)):
        def take(self, body):
            posted.append(
                (body, [attempt.raw for item in log.all("bitcoin") for attempt in log.attempts(item)])
            )
            return super().take(body)

    calendar.__class__ = Watched
    advance_of(log, calendar).step()
    ((body, stored),) = posted
    (attempt,) = log.attempts(one(log))
    assert stored == [attempt.raw]
    blind, rest = attempt.raw[:16], attempt.raw[16:]
    assert (
        body
        == rest
        == bytes.fromhex(attempt.ref)
        == sha256(sha256(log.head(size).note).digest() + blind).digest()
    )
    first = blind
    log.close()
    calendar.confirm()
    step = advance_of(log, calendar).step
    later(log, step)
    assert later(log, step).state == "sent"
    assert log.attempts(log.newest("bitcoin"))[0].raw[:16] != first


def test_the_library_reads_the_file_and_its_tree_is_ours(log, calendar):
    size = log.close()
    step = advance_of(log, calendar).step
    step()
    calendar.confirm()
    data = later(log, step).evidence
    found = DetachedTimestampFile.deserialize(BytesDeserializationContext(data))
    assert found.file_digest == sha256(log.head(size).note).digest()
    kinds = {type(item) for _, item in found.timestamp.all_attestations()}
    assert kinds == {PendingAttestation, BitcoinBlockHeaderAttestation}


def test_several_calendars_are_in_one_file_and_one_is_enough(log, calendar, other):
    other.answer = 503
    log.close()
    step = advance_of(log, calendar, other).step
    step()
    assert one(log).state == "sent"
    assert one(log).detail == ("bitcoin: taken in by 1 of 2 calendars; 127.0.0.1 answers with status 503")
    before = one(log).evidence
    log.wait(31)
    step()
    assert len([seen for seen in other.seen if seen[0] == "POST"]) == 1  # left alone for a minute
    other.answer = None
    found = later(log, step, 31)
    assert (found.state, found.detail) == ("sent", "bitcoin: taken in by 2 of 2 calendars")
    assert {item.uri for item in attested(log, found)} == {calendar.uri, other.uri}
    assert found.evidence != before
    assert len([seen for seen in calendar.seen if seen[0] == "POST"]) == 1
    other.confirm()
    final = later(log, step)
    assert final.state == "final"
    assert len(attested(log, final)) == 3


def test_a_calendar_is_asked_no_more_often_than_the_setting_says(log, calendar):
    log.close()
    step = advance_of(log, calendar).step
    for _ in range(10):
        step()
        log.wait(ASKED // 10)
    step()
    assert [seen[0] for seen in calendar.seen] == ["POST", "GET"]
    log.wait(ASKED // 10)
    step()
    assert [seen[0] for seen in calendar.seen] == ["POST", "GET", "GET"]
    log.wait(-DAY)  # a clock that was ahead holds nothing up
    step()
    assert [seen[0] for seen in calendar.seen] == ["POST", "GET", "GET", "GET"]


def test_a_block_without_six_confirmations_is_waited_for(log, calendar, bitcoin):
    log.close()
    step = advance_of(log, calendar).step
    step()
    calendar.confirm(confirmations=5)
    found = later(log, step)
    assert found.state == "sent"
    assert all(isinstance(item, Pending) for item in attested(log, found))
    bitcoin.mine()
    assert later(log, step).state == "final"


def test_an_unknown_attestation_of_a_calendar_is_kept(log, calendar):
    log.close()
    step = advance_of(log, calendar).step
    take = calendar.take

    def more(posted):
        stamp = Timestamp.deserialize(BytesDeserializationContext(take(posted)), posted)
        stamp.attestations.add(UnknownAttestation(b"\x11" * 8, b"new"))
        return serialized(stamp)

    calendar.take = more
    step()
    assert len(attested(log, one(log))) == 2


# Crashes


@pytest.mark.parametrize("point", range(1, 7))
def test_after_a_crash_at_any_transaction_one_attempt_leads_to_one_final_file(log, calendar, point):
    log.close()
    fuse = Fuse(point)
    broken = mortal(log.rig.database, fuse)
    with pytest.raises(Crash):
        log.advance(anchor_of(log, calendar, database=broken), broken).step()
    before = [attempt for item in log.all("bitcoin") for attempt in log.attempts(item)]
    step = advance_of(log, calendar).step
    step()
    assert one(log).state == "sent"
    (attempt,) = log.attempts(one(log))
    assert before in ([], [attempt])
    assert (
        {body for method, _, body in calendar.seen if method == "POST"} == {attempt.raw[16:]}
        if before
        else True
    )
    calendar.confirm()
    assert later(log, step).state == "final"


@pytest.mark.parametrize("point", range(1, 5))
def test_after_a_crash_of_the_upgrade_the_calendar_is_asked_again(log, calendar, point):
    log.close()
    advance_of(log, calendar).step()
    pending = one(log).evidence
    calendar.confirm()
    fuse = Fuse(point)
    broken = mortal(log.rig.database, fuse)
    with pytest.raises(Crash):
        log.advance(anchor_of(log, calendar, database=broken), broken).step()
    if point < 4:  # before the last commit
        assert (one(log).state, one(log).evidence) == ("sent", pending)
    advance_of(log, calendar).step()
    assert one(log).state == "final"


def test_a_promise_that_was_lost_on_the_way_is_asked_for_again(log, calendar):
    log.close()
    calendar.answer = 500
    step = advance_of(log, calendar).step
    with pytest.raises(AnchorUnavailable, match=r"^bitcoin: 127.0.0.1 answers with status 500$"):
        step()
    assert one(log).state == "signed"
    with pytest.raises(AnchorUnavailable, match="bitcoin: no calendar is asked again this minute"):
        step()
    calendar.answer = None
    assert later(log, step, 60).state == "sent"
    assert len({body for method, _, body in calendar.seen if method == "POST"}) == 1


def test_two_processes_lose_no_promise_of_each_other(log, calendar, other):
    other.answer = 503
    log.close()
    advance_of(log, calendar, other).step()
    other.answer = None
    log.wait(61)

    class Slow(Outbound):
        def post(self, *question):
            advance_of(log, calendar, other).step()
            return super().post(*question)

    slow = anchor_of(log, calendar, other)
    slow.outbound = Slow(allow_private=True)
    with pytest.raises(NotReady, match="has been replaced by somebody else"):
        log.advance(slow).step()
    assert {item.uri for item in attested(log, one(log))} == {calendar.uri, other.uri}


# What calendars may not do


def block_of(commitment):
    """The way from a commitment to a block of a Bitcoin of one's own."""
    return serialized(mined([commitment], Bitcoin())[commitment])


def twice(posted, uri):
    promise = b"\x00" + bytes.fromhex("83dfe30d2ef90c8e") + bytes([len(uri) + 1, len(uri)]) + uri.encode()
    return b"\xff\x08" + promise + b"\x08\x00" + b"\x11" * 8 + b"\x00"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda posted, uri: b"", "the OpenTimestamps file ends within the tree"),
        (
            lambda posted, uri: b"<html>busy</html>",
            "operation 0x3c of the OpenTimestamps file is not one that we know",
        ),
        (
            lambda posted, uri: serialized(promised(posted, "http://127.0.0.2:1")),
            "not answer with one promise of its own",
        ),
        (lambda posted, uri: b"\x00" + b"\x11" * 8 + b"\x00", "not answer with one promise of its own"),
        (
            lambda posted, uri: b"\xff" + block_of(posted) + serialized(promised(posted, uri)),
            "names a block at once",
        ),
        (lambda posted, uri: serialized(promised(posted, uri)) + b"\x00", "bytes are left over behind"),
        (
            lambda posted, uri: (
                b"\xff"
                + serialized(promised(posted, uri))
                + b"\x00"
                + bytes.fromhex("06869a0d73d71b45")
                + b"\x00"
            ),
            "Tried to read 1 bytes but got only 0 bytes",
        ),
        (twice, "answers with one operation twice at one place"),
    ],
)
def test_a_wrong_answer_to_what_was_posted_is_not_kept(log, calendar, answer, reason):
    log.close()
    honest = calendar.take
    calendar.take = lambda posted: answer(posted, calendar.uri)
    step = advance_of(log, calendar).step
    with pytest.raises(AnchorRejected, match=reason):
        step()
    found = one(log)
    assert (found.state, found.evidence) == ("signed", None)
    assert reason in found.detail
    calendar.take = honest
    assert later(log, step).state == "sent"


def test_a_huge_answer_is_cut_off(log, calendar):
    log.close()
    calendar.answer = bytes(MAX_ANSWER + 1)
    with pytest.raises(AnchorUnavailable, match="is longer than 10000 bytes"):
        advance_of(log, calendar).step()
    calendar.answer = None
    step = advance_of(log, calendar).step
    step()
    calendar.lookup = bytes(MAX_ANSWER + 1)
    with pytest.raises(AnchorUnavailable, match="is longer than 10000 bytes"):
        step()
    assert one(log).state == "sent"


def elsewhere(commitment, height):
    stamp = Timestamp(commitment)
    stamp.ops.add(OpAppend(b"a lie")).ops.add(OpSHA256()).attestations.add(
        BitcoinBlockHeaderAttestation(height)
    )
    return serialized(stamp)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (lambda commitment: elsewhere(commitment, 800_001), "names block 800001, whose Merkle root is"),
        (lambda commitment: b"garbage", "operation 0x67"),
        (lambda commitment: b"\xf0", "the OpenTimestamps file ends within the length of an operand"),
    ],
)
def test_a_lie_about_a_block_is_refused_told_and_not_kept(log, calendar, bitcoin, lie, reason):
    log.close()
    step = advance_of(log, calendar).step
    step()
    pending = one(log).evidence
    (commitment,) = calendar.promised
    bitcoin.mine(bytes(32), 10)
    calendar.lookup = lie(commitment)
    with pytest.raises(AnchorRejected, match=reason):
        step()
    assert (one(log).state, one(log).evidence) == ("sent", pending)
    assert reason in one(log).detail
    calendar.lookup = None
    calendar.confirm()
    assert later(log, step).state == "final"


def test_the_block_of_another_commitment_is_refused(log, calendar, bitcoin):
    log.close()
    step = advance_of(log, calendar).step
    step()
    calendar.lookup = serialized(mined([b"another commitment"], bitcoin)[b"another commitment"])
    with pytest.raises(AnchorRejected, match="names block 800001, whose Merkle root is"):
        step()


def test_of_two_blocks_in_one_answer_both_must_hold(log, calendar):
    log.close()
    step = advance_of(log, calendar).step
    step()
    (commitment,) = calendar.promised
    calendar.confirm(confirmations=7)
    true = serialized(calendar.confirmed[commitment])
    calendar.lookup = b"\xff" + elsewhere(commitment, 800_002) + true
    with pytest.raises(AnchorRejected, match="names block 800002"):
        step()
    calendar.lookup = b"\xff" + elsewhere(commitment, 800_900) + true  # of a block that is not there yet
    assert later(log, step).state == "sent"


def test_a_liar_does_not_keep_an_honest_calendar_from_being_final(log, calendar, other):
    log.close()
    step = advance_of(log, calendar, other).step
    step()
    calendar.confirm()
    other.lookup = b"garbage"
    assert later(log, step).state == "final"


def test_a_liar_is_told_while_an_honest_calendar_has_no_block_yet(log, calendar, other):
    log.close()
    step = advance_of(log, calendar, other).step
    step()
    other.lookup = b"garbage"
    with pytest.raises(AnchorRejected, match="operation 0x67"):
        step()
    assert {item.uri for item in attested(log, one(log))} == {calendar.uri, other.uri}


def test_one_calendar_that_is_away_is_no_failure_and_all_of_them_are(log, calendar, other):
    log.close()
    step = advance_of(log, calendar, other).step
    step()
    calendar.lookup = 500
    assert later(log, step).detail == "bitcoin: taken in by 2 of 2 calendars"
    other.lookup = 500
    log.wait(ASKED)
    with pytest.raises(AnchorUnavailable, match=r"status 500; 127\.0\.0\.1 answers with status 500"):
        step()


def test_a_commitment_that_was_lost_is_given_up_for_a_newer_head(log, calendar):
    first = log.close()
    step = advance_of(log, calendar).step
    step()
    calendar.forget()
    assert later(log, step, 3 * DAY).state == "sent"
    second = log.close()
    given_up = later(log, step)
    assert (given_up.size, given_up.state) == (first, "rejected")
    assert given_up.detail == "bitcoin: no settled Bitcoin block in three days"
    assert attested(log, given_up), "what the calendar promised stays"
    step()
    calendar.confirm()
    later(log, step)
    assert log.states("bitcoin") == [(first, "rejected"), (second, "final")]


def test_a_calendar_of_nobody_here_is_never_asked(log, calendar, other):
    log.close()
    advance_of(log, calendar).step()
    step = advance_of(log, other).step  # the settings name another one now
    step()
    assert not [seen for seen in calendar.seen if seen[0] == "GET"]
    found = later(log, step)
    assert {item.uri for item in attested(log, found)} == {calendar.uri, other.uri}


# The source of headers


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"/blocks/tip/height": 404}, "the source of Bitcoin headers knows no newest block"),
        ({"/blocks/tip/height": b"-5"}, "answers /blocks/tip/height in no form that we know"),
        ({"/block-height/800001": 404}, "has block 800006 and not block 800001"),
        ({"/block-height/800001": b"00" * 31}, "answers /block-height/800001 in no form that we know"),
        ({"/block-height/800001": b"00" * 32}, "has block 800006 and not block 800001"),
    ],
)
def test_a_source_of_headers_that_makes_no_sense_makes_nothing_final(log, calendar, bitcoin, answers, reason):
    log.close()
    step = advance_of(log, calendar).step
    step()
    calendar.confirm()
    bitcoin.answers = answers
    with pytest.raises(AnchorRejected, match=reason):
        step()
    assert one(log).state == "sent"
    bitcoin.answers = {}
    assert later(log, step).state == "final"


def test_a_header_must_have_the_hash_that_it_was_asked_for_by(log, calendar, bitcoin):
    log.close()
    step = advance_of(log, calendar).step
    step()
    calendar.confirm()
    path = f"/block/{block_hash(bitcoin.headers[800_001])}/header"
    for raw, reason in (
        (bitcoin.headers[800_002], "gives another header for block 800001"),
        (b"\x00" * 80, "block 800001: the Bitcoin block header does not show the work"),
    ):
        bitcoin.answers = {path: raw.hex().encode()}
        log.wait(ASKED)
        with pytest.raises(AnchorRejected, match=reason):
            step()


def test_a_source_of_headers_that_is_away_makes_nothing_final(log, calendar):
    log.close()
    step = advance_of(log, calendar, headers_url="http://127.0.0.1:1").step
    step()
    calendar.confirm()
    with pytest.raises(
        AnchorUnavailable, match=r"the source of Bitcoin headers: 127\.0\.0\.1 does not answer"
    ):
        step()
    assert one(log).state == "sent"


def test_another_block_of_a_height_that_was_settled_before_is_told(log, calendar):
    with log.rig.database.writing() as connection:
        keep_block(connection, 800_001, header(b"\x09" * 32, 1772366400))
    log.close()
    step = advance_of(log, calendar).step
    step()
    calendar.confirm()
    with pytest.raises(AnchorRejected, match="two settled Bitcoin blocks of height 800001"):
        step()
    assert all(isinstance(item, Pending) for item in attested(log, one(log)))


# What is stored


def test_stored_bytes_of_another_head_are_not_sent(log, calendar):
    size = log.close()
    anchor = anchor_of(log, calendar)
    attempt = anchor.sign(log.head(size), 1, [], 0)
    with pytest.raises(AnchorRejected, match="bitcoin: the stored attempt is not of this head"):
        anchor.send(replace(log.head(size), note=b"another"), attempt)
    assert calendar.seen == []


def test_a_damaged_stored_file_is_told(log, calendar):
    log.close()
    advance_of(log, calendar).step()
    anchor = anchor_of(log, calendar)
    kept = anchor.kept(one(log).size)
    anchor.kept = lambda _size: replace(kept, file=kept.file[:-1])
    with pytest.raises(AnchorRejected, match="the stored OpenTimestamps file: the OpenTimestamps file ends"):
        anchor.observe(log.head(one(log).size), [])


def test_without_a_file_it_is_sent_again(log, calendar):
    size = log.close()
    anchor = anchor_of(log, calendar)
    assert (anchor.attested_size(), anchor.first_nonce(), anchor.replacement([], log.rig.clock())) == (
        0,
        None,
        None,
    )
    seen = anchor.observe(log.head(size), [])
    assert (str(seen.step), seen.detail) == ("sent", "bitcoin: no file is kept, it will be sent again")


def test_an_address_that_could_never_be_used_is_refused_at_the_start(log):
    with pytest.raises(SettingsError, match="a URL to post to is http or https"):
        ots_anchor(
            Ots(name="a", calendars=["https://a.example"], headers_url="https://user@b.example"),
            log.rig.database,
            True,
            log.rig.clock,
        )
