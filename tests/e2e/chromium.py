"""The Chromium of the browser tests: unpacked from an npm package that holds it as compressed files.

`npm ci` checks the package against the lock; no script of it is run. It is built for Linux on x86-64. Elsewhere
the variable CHROMIUM names a Chromium or Chrome of yours.
"""

import io
import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

import brotli

HERE = Path(__file__).parent
PACKAGE = HERE / "node_modules/@sparticuz/chromium"
FONTS = HERE.parents[1] / "notary/report/fonts"
# The report's own font shows Chinese where the machine has none.
FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts</dir>
<dir>{fonts}</dir>
<dir>{own}</dir>
<cachedir>{cache}</cachedir>
</fontconfig>
"""


def launch_options() -> dict[str, object]:
    """Arguments for Playwright's `chromium.launch`."""
    if named := os.environ.get("CHROMIUM"):
        return {"executable_path": named}
    assert PACKAGE.is_dir(), "there is no Chromium: run `npm ci --ignore-scripts` in tests/e2e"
    folder = _unpacked()
    libraries = [str(folder / "al2023/lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
    }
    # The sandbox needs rights that containers and root do not have; the pages are our own.
    return {"executable_path": str(folder / "chromium"), "env": environment, "args": ["--no-sandbox"]}


def _unpacked() -> Path:
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    folder = HERE / f"node_modules/.chromium-{version}"
    if not folder.is_dir():
        draft = Path(tempfile.mkdtemp(prefix=".chromium-", dir=folder.parent))
        _unpack(draft, folder)
        try:
            draft.rename(folder)
        except OSError:  # another process of this run was faster
            shutil.rmtree(draft)
    return folder


def _unpack(draft: Path, final: Path) -> None:
    program = draft / "chromium"
    program.write_bytes(_file("chromium.br"))
    program.chmod(0o755)
    for name in ("al2023", "fonts"):
        with tarfile.open(fileobj=io.BytesIO(_file(f"{name}.tar.br"))) as archive:
            archive.extractall(draft / name, filter="data")
    own = FONTCONFIG.format(fonts=FONTS, own=final / "fonts", cache=final / "cache")
    (draft / "fonts.conf").write_text(own)


def _file(name: str) -> bytes:
    data: bytes = brotli.decompress((PACKAGE / "bin" / name).read_bytes())
    return data
