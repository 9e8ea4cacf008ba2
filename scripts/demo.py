"""The main job from end to end: a signed contract becomes evidence that verifies with the service switched off.

Starts the embedded service, submits a document, shows how its state advances, takes the evidence out, stops
the service, verifies offline, changes one byte, and sees that fail. Exit status 0 only if the good evidence
passed and the damaged one failed; with --goals, also only if both goals of time were reached.
"""

import argparse
import json
import math
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from asn1crypto import pem
from rich.console import Console
from rich.live import Live

from notary.cli.client import Client
from notary.cli.remote import with_document
from notary.cli.state import table_of
from notary.embedded.contract import make_contract
from notary.errors import NotaryError, Unavailable

NOTARY = [sys.executable, "-m", "notary"]
START_SECONDS = 60
FINAL_SECONDS = 150
STOP_SECONDS = 30
POLL_SECONDS = 0.1
# What is measured from the closing of the record's batch on, and the seconds that it may take.
GOALS = {"stamped": ("First time stamp", 2.0), "final": ("Final on the chain", 15.0)}
# Said at the end: the verifier counts sources by what the trust file says of them, and this one is the demo's own.
STAND_INS = """\
The time-stamping authority and the chain were local stand-ins, run on this machine by the demo itself. They count
as independent sources only because the trust file names them as different organisations, and that file was written
by the demo, too: these anchors prove nothing to anybody else.
演示所用的时间戳机构和区块链只是本机上的替身，由演示程序自行运行。二者被计为相互独立的来源，仅因信任文件将其列为不同的组织，
而该文件也是演示程序写成的：这些锚定对任何他人都没有证明力。"""
console = Console(highlight=False)


def main() -> int:
    """Run the demo; see --help."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--file", type=Path, help="a document of your own; a signed contract is made otherwise"
    )
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="folder for the results")
    parser.add_argument(
        "--goals", action="store_true", help="fail where a goal of time is missed, as on a slow machine"
    )
    arguments = parser.parse_args()
    try:
        return _demo(arguments.file, arguments.out, strict=arguments.goals)
    except NotaryError as error:
        console.print(f"[bold red]{error.code}[/]: {error}")
        return 1


def _demo(file: Path | None, out: Path, *, strict: bool) -> int:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="notary-demo-") as scratch:
        folder = Path(scratch)
        document = out / "document.pdf"
        roots: list[Path] = []
        if file is None:
            console.print(
                "[bold]1[/] A contract is made and signed by two parties, each with a certificate of a test CA."
            )
            roots = [_contract(document, folder / "parties")]
        else:
            console.print(f"[bold]1[/] The document is {file}.")
            shutil.copyfile(file, document)
        with _service(folder, roots) as client:
            watch = Watch(time.monotonic())
            answer = _submit(client, document)
            _advance(client, answer["number"], watch)
            _download(client, answer, document, out)
            _write_trust(folder, out)
    console.print("[bold]5[/] The service is stopped. From here on nothing but the files is used.")
    return _end(_verify(out), watch.missed(), strict=strict)


def _contract(document: Path, folder: Path) -> Path:
    """Make the contract; returns the PEM file of its CA, which the demo's service trusts."""
    root = folder / "root.pem"
    root.parent.mkdir(parents=True, exist_ok=True)
    root.write_bytes(pem.armor("CERTIFICATE", make_contract(document, folder)))
    return root


@contextmanager
def _service(folder: Path, signer_roots: list[Path]) -> Iterator[Client]:
    port = _free_port()
    data = folder / "data"
    log = folder / "service.log"
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("NOTARY_") or key == "NOTARY_ANVIL"
    }
    environment["NOTARY_SIGNER_ROOTS"] = json.dumps([str(path) for path in signer_roots])
    command = [*NOTARY, "dev", "--data-dir", str(data), "--port", str(port)]
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, stdout=stream, stderr=stream, env=environment) as service,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_ready(url, service, log)
            console.print(
                f"[bold]2[/] The service runs on {url}: API, worker, a local chain and a local TSA."
            )
            key = folder / "api-key"
            added = [*NOTARY, "tenant", "add", f"demo-{secrets.token_hex(3)}", "--data-dir", str(data)]
            key.write_text(
                subprocess.run(added, check=True, capture_output=True, text=True, env=environment).stdout
            )
            yield Client(url, key)
        finally:
            service.send_signal(signal.SIGINT)
            try:
                service.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                service.kill()
                raise Unavailable(f"the service did not stop within {STOP_SECONDS} s") from None


def _wait_ready(url: str, service: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and service.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise Unavailable(
        "the service did not start. Its last words:\n" + log.read_text(errors="replace")[-2000:]
    )


def _submit(client: Client, document: Path) -> dict[str, Any]:
    with document.open("rb") as stream:
        answer = client.submit_file(
            stream, document.name, json.dumps({"title": "Demo 演示"}), secrets.token_hex(16)
        )
    console.print(
        f"[bold]3[/] Submitted. Record number [bold]{answer['number']}[/]; the receipt promises the log by"
    )
    console.print(
        f"  {answer['close_by']}. Then an authority and a chain attest to it, here local stand-ins:"
    )
    return answer


@dataclass(slots=True)
class Watch:
    """How far a record got by when, on this process's monotonic clock, in seconds.

    What is measured is the most that it can have been: from the last moment at which the batch was surely not closed
    to the answer that first told of the attestation.
    """

    open: float  # the batch was not closed yet: when the record was submitted, then each time that was asked
    told: dict[str, float] = field(default_factory=dict)

    def note(self, state: dict[str, Any], asked: float, answered: float) -> None:
        """Note what an answer tells for the first time, by when it was asked for and when it came."""
        final = {item["kind"] for item in state["attestations"] if item["state"] == "final"}
        if state["closed"] is None:
            self.open = asked
        for what, reached in (("stamped", "rfc3161" in final), ("final", "evm" in final)):
            if reached:
                self.told.setdefault(what, answered)

    def seconds(self, what: str) -> float:
        """From closing to `what`, a key of `GOALS`, at most; without end where it was never told."""
        return self.told.get(what, math.inf) - self.open

    def missed(self) -> list[str]:
        """The goals that were not surely reached."""
        return [named for what, (named, most) in GOALS.items() if self.seconds(what) > most]


def _advance(client: Client, number: str, watch: Watch) -> None:
    deadline = time.monotonic() + FINAL_SECONDS
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while (state := _asked(client, number, watch))["due"]:
            live.update(table_of(state))
            if time.monotonic() > deadline:
                raise Unavailable(f"after {FINAL_SECONDS} s these are still due: {', '.join(state['due'])}")
            time.sleep(POLL_SECONDS)
    console.print(table_of(state))
    for what, (named, most) in GOALS.items():
        verdict = "[bold red]✗ missed[/]" if named in watch.missed() else "[green]✓ reached[/]"
        console.print(
            f"  {named} at most {watch.seconds(what):.1f} s after closing; the goal is {most:.0f} s {verdict}"
        )


def _asked(client: Client, number: str, watch: Watch) -> dict[str, Any]:
    asked = time.monotonic()
    state = client.state(number)
    watch.note(state, asked, time.monotonic())
    return state


def _end(status: int, missed: list[str], *, strict: bool) -> int:
    """Say of the goals of time what came of them; the exit status, which they change only where `strict`."""
    if missed:
        console.print(f"[bold red]Goals of time that were missed: {', '.join(missed)}.[/]")
    else:
        console.print("[bold green]Both goals of time were reached.[/]")
    return status or int(strict and bool(missed))


def _download(client: Client, answer: dict[str, Any], document: Path, out: Path) -> None:
    number = answer["number"]
    (out / "statement.json").write_bytes(client.download(number, "statement"))
    (out / "receipt.txt").write_bytes(client.download(number, "receipt"))
    (out / "proof.tlog-proof").write_bytes(client.download(number, "proof"))
    (out / "report.pdf").write_bytes(client.download(number, "report"))
    (out / "evidence.zip").write_bytes(with_document(client.download(number, "package"), document))
    console.print(f"[bold]4[/] Taken out into {out}/: statement, receipt, proof, package and report.")


def _write_trust(folder: Path, out: Path) -> None:
    """The service's keys, and the hashes of its blocks asked of the chain itself."""
    command = [*NOTARY, "trust", "--data-dir", str(folder / "data"), "--package", str(out / "evidence.zip")]
    result = subprocess.run(command, check=True, capture_output=True)
    (out / "trust.toml").write_bytes(result.stdout)


def _verify(out: Path) -> int:
    good, text = _run_verify(out / "evidence.zip", out / "trust.toml", as_json=True)
    (out / "result.json").write_text(text, encoding="utf-8")
    _run_verify(out / "evidence.zip", out / "trust.toml", as_json=False)
    damaged = out / "damaged.pdf"
    data = bytearray((out / "document.pdf").read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    console.print("[bold]6[/] One bit of the document is changed, and it is verified again:")
    bad, text = _run_verify(out / "evidence.zip", out / "trust.toml", as_json=True, document=damaged)
    failed = [check["id"] for check in json.loads(text)["checks"] if check["outcome"] == "failed"]
    console.print(f"  exit status {bad}, failed: {', '.join(failed) or 'none'}")
    damaged.unlink()
    as_it_must = (good, bad, failed) == (0, 1, ["2.3"])
    if as_it_must:
        console.print("[bold green]The evidence passed and the damaged one failed, as both must.[/]")
    else:
        console.print(f"[bold red]Expected exit status 0 and 1, got {good} and {bad}.[/]")
    console.print(f"[yellow]{STAND_INS}[/]", soft_wrap=True)
    return 0 if as_it_must else 1


def _run_verify(
    package: Path, trust: Path, *, as_json: bool, document: Path | None = None
) -> tuple[int, str]:
    command = [*NOTARY, "verify", str(package), "--trust", str(trust)]
    command += ["--json"] if as_json else ["--controls"]
    command += ["--document", str(document)] if document else []
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE if as_json else None, text=True)
    return result.returncode, result.stdout or ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
