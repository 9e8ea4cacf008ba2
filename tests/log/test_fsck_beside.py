"""What is kept beside the records, of inspected documents and of broken promises: one bit of each."""

import pytest

from notary.intake.broken import log_broken
from tests.databases import with_tables
from tests.faults.damage import unnamed
from tests.intake.test_broken import late
from tests.intake.test_findings import submit
from tests.log.attested import sql
from tests.rig import Rig

pytestmark = pytest.mark.crash

NAMED = {
    "earlier_revision": r"^inspection of document \d+: ",
    "validation_report": r"^inspection of document \d+: ",
    "broken_promise": r"broken promise of commit group \d+: |closed too late",
    "promise_state": r"promises were looked at|it was kept, as far as was looked",
}


@pytest.fixture
def rig(tmp_path):
    database = with_tables(f"sqlite:///{tmp_path / 'notary.db'}")
    made = Rig(database, tmp_path).open()
    submit(made)
    made.sequencer().sequence()
    late(made)
    assert log_broken(made.intake) == 1
    made.sequencer().sequence()
    assert made.fsck().problems == []
    yield made
    database.dispose()


def test_one_bit_in_each_column_is_named(rig):
    free = {("promise_state", "size")}  # a smaller one: what was looked at is looked at again
    assert unnamed(rig.folder / "notary.db", NAMED, lambda: rig.fsck().problems, free) == []


@pytest.mark.parametrize(
    ("size", "named"), [(1000, "promises were looked at up to 1000"), (1, "as far as was looked")]
)
def test_how_far_promises_were_looked_at_is_neither_beyond_the_log_nor_before_what_was_found(
    rig, size, named
):
    sql(rig, "UPDATE promise_state SET size = :size", size=size)
    assert any(named in problem for problem in rig.fsck().problems)
