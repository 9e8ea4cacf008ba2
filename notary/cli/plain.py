"""Texts of others as they may stand on a terminal."""

_MAX_SHOWN = 2000  # characters of one detail: evidence may make them as long as it likes


def plain(text: str) -> str:
    """In one line, of bounded length; what does not print, such as signs of direction, as U+XXXX."""
    shown = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in shown)
