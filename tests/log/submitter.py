"""A process that submits and closes until it is killed: what it prints was acknowledged.

Its arguments: DATABASE_URL FOLDER MARK PAUSE [GUARD …]

A line for each answer: key, SHA-256 of the answer, record numbers. What is before the `-` in MARK is the holder of
the lease, the whole of it is in each key. PAUSE: seconds between two submissions of one of its threads.
GUARD: what it does without (`tests.log.careless`), in negative controls.

Ends with status 3 where the state of the log is not clear to it any more, or another process has taken over; the
last line of its error output begins with the error's code. A new process takes over.
"""

import asyncio
import io
import json
import os
import secrets
import sys
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from notary import observe
from notary.errors import Fatal, NotReady, TooManyRequests, Unavailable
from notary.intake.writer import Writer
from notary.log.index import index_digests
from notary.log.open import open_log
from notary.services.bulk import ARRAY, BulkSubmitting
from notary.services.submitting import Submitting, answer
from notary.services.types import Principal
from notary.services.wanted import Repeat, Wanted
from notary.store.claims import Claim
from notary.store.connecting import open_database
from notary.store.tenants import create_tenant, tenants
from tests.faults.submissions import Answered, answered, answered_bulk
from tests.log.careless import WITHOUT
from tests.rig import GENESIS, LOG_KEY, ORIGIN, Rig, room_of

THREADS = 6  # that submit one digest at a time; one more sends documents, and one bulk requests
BULK = 20
LEASE = timedelta(seconds=2)
FATAL = 3
DEFECT = 1  # nobody foresaw it: no thread of this program may die and leave the others to go on
_LIMIT = 1 << 20
_WAIT = 0.05  # seconds, where something does not answer


def main() -> None:
    url, folder, mark, pause, *without = sys.argv[1:]
    for guard in without:
        WITHOUT[guard]()
    observe.set_up(
        human=False
    )  # to the error output: the other holds what was acknowledged, and nothing else
    rig = Rig(open_database(url), Path(folder), clock=lambda: datetime.now(UTC))
    rig.random.seed(secrets.token_bytes(16))
    open_log(rig.database, rig.objects, LOG_KEY, ORIGIN, GENESIS, rig.clock(), secrets.token_bytes)
    with rig.database.writing() as connection:
        known = tenants(connection)
        rig.tenant = (known[0] if known else create_tenant(connection, "a company", rig.clock())).id
    sequencer = rig.sequencer(mark.partition("-")[0], lease=LEASE)
    threading.Thread(target=ending, args=[close, rig, sequencer], daemon=True).start()
    submitting = Submits(rig, Writer(rig.intake))
    kinds = [submitting.single] * THREADS + [submitting.document, submitting.bulk]
    for number, kind in enumerate(kinds):
        key = f"{kind.__name__}-{mark}-{number}"
        threading.Thread(target=ending, args=[submit, kind, key, float(pause)], daemon=True).start()
    threading.Event().wait()


def ending(work, *arguments) -> None:
    """Work until the process must end, and end it."""
    try:
        work(*arguments)
    except Fatal as error:
        os.write(2, f"{error.code}: {' '.join(str(error).split())}\n".encode())
        os._exit(FATAL)
    except BaseException:  # noqa: BLE001 - whatever it is, it is shown, and the other threads do not go on
        traceback.print_exc()
        os._exit(DEFECT)


def close(rig: Rig, sequencer) -> None:
    while True:
        try:
            if sequencer.sequence():
                index_digests(rig.database)
        except (NotReady, Unavailable):
            time.sleep(_WAIT)
        time.sleep(0.01)


def submit(kind, mark: str, pause: float) -> None:
    count = 0
    while True:
        key = f"{mark}-{count}"
        done = None
        while done is None:
            try:
                done = kind(key)
            except (Unavailable, TooManyRequests):
                time.sleep(_WAIT)  # the same request again, which may have been stored
        os.write(1, f"{key} {done.digest} {' '.join(done.numbers)}\n".encode())
        count += 1
        time.sleep(pause)


class Submits:
    """The kinds of submissions, each the same request for the same key."""

    def __init__(self, rig: Rig, writer: Writer) -> None:
        self.rig, self.writer = rig, writer
        self.who = Principal(rig.tenant, frozenset({"submit"}))
        self.files = Submitting(rig.intake, writer, _LIMIT, room_of(rig.intake))
        self.bulks = BulkSubmitting((writer,), _LIMIT)

    def single(self, key: str) -> Answered:
        claim = Claim(self.rig.tenant, f"k{key}", sha256(key.encode()).digest())
        document = self.rig.document(key.encode(), fields={"reference": key})
        (done,) = self.writer.add_and_wait(
            self.rig.intake.prepare([document], self.writer.conditions(), claim)
        )
        return answered([answer(done)])

    def document(self, key: str) -> Answered:
        content = io.BytesIO(b"%PDF-1.7\n" + key.encode())
        return answered([self.files.file(self.who, Wanted(), content, None, Repeat(key))])

    def bulk(self, key: str) -> Answered:
        body = json.dumps([sha256(f"{key}-{n}".encode()).hexdigest() for n in range(BULK)]).encode()
        return answered_bulk(asyncio.run(self.bulks.submit(self.who, ARRAY, lambda: body, key)))
