"""One signature of a PDF, judged: what is known, what is not, and never more than that."""

import asyncio
import time
from typing import Any

from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from notary.intake.inspection import ades
from notary.intake.inspection.describing import (
    describe_chain,
    describe_coverage,
    describe_dictionary,
    describe_level,
    describe_rules,
    describe_signer,
)
from notary.intake.inspection.finding import File, Finding, nothing_known, unchanged
from notary.intake.inspection.integrity import SUBFILTERS, judge_integrity
from notary.intake.inspection.report import MAX_VALIDATIONS

# In this order: each may rest on what those before it found.
_STEP_NOTES = {
    describe_signer: "signer_not_readable",
    describe_coverage: "coverage_not_readable",
    judge_integrity: "signature_not_checkable",
    describe_rules: "rules_not_readable",
    describe_chain: "chain_not_readable",
    describe_level: "level_not_readable",
}


def judge(file: File, number: int, name: str, value: Any, pdf_field: Any) -> dict[str, Any]:
    """Judge the filled signature field `name`, signature `number` of the report (from 0).

    Raises nothing that pyHanko raises on a bad signature.
    """
    found = Finding(nothing_known(name), ["read_leniently"] if file.lenient else [])
    if not file.trust.readable:
        found.notes.append("store_not_readable")
    try:
        describe_dictionary(found, value.get_object())
        signature = EmbeddedPdfSignature(file.reader, pdf_field, name)
    except Exception:  # noqa: BLE001 - any way of being unreadable is one finding
        found.notes.append("signature_not_readable")
        return found.done()
    for step, note in _STEP_NOTES.items():
        try:
            step(found, signature, file)
        except Exception:  # noqa: BLE001 - what is not established stays at its cautious first value
            found.notes.append(note)
    found.done()
    _validate(found, signature, file, number)
    return found.done()


def _validate(found: Finding, signature: EmbeddedPdfSignature, file: File, number: int) -> None:
    """The word by EN 319 102-1, which may not say more than all the rest bears."""
    stamp = found.values["kind"] == "document_timestamp"
    if not stamp and found.values["subfilter"] not in SUBFILTERS:
        return
    if time.process_time() > file.until:
        found.notes.append("not_validated_in_time")
        return
    blocked = found.blocked or found.values["integrity"] != "intact"
    met = not blocked and unchanged(found.values)
    try:
        word = asyncio.run(ades.validate(signature, file.trust, stamp=stamp, constraints_met=met))
    except Exception:  # noqa: BLE001 - without a word it has no indication
        found.notes.append("not_validated")
        return
    found.values["ades_indication"] = word.indication
    found.values["ades_sub_indication"] = word.sub_indication
    if word.validation is None:
        return
    if sum(map(len, file.validations.values())) + len(word.validation) > MAX_VALIDATIONS:
        found.notes.append("validation_left_out")
        return
    file.validations[number] = word.validation
