"""Refuse files that name a package registry's host or a folder of somebody's machine.

Locks must work with any mirror, and the project with any checkout; both names get in by accident, from a tool's
output or a pasted path. Looks at the files named, or at all that git knows.
"""

import re
import subprocess
import sys
from pathlib import Path

# Written so that no pattern matches itself.
REGISTRIES = r"""
    pypi[.]org | pythonhosted[.]org | npmjs[.](?:org|com) | npmmirror[.]com | yarnpkg[.]com | crates[.]io
    | proxy[.]golang[.]org | maven[.](?:org|apache[.]org) | deb[.]debian[.]org | pypi[.]tuna | mirrors[.][a-z]+[.]com
"""
# A path begins where a path can begin, so that a URL or a folder of ours is not one.
FOLDERS = r"""
    (?: ^ | [\s"'=:(\[,`] | file:// ) / (?: root | work | home/[a-z][\w-]* | Users/[A-Za-z][\w-]* ) (?: / | \b )
"""
NAMES = re.compile(f"{REGISTRIES} | {FOLDERS}", re.VERBOSE | re.MULTILINE)


def tracked() -> list[Path]:
    """Every file that is in git or would be, as `git add` sees it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and Path(name).is_file()]


def findings(path: Path) -> list[str]:
    """One line for each such name in a text file; none for a binary one."""
    data = path.read_bytes()
    if b"\0" in data:
        return []
    text = data.decode("utf-8", "replace")
    return [
        f"{path}:{text.count(chr(10), 0, m.end()) + 1}: {m.group().strip()}" for m in NAMES.finditer(text)
    ]


def main() -> int:
    """Print the findings; 1 when there are any."""
    paths = [Path(name) for name in sys.argv[1:]] or tracked()
    found = [line for path in paths for line in findings(path)]
    print("\n".join(found) or f"{len(paths)} files name no registry and no machine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
