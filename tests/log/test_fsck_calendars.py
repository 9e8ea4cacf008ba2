"""What calendars answered and what was posted to them: each thing that was changed is named."""

import re

import pytest

from tests.anchoring.anchored import Anchored
from tests.anchoring.test_advance_ots import advance_of, later
from tests.databases import with_tables
from tests.faults.damage import unnamed
from tests.ots_world import Bitcoin, serving
from tests.rig import Rig

pytestmark = pytest.mark.crash


@pytest.fixture
def log(tmp_path):
    database = with_tables(f"sqlite:///{tmp_path / 'notary.db'}")
    yield Anchored(Rig(database, tmp_path).open())
    database.dispose()


@pytest.fixture
def sound(log):
    """One head that is final and one that is pending."""
    with serving(Bitcoin()) as calendar:
        log.close()
        step = advance_of(log, calendar).step
        step()
        calendar.confirm()
        later(log, step)
        log.close()
        log.wait(86_400)
        step()
        assert [item.state for item in log.all("bitcoin")] == ["final", "sent"]
        assert log.rig.fsck().problems == []
        yield log


NAMED = {"bitcoin_block": r"leads to no block that was kept|^Bitcoin block \d+: |Merkle root of block"}


def test_one_bit_in_each_column_is_named(sound):
    rig = sound.rig
    # Of the headers of this chain every second one shows work enough, whatever is changed in it but the root.
    free = {("bitcoin_block", "header")}
    assert unnamed(rig.folder / "notary.db", NAMED, lambda: rig.fsck().problems, free) == []


def change(log, statement):
    with log.rig.database.writing() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1


FINAL = "WHERE anchor = 'bitcoin' AND state = 'final'"
SENT = "WHERE anchor = 'bitcoin' AND state = 'sent'"
OTHERS = "(SELECT evidence FROM anchoring WHERE state = 'final')"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "UPDATE attempt SET raw = CAST(x'00' || substr(raw, 2) AS BLOB) WHERE id = 1",
            "what was posted is not of this head",
        ),
        (
            "UPDATE attempt SET ref = '00' || substr(ref, 3) WHERE id = 1",
            "what was posted is not of this head",
        ),
        (f"UPDATE anchoring SET evidence = CAST(evidence || x'00' AS BLOB) {FINAL}", "its file: .*left over"),
        (f"UPDATE anchoring SET evidence = {OTHERS} {SENT}", "its file: .*another digest"),
        (f"UPDATE anchoring SET state = 'sent' {FINAL}", "is sent, and its file leads to a block"),
        (f"UPDATE anchoring SET state = 'final' {SENT}", "leads to no block that was kept"),
        ("DELETE FROM bitcoin_block", "leads to no block that was kept"),
        (
            "UPDATE bitcoin_block SET header = CAST(substr(header, 1, 36) || x'0000' || substr(header, 39) AS BLOB)",
            "does not lead to the Merkle root|does not show the work",
        ),
    ],
)
def test_what_was_changed_is_named(sound, statement, named):
    change(sound, statement)
    problems = sound.rig.fsck().problems
    assert any(re.search(named, problem) for problem in problems), problems
