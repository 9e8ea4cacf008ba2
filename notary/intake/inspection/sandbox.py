"""The outside of the sandbox: start a fresh interpreter, bound it, and believe nothing it says unchecked.

Nothing that the child does raises here. Death, delay, excess and nonsense are each an outcome
`could_not_be_inspected` with a stable reason.
"""

import os
import select
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import notary
from notary.errors import FormatError
from notary.evidence import canonical
from notary.intake.inspection import report
from notary.intake.inspection.child import MAX_REQUEST, NO_SANDBOX
from notary.intake.inspection.digests import fill

PACKAGE_ROOT = Path(notary.__file__).resolve().parent.parent
_HEADER_WITHIN = 1024
_GRACE = 5.0  # seconds for a process to end, or to be reaped once killed
_PDF = "application/pdf"
# -I leaves the working directory and PYTHONPATH out; the folders that are needed are named.
_BOOT = (
    "import sys; sys.path[:0] = [path for path in sys.argv[1].split(':') if path not in sys.path]; "
    "from notary.intake.inspection.child import main; main()"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one inspection may use: bytes of address space, seconds of processor and of wall, bytes of answer."""

    memory: int = 256 << 20
    cpu_seconds: int = 15
    wall_seconds: float = 30.0
    answer: int = 2 << 20


@dataclass(frozen=True, slots=True)
class Ended:
    """How the child ended: its answer, or the reason there is none."""

    answer: bytes | None
    reason: str | None


def inspect(
    path: Path,
    media_type: str | None,
    roots: Sequence[bytes] = (),
    limits: Limits | None = None,
    *,
    at: datetime | None = None,
) -> report.Inspected:
    """Report on the signatures of the PDF at `path` (report.py), in a sandbox, within `limits`.

    Args:
        path: the document; its first bytes say whether it is a PDF, `media_type` only helps to say so.
        media_type: what the submitter declared.
        roots: DER certificates of authorities that signers are measured by; without them nobody is known.
        limits: defaults are for documents of up to some hundred megabytes.
        at: when certificates must be valid, where no trusted time stamp says otherwise; default now.

    Returns:
        A report of version 2. `could_not_be_inspected` is the answer to everything that goes wrong.
    """
    tool = f"{report.TOOL} {version('pyhanko')}"
    try:
        with path.open("rb", buffering=0) as document:
            if b"%PDF-" not in document.read(_HEADER_WITHIN):
                reason = "not_as_declared" if media_type == _PDF else None
                return report.Inspected(report.empty("not_a_pdf", reason, tool))
            # The child shares this descriptor's offset, and starts from the beginning; so nothing is buffered here.
            document.seek(0)
            request = {
                "at": int(at.timestamp() if at else time.time()),
                "roots": [b64encode(root).decode() for root in roots],
            }
            ended = run("notary.intake.inspection.worker", document.fileno(), request, limits or Limits())
            found = believe(ended, tool)
            fill(found, document)
            return found
    except OSError:
        return report.Inspected(report.empty("could_not_be_inspected", "not_opened", tool))


def believe(ended: Ended, tool: str) -> report.Inspected:
    """The child's answer if it is a report in every detail, else the reason why there is none."""
    reason = ended.reason
    if ended.answer is not None:
        try:
            answer = canonical.loads(ended.answer, len(ended.answer))
            if not isinstance(answer, dict) or answer.keys() != {"report", "validations"}:
                raise FormatError("the answer is no report with its validation reports")
            found = report.check(answer["report"])
            return report.Inspected(found, report.check_validations(answer["validations"], found))
        except (FormatError, RecursionError):
            reason = "garbage"
    return report.Inspected(report.empty("could_not_be_inspected", reason, tool))


def run(
    module: str, document: int, request: Mapping[str, Any], limits: Limits, also: Sequence[Path] = ()
) -> Ended:
    """Run `answer(document, request)` of `module` in a sandboxed fresh interpreter.

    `document` is a descriptor open for reading; `also` are further folders to import from.
    """
    if sys.platform != "linux":
        return Ended(None, "no_sandbox")
    wanted = {**request, "memory": limits.memory, "cpu_seconds": limits.cpu_seconds}
    try:
        data = canonical.dumps(wanted)
        if len(data) > MAX_REQUEST:
            return Ended(None, "request_too_large")
        with _memory_file(data) as handed:
            child = _start(module, document, handed, (PACKAGE_ROOT, *also))
    except (OSError, FormatError, ValueError, subprocess.SubprocessError):
        return Ended(None, "not_started")
    try:
        answer, reason = _read(child, limits)
        status = _end(child, patience=0 if reason else _GRACE)
    finally:
        _end(child, patience=0)
    if reason is not None:
        return Ended(None, reason)
    return Ended(answer, None) if status == 0 else Ended(None, _death(status))


@contextmanager
def _memory_file(data: bytes) -> Iterator[int]:
    descriptor = os.memfd_create("request")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _start(module: str, document: int, request: int, roots: Sequence[Path]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", _BOOT, ":".join(map(str, roots)), module, str(request)],
        stdin=document,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        pass_fds=(request,),
        start_new_session=True,  # a process group of its own, killed as one
    )


def _read(child: subprocess.Popen[bytes], limits: Limits) -> tuple[bytes, str | None]:
    """Read the answer to its end; the reason is None only if it ended in time and within its size."""
    assert child.stdout is not None  # noqa: S101 - asked for above
    pipe, deadline, data = child.stdout.fileno(), time.monotonic() + limits.wall_seconds, b""
    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        if not poller.poll(left * 1000):
            break
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            return data, None
        data += chunk
        if len(data) > limits.answer:
            return b"", "answer_too_large"
    return b"", "wall_time"


def _end(child: subprocess.Popen[bytes], patience: float) -> int | None:
    """Give the child `patience` seconds to end by itself, then kill its group; never wait for ever."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    if child.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    if child.stdout is not None:
        child.stdout.close()
    return child.returncode


def _death(status: int | None) -> str:
    match status:
        case int() if status == NO_SANDBOX:
            return "no_sandbox"
        case int() if status == -signal.SIGXCPU:
            return "cpu_time"
        case _:
            return "crashed"
