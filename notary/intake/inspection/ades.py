"""The word of a validation by ETSI EN 319 102-1, and the report on it by ETSI TS 119 102-2.

It is stricter than `validity` in one thing: without revocation data of its time, inside the file, nothing passes.
Nothing is fetched.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pyhanko.generated.etsi import ts_11910202
from pyhanko.sign.ades.report import AdESIndeterminate, AdESPassed, AdESStatus, AdESSubIndic
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    AdESWithTimeValidationResult,
    ades_lta_validation,
    ades_timestamp_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.report.tools import generate_report
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.poe import KnownPOE, POEType, digest_for_poe
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig

from notary.intake.inspection import material, report
from notary.intake.inspection.trust import Trust

_WORDS = {
    AdESStatus.PASSED: report.TOTAL_PASSED,
    AdESStatus.FAILED: report.TOTAL_FAILED,
    AdESStatus.INDETERMINATE: report.INDETERMINATE,
}
# A file that does not say what the signer signed is a constraint that is not met (EN 319 102-1 §5.1.4.2.1).
_NOT_MET = AdESIndeterminate.SIG_CONSTRAINTS_FAILURE


def serializer() -> XmlSerializer:
    """What writes the XML; made once before the walls stand, it has imported all that it needs."""
    made = XmlSerializer(config=SerializerConfig())
    made.render(ts_11910202.ValidationReport())
    return made


@dataclass(frozen=True, slots=True)
class Word:
    """Indication, sub-indication where it did not pass, and the report in XML where there is one."""

    indication: str
    sub_indication: str | None
    validation: str | None


async def validate(
    signature: EmbeddedPdfSignature, trust: Trust, *, stamp: bool, constraints_met: bool
) -> Word:
    """Validate a signature with time (§5.5) or with long-term data (§5.6.3), or a document time stamp (§5.4).

    Args:
        signature: after `compute_integrity_info`.
        trust: roots, and the time.
        stamp: it is a document time stamp.
        constraints_met: by every other finding it may pass; else TOTAL-PASSED becomes INDETERMINATE.
    """
    started = datetime.now(UTC)
    timing = ValidationTimingInfo(trust.at, trust.at, point_in_time_validation=True)
    policy = _policy(trust, signature)
    result: AdESBasicValidationResult[Any]
    if stamp:
        result = await ades_timestamp_validation(
            signature.signed_data, policy, signature.compute_digest, timing_info=timing
        )
    elif any(each.signed_revision > signature.signed_revision for each in _stamps(signature)):
        spec = PdfSignatureValidationSpec(policy, diff_policy=None)  # changes are judged in signature.py
        result = await ades_lta_validation(signature, spec, timing_info=timing)
    else:
        # Without a document time stamp pyHanko's process for long-term data ends in NO_POE, whatever there is.
        result = await ades_with_time_validation(
            signature.signed_data,
            policy,
            timing_info=timing,
            raw_digest=signature.compute_digest(),
            extra_status_kwargs=signature.summarise_integrity_info(),
            status_cls=PdfSignatureStatus,
        )
    found: AdESSubIndic = result.ades_subindic
    if found is AdESPassed.OK and not constraints_met:
        result = replace(result, ades_subindic=_NOT_MET)
        found = _NOT_MET
    text = None if stamp or result.api_status is None else _report(signature, result, trust.at, started)
    sub = None if found is AdESPassed.OK else str(found.standard_name)
    return Word(_WORDS[found.status], sub, text)


def _report(
    signature: EmbeddedPdfSignature, result: AdESBasicValidationResult[Any], at: datetime, started: datetime
) -> str | None:
    """The XML; None where pyHanko cannot write it, or it is too long."""
    status = result.api_status
    if status is not None and status.validation_time is None:
        result = replace(result, api_status=replace(status, validation_time=at))
    if isinstance(result, AdESWithTimeValidationResult) and not result.best_signature_time < min(at, started):
        # No stamp gives an earlier time: then it is known at the time of validation, and not when that was done.
        result = replace(result, best_signature_time=at)
    try:
        text = str(generate_report(signature, result))
    except Exception:  # noqa: BLE001 - "incubating" in pyHanko 0.38: the word stands without its report
        return None
    return text if report.is_validation(text) else None


def _stamps(signature: EmbeddedPdfSignature) -> list[EmbeddedPdfSignature]:
    return list(signature.reader.embedded_timestamp_signatures)


def _policy(trust: Trust, signature: EmbeddedPdfSignature) -> SignatureValidationSpec:
    anchors = [CertTrustAnchor(root) for root in trust.roots]
    # Else pyHanko takes the clock's word for when the signature is there, and no report is like the other.
    store = trust.store or material.Material()
    inside = material.embedded(signature)
    here = KnownPOE(POEType.PROVIDED, digest_for_poe(signature.signer_info["signature"].native), trust.at)
    return SignatureValidationSpec(
        CertValidationPolicySpec(
            # Never `trust_roots=None`: that would mean the system's roots.
            trust_manager=SimpleTrustManager.build(trust_roots=anchors),
            revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
        ),
        local_knowledge=LocalKnowledge(
            known_poes=[here],
            known_certs=list(store.certs),
            known_crls=[CRLContainer(each) for each in (*store.crls, *inside.crls)],
            known_ocsps=[
                one for each in (*store.ocsps, *inside.ocsps) for one in OCSPContainer.load_multi(each)
            ],
        ),
    )
