"""The sequencer in a process of its own, as a worker has it.

python -m benchmarks.closer once    closes all that waits in one batch, and prints seconds and peak memory in MiB
python -m benchmarks.closer on      closes and indexes once a second until its input ends, and prints how often
"""

import json
import select
import sys
import time
from pathlib import Path

from notary import wiring
from notary.log.index import index_digests
from notary.settings.loading import load_settings
from notary.wiring import Assembly

INTERVAL = 1.0


def once(assembly: Assembly) -> dict[str, float]:
    """One close, from the lease that is held to the published checkpoint."""
    assert assembly.sequencer is not None
    if not assembly.sequencer.acquire():
        raise RuntimeError("another process holds the lease")
    start = time.perf_counter()
    closed = assembly.sequencer.sequence()
    taken = time.perf_counter() - start
    # Not ru_maxrss, which begins with what the parent held when it started this.
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return {"size": closed.size if closed else 0, "seconds": taken, "mib": peak}


def on(assembly: Assembly) -> dict[str, float]:
    """Closes as long as its input is open."""
    assert assembly.sequencer is not None
    closes, busy = 0, 0.0
    while True:
        start = time.perf_counter()
        closes += assembly.sequencer.sequence() is not None
        taken = time.perf_counter() - start
        busy += taken
        index_digests(assembly.database)
        left = max(0.0, INTERVAL - (time.perf_counter() - start))
        if select.select([sys.stdin], [], [], left)[0]:
            return {"closes": closes, "seconds": busy}


def main(mode: str) -> None:
    """Do one of them."""
    assembly = wiring.build(load_settings())
    try:
        print(json.dumps({"once": once, "on": on}[mode](assembly)))
    finally:
        assembly.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
