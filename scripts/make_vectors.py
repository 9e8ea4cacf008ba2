"""Write the golden vectors of the formats: python scripts/make_vectors.py [FOLDER].

FOLDER is tests/testdata/v1 unless another is named. Running it again changes nothing.
"""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(folder: Path) -> None:
    """Write every file, and say how many."""
    sys.path.insert(0, str(ROOT))  # the log that they are of belongs to the tests
    files: dict[str, bytes] = importlib.import_module("tests.evidence.vectors").make()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(files)} files in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "testdata" / "v1")
