"""What one signature says of itself and what the file shows of it; nothing here calls it good or bad."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.x509 import load_der_x509_certificate
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from notary.evidence.timestamp_der import dump
from notary.intake.inspection import material, rules
from notary.intake.inspection.coverage import byte_range, covered, ends_cleanly, hides_bytes
from notary.intake.inspection.finding import File, Finding
from notary.intake.inspection.prefixes import revision_at
from notary.intake.inspection.report import printable


def describe_dictionary(found: Finding, dictionary: Any) -> None:
    """Kind, filter, subfilter and byte range, by the signature's own dictionary."""
    if dictionary.get("/Type") == "/DocTimeStamp":
        found.values["kind"] = "document_timestamp"
    for key in ("filter", "subfilter"):
        word = dictionary.get({"filter": "/Filter", "subfilter": "/SubFilter"}[key])
        found.values[key] = None if word is None else printable(str(word).lstrip("/"))
    # Raw, because in an encrypted file everything else comes wrapped for decryption.
    numbers = dictionary.raw_get("/ByteRange") if "/ByteRange" in dictionary else ()
    found.values["byte_range"] = byte_range(numbers)


def describe_signer(found: Finding, signature: EmbeddedPdfSignature, _file: File) -> None:
    """The signer's certificate, and the time by his own clock."""
    if found.values["kind"] == "signature":
        found.values["claimed_time"] = rfc3339(signature.self_reported_timestamp)
    der = dump(signature.signer_cert)
    found.values["certificate_sha256"] = hashlib.sha256(der).hexdigest()
    certificate = load_der_x509_certificate(der)
    found.values["signer"] = printable(certificate.subject.rfc4514_string())
    found.values["issuer"] = printable(certificate.issuer.rfc4514_string())
    found.values["serial"] = str(certificate.serial_number)


def describe_chain(found: Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    """The certificates upwards by names, and whether revocation data speaks of them."""
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


def describe_rules(found: Finding, signature: EmbeddedPdfSignature, _file: File) -> None:
    """What the signer allows to be done to the file afterwards."""
    found.values["doc_mdp"] = rules.doc_mdp(signature)
    found.values["field_mdp"] = rules.field_mdp(signature)


def describe_level(found: Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    """Which parts of a PAdES level are there; after the time stamp was judged."""
    if found.values["kind"] == "signature":
        stamped = found.values["stamp"] not in (None, "broken")
        chain = _chain(signature, file)
        found.values["level"] = material.level(signature, found.values["subfilter"], chain, stamped=stamped)


def describe_coverage(found: Finding, signature: EmbeddedPdfSignature, file: File) -> None:
    """Which bytes are covered, which revision that is, and what came after it."""
    if hides_bytes(signature.pkcs7_content):
        found.notes.append("bytes_after_cms")
    numbers, stream = found.values["byte_range"], signature.reader.stream
    signature.compute_integrity_info()
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


def rfc3339(moment: datetime | None) -> str | None:
    """The instant in UTC to the second; None where none is named."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        return None  # a PDF date without a zone (ISO 32000-2 §7.9.4) names no instant
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
