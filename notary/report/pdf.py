"""Facts -> PDF/A-3b with typst: the same facts give the same bytes."""

import io
import json
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import segno

from notary.errors import ToolMissing
from notary.report.details import page_two
from notary.report.facts import Facts
from notary.report.glyphs import shown_deep
from notary.report.phrases import LANGUAGES, catalogue
from notary.report.sentences import page_one

FAMILY = "Noto Sans SC"
_WEIGHTS = (400, 700)
_MONO = "DejaVu Sans Mono"  # comes with typst; for digests and commands


def render(facts: Facts, fonts: Path | None = None) -> bytes:
    """The report as PDF/A-3b; the machine-readable check result is attached.

    Args:
        facts: from `facts_of`.
        fonts: folder of the font files; by default the one in this package.

    Raises:
        ToolMissing: a font is not there; names it.
    """
    view = page_one(facts) | page_two(facts)
    view["text"] = {
        section: {key: {lang: catalogue(lang)[section][key] for lang in LANGUAGES} for key in keys}
        for section, keys in catalogue("zh").items()
    }
    inputs = {
        "data": json.dumps(shown_deep(view), ensure_ascii=False, sort_keys=True),
        "qr": _qr(facts.verify_url),
        "result": json.dumps(facts.result.to_json(), ensure_ascii=False, sort_keys=True, indent=1) + "\n",
    }
    # As text, never as markup: typst reads sys_inputs as plain strings.
    return _compile(inputs, int(facts.generated.timestamp()), fonts)


def _compile(inputs: dict[str, str], timestamp: int, fonts: Path | None) -> bytes:
    template = (files("notary.report") / "template.typ").read_bytes()
    import typst  # noqa: PLC0415 - most processes make no report, and have no memory for it

    pdf: bytes = typst.compile(
        template,
        format="pdf",
        pdf_standards="a-3b",
        font_paths=_packaged_fonts() if fonts is None else _load_fonts(fonts),
        ignore_system_fonts=True,
        sys_inputs=inputs,
        timestamp=timestamp,
    )
    return pdf


@cache
def _packaged_fonts() -> Any:
    with as_file(files("notary.report") / "fonts") as folder:
        return _load_fonts(folder)


def _load_fonts(folder: Path) -> Any:
    # Only the files of ours and those inside typst: a font of the machine would change the bytes.
    import typst  # noqa: PLC0415 - as in `_compile`

    loaded = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)])
    found = {(font.family, font.weight) for font in loaded.fonts()}
    for family, weight in [*((FAMILY, weight) for weight in _WEIGHTS), (_MONO, 400)]:
        if (family, weight) not in found:
            raise ToolMissing(f"the font {family!r} of weight {weight} is not in {folder.name}")
    return loaded


def _qr(url: str) -> str:
    if not url:
        return ""
    buffer = io.BytesIO()
    segno.make(url, error="m", micro=False).save(buffer, kind="svg", border=2, xmldecl=False, svgclass=None)
    return buffer.getvalue().decode("ascii")
