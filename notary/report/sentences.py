"""Facts -> what stands on page 1, in sentences and rows; `details` makes the pages behind it."""

from typing import Any

from notary.evidence.digests import ALGORITHMS
from notary.evidence.number import show_number
from notary.evidence.outcome import Bound, Claim, Outcome, by_source, earliest_of_sources
from notary.report.facts import DocumentFact, Facts
from notary.report.phrases import (
    Pair,
    beijing,
    both_times,
    check_name,
    check_sentence,
    cut,
    joined,
    known,
    phrase,
    same,
    utc,
)

Row = tuple[Pair, Pair]
_BOUNDS_ON_PAGE = 4


def page_one(facts: Facts) -> dict[str, Any]:
    """Everything on page 1, as JSON: pairs of sentences, rows, and the positions of the time line."""
    return {
        "number": show_number(facts.number),
        "operator": cut(facts.operator),
        "generated": both_times(facts.generated),
        "demo": facts.proves_nothing,
        "outcome": {"word": phrase(f"outcome.{facts.result.outcome}"), "mark": facts.result.outcome.value},
        "conclusion": conclusion(facts),
        "missing": missing(facts),
        "has-document": facts.document is not None,
        "document": document_rows(facts),
        "timeline": timeline(facts),
        "bounds": [bound_row(number, bound) for number, bound in shown_bounds(facts)],
        "bounds_more": len(facts.attested) - len(shown_bounds(facts)),
        "no-bounds": phrase("time.withheld" if facts.result.outcome is Outcome.FAILED else "bound.none"),
        "classes": class_rows(facts),
        "limits": [
            phrase(f"limits.{key}") for key in ("content", "identity", "first", "assumptions", "nature")
        ],
        "url": facts.verify_url,
    }


def conclusion(facts: Facts) -> list[Pair]:
    """What was found, in full sentences; only what passed is said to be so."""
    said: list[Pair] = []
    failures = facts.result.failures()
    if failures:
        names = joined([check_name(id_) for id_ in dict.fromkeys(check.id for check in failures)])
        said.append(phrase("conclusion.failures", count=len(failures), names=names))
    if facts.document is not None:
        about = {Outcome.PASSED: "equal", Outcome.FAILED: "differs"}.get(
            facts.outcome_of("2.3") or Outcome.UNCHECKED, "absent"
        )
        said.append(phrase(f"conclusion.document_{about}"))
    elif facts.kind:
        said.append(phrase("conclusion.no_document"))
    if _in_log(facts) is Outcome.PASSED and facts.result.index is not None:
        said.append(phrase("conclusion.in_log", index=facts.result.index))
    return said + times(facts)


def times(facts: Facts) -> list[Pair]:
    """T and the not-before block, where the outcome is passed; after a failure, that no times are shown."""
    if facts.result.outcome is Outcome.FAILED:
        return [phrase("time.withheld")]
    said: list[Pair] = []
    if facts.result.interval is not None and facts.existed_by is not None:
        key = "conclusion.time" if facts.document is not None else "conclusion.time_of_record"
        by = both_times(facts.existed_by, up=True)
        said.append(_of_sources(key, facts.result.interval.sources_needed, time=by))
    if facts.made_after is not None:
        said.append(phrase("conclusion.after", time=both_times(facts.made_after)))
    return said


def missing(facts: Facts) -> list[Pair]:
    """What is still due, one sentence for each required check that was not made; () after a failure."""
    if facts.result.outcome is not Outcome.UNCHECKED:
        return []
    said = [check_sentence(id_, Outcome.UNCHECKED) for id_ in facts.missing]
    interval = facts.result.interval
    if interval is not None and interval.existed_by is None:
        count = len(by_source(interval.bounds))
        said.append(_of_sources("conclusion.missing_bounds", interval.sources_needed, count=count))
    return said


def document_rows(facts: Facts) -> list[dict[str, Any]]:
    """Label and value; `mono` for digests."""
    if facts.document is not None:
        rows = _document(facts.document)
    else:
        rows = [_row(phrase("document.kind"), known("document.kind", facts.kind))]
    rows += [
        _row(phrase("document.computed", name=_algorithm(name)), same(digest), mono=True)
        for name, digest in facts.computed
        if facts.document is None or (name, digest) not in facts.document.digests
    ]
    if facts.log:
        rows.append(_row(phrase("document.log"), same(facts.log)))
    if facts.result.entry:
        rows.append(_row(phrase("document.entry"), same(facts.result.entry), mono=True))
    if facts.claimed_time:
        rows.append(
            _row(
                phrase("document.claimed_time"),
                phrase("document.claimed_time_value", time=facts.claimed_time),
            )
        )
    return rows


def timeline(facts: Facts) -> dict[str, Any]:
    """Marks in order of time: their kind, label and times. Positions are even: the drawing is not to scale."""
    interval = facts.result.interval
    k = 0 if interval is None else interval.sources_needed
    after, by = facts.made_after, facts.existed_by
    rule = _of_sources("time.rule", k) if k else None
    marks = [
        {"number": str(number), "is_t": bound == t_bound(facts), "utc": utc(bound.not_after, up=True)}
        for number, bound in shown_bounds(facts)
    ]
    return {
        "after": None if after is None else {"utc": utc(after), "beijing": beijing(after)},
        "after_block": "" if interval is None or after is None else interval.made_after_block,
        "by": None if by is None else {"utc": utc(by, up=True), "beijing": beijing(by, up=True)},
        "marks": marks,
        "rule": phrase("time.withheld") if facts.result.outcome is Outcome.FAILED else rule,
    }


def t_bound(facts: Facts) -> Bound | None:
    """The bound that is T, the k-th earliest of independent sources."""
    return next(
        (bound for bound in earliest_of_sources(facts.attested) if bound.not_after == facts.existed_by), None
    )


def shown_bounds(facts: Facts) -> list[tuple[int, Bound]]:
    """At most four bounds for page 1, numbered: the earliest of each source as T counts them, and T among them."""
    rows, t = earliest_of_sources(facts.attested), t_bound(facts)
    chosen = rows[:_BOUNDS_ON_PAGE]
    if t is not None and t not in chosen:
        chosen[-1] = t
    return [(facts.bounds.index(bound) + 1, bound) for bound in chosen]


def bound_row(number: int, bound: Bound) -> dict[str, Any]:
    """One line of the table of attestations."""
    return {
        "number": str(number),
        "kind": phrase(f"bound.{bound.kind}"),
        "source": cut(bound.source),
        "organisation": cut(bound.organisation),
        "utc": utc(bound.not_after, up=True),
        "beijing": beijing(bound.not_after, up=True),
        "size": str(bound.size),
    }


def class_rows(facts: Facts) -> list[dict[str, Any]]:
    """Each finding, its outcome, and on whose word it stands."""
    existed, made = facts.outcome_of("8.1"), facts.outcome_of("7.2") or Outcome.UNCHECKED
    # A time that is not shown was not found.
    if existed is Outcome.PASSED and facts.existed_by is None:
        existed = Outcome.UNCHECKED
    if made is Outcome.PASSED and facts.made_after is None:
        made = Outcome.UNCHECKED
    rows: list[tuple[str, Outcome | None, Claim]] = [
        ("document", facts.outcome_of("2.3"), Claim.RECOMPUTED),
        ("log", _in_log(facts), Claim.RECOMPUTED),
        ("existed", existed, Claim.ATTESTED),
        ("made", made, Claim.ATTESTED),
        ("stated", None, Claim.STATED),
        ("uncovered", None, Claim.NOT_COVERED),
    ]
    return [
        {
            "what": phrase(f"class.{key}"),
            "mark": "none" if outcome is None else outcome.value,
            "outcome": phrase(f"mark.{'none' if outcome is None else outcome.value}"),
            # What was not checked rests on nobody's word yet.
            "claim": phrase(f"claim.{Claim.NOT_COVERED if outcome is Outcome.UNCHECKED else claim}"),
        }
        for key, outcome, claim in rows
    ]


def _of_sources(key: str, k: int, **values: Any) -> Pair:
    """A sentence on `k` sources; one source is not independent of others."""
    return phrase(f"{key}_one" if k == 1 else key, k=k, **values)


def _document(document: DocumentFact) -> list[dict[str, Any]]:
    name = (
        phrase("document.unnamed")
        if document.name is None
        else phrase("document.as_submitted", name=cut(document.name))
    )
    size = phrase("document.unknown")
    if document.size is not None:
        size = phrase("document.bytes", size=f"{document.size:,}")
    media = phrase("document.unknown") if document.media_type is None else same(document.media_type)
    return [
        _row(phrase("document.name"), name),
        _row(phrase("document.size"), {lang: f"{size[lang]} / {media[lang]}" for lang in size}),
        _row(phrase("document.submitted"), phrase("document.seen" if document.seen else "document.unseen")),
        *(_row(same(_algorithm(name)), same(digest), mono=True) for name, digest in document.digests),
        *(
            _row(phrase("document.claimed", name=_algorithm(name)), same(digest), mono=True)
            for name, digest in document.claimed
        ),
    ]


def _row(label: Pair, value: Pair, *, mono: bool = False) -> dict[str, Any]:
    return {"label": label, "value": value, "mono": mono}


def _algorithm(name: str) -> str:
    return name.upper() if name in ALGORITHMS else cut(name)


def _in_log(facts: Facts) -> Outcome | None:
    """In this log (2.2, 3.1, 3.2), and unchanged: of a log that was rewritten (3.3) nobody can say so."""
    found = {facts.outcome_of("3.1"), facts.outcome_of("3.2")}
    if Outcome.FAILED in found | {facts.outcome_of("2.2"), facts.outcome_of("3.3")}:
        return Outcome.FAILED
    if found == {Outcome.PASSED}:
        return Outcome.PASSED
    return None if found == {None} else Outcome.UNCHECKED
