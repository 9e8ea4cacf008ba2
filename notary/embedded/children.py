"""The children of `notary dev`: a local chain and a local TSA, each in its folder, started and stopped together."""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from notary.embedded import tsa
from notary.embedded.anvil import Anvil
from notary.embedded.guard import alone_in
from notary.errors import ToolMissing

CHAIN_ID = 31337
_TSA_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Children:
    """The local chain and TSA, and where they listen."""

    chain_url: str
    tsa_url: str


@contextlib.contextmanager
def children(folder: Path) -> Iterator[Children]:
    """Start both children, and stop both when the block ends.

    Raises:
        SettingsError: another service runs in `folder`; starting here would end its chain.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone_in(folder))
        tsa_url = stack.enter_context(_running_tsa(folder / "tsa"))
        chain = Anvil(folder / "chain", _free_port(), CHAIN_ID)
        stack.callback(chain.stop)
        chain.start()
        yield Children(chain.url, tsa_url)


@contextlib.contextmanager
def _running_tsa(folder: Path) -> Iterator[str]:
    tsa.prepare(folder)
    command = [
        sys.executable,
        "-m",
        "notary.embedded.tsa",
        "--dir",
        str(folder),
        "--port",
        "0",
        "--until-eof",
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            url = process.stdout.readline().strip()
            if not url:
                raise ToolMissing(
                    "the local time-stamping authority does not start; run it by hand to see why"
                )
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_TSA_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
