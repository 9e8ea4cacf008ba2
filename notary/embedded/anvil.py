"""A local chain for the embedded profile: anvil as a child process, on loopback, its state on disk.

Its anchors prove nothing: whoever runs it can make any block.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

from notary.embedded.guard import undisturbed
from notary.errors import AnchorUnavailable, ToolMissing

VARIABLE = "NOTARY_ANVIL"
# Three seconds: with two or fewer anvil keeps 1500 states in memory whatever it is told, 3.5 GB after some hours.
# Transactions do not wait for it: mixed mining gives each a block of its own at once.
BLOCK_SECONDS = 3
_KEPT_STATES = 64  # blocks back from the newest for which proofs of state can be had; about 150 MB
_DUMP_SECONDS = 5
_COPY_SECONDS = 60
_START_SECONDS = 60
_PACKAGES = Path(__file__).parents[2] / "contracts_solidity" / "node_modules"


def find_anvil() -> Path:
    """The program: from NOTARY_ANVIL, from contracts_solidity/node_modules, or on the PATH, in this order.

    Raises:
        ToolMissing: none of them has it.
    """
    named = os.environ.get(VARIABLE)
    # The program itself: its npm wrapper would stand between us and the signal that makes it save its state.
    candidates = [Path(named)] if named else sorted(_PACKAGES.glob("@foundry-rs/anvil-*/bin/anvil*"))
    on_path = None if named else shutil.which("anvil")
    candidates += [Path(on_path)] if on_path else []
    found = next((path for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)
    if found is None:
        where = f"{VARIABLE}={named} is not a program" if named else "it is not on the PATH"
        tools = " and ".join(t for t in ("node", "npm") if shutil.which(t) is None)
        first = f"install {tools}, then " if tools else ""
        raise ToolMissing(
            f"anvil, the local chain, is missing ({where}): {first}run `npm ci` in contracts_solidity"
        )
    return found


class Anvil:
    """A chain that goes on where it stopped.

    The state file is written in place, so a crash can leave half of one, with which anvil refuses to start:
    two older copies are kept, and the newest that works is taken.
    """

    def __init__(self, folder: Path, port: int, chain_id: int, binary: Path | None = None) -> None:
        self.folder = folder
        self.port = port
        self.chain_id = chain_id
        self.binary = binary
        self.state = folder / "anvil.json"
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = Event()
        self._copier: Thread | None = None

    def start(self) -> None:
        """Start, and return when it answers.

        Raises:
            ToolMissing: anvil is not installed.
            AnchorUnavailable: the port is taken, or it does not start with any copy of its state.
        """
        binary = self.binary or find_anvil()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._end_orphans()
        _require_free(self.port)
        reason = ""
        for source in [self.state, *self._copies()]:
            if source != self.state:
                if not source.exists():
                    continue
                shutil.copyfile(source, self.state)
            reason = self._launch(binary)
            if not reason:
                self._rotate()
                self._stopping.clear()
                self._copier = Thread(target=self._keep_copies, name="anvil-copies", daemon=True)
                self._copier.start()
                return
            if self.state.exists():
                self.state.replace(self.folder / "anvil.broken.json")
        raise AnchorUnavailable(f"anvil does not start: {reason}")

    def stop(self) -> None:
        """Have it save its state, and wait until it has."""
        process, self._process = self._process, None
        if process is None:
            return
        self._stopping.set()
        if self._copier is not None:
            self._copier.join()
        _end(process)
        self._rotate()

    def _launch(self, binary: Path) -> str:
        """Start with the state there is; "" when it answers, else what it said."""
        errors = self.folder / "anvil.log"
        command = [
            str(binary), "--host", "127.0.0.1", "--port", str(self.port), "--chain-id", str(self.chain_id),
            "--mixed-mining", "--block-time", str(BLOCK_SECONDS), "--slots-in-an-epoch", "1",
            "--state", str(self.state), "--state-interval", str(_DUMP_SECONDS),
            "--prune-history", str(_KEPT_STATES), "--quiet",
        ]  # fmt: skip
        with errors.open("wb") as log, undisturbed():
            # In a session of its own: Ctrl-C is for us, and we then stop it in order.
            self._process = process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < end:
            if _chain_id(self.url) == self.chain_id:
                return ""
            time.sleep(0.05)
        self._process = None
        _end(process)
        return errors.read_text("utf-8", "replace").strip()[-300:] or "no answer"

    def _keep_copies(self) -> None:
        while not self._stopping.wait(_COPY_SECONDS):
            self._rotate()

    def _rotate(self) -> None:
        """Copy the state file, unless it is being written at this moment."""
        newest, older = self._copies()
        draft = self.folder / "anvil.copy"
        try:
            shutil.copyfile(self.state, draft)
            json.loads(draft.read_bytes())
        except (FileNotFoundError, ValueError):
            return
        if newest.exists():
            newest.replace(older)
        draft.replace(newest)

    def _copies(self) -> tuple[Path, Path]:
        return self.folder / "anvil.1.json", self.folder / "anvil.2.json"

    def _end_orphans(self) -> None:
        """Stop every chain on this state that a killed run left behind.

        Asked of the system and not of a file of ours: a kill between the start and the note of it would leave
        one that nobody knows, and that answers in place of the new one.
        """
        end = time.monotonic() + _START_SECONDS
        while (found := _on_state(self.state)) and time.monotonic() < end:
            for pid in found:
                try:
                    os.kill(pid, signal.SIGTERM)
                except ProcessLookupError:
                    continue
                except PermissionError as error:
                    raise AnchorUnavailable(
                        f"process {pid} of another user runs a chain on {self.state}: end it"
                    ) from error
            time.sleep(0.05)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise AnchorUnavailable(f"port {port} for the local chain is taken by another program") from error


def _on_state(state: Path) -> list[int]:
    """Numbers of the processes that were given this state file; empty where the system has no /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\x00")
        except OSError:
            continue  # it ended in between
        named = os.path.basename(words[0]).startswith(b"anvil")  # noqa: PTH119 - bytes
        if named and (b"--state", os.fsencode(state)) in pairwise(words):
            found.append(int(path.parent.name))
    return found


def _chain_id(url: str) -> int | None:
    question = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    request = urllib.request.Request(url, question, {"content-type": "application/json"})  # noqa: S310 - http: of our own chain
    try:
        with urllib.request.urlopen(request, timeout=2) as reply:  # noqa: S310 - as above
            return int(json.loads(reply.read(4096))["result"], 16)
    except (OSError, ValueError, KeyError):
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
