"""The compiled anchoring contract (`contracts_solidity/`), for those who call it and those who only name its code."""

import json
from importlib import resources
from typing import Any

from notary.evidence.keccak import keccak256

_ARTIFACT: dict[str, Any] = json.loads(
    (resources.files("notary.anchoring") / "artifact" / "CheckpointAnchor.json").read_text("utf-8")
)
CODE = bytes.fromhex(_ARTIFACT["deployedBytecode"][2:])
CODE_HASH = keccak256(CODE)  # what a trust file names
CREATION = bytes.fromhex(_ARTIFACT["bytecode"][2:])
# Names of its errors, by the first four bytes of what a call that fails returns.
ERRORS = {
    keccak256(f"{item['name']}({','.join(i['type'] for i in item['inputs'])})".encode())[:4].hex(): item[
        "name"
    ]
    for item in _ARTIFACT["abi"]
    if item["type"] == "error"
}
