"""A certificate under watch that is odd in any way holds up no other."""

import pytest
from structlog.testing import capture_logs

from notary.store import stamps
from tests.anchoring.test_stamps import MIDDLES, SIGNERS, Authorities, made
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
