"""Time stamps under watch, the certificates behind them, and what CAs said of these: whatever was changed is named."""

import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from notary.log.fsck_stamps import stamp_problems
from notary.store.connecting import open_database
from tests.anchoring.anchored import Anchored
from tests.anchoring.test_stamps import Authorities, made
from tests.databases import with_tables
from tests.faults.damage import unnamed
from tests.rig import Rig

pytestmark = pytest.mark.crash

HOUR = timedelta(hours=1)
NAMED = {
    "stamp": r"^stamp of anchoring \d+: |^certificate \w+: no stamp",
    # The moment from which it spoils is told of what it spoils and of what says so.
    "tsa_certificate": r"^certificate \w+: |^revocation of certificate \w+: the CA says that it is revoked",
    "revocation": r"^revocation of certificate \w+: ",
}


def found(database):
    counted = []
    with database.reading() as connection:
        problems = list(stamp_problems(connection, lambda what, more: counted.append((what, more))))
    assert counted == [("stamps", 5)]
    return problems


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Two that are believed, one with a number that was used, one that cannot be read, one of a revoked certificate."""
    folder = tmp_path_factory.mktemp("stamped")
    database = with_tables(f"sqlite:///{folder / 'notary.db'}")
    cas = Authorities(Anchored(Rig(database, folder).open()), made())
    watch = cas.watch()
    believed = [cas.stamp(), cas.stamp()]
    reused, unreadable = cas.stamp(serial=1), cas.stamp(evidence=b"no token")
    cas.now += HOUR
    cas.say()
    watch.step()
    cas.now += HOUR
    cas.say((cas.tsa.signer, cas.now, "superseded"))
    revoked = cas.stamp(serial=9)
    watch.step()
    verdicts = {reused.size: "reused", unreadable.size: "unreadable", revoked.size: "revoked"}
    assert cas.verdicts() == verdicts
    assert cas.earliest() == [believed[0].size]
    assert found(database) == []
    database.dispose()
    return folder / "notary.db"


@pytest.fixture
def path(sound, tmp_path):
    return Path(shutil.copy(sound, tmp_path))


def test_one_bit_in_each_column_is_named(path):
    database = open_database(f"sqlite:///{path}")
    assert unnamed(path, NAMED, lambda: found(database)) == []
    database.dispose()


FIRST = "WHERE anchoring_id = (SELECT min(anchoring_id) FROM stamp)"
SIGNER = "digest = (SELECT max(signer) FROM stamp)"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE stamp SET verdict = 'revoked' WHERE serial = '2'", "is revoked, and that does not follow"),
        ("UPDATE stamp SET verdict = 'reused' WHERE serial = '2'", "is reused, and that does not follow"),
        ("UPDATE stamp SET verdict = '' WHERE verdict = 'revoked'", "is believed, and that does not follow"),
        ("UPDATE stamp SET verdict = '' WHERE verdict = 'reused'", "is believed, and that does not follow"),
        (f"UPDATE stamp SET verdict = 'odd' {FIRST}", "is odd, and that does not follow"),
        (f"UPDATE stamp SET verdict = 'unreadable' {FIRST}", "is unreadable, and something was read"),
        (f"UPDATE stamp SET size = size + 1 {FIRST}", "its anchoring is of another authority or size"),
        ("UPDATE anchoring SET state = 'sent' WHERE id = 1", "its anchoring is no final time stamp"),
        ("UPDATE stamp SET signer = x'00' WHERE serial = '9'", "the certificate of its signer is not kept"),
        (f"UPDATE stamp SET serial = serial + 77 {FIRST}", "it is not that of its token"),
        (
            "UPDATE stamp SET gen_time = '2020-01-01 00:00:00.000000' WHERE serial = '9'",
            "it is not that of its token",
        ),
        (
            "UPDATE anchoring SET evidence = (SELECT evidence FROM anchoring WHERE id = 4) WHERE id = 1",
            "its token, by the certificate that is kept: ",
        ),
        (
            f"UPDATE tsa_certificate SET der = x'3000' WHERE {SIGNER}",
            "its token, by the certificate that is kept: ",
        ),
        (f"UPDATE tsa_certificate SET der = x'3000' WHERE {SIGNER}", "it is another one"),
        (
            f"UPDATE tsa_certificate SET spoiled_from = NULL WHERE {SIGNER}",
            "stamps that rest on it are believed",
        ),
        (f"UPDATE tsa_certificate SET issuer = x'00' WHERE {SIGNER}", "the one above it is not kept"),
        (
            f"UPDATE tsa_certificate SET issuer = NULL WHERE {SIGNER}",
            "the certificate or the one above it is not kept",
        ),
        (
            "UPDATE tsa_certificate SET needed_at = '2020-01-01 00:00:00.000000'",
            "no stamp that rests on it is the newest one",
        ),
        (
            "UPDATE tsa_certificate SET needed_at = '2100-01-01 00:00:00.000000'",
            "no stamp that rests on it is the newest one",
        ),
        ("DELETE FROM revocation", "what its CA said of it reaches to another moment"),
        (
            "UPDATE revocation SET this_update = '2020-01-01 00:00:00.000000' WHERE rowid = 1",
            "the CA does not say this as of that moment",
        ),
        ("UPDATE revocation SET data = x'3000'", "revocation of certificate .*: "),
        ("UPDATE revocation SET kind = 'ocsp'", "revocation of certificate .*: "),
    ],
)
def test_what_was_changed_is_named(path, statement, named):
    database = open_database(f"sqlite:///{path}")
    with database.writing() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        assert connection.execute(text(statement)).rowcount
    problems = found(database)
    database.dispose()
    assert any(re.search(named, problem) for problem in problems), problems
