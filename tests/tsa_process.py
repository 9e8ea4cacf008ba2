"""The embedded time-stamping authority as the process that the embedded profile starts."""

import subprocess
import sys
from contextlib import contextmanager

from asn1crypto import pem

from notary.evidence.timestamp import Authority


@contextmanager
def running_tsa(folder):
    """Yield its URL; the process is ended afterwards."""
    command = [sys.executable, "-m", "notary.embedded.tsa", "--dir", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), url
            yield url
        finally:
            process.terminate()


def authority_of(folder, **more):
    """What a trust file says of it."""
    _, _, root = pem.unarmor((folder / "root.pem").read_bytes())
    return Authority("local", "Embedded", (root,), more.pop("policies", ()), None)
