"""The state machine with a real time-stamping authority."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notary.anchoring.rfc3161 import TsaAnchor
from notary.errors import AnchorUnavailable, NotReady, TimestampError
from notary.evidence.timestamp import MAX_RESPONSE, check_token
from notary.outbound import Outbound
from tests.anchoring.ledger import Crash, Fuse, mortal
from tests.tsa_process import authority_of, running_tsa


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tsa")
    with running_tsa(folder) as url:
        yield folder, url


def now():
    return datetime.now(UTC)


def authority(tsa, **more):
    folder, url = tsa
    return TsaAnchor("tsa", url, authority_of(folder, **more), Outbound(allow_private=True), now)


def test_a_time_stamp_is_final_in_one_step_and_passes_every_check(log, tsa):
    sizes = [log.close() for _ in range(2)]
    anchor = authority(tsa)
    log.advance(anchor).step()
    found = log.one("tsa")
    assert (found.size, found.state) == (sizes[-1], "final")
    assert found.detail.startswith("tsa: stamped at ")
    (attempt,) = log.attempts(found)
    check_token(found.evidence, log.head(sizes[-1]).note, anchor.authority, nonce=attempt.nonce)


def test_the_next_time_stamp_waits_for_the_interval_and_has_a_nonce_of_its_own(log, tsa):
    step = log.advance(authority(tsa)).step
    log.close()
    step()
    log.close()
    step()
    assert len(log.all("tsa")) == 1
    log.wait()
    step()
    first, second = log.all("tsa")
    assert (first.state, second.state) == ("final", "final")
    assert log.attempts(first)[0].nonce != log.attempts(second)[0].nonce


@pytest.mark.parametrize("point", range(1, 7))
def test_after_a_crash_the_stored_request_is_sent_again(log, tsa, point):
    log.close()
    fuse = Fuse(point)
    with pytest.raises(Crash):
        log.advance(authority(tsa), mortal(log.rig.database, fuse)).step()
    before = [attempt for item in log.all("tsa") for attempt in log.attempts(item)]
    log.advance(authority(tsa)).step()
    found = log.one("tsa")
    after = log.attempts(found)
    assert (found.state, len(after)) == ("final", 1)
    if point >= 4:  # the attempt was committed
        assert after == before
    check_token(found.evidence, log.head(found.size).note, authority(tsa).authority, nonce=after[0].nonce)


def test_a_request_whose_answer_was_lost_is_sent_again_as_it_is(log, tsa):
    log.close()
    step = log.advance(replace(authority(tsa), url="http://127.0.0.1:1/")).step
    for _ in range(2):
        with pytest.raises(AnchorUnavailable, match=r"^tsa: 127.0.0.1 does not answer"):
            step()
        assert log.one("tsa").state == "signed"
        assert log.one("tsa").detail.startswith("tsa: 127.0.0.1 does not answer")
    (before,) = log.attempts(log.one("tsa"))
    log.advance(authority(tsa)).step()
    assert log.one("tsa").state == "final"
    assert log.attempts(log.one("tsa")) == [before]


def test_a_token_that_fails_a_check_is_rejected_and_its_response_is_kept(log, tsa):
    log.close()
    anchor = authority(tsa, policies=("1.2.3.4", "1.2.3.5"))  # of one alone it would be asked, and refuse
    log.advance(anchor).step()
    found = log.one("tsa")
    assert found.state == "rejected"
    assert found.detail.startswith("tsa: check ")
    assert len(found.evidence) < MAX_RESPONSE
    head, (attempt,) = log.head(found.size), log.attempts(found)
    check_token(found.evidence, head.note, authority(tsa).authority, nonce=attempt.nonce)
    with pytest.raises(TimestampError, match="polic"):
        check_token(found.evidence, head.note, anchor.authority, nonce=attempt.nonce)
    # The same head is stamped again, and not before the interval is over.
    step = log.advance(authority(tsa)).step
    step()
    assert log.states("tsa") == [(found.size, "rejected")]
    log.wait()
    step()
    assert log.states("tsa") == [(found.size, "rejected"), (found.size, "final")]


def test_two_processes_that_stamp_one_head_make_one_anchoring(log, tsa):
    log.close()
    first, second = authority(tsa), authority(tsa)
    advance = log.advance(first)
    original = TsaAnchor.sign

    class Slow(TsaAnchor):
        def sign(self, *given):
            log.advance(second).step()
            return original(self, *given)

    anchor = Slow(first.name, first.url, first.authority, first.outbound, now)
    with pytest.raises(NotReady, match="is final, not due"):
        replace(advance, anchor=anchor).step()
    assert log.one("tsa").state == "final"
    assert len(log.attempts(log.one("tsa"))) == 1
