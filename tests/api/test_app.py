"""How a process that serves is prepared."""

import ctypes
import subprocess
import sys

# Megabytes that come and go beside small pieces that stay, as in bulk requests.
WORK = """
import os, sys
from pathlib import Path
from notary.api.app import settle

def held():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) // 1024

for how in sys.argv[1:]:  # each in a process of its own that has loaded everything
    if os.fork() == 0:
        break
    os.wait()
else:
    sys.exit()
if how == "settled":
    settle()
bytearray(30 << 20)  # unmapped: from here on, so much would come from the heap
before, stays, goes = held(), [], []
for _ in range(60):
    goes.append(bytearray(b"x") * (1 << 20))
    stays.append(bytearray(b"x") * (60 << 10))
assert held() - before >= 55
goes.clear()
print(held() - before)
"""


def left(*ways: str) -> list[int]:
    """MiB that a process still holds after all of it, in each of the ways."""
    said = subprocess.check_output([sys.executable, "-c", WORK, *ways], timeout=120)
    return list(map(int, said.split()))


def test_the_megabytes_of_a_request_go_back_to_the_system():
    settled, as_it_comes = left("settled", "as it comes")
    assert settled < 10
    if hasattr(ctypes.CDLL(None), "mallopt"):  # glibc, which keeps what was freed
        assert as_it_comes > 30  # the negative control
