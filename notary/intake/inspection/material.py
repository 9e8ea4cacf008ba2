"""What a file brings along for those who check it later: certificates, revocation data, stamps over them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import crl, ocsp, x509
from asn1crypto.core import Asn1Value
from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.decode_limits import DecodePurpose
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.general import NonexistentAttributeError, find_unique_cms_attribute
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from notary.evidence.timestamp_der import dump
from notary.intake.inspection.report import MAX_CERTIFICATES, MAX_CHAIN, printable

_PADES = "ETSI.CAdES.detached"
_SIGNING_CERTIFICATE = ("signing_certificate", "signing_certificate_v2")


@dataclass(frozen=True, slots=True)
class Material:
    """Certificates and revocation data that are at hand together; `vri` counts the entries for one signature each."""

    certs: Sequence[x509.Certificate] = ()
    crls: Sequence[crl.CertificateList] = ()
    ocsps: Sequence[ocsp.OCSPResponse] = ()
    vri: int = 0

    def tell(self) -> dict[str, int]:
        """How much there is, as the report says it."""
        return {
            "certificates": len(self.certs),
            "crls": len(self.crls),
            "ocsps": len(self.ocsps),
            "vri": self.vri,
        }

    def speaks_of(self, certificate: x509.Certificate) -> bool:
        """Whether a CRL of its issuer is here, or an OCSP response on it; what it says is not looked at."""
        if any(dump(each.issuer) == dump(certificate.issuer) for each in self.crls):
            return True
        return any(_is_of(single, certificate) for each in self.ocsps for single in _singles(each))

    def revokes(self, certificate: x509.Certificate, moment: datetime) -> bool:
        """Whether a CRL or an OCSP response here says that the certificate was revoked by `moment`.

        Their own signatures are not looked at: what is said falsely keeps a signature from passing, and no more.
        """
        dates = [
            row["revocation_date"].native
            for each in self.crls
            if dump(each.issuer) == dump(certificate.issuer)
            for row in each["tbs_cert_list"]["revoked_certificates"]
            if row["user_certificate"].native == certificate.serial_number
        ]
        dates += [
            single["cert_status"].chosen["revocation_time"].native
            for each in self.ocsps
            for single in _singles(each)
            if single["cert_status"].name == "revoked" and _is_of(single, certificate)
        ]
        return any(date <= moment for date in dates)


def store_of(reader: PdfFileReader | HistoricalResolver) -> Material | None:
    """The document security store (ISO 32000-2 §12.8.4.3) of the file, or of one revision; None without one."""
    try:
        store = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return None
    return Material(
        list(store.load_certs()),
        [crl.CertificateList.load(_data(item, DecodePurpose.CRL)) for item in store.crls],
        [ocsp.OCSPResponse.load(_data(item, DecodePurpose.OCSP_RESPONSE)) for item in store.ocsps],
        len(store.vri_entries),
    )


def embedded(signature: EmbeddedPdfSignature) -> Material:
    """What the signer put into the signature (ISO 32000-2 §12.8.3.3.2, adbe-revocationInfoArchival)."""
    try:
        inside = find_unique_cms_attribute(
            signature.signer_info["signed_attrs"], "adobe_revocation_info_archival"
        )
    except NonexistentAttributeError:
        return Material()
    return Material(crls=list(inside["crl"] or ()), ocsps=list(inside["ocsp"] or ()))


def chain_of(signature: EmbeddedPdfSignature, more: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """From the signer's certificate upwards by the issuers' names, as far as certificates are at hand.

    It is what the file shows, and no path that was validated.
    """
    by_subject: dict[bytes, x509.Certificate] = {}
    for certificate in (*signature.other_embedded_certs, *more):
        by_subject.setdefault(dump(certificate.subject), certificate)
    chain = [signature.signer_cert]
    while len(chain) < MAX_CHAIN and dump(chain[-1].issuer) != dump(chain[-1].subject):
        above = by_subject.get(dump(chain[-1].issuer))
        if above is None or above in chain:
            break
        chain.append(above)
    return chain


def covered_by(material: Material, chain: Sequence[x509.Certificate]) -> bool:
    """Whether there is revocation data on every certificate of the chain but a root."""
    wanted = [each for each in chain if dump(each.issuer) != dump(each.subject)]
    return bool(wanted) and all(material.speaks_of(each) for each in wanted)


def level(
    signature: EmbeddedPdfSignature,
    subfilter: str | None,
    chain: Sequence[x509.Certificate],
    *,
    stamped: bool,
) -> str | None:
    """The PAdES level (ETSI EN 319 142-1 §6) whose parts are there; whether they are good is told elsewhere.

    Args:
        signature: no document time stamp.
        subfilter: of its dictionary.
        chain: of `chain_of`.
        stamped: it holds a time stamp that is not broken.
    """
    attributes = {attribute["type"].native for attribute in signature.signer_info["signed_attrs"]}
    if subfilter != _PADES or not attributes.intersection(_SIGNING_CERTIFICATE):
        return None
    stamps = list(_stamps_after(signature))
    if not stamped and not stamps:
        return "B-B"
    if any(_long_term(HistoricalResolver(signature.reader, revision), chain) for revision in stamps):
        return "B-LTA"
    return "B-LT" if _long_term(signature.reader, chain) else "B-T"


@dataclass(slots=True)
class Certificates:
    """The certificates that chains of a report name, each once; 64 at most."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    truncated: bool = False

    def places(self, chain: Sequence[x509.Certificate]) -> list[int]:
        """Where each certificate of a chain stands, up to the first that found no room."""
        places = []
        for certificate in chain:
            digest = hashlib.sha256(dump(certificate)).hexdigest()
            known = [number for number, row in enumerate(self.rows) if row["sha256"] == digest]
            if not known and len(self.rows) >= MAX_CERTIFICATES:
                self.truncated = True
                break
            if not known:
                self.rows.append(_row(certificate, digest))
            places.append(known[0] if known else len(self.rows) - 1)
        return places


def _row(certificate: x509.Certificate, digest: str) -> dict[str, Any]:
    read = load_der_x509_certificate(dump(certificate))
    return {
        "sha256": digest,
        "subject": printable(read.subject.rfc4514_string()),
        "issuer": printable(read.issuer.rfc4514_string()),
        "serial": str(certificate.serial_number),
        "not_before": certificate.not_valid_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "not_after": certificate.not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _stamps_after(signature: EmbeddedPdfSignature) -> Iterator[int]:
    """The revisions of document time stamps over the whole file with this signature in it, whose imprint is right."""
    for stamp in signature.reader.embedded_timestamp_signatures:
        if stamp.signed_revision <= signature.signed_revision:
            continue
        stamp.compute_integrity_info(skip_diff=True)
        imprint = stamp.signed_data["encap_content_info"]["content"].parsed["message_imprint"]
        whole = stamp.coverage is not None and stamp.coverage.name in ("ENTIRE_FILE", "ENTIRE_REVISION")
        if whole and imprint["hashed_message"].native == stamp.compute_digest():
            yield stamp.signed_revision


def _long_term(reader: PdfFileReader | HistoricalResolver, chain: Sequence[x509.Certificate]) -> bool:
    store = store_of(reader)
    return store is not None and covered_by(store, chain)


def _data(item: Any, purpose: DecodePurpose) -> bytes:
    if isinstance(item, Asn1Value):
        return bytes(item.dump())
    return bytes(item.get_object().read_data(purpose))


def _singles(response: ocsp.OCSPResponse) -> Iterator[Any]:
    if response["response_status"].native == "successful":
        yield from response.basic_ocsp_response["tbs_response_data"]["responses"]


def _is_of(single: Any, certificate: x509.Certificate) -> bool:
    of = single["cert_id"]
    digest = hashlib.new(of["hash_algorithm"]["algorithm"].native, dump(certificate.issuer)).digest()
    return bool(
        of["serial_number"].native == certificate.serial_number and of["issuer_name_hash"].native == digest
    )
