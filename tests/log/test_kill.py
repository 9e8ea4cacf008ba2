"""kill -9 at any moment: what was acknowledged is there, in order, once, and the log goes on."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from notary.store.engine import open_database
from notary.store.migrate import migrate
from notary.store.records import record_by_number
from notary.store.tenants import tenants
from tests.rig import Rig

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 4


def killed_round(url, folder, number):
    """Start a submitter, kill it soon after its first acknowledgements; returns what it acknowledged."""
    command = [sys.executable, "-m", "tests.log.submitter", url, folder, f"round-{number}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    ) as child:
        lines = [child.stdout.readline()]
        assert lines[0].endswith("\n"), child.stderr.read()
        time.sleep(0.1 + 0.13 * number)  # at another moment each time
        child.kill()
        rest, _ = child.communicate()
    whole = [line for line in (lines[0] + rest).split("\n")[:-1] if line]
    return dict(line.split(" ") for line in whole)


def test_what_a_killed_process_has_acknowledged_is_stored(database_url, tmp_path):
    database = open_database(database_url)
    migrate(database)
    acknowledged = {}
    for number in range(ROUNDS):
        acknowledged |= killed_round(database_url, tmp_path, number)
    assert len(acknowledged) > ROUNDS

    rig = Rig(database, tmp_path, clock=lambda: datetime.now(UTC))
    sequencer = rig.sequencer()
    assert sequencer.acquire()
    while sequencer.sequence():
        pass
    with database.reading() as connection:
        (tenant,) = tenants(connection)
        for key, number in acknowledged.items():
            record = record_by_number(connection, number, tenant.id)
            assert record.index is not None, key
    result = rig.fsck()
    assert result.problems == []
    assert result.counts["records"] >= len(acknowledged) + 1
    database.dispose()
