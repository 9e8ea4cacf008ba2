"""Write `tools/verify.html` of a package: the modules of the verifier in one file that needs nothing beside it.

A page from a disk may load no modules, so each becomes a function that gives what it exports, in the order in which
they need each other. The same modules give the same bytes.

    python scripts/make_verify_page.py [OUT]
"""

import base64
import re
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "notary/api/static/verifier"
OUT = ROOT / "notary/services/package_tools/verify.html"

# Written at the beginning of a line, as all our modules do it.
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:(?:async )?function|class|const) (\w+)", re.MULTILINE)
EXPORT_LIST = re.compile(r"^export \{([\w, ]*)\};\n", re.MULTILINE)
LEFT_OVER = re.compile(r"^[ \t]*(?:import|export)\b(?!\w)|\bimport\s*\(|</script|<!--", re.MULTILINE)

PAGE = """\
<!DOCTYPE html>
<html lang="zh-Hans">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>notary verify</title>
<style>{style}</style>
</head>
<body>
<noscript>请启用 JavaScript。 / Please enable JavaScript.</noscript>
<script type="module">{script}</script>
</body>
</html>
"""
# Nothing is loaded and nothing is sent, but to a node of the chain whose address the reader typed.
POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; "
    "connect-src https: http://localhost:* http://127.0.0.1:*; base-uri 'none'; form-action 'none'"
)


def ordered(start: Path) -> list[Path]:
    """`start` and all that it needs, each behind what it needs itself.

    Raises:
        ValueError: two modules need each other.
    """
    done: list[Path] = []
    under_way: list[Path] = []

    def visit(path: Path) -> None:
        if path in done:
            return
        if path in under_way:
            raise ValueError(f"{path.name} needs itself")
        under_way.append(path)
        for _, name in IMPORT.findall(path.read_text(encoding="utf-8")):
            visit((path.parent / name).resolve())
        under_way.remove(path)
        done.append(path)

    visit(start.resolve())
    return done


def variable(path: Path, base: Path) -> str:
    """The name that stands for a module: `page/main.js` is `$page_main`."""
    return "$" + re.sub(r"\W", "_", path.relative_to(base).with_suffix("").as_posix())


def wrapped(path: Path, base: Path) -> str:
    """A module as a function that is called at once and gives an object of its exports.

    Raises:
        ValueError: it imports or exports in a way that is not known here.
    """
    text = path.read_text(encoding="utf-8")

    def taken(match: re.Match[str]) -> str:
        names = re.sub(r"\b(\w+) as (\w+)\b", r"\1: \2", match[1])
        return f"const {{{names}}} = {variable((path.parent / match[2]).resolve(), base)};\n"

    listed = [name for names in EXPORT_LIST.findall(text) for name in re.findall(r"\w+", names)]
    exported = EXPORT.findall(text) + listed
    text = EXPORT_LIST.sub("", IMPORT.sub(taken, text))
    text = EXPORT.sub(lambda match: match[0].removeprefix("export "), text)
    if found := LEFT_OVER.search(text):
        raise ValueError(f"{path.name}: {found[0]!r} is not known here")
    return f"const {variable(path, base)} = (() => {{\n{text}return {{ {', '.join(exported)} }};\n}})();\n"


def make_page(modules: Path = MODULES) -> bytes:
    """The page as one file, UTF-8."""
    base = modules.resolve()
    script = "\n" + "".join(wrapped(path, base) for path in ordered(base / "page/main.js"))
    style = (base / "page/style.css").read_text(encoding="utf-8")
    policy = POLICY.format(script=_hash(script), style=_hash(style))
    return PAGE.format(policy=policy, style=style, script=script).encode()


def _hash(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else OUT).write_bytes(make_page())
