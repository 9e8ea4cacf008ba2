"""Which commitments are opened in what a record's holder takes out (docs/formats.md §3)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from notary.errors import RequestError
from notary.evidence.commitments import MAX_COMMITMENTS, NAMES, Opening
from notary.evidence.previous import MAX_PREVIOUS

ALL, NONE = "all", "none"
_EARLIER = re.compile(rf"(?P<back>[1-9][0-9]?)/(?P<name>{'|'.join(NAMES)})")
MAX_WORDS = MAX_COMMITMENTS * 2


@dataclass(slots=True)
class Choice:
    """What is to be opened, and what of it was found.

    Attributes:
        names: of commitments; one of the statement that stands n before this one as `n/name`. None: all there are.
    """

    names: frozenset[str] | None = None
    _found: set[str] = field(default_factory=set)

    def of(self, filed: Iterable[tuple[str, Opening]], back: int = 0) -> tuple[Opening, ...]:
        """Those chosen of the openings that a statement has, which is `back` before the record's own."""
        chosen = []
        for name, opening in filed:
            full = f"{back}/{name}" if back else name
            if self.names is None or full in self.names:
                chosen.append(opening)
                self._found.add(full)
        return tuple(chosen)

    def check(self) -> None:
        """Refuse a name that nothing was opened for.

        Raises:
            RequestError: there is such a name. Why is not told: others' openings are as if they were not there.
        """
        for name in sorted((self.names or frozenset()) - self._found):
            raise RequestError(
                f"there is no opening of {name!r} for you: the record was submitted by another organisation, never "
                "had it, or has it no more"
            )


def chosen(words: Iterable[str], default: str) -> Choice:
    """What is asked for: names, or one of the words `all` and `none`; `default` where nothing is said.

    Args:
        words: each a name, or several with commas between them.
        default: `all` or `none`.

    Raises:
        RequestError: no commitment is called so, or `all` or `none` stands beside a name.
    """
    asked = {part.strip() for word in words for part in word.split(",")} or {default}
    if asked == {ALL}:
        return Choice()
    if asked == {NONE}:
        return Choice(frozenset())
    if len(asked) > MAX_WORDS:
        raise RequestError(f"more than {MAX_WORDS} names to be opened")
    for name in sorted(asked):
        earlier = _EARLIER.fullmatch(name)
        if name not in NAMES and not (earlier and int(earlier["back"]) <= MAX_PREVIOUS):
            raise RequestError(
                f"{name[:40]!r} cannot be opened: use {', '.join(NAMES)}, 1/{NAMES[0]} and so on for the statements "
                "before it, or all or none alone"
            )
    return Choice(frozenset(asked))
