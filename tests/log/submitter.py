"""A process that submits and closes until it is killed: prints each record number after it was accepted.

python -m tests.log.submitter DATABASE_URL FOLDER ROUND
"""

import secrets
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from notary.errors import NotReady
from notary.log.open import open_log
from notary.store.claims import Claim
from notary.store.engine import open_database
from notary.store.tenants import create_tenant, tenants
from tests.rig import GENESIS, LOG_KEY, ORIGIN, Rig


def main(url: str, folder: str, mark: str) -> None:
    rig = Rig(open_database(url), Path(folder), clock=lambda: datetime.now(UTC))
    rig.random.seed(secrets.token_bytes(16))
    open_log(rig.database, rig.objects, LOG_KEY, ORIGIN, GENESIS, rig.clock(), secrets.token_bytes)
    with rig.database.writing() as connection:
        known = tenants(connection)
        rig.tenant = (known[0] if known else create_tenant(connection, "a company", rig.clock())).id
    sequencer = rig.sequencer()
    threading.Thread(target=close, args=[sequencer], daemon=True).start()
    writers = [threading.Thread(target=submit, args=[rig, f"{mark}-{n}"]) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def close(sequencer) -> None:
    while True:
        try:
            sequencer.sequence()
        except NotReady:
            continue


def submit(rig: Rig, mark: str) -> None:
    count = 0
    while True:
        key = f"{mark}-{count}"
        digest = key.encode().ljust(32, b"-")
        accepted = rig.intake.accept(rig.document(key.encode()), Claim(rig.tenant, key, digest))
        sys.stdout.write(f"{key} {accepted.number}\n")
        sys.stdout.flush()
        count += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
