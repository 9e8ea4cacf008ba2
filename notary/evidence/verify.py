"""Verification of a package or proof: numbered checks over values (docs/formats.md §12).

Trust comes from the trust file alone. Every check recomputes; whatever goes wrong inside one is that check's
failure and never an exception to the caller. What is missing is *could not be checked*, never passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from notary.errors import EvidenceError, FormatError
from notary.evidence.bodies import Document
from notary.evidence.collect import Collector
from notary.evidence.commitments import check_openings, parse_openings
from notary.evidence.extension import check_extension
from notary.evidence.head import Head
from notary.evidence.heads import COSE, check_heads, check_inclusion_file
from notary.evidence.incident import check_incident_file
from notary.evidence.note import Verifier
from notary.evidence.outcome import Check, Claim, Interval, Outcome, Report, kth_bound, place_of
from notary.evidence.package import Digests, Package
from notary.evidence.package_names import FRAME, OPENINGS, STATEMENT, unread
from notary.evidence.previous import check_previous
from notary.evidence.promise import check_receipt_file
from notary.evidence.statement import Statement, entry_of, parse_statement, statement_json
from notary.evidence.trust import Trust

_ALWAYS = frozenset({"1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "8.1"})
_WITH_DOCUMENT = frozenset({"2.3"})


@dataclass(frozen=True, slots=True)
class _Opened:
    statement: Statement
    entry: bytes
    openings: dict[str, Any]
    withheld: int


def verify(package: Package, trust: Trust | None, document: Digests | None = None) -> Report:
    """Check a package.

    Args:
        package: from `read_package`, or made of another export by `notary.evidence.exports`.
        trust: the verifier's own; without it only what needs no trust is checked.
        document: digests of the document that the verifier holds; it counts before the one in the package.
    """
    out = Collector()
    count = len(package.files) + (package.document is not None) + len(FRAME)
    listed = "; ".join(
        filter(None, (f"{count} files; each is as the manifests list it", unread(package.files)))
    )
    beside = any(name.endswith(f"/{COSE}") for name in package.files)
    carried = "a receipt, and the statement beside it" if beside else "a proof that carries its statement"
    read = carried if package.is_proof else listed
    out.passed("1.1", Claim.RECOMPUTED, detail=read)
    if trust is None:
        out.unchecked("1.2", Claim.NOT_COVERED, detail="no trust file was given")
    else:
        tests = ", for tests only: it says that its anchors prove nothing" if trust.test_only else ""
        out.passed("1.2", Claim.RECOMPUTED, detail=f"trust file for log {trust.origin}{tests}")
    opened = _check_statement(out, package)
    test_only = trust is not None and trust.test_only
    if opened is None:
        return Report(tuple(out.checks), required=_ALWAYS, test_only=test_only)
    _check_document(out, opened.statement, package.document, document)
    heads, interval = _check_log(out, package, trust, opened)
    keys = [] if trust is None else [key.verifier for key in trust.log_keys]
    _check_inspection(out, package, heads, opened, keys)
    check_incident_file(out, package, opened.entry, heads, keys)
    check_previous(out, package, opened.statement, heads, keys)
    index = heads[0].index if heads else None
    required = _ALWAYS | (_WITH_DOCUMENT if isinstance(opened.statement.body, Document) else frozenset())
    return Report(
        checks=tuple(out.checks),
        interval=interval,
        statement=statement_json(opened.statement),
        entry=opened.entry.hex(),
        index=index,
        openings=opened.openings,
        withheld=opened.withheld,
        required=required,
        test_only=test_only,
        blocks=tuple(out.blocks),
    )


def unreadable(error: EvidenceError) -> Report:
    """The report on evidence that could not even be read: check 1.1 failed."""
    return Report((Check("1.1", Outcome.FAILED, Claim.RECOMPUTED, "", str(error)),), required=_ALWAYS)


def _check_statement(out: Collector, package: Package) -> _Opened | None:
    data = package.files.get(STATEMENT)
    if data is None:
        out.failed("2.1", Claim.RECOMPUTED, detail="the package has no data/statement.json")
        return None
    with out.check("2.1", Claim.RECOMPUTED) as done:
        statement = parse_statement(data)
        done.detail = f"a {statement.type} statement, entry {entry_of(data).hex()}"
    if not done.ok:
        return None
    openings: dict[str, Any] = {}
    if OPENINGS in package.files:
        with out.check("2.4", Claim.STATED) as done:
            openings = check_openings(parse_openings(package.files[OPENINGS]), statement.commitments)
            done.detail = f"opened: {', '.join(sorted(openings)) or 'nothing'}"
    return _Opened(statement, entry_of(data), openings, statement.commitments.count - len(openings))


def _check_document(
    out: Collector, statement: Statement, packed: Digests | None, given: Digests | None
) -> None:
    body = statement.body
    found = [(name, digests) for name, digests in (("given", given), ("packaged", packed)) if digests]
    if not isinstance(body, Document):
        for name, _ in found:
            out.failed(
                "2.3", Claim.RECOMPUTED, name, f"the statement is of type {statement.type}: no document"
            )
        return
    if not found:
        out.unchecked("2.3", Claim.NOT_COVERED, detail="no document was given and the package holds none")
    for name, digests in found:
        with out.check("2.3", Claim.RECOMPUTED, name) as done:
            _compare(body, digests)
            done.detail = (
                f"all {len(body.digests) + len(body.claimed)} digests are equal; {digests.size} bytes"
            )


def _compare(body: Document, digests: Digests) -> None:
    for name, digest in (body.digests | body.claimed).items():
        if digests.values[name] != digest:
            raise FormatError(
                f"the {name} of the document is {digests.values[name]}, the statement says {digest}"
            )
    if body.size is not None and body.size != digests.size:
        raise FormatError(f"the document has {digests.size} bytes, the statement says {body.size}")


def _check_log(
    out: Collector, package: Package, trust: Trust | None, opened: _Opened
) -> tuple[list[Head], Interval | None]:
    if trust is None:
        for id_ in ("2.2", "3.1", "3.2", "8.1"):
            out.unchecked(id_, Claim.NOT_COVERED, detail="needs a trust file")
        return [], None
    with out.check("2.2", Claim.RECOMPUTED) as done:
        if opened.statement.log != trust.origin:
            raise FormatError(
                f"the statement is for log {opened.statement.log}, the trust file for {trust.origin}"
            )
        done.detail = opened.statement.log
    heads = check_heads(out, package, trust, opened.statement, opened.entry)
    check_extension(out, package, opened.entry, heads)
    check_receipt_file(out, package, trust, opened.entry, heads)
    return heads, _check_time(out, trust, heads)


def _check_time(out: Collector, trust: Trust, heads: list[Head]) -> Interval:
    bounds = tuple(sorted((bound for head in heads for bound in head.bounds), key=place_of))
    by = kth_bound(bounds, trust.k)
    after = next((head.made_after for head in heads if head.made_after), None)
    # The block's hash is in the statement: whoever attests the statement earlier than the block says what is false,
    # and may not be counted among the sources of T either.
    # Of a token that bounds nothing no accuracy makes it true, where the largest does not.
    said_by = [(bound.source, bound.not_after) for bound in bounds]
    said_by += [undated for head in heads for undated in head.undated]
    false = [(source, moment) for source, moment in said_by if after and moment < after[0]]
    if after and false:
        said = ", ".join(f"{source} by {moment}" for source, moment in false)
        out.failed(
            "8.1",
            Claim.ATTESTED,
            detail=f"made after {after[0]}, but attested: {said}; the bounds contradict",
        )
    elif by is None:
        out.unchecked(
            "8.1", Claim.NOT_COVERED, detail=f"fewer than {trust.k} independent sources bound the time"
        )
    else:
        out.passed(
            "8.1", Claim.ATTESTED, detail=f"existed by {by}, on the word of {trust.k} independent sources"
        )
    return Interval(
        made_after=after[0] if after else None,
        made_after_block=after[1] if after else "",
        existed_by=by,
        sources_needed=trust.k,
        bounds=bounds,
    )


def _check_inspection(
    out: Collector, package: Package, heads: list[Head], opened: _Opened, keys: Sequence[Verifier]
) -> None:
    data = package.files.get("inspection/statement.json")
    if data is None:
        return
    if not heads:
        out.unchecked("9.1", Claim.NOT_COVERED, detail="no checked head of the log includes anything")
        return
    with out.check("9.1", Claim.STATED) as done:
        statement = parse_statement(data)
        if statement.type != "inspection" or statement.previous != opened.entry:
            raise FormatError("the inspection does not follow this document")
        proof = package.files.get("inspection/inclusion.tlog-proof")
        if proof is None or not check_inclusion_file(proof, entry_of(data), heads, keys):
            if proof is None or len(heads) == len(package.sizes()):
                raise FormatError(
                    "the inspection is not shown to be in the log under a checkpoint of this package"
                )
            done.skip = "the head that may include the inspection did not pass its own checks"
            return
        if "inspection/openings.json" in package.files:
            found = check_openings(
                parse_openings(package.files["inspection/openings.json"]), statement.commitments
            )
            if found.keys() & opened.openings.keys():
                raise FormatError("the inspection opens a name that the document's statement opens too")
            if found.keys() - {"inspection"}:  # the document's own words are for its own statement to open
                raise FormatError("the inspection opens something else than 'inspection'")
            opened.openings.update(found)
        done.detail = "the operator's inspection is an entry of the log and follows this document"
