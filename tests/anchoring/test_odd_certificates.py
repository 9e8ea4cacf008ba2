"""A certificate under watch that is odd in any way holds up no other."""

import pytest
from structlog.testing import capture_logs

from notary.anchoring import stamps as watching
from notary.evidence.timestamp_der import retag
from notary.evidence.timestamp_revocation import Standing
from notary.store import stamps
from tests.anchoring.test_stamps import MIDDLES, SIGNERS, Authorities, made
from tests.evidence.tsa_raw import RawTsa, seq
from tests.mini_tsa import GEN_TIME, der


@pytest.fixture
def cas(log):
    return Authorities(log, made())


@pytest.mark.parametrize("odd", [b"no certificate", b"\x30\x80\x00\x00", b""])
def test_what_cannot_be_read_is_told_and_the_others_are_asked_about(cas, odd):
    item = cas.stamp()
    with cas.log.rig.database.writing() as connection:
        # Before all others: what is needed longest is asked about first.
        stamps.watch(connection, [odd, der(cas.tsa.root)], GEN_TIME.replace(year=2020))
    cas.say()
    with capture_logs() as told:
        cas.watch().step()
    assert sorted(cas.asked) == [MIDDLES, SIGNERS]
    assert [each.data for each in cas.captured(item)] == [cas.answers[url].data for url in (SIGNERS, MIDDLES)]
    assert [(each["event"], each["digest"]) for each in told if each["log_level"] == "warning"] == [
        ("a certificate cannot be asked about", stamps.digest_of(odd).hex())
    ]


def test_a_surrogate_in_the_name_of_a_signer_holds_no_stamp_up(log):
    """A BMPString may have one alone, and no text in a database."""
    tsa = RawTsa(names={"signer": seq(retag(0x31, seq(b"\x06\x03\x55\x04\x03", retag(30, b"\xd8\x00"))))})
    cas = Authorities(log, tsa)
    cas.stamp()
    cas.watch().step()
    assert cas.verdicts() == {}
    with log.rig.database.reading() as connection:
        assert stamps.not_looked_at(connection, "tsa", 9) == []


def test_a_text_that_no_database_takes_spoils_its_own_stamp_alone(cas, monkeypatch):
    first, second = cas.stamp(), cas.stamp()
    real, ends = watching.issuer_of, iter(["\ud800", ""])
    monkeypatch.setattr(watching, "issuer_of", lambda *given: real(*given) + next(ends))
    cas.say()
    with capture_logs() as told:
        cas.watch().step()
    assert cas.verdicts() == {first.size: "unreadable"}
    assert "surrogates not allowed" in told[0]["detail"]
    assert cas.standing(second) is Standing.NOT_REVOKED
