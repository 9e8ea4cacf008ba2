"""The Python verifier, asked in lines as its twin is: {"package": path, "trust": path} on each, a result on each."""

import json
import sys
from pathlib import Path

from notary.errors import EvidenceError
from notary.evidence.incoming import read_evidence, stands_alone
from notary.evidence.trust import parse_trust
from notary.evidence.verify import unreadable, verify


def answer(package: str, trust: str) -> dict:
    """What `notary verify --json` says, or that this is no evidence."""
    with Path(package).open("rb") as stream:
        if not stands_alone(stream):
            return {"error": "NoEvidence"}
        try:
            found = read_evidence(stream)
        except EvidenceError as error:
            return unreadable(error).to_json()
    return verify(found, parse_trust(Path(trust).read_bytes())).to_json()


for line in sys.stdin:
    asked = json.loads(line)
    try:
        said = answer(asked["package"], asked["trust"])
    except Exception as error:  # noqa: BLE001 - of a verifier with a bug, this too is an answer
        said = {"error": type(error).__name__}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
