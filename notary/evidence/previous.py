"""Check 9.3: the statements that this one follows, back to the first, or to where the package cuts them off."""

from collections.abc import Sequence

from notary.errors import FormatError, ProofError
from notary.evidence.collect import Collector
from notary.evidence.commitments import check_openings, parse_openings
from notary.evidence.head import Head
from notary.evidence.heads import check_inclusion_file
from notary.evidence.note import Verifier
from notary.evidence.outcome import Claim
from notary.evidence.package import Package
from notary.evidence.statement import Statement, entry_of, parse_statement

MAX_PREVIOUS = 64
_FOLDER = "previous/"


def check_previous(
    out: Collector, package: Package, statement: Statement, heads: list[Head], keys: Sequence[Verifier]
) -> None:
    """Check the chain, where there is one: a statement that follows another is cut off where the package holds none."""
    count = len({name.split("/")[1] for name in package.files if name.startswith(_FOLDER)})
    if not count and statement.previous is None:
        return
    if not heads:
        out.unchecked("9.3", Claim.NOT_COVERED, detail="no checked head of the log includes anything")
        return
    with out.check("9.3", Claim.RECOMPUTED) as done:
        following, included = statement, True
        for number in range(1, count + 1):
            following, found = _step(package, number, following, heads, keys)
            included = included and found
        if not included:
            done.skip = "the head that may include one of the statements did not pass its own checks"
        elif following.previous is not None:
            done.skip = f"of {count} statements back, cut before entry {following.previous.hex()}"
        done.detail = f"complete: {count} statements back to the first, record {following.number}"


def _step(
    package: Package, number: int, following: Statement, heads: list[Head], keys: Sequence[Verifier]
) -> tuple[Statement, bool]:
    """The statement `number` back, which `following` names, and whether a head that passed includes it."""
    folder = f"{_FOLDER}{number}/"
    data = package.files.get(f"{folder}statement.json")
    if data is None:
        raise FormatError(f"there is no {folder}statement.json")
    if entry_of(data) != following.previous:
        raise ProofError(f"{folder}statement.json is not what the statement before it in the package follows")
    statement = parse_statement(data)
    if statement.log != following.log:
        raise FormatError(f"{folder}statement.json is of log {statement.log!r}, not of {following.log!r}")
    opened = package.files.get(f"{folder}openings.json")
    if opened is not None:
        check_openings(parse_openings(opened), statement.commitments)
    proof = package.files.get(f"{folder}inclusion.tlog-proof")
    if proof is None:
        raise FormatError(f"{folder}statement.json is not shown to be in the log")
    found = check_inclusion_file(proof, entry_of(data), heads, keys)
    if not found and len(heads) == len(package.sizes()):
        raise FormatError(f"{folder}statement.json is under no checkpoint of this package")
    return statement, found
