"""An authority that fails is asked rarely, whatever restarts; the others and the newest head are not held up."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import tsp
from prometheus_client import REGISTRY

from notary.anchoring.backoff import OPENS_AT, Circuit, circuit, pause, waits
from notary.errors import AnchorRejected, AnchorUnavailable, Unavailable
from notary.evidence.timestamp import check_token
from notary.evidence.timestamp_signature import SM3
from notary.store import breakers
from notary.store.breakers import Breaker
from notary.store.standing import Standings
from notary.store.views import Anchors
from tests.anchoring.anchored import INTERVAL
from tests.anchoring.far_tsa import FarTsa

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def tsa(log):
    log.close()
    return FarTsa(log)


def known(log, name="tsa"):
    with log.rig.database.reading() as connection:
        return breakers.breaker_of(connection, name)


def run(log, steps, seconds, *, close=False, tick=1):
    """The worker: each step once a second, or once a `tick`; what one does wrong holds up none of the others."""
    for _ in range(0, seconds, tick):
        if close:
            log.close()
        for step in steps:
            try:
                step()
            except AnchorUnavailable:
                continue
        log.rig.clock.advance(tick)


def metric(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


# How long


def test_a_wait_doubles_and_from_the_fifth_failure_on_it_is_minutes():
    waits = [pause(failures, None, 0).total_seconds() for failures in range(1, 12)]
    assert waits == [1, 2, 4, 8, 60, 120, 240, 480, 720, 720, 720]
    assert pause(10**6, None, 0) == timedelta(minutes=12)


def test_chance_adds_a_quarter_at_most():
    for failures in (1, 4, 5, 50):
        least, half, most = (pause(failures, None, chance) for chance in (0, 0.5, 1))
        assert most == 1.25 * least
        assert half == 1.125 * least
    assert pause(50, None, 1) == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("failures", "asked", "seconds"),
    [(1, 30, 30), (1, 0, 1), (1, 0.5, 1), (5, 30, 60), (5, 300, 300), (1, 3600, 3600), (1, 10**9, 3600)],
)
def test_a_server_that_asks_for_longer_is_left_alone_for_longer_within_an_hour(failures, asked, seconds):
    assert pause(failures, asked, 0).total_seconds() == seconds


def test_a_circuit_opens_at_the_fifth_failure_and_is_half_open_when_its_wait_is_over():
    def failed(times):
        return Breaker("tsa", times, NOW, NOW + timedelta(seconds=60), "")

    assert circuit(None, NOW) is Circuit.CLOSED
    assert circuit(failed(OPENS_AT - 1), NOW) is Circuit.CLOSED
    assert waits(failed(OPENS_AT - 1), NOW)
    assert circuit(failed(OPENS_AT), NOW + timedelta(seconds=59)) is Circuit.OPEN
    assert circuit(failed(OPENS_AT), NOW + timedelta(seconds=60)) is Circuit.HALF_OPEN
    assert not waits(failed(OPENS_AT), NOW + timedelta(seconds=60))
    assert not waits(failed(OPENS_AT), NOW - timedelta(seconds=1)), "the clock was ahead, and is put back"


# One that fails


def test_an_authority_that_does_not_answer_is_asked_ever_more_rarely_and_a_restart_asks_no_sooner(log, tsa):
    tsa.unreachable()
    start = log.rig.clock()
    for _ in range(4):  # restarted every 25 seconds
        run(log, [tsa.patient()], 25)
    assert tsa.times(start) == [0, 1, 3, 7, 15, 75]
    assert known(log).failures == 6
    assert known(log).reason == "tsa: tsa.example does not answer"
    run(log, [tsa.patient()], 6 * 3600, tick=60)
    gaps = [b - a for a, b in zip(tsa.times(start)[9:], tsa.times(start)[10:], strict=False)]
    assert set(gaps) == {720}
    assert len(tsa.asked) < 40


def test_without_what_is_stored_a_restart_asks_again_at_once(log, tsa):
    tsa.unreachable()
    for _ in range(3):
        with log.rig.database.writing() as connection:
            breakers.forget_breaker(connection, "tsa")
        run(log, [tsa.patient()], 1)
    assert len(tsa.asked) == 3


def test_a_request_that_was_not_answered_is_sent_again_as_it_is_and_then_gives_way_to_the_newest_head(
    log, tsa
):
    tsa.unreachable()
    first = log.newest_size()
    run(log, [tsa.patient()], 30)
    assert len(set(tsa.refs())) == 1
    assert set(tsa.sizes()) == {first}
    newest = [log.close() for _ in range(3)][-1]
    log.wait(3600)
    tsa.broken = None
    tsa.patient()()
    assert tsa.sizes()[-1] == newest
    old, new = log.all("tsa")
    assert (old.size, old.state, old.detail, old.evidence) == (
        first,
        "rejected",
        "no answer came; a later head takes its place",
        None,
    )
    assert (new.size, new.state) == (newest, "final")
    assert len(log.attempts(old)) == 1, "what was sent is kept"


def test_a_request_for_the_newest_head_gives_way_to_nothing(log, tsa):
    tsa.unreachable()
    run(log, [tsa.patient()], 2 * INTERVAL, tick=5)
    assert [item.state for item in log.all("tsa")] == ["signed"]
    assert len(set(tsa.refs())) == 1


def test_one_good_token_closes_the_circuit(log, tsa):
    tsa.unreachable()
    run(log, [tsa.patient()], 20)
    assert known(log).failures == 5
    tsa.broken = None
    run(log, [tsa.patient()], 60)
    assert known(log) is None
    assert log.one("tsa").state == "final"
    tsa.unreachable()
    log.close()
    run(log, [tsa.patient()], 1)
    assert known(log).failures == 1, "it is counted from the start again"


def test_a_failed_probe_opens_the_circuit_again_for_longer(log, tsa):
    tsa.unreachable()
    step = tsa.patient()
    run(log, [step], 16)
    log.rig.clock.time = known(log).resume_at
    with pytest.raises(AnchorUnavailable, match="does not answer"):
        step()
    found = known(log)
    assert (found.failures, found.resume_at - found.failed_at) == (6, timedelta(minutes=2))


def test_an_answer_that_is_no_token_counts_as_a_failure_and_is_kept(log, tsa):
    tsa.broken = tsa.mini.respond(b"", status="rejection", fail_info="system_failure", token=False)
    run(log, [tsa.patient()], 6 * INTERVAL, tick=5)
    found = log.all("tsa")
    assert {item.state for item in found} == {"rejected"}
    assert {item.evidence for item in found} == {tsa.broken}
    assert {item.detail for item in found} == {"tsa: check 3: the authority refused: system_failure"}
    assert known(log).failures == len(found) == 6
    assert known(log).reason == found[0].detail
    run(log, [tsa.patient()], 3600, tick=60)
    assert len(log.all("tsa")) <= 14, "not once a minute any more"


def test_a_server_that_asks_to_be_left_alone_is(log, tsa):
    tsa.unreachable(retry_after=90)
    start = log.rig.clock()
    run(log, [tsa.patient()], 200)
    assert tsa.times(start) == [0, 90, 180]


def test_what_somebody_must_look_at_counts_as_a_failure_too(log, tsa):
    def step():
        raise AnchorRejected("its answers do not add up")

    patient = tsa.patient()
    object.__setattr__(patient, "step", step)
    with pytest.raises(AnchorRejected, match="do not add up"):
        patient()
    assert known(log).reason == "its answers do not add up"


def test_a_database_that_does_not_answer_is_not_the_authoritys_fault(log, tsa):
    def step():
        raise Unavailable("the database does not answer")

    patient = tsa.patient()
    object.__setattr__(patient, "step", step)
    with pytest.raises(Unavailable, match="database"):
        patient()
    assert known(log) is None


def test_chance_is_drawn_for_each_failure(log, tsa):
    tsa.unreachable()
    with pytest.raises(AnchorUnavailable):
        tsa.patient(chance=1.0)()
    found = known(log)
    assert found.resume_at - found.failed_at == timedelta(seconds=1.25)


def test_state_and_tokens_are_measured(log, tsa):
    before = {
        outcome: metric("notary_tsa_tokens_total", anchor="m", outcome=outcome)
        for outcome in ("stamped", "rejected", "unavailable")
    }

    def counted(outcome):
        return metric("notary_tsa_tokens_total", anchor="m", outcome=outcome) - before[outcome]

    def state():
        return metric("notary_tsa_breaker", anchor="m")

    step = tsa.patient("m")
    tsa.unreachable()
    run(log, [step], 14)
    assert (state(), counted("unavailable")) == (Circuit.CLOSED, 4)
    run(log, [step], 2)
    assert (state(), counted("unavailable")) == (Circuit.OPEN, 5)
    log.rig.clock.time = known(log, "m").resume_at
    tsa.broken = b"<html>"
    step()
    assert (state(), counted("rejected")) == (Circuit.OPEN, 1)
    tsa.broken = None
    log.wait(120)
    step()
    assert (state(), counted("stamped")) == (Circuit.CLOSED, 1)


def test_an_authority_may_be_asked_for_an_imprint_of_sm3(log, tsa):
    anchor = tsa.anchor(imprint="sm3")
    log.advance(anchor).step()
    (_, body, size) = tsa.asked[0]
    imprint = tsp.TimeStampReq.load(body, strict=True)["message_imprint"]
    assert imprint["hash_algorithm"]["algorithm"].dotted == SM3
    assert imprint["hashed_message"].native == hashlib.new("sm3", log.head(size).note).digest()
    found = log.one("tsa")
    assert found.state == "final"
    assert check_token(found.evidence, log.head(size).note, anchor.authority)


# Several


def test_heads_are_stamped_once_an_interval_and_the_newest_each_time(log, tsa):
    start = log.rig.clock()
    closed = {log.newest_size(): 0}
    step = tsa.patient()
    for second in range(0, 3 * INTERVAL, 5):
        closed[log.close()] = second
        step()
        log.rig.clock.advance(5)
    assert tsa.times(start) == [0, INTERVAL, 2 * INTERVAL], "36 checkpoints, three requests"
    for second, size in zip(tsa.times(start), tsa.sizes(), strict=True):
        assert closed[size] == second, "the newest there was"
    stamped = dict(zip(tsa.sizes(), tsa.times(start), strict=True))
    for size, second in closed.items():
        covering = [at for of, at in stamped.items() if of >= size]
        assert not covering or min(covering) - second < INTERVAL, "no head waits for longer"
    assert min(stamped.values()) == 0, "where nothing was stamped for so long, none waits at all"


def test_with_one_authority_dead_the_others_go_on_as_before(log, tsa):
    others = [FarTsa(log), FarTsa(log)]
    tsa.unreachable()
    start = log.rig.clock()
    steps = [tsa.patient("dead"), others[0].patient("one"), others[1].patient("two")]
    run(log, steps, 3 * INTERVAL, close=True, tick=5)
    for other in others:
        assert other.times(start) == [0, INTERVAL, 2 * INTERVAL]
    assert tsa.times(start) == [0, 5, 10, 15, 25, 85]
    assert len(set(tsa.refs()[:5])) == 1, "the same request, for as long as it may still be answered"
    assert tsa.sizes()[5] > tsa.sizes()[4] == tsa.sizes()[0], "then one for the newest head"
    for name in ("one", "two"):
        assert {item.state for item in log.all(name)} == {"final"}
        assert known(log, name) is None
    with log.rig.database.reading() as connection:
        attested = Standings(connection).of(1).attestations
    whose = {"dead": "dead", "one": "one", "two": "two"}
    assert Anchors(frozenset({"rfc3161"}), whose, 2).stamped(attested)
    assert not Anchors(frozenset({"rfc3161"}), whose, 3).stamped(attested)
