"""Check 9.2: the operator's own word, in the log, that it broke the promise of this record's receipt."""

from collections.abc import Sequence

from notary.errors import FormatError
from notary.evidence.bodies import Incident
from notary.evidence.collect import Collector
from notary.evidence.commitments import check_openings, parse_openings
from notary.evidence.fields import exact_keys, natural, show_moment
from notary.evidence.head import Head
from notary.evidence.heads import check_inclusion_file
from notary.evidence.note import Verifier, parse_note
from notary.evidence.outcome import Claim
from notary.evidence.package import Package
from notary.evidence.proof_file import RECEIPT, parse_proof_file
from notary.evidence.receipt import Promise, check_receipt, parse_promise
from notary.evidence.statement import entry_of, parse_statement

KIND = "promise_broken"
_DETAIL = ("close_by", "closed", "size", "count", "root")


def check_incident_file(
    out: Collector, package: Package, entry: bytes, heads: list[Head], keys: Sequence[Verifier]
) -> None:
    """Check the incident, where the package holds one. It takes nothing from what the record shows."""
    data = package.files.get("incident/statement.json")
    if data is None:
        return
    if not heads:
        out.unchecked("9.2", Claim.NOT_COVERED, detail="no checked head of the log includes anything")
        return
    with out.check("9.2", Claim.STATED) as done:
        statement = parse_statement(data)
        if not isinstance(statement.body, Incident) or statement.body.kind != KIND:
            raise FormatError("the incident is not of a broken promise")
        proof = package.files.get("incident/inclusion.tlog-proof")
        if proof is None or not check_inclusion_file(proof, entry_of(data), heads, keys):
            if proof is None or len(heads) == len(package.sizes()):
                raise FormatError(
                    "the incident is not shown to be in the log under a checkpoint of this package"
                )
            done.skip = "the head that may include the incident did not pass its own checks"
            return
        data = package.files.get("incident/openings.json")
        opened = {} if data is None else check_openings(parse_openings(data), statement.commitments)
        if "detail" not in opened:
            done.skip = "what the incident says of the promise is not opened, and may have been erased"
            return
        promise = _promise(package, entry)
        detail = exact_keys(opened["detail"], _DETAIL, "detail of the incident")
        told = (detail["close_by"], natural(detail["count"], "count of the incident"), detail["root"])
        if told != (show_moment(promise.close_by), promise.count, promise.root.hex()):
            raise FormatError("the incident is of another promise than the receipt's")
        done.detail = (
            f"promised by {detail['close_by']}, closed at {detail['closed']}, by the operator's own word"
        )


def _promise(package: Package, entry: bytes) -> Promise:
    """What the receipt of this entry promises; its signature is for check 4.1."""
    data = package.files.get("receipt.txt")
    if data is None:
        raise FormatError("there is no receipt that the incident could be of")
    file = parse_proof_file(data, RECEIPT)
    promise = parse_promise(parse_note(file.note).text)
    check_receipt(promise, file, entry)
    return promise
