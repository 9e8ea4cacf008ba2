"""What version 2 of an inspection says beyond version 1, in rows: revisions, and more of each signature."""

from typing import Any

from notary.report.found import InspectionFact, SignatureFact
from notary.report.phrases import Pair, cut, joined, known, phrase, same


def revision_rows(found: InspectionFact) -> list[dict[str, Any]]:
    """Each revision with its length, its digest, and who signed in it; a second row of one has a line end more."""
    return [
        {
            "number": str(row.number),
            "length": f"{row.length:,}",
            "sha256": row.sha256 or "",
            "changed": _changed(found, row.number),
        }
        for row in found.revisions
    ]


def signature_rows(item: SignatureFact) -> list[dict[str, Pair]]:
    """What the signer allows, the certificates above his, and the words of the standards; [] in version 1."""
    more = item.particulars
    if more is None:
        return []
    nothing = phrase("signature.not_stated")
    above = more.chain[1:]  # the signer's own is printed
    word = " ".join(filter(None, (more.ades_indication, more.ades_sub_indication)))
    values = {
        "doc_mdp": nothing if more.doc_mdp is None else known("signature.doc_mdp", str(more.doc_mdp)),
        "field_mdp": nothing if more.field_mdp is None else _locked(*more.field_mdp),
        "level": phrase("signature.no_time") if more.level is None else same(more.level),
        "ades": phrase("signature.no_time") if not word else same(word),
        "chain": same(" < ".join(map(cut, above))) if above else phrase("signature.no_time"),
    }
    return [{"label": phrase(f"signature.{name}"), "value": value} for name, value in values.items()]


def removed(found: InspectionFact) -> Pair | None:
    """Signatures that were taken away; None where none was."""
    if not found.removed_fields:
        return None
    return phrase("signature.removed", fields=joined([same(cut(name)) for name in found.removed_fields]))


def _changed(found: InspectionFact, number: int) -> Pair:
    signed = [
        phrase(
            "signature.signed_in",
            field=cut(item.field),
            changes=known("signature.changes", item.changes_after),
        )
        for item in found.signatures
        if item.particulars is not None and item.particulars.revision == number
    ]
    return joined(signed) if signed else phrase("signature.nobody")


def _locked(action: str, names: tuple[str, ...]) -> Pair:
    fields = joined([same(cut(name)) for name in names])
    return known("signature.lock", action, fields=fields)
