"""The inside of the sandbox: `python -I -c … ROOTS MODULE FD`, started by sandbox.py and by nothing else.

Standard input is the document, descriptor FD the request (JSON), standard output the answer (JSON). Order
matters: limits, then imports, then the filter, and only then is the first byte of the document read.
"""

import os
import sys
from importlib import import_module
from typing import Any

from notary.errors import Unavailable
from notary.evidence import canonical
from notary.intake.inspection import jail

MAX_REQUEST = 4 << 20
NO_SANDBOX = 71  # exit status: the walls do not stand, nothing was read


def main() -> None:
    """Run `MODULE.answer(document, request)` behind the walls and write what it returns."""
    request = _request(int(sys.argv[3]))
    jail.limit(memory=request["memory"], cpu_seconds=request["cpu_seconds"])
    module = import_module(sys.argv[2])
    try:
        jail.lock()
    except Unavailable:
        os._exit(NO_SANDBOX)
    with open(0, "rb", closefd=False) as document:
        _write(canonical.dumps(module.answer(document, request)))
    os._exit(0)  # whatever would still run at exit has no business to


def _request(descriptor: int) -> dict[str, Any]:
    with open(descriptor, "rb") as file:
        request = canonical.loads(file.read(MAX_REQUEST + 1), MAX_REQUEST)
    assert isinstance(request, dict)  # noqa: S101 - written by our own parent
    return request


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]
