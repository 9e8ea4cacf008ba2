"""Both verifiers, asked the same, and what they answered in a form that can be compared."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from notary.errors import EvidenceError
from notary.evidence.asked import BlockAnswer
from notary.evidence.incoming import read_evidence, stands_alone
from notary.evidence.trust import with_answers
from notary.evidence.verify import unreadable, verify
from tests.fuzz.corpus import Sample

ROOT = Path(__file__).parents[2]
RUNNER = "notary/api/static/verifier/cli.mjs"
SLOW = 2.0  # seconds


def by_python(data: bytes, sample: Sample, answers: Sequence[BlockAnswer] = ()) -> dict[str, Any]:
    """The result, or that there is none since this is no evidence; any other exception is a crash."""
    stream = io.BytesIO(data)
    if not stands_alone(stream):
        return {"error": "NoEvidence"}
    try:
        package = read_evidence(stream)
    except EvidenceError as error:
        return vector(unreadable(error).to_json())
    return vector(verify(package, with_answers(sample.trust, answers), None).to_json())


def vector(result: dict[str, Any]) -> dict[str, Any]:
    """A result without its sentences."""
    words = {"sentence", "detail"}
    checks = [{key: check[key] for key in check if key not in words} for check in result["checks"]]
    return {**result, "checks": checks}


def failed(result: dict[str, Any]) -> set[str]:
    """Ids of the checks that failed."""
    return {check["id"] for check in result.get("checks", ()) if check["outcome"] == "failed"}


class Lines(AbstractContextManager["Lines"]):
    """A verifier in a process of its own, which answers line by line."""

    def __init__(self, *command: str, **environment: str) -> None:
        shared = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=shared if os.access(shared, os.W_OK) else None))
        self.trusts: dict[str, str] = {}
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=os.environ | environment,
        )

    def __exit__(self, *_: object) -> None:
        self.child.__exit__(None, None, None)  # closes its pipes, at which it ends
        shutil.rmtree(self.folder)

    def ask(
        self, data: bytes, sample: Sample, answers: Sequence[BlockAnswer] = (), **beside: bytes
    ) -> dict[str, Any]:
        """Its answer without sentences; AssertionError where it has ended. `beside`: `statement`, `proof`."""
        path = self.trusts.setdefault(sample.trust_text, str(self.folder / f"{len(self.trusts)}.toml"))
        if not Path(path).exists():
            Path(path).write_text(sample.trust_text)
        package = self.folder / "p.zip"
        package.write_bytes(data)
        request: dict[str, Any] = {"package": str(package), "trust": path, "document": None}
        if answers:
            request["answers"] = [
                {
                    "chainId": answer.chain_id,
                    "number": answer.number,
                    "hash": answer.hash and answer.hash.hex(),
                    "source": answer.source,
                    "trouble": answer.trouble,
                }
                for answer in answers
            ]
        for name, content in beside.items():
            (self.folder / name).write_bytes(content)
            request[name] = str(self.folder / name)
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(json.dumps(request) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        assert line, "the verifier has ended"
        answer: dict[str, Any] = json.loads(line)
        return vector(answer) if "checks" in answer else {"error": answer["error"]}


class JavaScript(Lines):
    """The JavaScript verifier under Node, of this tree or of a copy."""

    def __init__(self, tree: Path = ROOT) -> None:
        super().__init__("node", str(tree / RUNNER), "--lines")


class OtherPython(Lines):
    """The Python verifier of a copy of this tree."""

    def __init__(self, tree: Path) -> None:
        lines = str(ROOT / "tests/fuzz/python_lines.py")
        super().__init__(
            sys.executable, "-W", "ignore", lines, PYTHONPATH=str(tree), PYTHONDONTWRITEBYTECODE="1"
        )


def timed(ask, *arguments):
    """An answer, and the seconds of the wall that it took; where these are too many, those of a second time, if fewer.

    The machine may have been busy with something else; what takes long by itself takes long again.
    """
    answer, seconds = _timed(ask, *arguments)
    if seconds > SLOW:
        answer, again = _timed(ask, *arguments)
        seconds = min(seconds, again)
    return answer, seconds


def _timed(ask, *arguments):
    begun = time.monotonic()
    answer = ask(*arguments)
    return answer, time.monotonic() - begun
