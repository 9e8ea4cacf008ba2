"""Proofs from a log of 10⁷ entries, through the real HTTP API in a process of its own."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx

from benchmarks.harness import Context, Row, beside, pair_of, percentile, set_aside, with_goal
from benchmarks.load import Load, get_all
from benchmarks.synthetic import ORIGIN, build_log, entry_at
from notary import keys, wiring
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.note import Verifier
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.settings.loading import load_settings
from notary.store.connecting import open_database
from notary.store.migrate import migrate

SIZE = 10_000_000
REQUESTS = 2_000  # a run
KEEP = 100  # every so-manieth proof is verified
PROOF_MS = 2.0
RECENT = 100_000  # what closed last is asked for most


def proofs(context: Context) -> Iterator[Row]:
    """Proofs from a log of 10⁷ through the HTTP API."""
    data = context.folder / "data"
    verifier = make_service(data, context)
    random = Random(1)
    anywhere = [f"/log/proof/inclusion?index={random.randrange(SIZE)}&size={SIZE}" for _ in range(REQUESTS)]
    recent = [
        f"/log/proof/inclusion?index={SIZE - 1 - random.randrange(RECENT)}&size={SIZE}"
        for _ in range(REQUESTS)
    ]
    sizes = [sorted((random.randrange(1, SIZE), SIZE)) for _ in range(REQUESTS // 4)]
    between = [f"/log/proof/consistency?old={old}&new={new}" for old, new in sizes]
    with serving(data) as port:
        forget(data / "log/tile")
        context.tell("cold")
        cold, nothing = get_all(port, anywhere[:200], 1, KEEP), get_all(port, ["/healthz"] * 200, 1)
        yield _row("inclusion, cold, 1 connection", [cold], [nothing], verifier)
        get_all(port, anywhere + recent, 4)
        for name, paths, connections in (
            ("inclusion, any entry", anywhere, 1),
            ("inclusion, any entry", anywhere, 16),
            ("inclusion, the last 100,000", recent, 1),
            ("inclusion, the last 100,000", recent, 16),
            ("consistency, any size", between, 1),
        ):
            mine, theirs = [], []
            for turn in range(context.runs):
                context.tell(f"{name}, {connections} connections, run {turn + 1}")
                mine.append(get_all(port, paths, connections, KEEP))
                theirs.append(get_all(port, ["/healthz"] * (len(paths) // 4), connections))
            found = _row(f"{name}, warm, {connections} at once", mine, theirs, verifier)
            # One at a time is what a caller waits; many at once show what a core gives.
            yield with_goal(found, PROOF_MS) if connections == 1 else found


def _row(name: str, mine: Sequence[Load], theirs: Sequence[Load], verifier: Verifier) -> Row:
    """The median of p50, with p99 and what an answer of nothing takes beside it, once the kept proofs verify."""
    bodies = [body for load in mine for body in load.bodies]
    for body in bodies:
        verify(json.loads(body), verifier)
    p50, p99 = (percentile([s for load in mine for s in load.seconds], part) * 1e3 for part in (0.5, 0.99))
    said = f"p99 {p99:.2f} ms, {sum(load.rate for load in mine) / len(mine):,.0f}/s, {len(bodies)} verified"
    pair = pair_of(
        [(percentile(a.seconds, 0.5), percentile(b.seconds, 0.5)) for a, b in zip(mine, theirs, strict=True)]
    )
    said = f"GET /healthz {pair.reference * 1e3:.2f} ms; {said}"
    return beside(f"proof: {name}, p50", p50, "ms", pair.ratio, said)


def verify(body: dict[str, Any], verifier: Verifier) -> None:
    """As a stranger does who has the entry and the log's key."""
    path = [base64.b64decode(node) for node in body["path"]]
    if "index" in body:
        newest = _signed(body, verifier)
        index = int(body["index"])
        check_inclusion(hash_leaf(entry_at(index)), index, newest[0], path, newest[1])
        return
    new, old = _signed(body["new"], verifier), body["old"]
    check_consistency(old["size"], new[0], path, base64.b64decode(old["root"]), new[1])


def _signed(head: dict[str, Any], verifier: Verifier) -> tuple[int, bytes]:
    signed = open_checkpoint(base64.b64decode(head["checkpoint"]), ORIGIN, [verifier]).checkpoint
    return signed.size, signed.root


def make_service(data: Path, context: Context) -> Verifier:
    """A service of the embedded profile whose log is replaced by a large one of the same key."""
    settings = load_settings(data_dir=data, origin=ORIGIN, operator="Benchmark")
    keys.create(data / "keys")
    database = open_database(settings.database_url)
    migrate(database)
    database.dispose()
    wiring.open_new_log(settings, 1, bytes(20), bytes(32))
    set_aside(data / "log", context.folder)
    key = keys.load_ed25519(settings.log_key)
    build_log(data / "log", SIZE, context.tell, key)
    return Verifier(ORIGIN, key.public_key().public_bytes_raw())


@contextmanager
def serving(data: Path) -> Iterator[int]:
    """`notary serve` on that folder; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "DATA_DIR": data,
        "ORIGIN": ORIGIN,
        "OPERATOR": "Benchmark",
        "HOST": "127.0.0.1",
        "PORT": port,
    }
    environment = os.environ | {f"NOTARY_{name}": str(value) for name, value in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", "notary", "serve"], env=environment)
    try:
        for _ in range(300):
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait()


def forget(folder: Path) -> None:
    """Ask the kernel to drop what it holds of these files; the disk below may hold them still."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
