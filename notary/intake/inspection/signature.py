"""One signature of a PDF, judged: what is known, what is not, and never more than that."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
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

from notary.intake.inspection import ades, material, rules
from notary.intake.inspection.coverage import byte_range, covered, ends_cleanly, hides_bytes
from notary.intake.inspection.prefixes import revision_at
from notary.intake.inspection.report import MAX_VALIDATIONS, TOTAL_FAILED, printable
from notary.intake.inspection.trust import Trust

# Seconds of processor time, of the limit of 15, after which no further signature is validated by EN 319 102-1: the
# rest of the report is worth more.
VALIDATING_SECONDS = 8.0


@dataclass(slots=True)
class File:
    """The opened file, what its certificates are measured by, and what all its signatures say together."""

    reader: PdfFileReader
    trust: Trust
    lenient: bool
    prefixes: list[dict[str, Any]]
    certificates: material.Certificates = field(default_factory=material.Certificates)
    validations: dict[int, str] = field(default_factory=dict)
    until: float = field(default_factory=lambda: time.process_time() + VALIDATING_SECONDS)


@dataclass(slots=True)
class _Finding:
    """A report of one signature in the making; it starts with nothing known."""

    values: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def done(self) -> dict[str, Any]:
        self.values["validity"] = _validity(self.values, blocked=bool(set(self.notes) & _BLOCKING))
        self.values["note"] = " ".join(dict.fromkeys(self.notes)) or None
        return self.values


# Those whose CMS signs the covered bytes themselves; adbe.pkcs7.sha1 signs their SHA-1.
_SUBFILTERS = ("adbe.pkcs7.detached", "ETSI.CAdES.detached", "PBAD.PAdES")
_WEAK = (
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
)

# With one of these beside it, a signature is not called passed.
_BLOCKING = frozenset(
    {
        "read_leniently",
        "bytes_after_cms",
        "signature_not_readable",
        "signature_not_checkable",
        "stamp_broken",
        "seed_values_not_met",
        "store_not_readable",
        "revoked",
    }
)


def judge(file: File, number: int, name: str, value: Any, pdf_field: Any) -> dict[str, Any]:
    """Judge the filled signature field `name`, signature `number` of the report (from 0).

    Raises nothing that pyHanko raises on a bad signature.
    """
    found = _Finding(_nothing_known(name), ["read_leniently"] if file.lenient else [])
    if not file.trust.readable:
        found.notes.append("store_not_readable")
    try:
        _describe_dictionary(found, value.get_object())
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


def _nothing_known(name: str) -> dict[str, Any]:
    return {
        "field": printable(name),
        "kind": "signature",
        "filter": None,
        "subfilter": None,
        "signer": None,
        "certificate_sha256": None,
        "issuer": None,
        "serial": None,
        "chain": [],
        "claimed_time": None,
        "stamped_time": None,
        "stamp": None,
        "byte_range": [],
        "covers": "unclear",
        "covers_sha256": None,
        "revision": None,
        "changes_after": "unclear",
        "doc_mdp": None,
        "field_mdp": None,
        "level": None,
        "revocation": None,
        "integrity": "could_not_be_checked",
        "trust": "unrecognised",
        "validity": "could_not_be_checked",
        "ades_indication": None,
        "ades_sub_indication": None,
        "validation_sha256": None,
        "note": None,
    }


def _validity(values: dict[str, Any], *, blocked: bool) -> str:
    if values["integrity"] == "broken" or values["changes_after"] == "forbidden":
        return "failed"
    sound = values["integrity"] == "intact" and values["trust"] == "trusted" and not blocked
    sound = sound and values["ades_indication"] not in (None, TOTAL_FAILED)
    return "passed" if sound and _unchanged(values) else "could_not_be_checked"


def _unchanged(values: dict[str, Any]) -> bool:
    return values["covers"] == "whole_file" or (
        values["covers"] == "revision" and values["changes_after"] in ("none", "allowed")
    )


def _describe_dictionary(found: _Finding, dictionary: Any) -> None:
    if dictionary.get("/Type") == "/DocTimeStamp":
        found.values["kind"] = "document_timestamp"
    for key in ("filter", "subfilter"):
        word = dictionary.get({"filter": "/Filter", "subfilter": "/SubFilter"}[key])
        found.values[key] = None if word is None else printable(str(word).lstrip("/"))
    # Raw, because in an encrypted file everything else comes wrapped for decryption.
    numbers = dictionary.raw_get("/ByteRange") if "/ByteRange" in dictionary else ()
    found.values["byte_range"] = byte_range(numbers)


def _describe_signer(found: _Finding, signature: EmbeddedPdfSignature, _file: File) -> None:
    if found.values["kind"] == "signature":
        found.values["claimed_time"] = _rfc3339(signature.self_reported_timestamp)
    der = signature.signer_cert.dump()
    found.values["certificate_sha256"] = hashlib.sha256(der).hexdigest()
    certificate = load_der_x509_certificate(der)
    found.values["signer"] = printable(certificate.subject.rfc4514_string())
    found.values["issuer"] = printable(certificate.issuer.rfc4514_string())
    found.values["serial"] = str(certificate.serial_number)


def _describe_chain(found: _Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    chain = _chain(signature, file)
    found.values["chain"] = file.certificates.places(chain)
    inside = material.embedded(signature)
    store = file.trust.store or material.Material()
    found.values["revocation"] = {
        "crls": len(inside.crls),
        "ocsps": len(inside.ocsps),
        "chain_covered": material.covered_by(
            material.Material(crls=[*inside.crls, *store.crls], ocsps=[*inside.ocsps, *store.ocsps]), chain
        ),
    }


def _chain(signature: EmbeddedPdfSignature, file: File) -> Sequence[Any]:
    store = file.trust.store or material.Material()
    return material.chain_of(signature, [*store.certs, *file.trust.roots])


def _describe_rules(found: _Finding, signature: EmbeddedPdfSignature, _file: File) -> None:
    found.values["doc_mdp"] = rules.doc_mdp(signature)
    found.values["field_mdp"] = rules.field_mdp(signature)


def _describe_level(found: _Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    if found.values["kind"] == "signature":
        stamped = found.values["stamp"] not in (None, "broken")
        chain = _chain(signature, file)
        found.values["level"] = material.level(signature, found.values["subfilter"], chain, stamped=stamped)


def _describe_coverage(found: _Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    if hides_bytes(signature.pkcs7_content):
        found.notes.append("bytes_after_cms")
    numbers, stream = found.values["byte_range"], signature.reader.stream
    signature.compute_integrity_info()  # type: ignore[no-untyped-call]
    found.values["covers"] = covered(signature, stream, numbers)
    if found.values["covers"] in ("whole_file", "revision"):
        found.values["revision"] = revision_at(file.prefixes, numbers[2] + numbers[3])
        found.values["changes_after"] = _changes(signature, found.values["covers"])


def _changes(signature: EmbeddedPdfSignature, covers: str) -> str:
    if covers == "whole_file":
        return "none"
    if not ends_cleanly(signature.reader):
        return "suspicious"
    diff, permitted = signature.diff_result, signature.docmdp_level
    if not isinstance(diff, DiffResult):
        # Unexplained is not yet forbidden: only a signer who allowed nothing (DocMDP 1) was surely overruled.
        return "forbidden" if permitted == MDPPerm.NO_CHANGES else "suspicious"
    if permitted is not None:
        return "allowed" if diff.modification_level.value <= permitted.value else "forbidden"
    # A signer who said nothing about filling in fields did not agree to what now stands in them.
    filled = diff.changed_form_fields - {name for name, _, _ in enumerate_sig_fields(signature.reader)}
    harmless = diff.modification_level <= ModificationLevel.FORM_FILLING and not filled
    return "allowed" if harmless else "suspicious"


def _validate(found: _Finding, signature: EmbeddedPdfSignature, file: File, number: int) -> None:
    """The word by EN 319 102-1, which may not say more than all the rest bears."""
    stamp = found.values["kind"] == "document_timestamp"
    if not stamp and found.values["subfilter"] not in _SUBFILTERS:
        return
    if time.process_time() > file.until:
        found.notes.append("not_validated_in_time")
        return
    blocked = bool(set(found.notes) & _BLOCKING) or found.values["integrity"] != "intact"
    met = not blocked and _unchanged(found.values)
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


def _judge_integrity(found: _Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    asyncio.run(_judge_signature(found, signature, file.trust))


async def _judge_signature(found: _Finding, signature: EmbeddedPdfSignature, trust: Trust) -> None:
    if found.values["kind"] == "document_timestamp":
        moment = signature.signed_data["encap_content_info"]["content"].parsed["gen_time"].native
        token = await async_validate_pdf_timestamp(signature, trust.context(moment), skip_diff=True)
        _record_status(found, token, trust)
        if trust.revoked(token, trust.at):
            found.notes.append("revoked")
        _record_stamp(found, token, trust)
        return
    moment = await _judge_stamp(found, signature, trust) or trust.at
    if found.values["subfilter"] not in _SUBFILTERS:
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


async def _judge_stamp(found: _Finding, signature: EmbeddedPdfSignature, trust: Trust) -> datetime | None:
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


def _record_stamp(found: _Finding, status: Any, trust: Trust) -> None:
    if not (status.intact and status.valid):
        found.values["stamp"] = "broken"
        return
    # A stamp of a revoked key may be of any date (RFC 3161 §4), so it is asked as of now.
    found.values["stamp"] = "untrusted" if trust.revoked(status, trust.at) else trust.of(status)
    found.values["stamped_time"] = _rfc3339(status.timestamp)


def _record_status(found: _Finding, status: Any, trust: Trust) -> None:
    found.values["integrity"] = "intact" if status.intact and status.valid else "broken"
    found.values["trust"] = trust.of(status)
    if status.revoked:
        found.notes.append("revoked")
    problem = status.trust_problem_indic
    if problem is not None and (found.values["trust"] == "untrusted" or problem in _WEAK):
        found.notes.append(problem.name.lower())


def _rfc3339(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        return None  # a PDF date without a zone (ISO 32000-2 §7.9.4) names no instant
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# In this order: each may rest on what those before it found.
_STEP_NOTES = {
    _describe_signer: "signer_not_readable",
    _describe_coverage: "coverage_not_readable",
    _judge_integrity: "signature_not_checkable",
    _describe_rules: "rules_not_readable",
    _describe_chain: "chain_not_readable",
    _describe_level: "level_not_readable",
}
