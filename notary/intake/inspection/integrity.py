"""Whether the signed bytes are those that were signed, by whom, and when: integrity, trust and time stamp."""

import asyncio
from datetime import datetime
from typing import Any

from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation.generic_cms import (
    async_validate_cms_signature,
    collect_timing_info,
    extract_tst_data_iter,
)
from pyhanko.sign.validation.pdf_embedded import (
    EmbeddedPdfSignature,
    async_validate_pdf_timestamp,
    report_seed_value_validation,
)
from pyhanko.sign.validation.status import PdfSignatureStatus

from notary.intake.inspection import material
from notary.intake.inspection.describing import rfc3339
from notary.intake.inspection.finding import File, Finding
from notary.intake.inspection.trust import Trust

# Those whose CMS signs the covered bytes themselves; adbe.pkcs7.sha1 signs their SHA-1.
SUBFILTERS = ("adbe.pkcs7.detached", "ETSI.CAdES.detached", "PBAD.PAdES")
_WEAK = (
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
)


def judge_integrity(found: Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    """Integrity, trust, time stamp, revocation and seed values of one signature or document time stamp."""
    asyncio.run(_judge_signature(found, signature, file.trust))


async def _judge_signature(found: Finding, signature: EmbeddedPdfSignature, trust: Trust) -> None:
    if found.values["kind"] == "document_timestamp":
        moment = signature.signed_data["encap_content_info"]["content"].parsed["gen_time"].native
        token = await async_validate_pdf_timestamp(signature, trust.context(moment), skip_diff=True)
        _record_status(found, token, trust)
        if trust.revoked(token, trust.at):
            found.notes.append("revoked")
        _record_stamp(found, token, trust)
        return
    moment = await _judge_stamp(found, signature, trust) or trust.at
    if found.values["subfilter"] not in SUBFILTERS:
        found.notes.append("unsupported_subfilter")
        return
    # Not async_validate_pdf_signature: that one gives up on the signature when its time stamp is unreadable.
    status = await async_validate_cms_signature(
        signature.signed_data,
        status_cls=PdfSignatureStatus,
        raw_digest=signature.compute_digest(),
        validation_context=trust.context(moment),
    )
    _record_status(found, status, trust)
    if trust.revoked(status, moment, material.embedded(signature)):
        found.notes.append("revoked")
    if status.validation_path is not None:
        stamped = found.values["stamp"] == "trusted"
        seeds = report_seed_value_validation(signature, status.validation_path, timestamp_found=stamped)
        if seeds["seed_value_constraint_error"] is not None:
            found.notes.append("seed_values_not_met")


async def _judge_stamp(found: Finding, signature: EmbeddedPdfSignature, trust: Trust) -> datetime | None:
    """Judge the embedded time-stamp token at its own time; return that time only if the token is trusted."""
    token = next(extract_tst_data_iter(signature.signer_info, signed=False), None)
    if token is None:
        return None
    try:
        moment: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
        timing = await collect_timing_info(
            signature.signer_info, trust.context(moment), signature.compute_digest
        )
        _record_stamp(found, timing["timestamp_validity"], trust)
    except Exception:  # noqa: BLE001 - a stamp that cannot be read dates nothing
        found.values["stamp"] = "broken"
    if found.values["stamp"] == "broken":
        found.notes.append("stamp_broken")
    return moment if found.values["stamp"] == "trusted" else None


def _record_stamp(found: Finding, status: Any, trust: Trust) -> None:
    if not (status.intact and status.valid):
        found.values["stamp"] = "broken"
        return
    # A stamp of a revoked key may be of any date (RFC 3161 §4), so it is asked as of now.
    found.values["stamp"] = "untrusted" if trust.revoked(status, trust.at) else trust.of(status)
    found.values["stamped_time"] = rfc3339(status.timestamp)


def _record_status(found: Finding, status: Any, trust: Trust) -> None:
    found.values["integrity"] = "intact" if status.intact and status.valid else "broken"
    found.values["trust"] = trust.of(status)
    if status.revoked:
        found.notes.append("revoked")
    problem = status.trust_problem_indic
    if problem is not None and (found.values["trust"] == "untrusted" or problem in _WEAK):
        found.notes.append(problem.name.lower())
