"""Make the report's two font files from the npm package that has them as web fonts.

Usage: make_font.py [PACKAGE.tgz]

The base is the package's simplified Chinese set; the rest of GB 2312 and the signs that the report draws come
from its numbered slices, which are cut from the same font. Kana and Japanese forms are left out, so that each
file stays small. The same package gives the same bytes.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

VERSION = "5.3.0"
PACKAGE = f"@fontsource/noto-sans-sc@{VERSION}"
PACKAGE_SHA256 = "05a7abac78a6cac4bd1361e7b24c680ee820fcc2f22cf5cc92673f4cd12771c5"
FAMILY = "Noto Sans SC"
WEIGHTS = {400: "Regular", 700: "Bold"}
FONTS = Path(__file__).resolve().parents[1] / "notary" / "report" / "fonts"
_KANA = range(0x3040, 0x3130)
_BOXES = range(0x2500, 0x2580)
_DROPPED = ["vhea", "vmtx", "BASE", "STAT", "gasp", "GDEF", "DSIG"]


def main() -> None:
    """Write both files, the characters that they cover, and the licence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else _download(Path(folder))
        data = path.read_bytes()
    if (digest := hashlib.sha256(data).hexdigest()) != PACKAGE_SHA256:
        sys.exit(f"{path.name} has SHA-256 {digest}, not {PACKAGE_SHA256}")
    FONTS.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as package:
        members = {member.name: member for member in package.getmembers()}

        def read(name: str) -> bytes:
            file = package.extractfile(members[name])
            assert file is not None
            return file.read()

        copyright_line, covered = "", set(range(0x110000))
        for weight, style in WEIGHTS.items():
            font = _make(weight, style, sorted(members), read)
            copyright_line = font["name"].getDebugName(0)
            covered &= set(font.getBestCmap())
            target = FONTS / f"NotoSansSC-{style}.ttf"
            font.save(target)
            print(hashlib.sha256(target.read_bytes()).hexdigest(), target.stat().st_size, target.name)
        licence = read("package/LICENSE").decode().replace("\r\n", "\n").split("\n", 1)[1]
        (FONTS / "coverage.txt").write_text(_ranges(covered), encoding="ascii")
        (FONTS / "OFL.txt").write_text(f"{copyright_line}\n{licence}", encoding="utf-8")


def _download(folder: Path) -> Path:
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.tgz"))


def _make(weight: int, style: str, names: list[str], read: Callable[[str], bytes]) -> Any:
    def load(name: str) -> Any:
        return TTFont(io.BytesIO(read(name)), recalcTimestamp=False)

    wanted = _wanted()
    font = load(f"package/files/noto-sans-sc-chinese-simplified-{weight}-normal.woff2")
    font.flavor = None
    keep = {code for code in font.getBestCmap() if not _japanese(code)}
    for name in names:
        if name.startswith("package/files/") and name.endswith(f"-{weight}-normal.woff2"):
            _add(font, load(name), wanted - keep)
            keep |= set(font.getBestCmap()) & wanted
    options = Options(
        layout_features=["kern"], drop_tables=_DROPPED, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], hinting=False
    )
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=keep)
    subsetter.subset(font)
    _rename(font, style)
    return font


def _add(font: Any, slice_: Any, wanted: set[int]) -> None:
    """Copy the outlines of `wanted` that `slice_` has and `font` lacks."""
    glyphs, source = slice_.getGlyphSet(), slice_.getBestCmap()
    for code in sorted(wanted & set(source) - set(font.getBestCmap())):
        name = f"u{code:05X}"
        recording = DecomposingRecordingPen(glyphs)
        glyphs[source[code]].draw(recording)
        pen = TTGlyphPen(None)
        recording.replay(pen)
        font["glyf"][name] = pen.glyph()  # appends to the glyph order too
        font["hmtx"][name] = slice_["hmtx"][source[code]]
        font["vmtx"][name] = slice_["vmtx"][source[code]]
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[code] = name


def _wanted() -> set[int]:
    """GB 2312 without kana and box drawing, Latin, Greek, Cyrillic and the signs of the report."""
    wanted = {*range(0x20, 0x180), *map(ord, "→←↑↓●○■□▲▼✓✗–—…·①②③④⑤⑥⑦⑧⑨‑‰€−×÷≤≥≠≈")}
    for row in range(0xA1, 0xFA):
        for cell in range(0xA1, 0xFF):
            text = bytes([row, cell]).decode("gb2312", errors="ignore")
            if text and not _japanese(ord(text)) and ord(text) not in _BOXES:
                wanted.add(ord(text))
    return wanted


def _japanese(code: int) -> bool:
    """Kana, and characters that Japanese has while GB 2312 and Big5 have not."""
    if code in _KANA:
        return True
    return _has("shift_jis", code) and not _has("gb2312", code) and not _has("big5", code)


def _has(encoding: str, code: int) -> bool:
    try:
        chr(code).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _ranges(codes: set[int]) -> str:
    """One range of code points a line, in hexadecimal, both ends included."""
    starts = [code for code in sorted(codes) if code - 1 not in codes]
    ends = [code for code in sorted(codes) if code + 1 not in codes]
    return "".join(f"{start:04X}-{end:04X}\n" for start, end in zip(starts, ends, strict=True))


def _rename(font: Any, style: str) -> None:
    """The package calls every weight Thin; name them what they are."""
    names = {1: FAMILY, 2: style, 3: f"{FAMILY} {style}", 4: f"{FAMILY} {style}", 6: f"NotoSansSC-{style}"}
    for identifier, text in names.items():
        font["name"].setName(text, identifier, 3, 1, 0x409)
    font["head"].macStyle = 1 if style == "Bold" else 0
    font["post"].formatType = 3.0


if __name__ == "__main__":
    main()
