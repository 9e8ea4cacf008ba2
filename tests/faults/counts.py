"""What the fault tests have counted, in a JSON file: by what was done, the sum of each figure.

NOTARY_FAULTS_COUNTS names the file; without it nothing is written.
"""

import fcntl
import json
import os
from pathlib import Path


def count(what: str, **figures: int) -> None:
    """Add figures to those of `what`; safe for several processes."""
    name = os.environ.get("NOTARY_FAULTS_COUNTS")
    if not name:
        return
    with Path(name).open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        counts = json.loads(file.read() or "{}")
        known = counts.setdefault(what, {})
        for figure, value in figures.items():
            known[figure] = known.get(figure, 0) + value
        file.truncate(0)
        file.write(json.dumps(counts, indent=2, sort_keys=True) + "\n")
