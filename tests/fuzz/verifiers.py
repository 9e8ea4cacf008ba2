"""Both verifiers, asked the same, and what they answered in a form that can be compared."""

import io
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from notary.errors import EvidenceError
from notary.evidence.incoming import read_evidence, stands_alone
from notary.evidence.verify import unreadable, verify
from tests.fuzz.corpus import Sample

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "notary/api/static/verifier/cli.mjs"
SLOW = 2.0  # seconds


def by_python(data: bytes, sample: Sample) -> dict[str, Any]:
    """The result, or that there is none since this is no evidence; any other exception is a crash."""
    stream = io.BytesIO(data)
    if not stands_alone(stream):
        return {"error": "NoEvidence"}
    try:
        package = read_evidence(stream)
    except EvidenceError as error:
        return vector(unreadable(error).to_json())
    return vector(verify(package, sample.trust, None).to_json())


def vector(result: dict[str, Any]) -> dict[str, Any]:
    """A result without its sentences."""
    checks = [{key: check[key] for key in check if key != "detail"} for check in result["checks"]]
    return {**result, "checks": checks}


def failed(result: dict[str, Any]) -> set[str]:
    """Ids of the checks that failed."""
    return {check["id"] for check in result.get("checks", ()) if check["outcome"] == "failed"}


class JavaScript(AbstractContextManager["JavaScript"]):
    """The verifier under Node, which answers line by line."""

    def __init__(self, runner: Path = RUNNER) -> None:
        shared = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=shared if os.access(shared, os.W_OK) else None))
        self.trusts: dict[str, str] = {}
        self.child = subprocess.Popen(
            ["node", str(runner), "--lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __exit__(self, *_: object) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()
        self.child.wait(30)
        shutil.rmtree(self.folder)

    def ask(self, data: bytes, sample: Sample) -> dict[str, Any]:
        """Its whole answer; AssertionError where it has ended."""
        path = self.trusts.setdefault(sample.trust_text, str(self.folder / f"{len(self.trusts)}.toml"))
        if not Path(path).exists():
            Path(path).write_text(sample.trust_text)
        package = self.folder / "p.zip"
        package.write_bytes(data)
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(json.dumps({"package": str(package), "trust": path, "document": None}) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        assert line, "the JavaScript verifier has ended"
        answer: dict[str, Any] = json.loads(line)
        return vector(answer) if "checks" in answer else {"error": answer["error"]}


def timed(ask, *arguments):
    """An answer, and the seconds of this process or the wall that it took."""
    begun = time.monotonic()
    answer = ask(*arguments)
    return answer, time.monotonic() - begun
