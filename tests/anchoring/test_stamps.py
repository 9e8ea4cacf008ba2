"""Final stamps under watch: what CAs say is asked until it counts, and what spoils a stamp takes it out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import AuthorityInformationAccessOID
from structlog.testing import capture_logs

from notary.anchoring.revocation import fetch
from notary.anchoring.rfc3161 import TsaAnchor
from notary.anchoring.stamps import StampWatch
from notary.errors import TimestampError, Unavailable
from notary.evidence.timestamp import Authority, check_token
from notary.evidence.timestamp_revocation import Standing, check_revocation, revocation
from notary.evidence.timestamp_status import Kind, RevocationData
from notary.observe import REVOCATION_AGE, STAMPS_BAD
from notary.outbound import Outbound
from notary.store import anchorings, stamps
from notary.store.final_words import earliest_final
from tests.anchoring.ledger import Crash, Fuse, mortal
from tests.evidence.tsa_good import between
from tests.mini_revocation import DAY, crl, ocsp
from tests.mini_tsa import (
    GEN_TIME,
    POLICY,
    MiniTsa,
    authority_extensions,
    certificate,
    der,
    signer_extensions,
)
from tests.store.rows import verdicts
from tests.tsa_process import authority_of, running_tsa

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SIGNERS, MIDDLES = "http://ca.example/signers.crl", "http://ca.example/middles.crl"
RESPONDER = "http://ocsp.example/"


def place(url):
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point]), False


def responder(url):
    name = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, name)]
    ), False


def made(*places, **more):
    """An authority whose certificates name where their lists are."""
    tsa = MiniTsa("p256", extensions=[*signer_extensions(), *(places or [place(SIGNERS)])], **more)
    tsa.middle = between(tsa, extensions=[*authority_extensions(), place(MIDDLES)])
    return tsa


@dataclass
class Authorities:
    """CAs that answer as a test says, and the watch over the stamps of one authority in a log."""

    log: object
    tsa: MiniTsa
    now: datetime = GEN_TIME
    answers: dict = field(default_factory=dict)  # by URL: RevocationData, or nothing
    asked: list = field(default_factory=list)
    serial: int = 0

    def fetch(self, source, certificate, issuer):
        assert certificate.issuer == issuer.subject
        self.asked.append(source.url)
        answer = self.answers.get(source.url)
        if answer is None:
            raise Unavailable(f"{source.url} does not answer")
        assert answer.kind is source.kind
        return answer

    @property
    def authority(self):
        return Authority("tsa", "Mini Ltd", (der(self.tsa.root),), (POLICY,), None)

    def watch(self, database=None):
        return StampWatch(
            database or self.log.rig.database,
            {"tsa": self.authority},
            lambda size: self.log.head(size).note,
            self.fetch,
            HOUR,
            lambda: self.now,
        )

    def stamp(self, gen_time=None, *, serial=None, evidence=None):
        """A final stamp of a new checkpoint."""
        size = self.log.close()
        self.serial = serial or self.serial + 1
        note = self.log.head(size).note
        gen_time = gen_time or self.now
        token = evidence or self.tsa.respond(note, gen_time=gen_time, serial=self.serial)
        return self.stamp_of(size, token)

    def stamp_of(self, size, token):
        with self.log.rig.database.writing() as connection:
            item = anchorings.create_anchoring(connection, "tsa", "rfc3161", size, self.now)
            anchorings.move(connection, item.id, "due", "final", self.now, evidence=token)
        return anchorings.Anchoring(
            item.id, "tsa", "rfc3161", size, "final", "", token, None, self.now, self.now
        )

    def say(self, *revoked, at=None, middle=()):
        """Both CAs publish lists as of now, or of `at`."""
        at = at or self.now
        self.answers |= {
            SIGNERS: crl(self.tsa.middle, self.tsa.middle_key, *revoked, at=at),
            MIDDLES: crl(self.tsa.root, self.tsa.root_key, *middle, at=at),
        }

    def captured(self, item):
        with self.log.rig.database.reading() as connection:
            found = stamps.revocation_of(connection, item.id)
        return [RevocationData(Kind(kind), data) for kind, data in found]

    def standing(self, item):
        stamp = check_token(item.evidence, self.log.head(item.size).note, self.authority)
        return revocation(stamp.path, stamp.gen_time, self.captured(item)).standing

    def verdicts(self):
        with self.log.rig.database.reading() as connection:
            return verdicts(connection)

    def earliest(self):
        with self.log.rig.database.reading() as connection:
            return [item.size for item in earliest_final(connection, 0)]


@pytest.fixture
def cas(log):
    return Authorities(log, made())


def test_a_stamp_is_not_revoked_once_both_cas_said_so_after_it(cas):
    item = cas.stamp()
    watch = cas.watch()
    cas.say(at=cas.now + SECOND)
    watch.step()
    assert sorted(cas.asked) == [MIDDLES, SIGNERS]
    assert cas.standing(item) is Standing.NOT_REVOKED
    stamp = check_token(item.evidence, cas.log.head(item.size).note, cas.authority)
    data = cas.captured(item)
    assert [each.data for each in data] == [cas.answers[SIGNERS].data, cas.answers[MIDDLES].data]
    assert check_revocation(stamp.path, stamp.gen_time, data, strict=True)
    cas.now += 100 * DAY
    watch.step()
    assert len(cas.asked) == 2, "nothing is missing any more"
    assert REVOCATION_AGE._value.get() == 0


def test_what_was_said_before_the_stamp_is_asked_again_until_it_was_said_after_it(cas):
    item = cas.stamp()
    watch = cas.watch()
    cas.say(at=GEN_TIME - DAY)
    watch.step()
    assert cas.standing(item) is Standing.NOT_CAPTURED
    cas.now += 60 * SECOND
    watch.step()
    assert REVOCATION_AGE._value.get() == DAY.total_seconds() + 60
    cas.say(at=GEN_TIME + HOUR)
    cas.now += HOUR - 61 * SECOND
    watch.step()
    assert cas.standing(item) is Standing.NOT_CAPTURED, "it is not asked again so soon"
    assert len(cas.asked) == 2
    cas.now += SECOND
    watch.step()
    assert cas.standing(item) is Standing.NOT_REVOKED
    assert len(cas.asked) == 4


def test_each_stamp_keeps_the_first_word_from_after_it(cas):
    watch = cas.watch()
    items, lists = [], []
    for _ in range(3):
        items.append(cas.stamp())
        cas.now += HOUR
        cas.say()
        lists.append(cas.answers[SIGNERS].data)
        watch.step()
        cas.now += HOUR
    for item, data in zip(items, lists, strict=True):
        assert cas.captured(item)[0].data == data
        assert cas.standing(item) is Standing.NOT_REVOKED


def test_a_ca_that_does_not_answer_is_asked_after_ever_longer_times_and_holds_up_no_other(cas):
    item = cas.stamp()
    watch = cas.watch()
    cas.say()
    del cas.answers[MIDDLES]
    with pytest.raises(Unavailable, match=f"^{MIDDLES} does not answer$"):
        watch.step()
    assert [each.data for each in cas.captured(item)] == [cas.answers[SIGNERS].data]
    assert cas.standing(item) is Standing.NOT_CAPTURED
    waits, start = [], cas.now
    while len(waits) < 9:
        cas.now += 10 * SECOND
        before = len(cas.asked)
        try:
            watch.step()
        except Unavailable:
            waits.append((cas.now - start).total_seconds())
            start = cas.now
        assert set(cas.asked[before:]) <= {MIDDLES}
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    cas.say()
    cas.now += HOUR
    watch.step()
    assert cas.standing(item) is Standing.NOT_REVOKED


@pytest.mark.parametrize("wrong", ["forged", "junk", "foreign"])
def test_what_cannot_be_used_is_not_kept(cas, wrong):
    item = cas.stamp()
    cas.say()
    stranger = MiniTsa("p384", root="Stranger")
    cas.answers[SIGNERS] = {
        "forged": crl(cas.tsa.middle, cas.tsa.key),
        "junk": RevocationData(Kind.CRL, b"<html>"),
        "foreign": crl(stranger.root, stranger.root_key),
    }[wrong]
    message = {
        "forged": "is not signed by it",
        "junk": "cannot be read",
        "foreign": "says nothing of CN=Mini TSA",
    }
    with pytest.raises(Unavailable, match=message[wrong]):
        cas.watch().step()
    assert [each.data for each in cas.captured(item)] == [cas.answers[MIDDLES].data]


def test_where_the_list_is_old_the_responder_is_asked(log):
    cas = Authorities(log, made(place(SIGNERS), responder(RESPONDER)))
    item = cas.stamp()
    cas.say(at=GEN_TIME - DAY)
    cas.answers[MIDDLES] = crl(cas.tsa.root, cas.tsa.root_key)
    cas.answers[RESPONDER] = ocsp(cas.tsa.signer, cas.tsa.middle, cas.tsa.middle_key)
    cas.watch().step()
    assert [each.kind for each in cas.captured(item)] == [Kind.OCSP, Kind.CRL]
    assert cas.standing(item) is Standing.NOT_REVOKED
    later = Authorities(log, cas.tsa, answers=cas.answers, now=GEN_TIME + DAY, serial=100)
    later.stamp()
    later.say()
    later.watch().step()
    assert RESPONDER not in later.asked, "the list is enough"


def test_a_certificate_that_names_no_place_is_asked_nowhere_and_is_no_error(log):
    cas = Authorities(log, made(place("ldap://ca.example/cn=list")))
    item = cas.stamp()
    cas.say()
    watch = cas.watch()
    watch.step()
    assert cas.asked == [MIDDLES]
    assert cas.standing(item) is Standing.NOT_CAPTURED
    cas.now += DAY
    watch.step()
    assert REVOCATION_AGE._value.get() == 0, "nothing can be waited for"


def test_a_certificate_that_has_ended_is_not_asked_about_any_more(log):
    cas = Authorities(log, made(years=(GEN_TIME - DAY, GEN_TIME + DAY)))
    cas.stamp()
    cas.now += 2 * DAY
    cas.say()
    cas.watch().step()
    assert cas.asked == [MIDDLES]


@pytest.mark.parametrize("reason", ["keyCompromise", None])
def test_a_compromised_key_spoils_every_stamp_of_its_those_to_come_too(cas, reason):
    watch = cas.watch()
    first = cas.stamp()
    cas.say()
    watch.step()
    assert cas.earliest() == [first.size]
    cas.now += DAY
    second = cas.stamp()
    cas.say((cas.tsa.signer, cas.now, reason))
    watch.step()
    assert cas.verdicts() == {first.size: "revoked", second.size: "revoked"}
    assert cas.earliest() == []
    third = cas.stamp()
    watch.step()
    assert cas.verdicts()[third.size] == "revoked"
    assert cas.log.newest("tsa").state == "final", "it is kept as it is"
    assert cas.standing(second) is Standing.REVOKED


def test_a_certificate_that_was_superseded_spoils_the_stamps_from_then_on(cas):
    watch = cas.watch()
    first = cas.stamp()
    cas.now += HOUR
    cas.say((cas.tsa.signer, cas.now, "superseded"))
    second = cas.stamp()
    watch.step()
    assert cas.verdicts() == {second.size: "revoked"}
    assert cas.earliest() == [first.size]
    assert cas.standing(first) is Standing.NOT_REVOKED


def test_a_compromised_intermediate_spoils_what_rests_on_it(cas):
    first = cas.stamp()
    cas.say(middle=[(cas.tsa.middle, GEN_TIME + DAY, "cACompromise")])
    cas.watch().step()
    assert cas.verdicts() == {first.size: "revoked"}


def test_a_serial_number_that_was_used_before_rejects_the_later_stamp_and_keeps_both(cas):
    counted = STAMPS_BAD.labels("tsa", "reused")._value
    before = counted.get()
    watch = cas.watch()
    first, second = cas.stamp(serial=7), cas.stamp(serial=7)
    third = cas.stamp(serial=8)
    cas.say()
    with capture_logs() as told:
        watch.step()
    assert [(each["log_level"], each["first_size"], each["size"]) for each in told] == [
        ("error", first.size, second.size)
    ]
    assert counted.get() == before + 1
    assert cas.verdicts() == {second.size: "reused"}
    assert cas.earliest() == [first.size]
    assert third.size not in cas.verdicts()
    assert [item.evidence for item in cas.log.all("tsa")] == [
        each.evidence for each in (first, second, third)
    ]
    watch.step()
    assert cas.verdicts() == {second.size: "reused"}


def test_a_stored_token_that_fails_by_now_is_named_and_holds_nothing_up(cas):
    first = cas.stamp(evidence=b"no token")
    second = cas.stamp()
    cas.say()
    cas.watch().step()
    assert cas.verdicts() == {first.size: "unreadable"}
    assert cas.captured(first) == []
    assert cas.standing(second) is Standing.NOT_REVOKED


def test_a_stored_token_with_a_bag_of_strangers_is_in_no_package(cas):
    """It would use up what a verifier tries for its authority, and the others of that would fail."""
    keys = [Ed25519PrivateKey.generate() for _ in range(20)]
    held = [certificate("Middle", key.public_key(), "Nobody", key) for key in keys]
    size = cas.log.close()
    note = cas.log.head(size).note
    token = cas.tsa.respond(note, certificates=[cas.tsa.signer, *held, cas.tsa.middle])
    assert check_token(token, note, cas.authority)
    cas.stamp_of(size, token)
    cas.say()
    with capture_logs() as logs:
        cas.watch().step()
    assert cas.verdicts() == {size: "unreadable"}
    assert "more than 8 signatures" in logs[0]["detail"]


@pytest.mark.parametrize("point", range(1, 7))
def test_a_crash_at_any_write_is_made_good_by_the_next_step(cas, point):
    first, second = cas.stamp(serial=7), cas.stamp(serial=7)
    cas.say()
    with pytest.raises(Crash):
        cas.watch(mortal(cas.log.rig.database, Fuse(point))).step()
    cas.watch().step()
    assert cas.verdicts() == {second.size: "reused"}
    assert cas.standing(first) is Standing.NOT_REVOKED
    assert [each.data for each in cas.captured(first)] == [cas.answers[u].data for u in (SIGNERS, MIDDLES)]


def test_the_embedded_authority_is_shown_not_to_be_revoked_at_the_first_step(log, tmp_path):
    def now():
        return datetime.now(UTC)

    with running_tsa(tmp_path) as url:
        outbound, authority = Outbound(allow_private=True), authority_of(tmp_path)
        log.close()
        log.advance(TsaAnchor("tsa", url, authority, outbound, now)).step()
        item = log.one("tsa")
        note = log.head(item.size).note
        make = partial(
            StampWatch,
            log.rig.database,
            {"tsa": authority},
            lambda size: log.head(size).note,
            interval=HOUR,
            now=now,
        )
        with pytest.raises(Unavailable, match="has no address that requests may go to"):
            make(fetch=partial(fetch, Outbound(allow_private=False))).step()
        make(fetch=partial(fetch, outbound)).step()
    with log.rig.database.reading() as connection:
        data = [RevocationData(Kind(k), d) for k, d in stamps.revocation_of(connection, item.id)]
    stamp = check_token(item.evidence, note, authority)
    assert check_revocation(stamp.path, stamp.gen_time, data, strict=True).standing is Standing.NOT_REVOKED
    with pytest.raises(TimestampError, match="no revocation data"):
        check_revocation(stamp.path, stamp.gen_time, [], strict=True)
