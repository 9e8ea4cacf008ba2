"""How deep a report goes: rules, chain, level, revocation data, word by EN 319 102-1; and that nothing is fetched."""

import socket
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko.sign.validation.policy_decl import RevinfoOnlineFetchingRule, RevocationInfoGatheringSpec
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

sys.path.insert(0, str(Path(__file__).parent))
import changing
import sound

from notary.intake.inspection import ades, material, report
from notary.intake.inspection.digests import fill
from notary.intake.inspection.pdf import inspect_pdf
from notary.intake.inspection.trust import Trust

_DER = serialization.Encoding.DER
NOW = datetime.now(UTC).replace(microsecond=0)


def look(data, root, at=NOW + timedelta(minutes=5)):
    found = inspect_pdf(BytesIO(data), [root], at)
    fill(found, BytesIO(data))
    assert report.check(found.report) == found.report
    return found


class Authority:
    """A root, a signer and a stamper under it, and a CRL on both; every certificate names an address for each thing."""

    def __init__(self, address="http://127.0.0.1:9"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.address = address
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Lasting Root")])
        self.root = self.issue("Lasting Root", self.key.public_key(), 1)
        signing_key, stamping_key = (
            ec.generate_private_key(ec.SECP256R1()),
            rsa.generate_private_key(65537, 2048),
        )
        purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
        self.signer = signers.SimpleSigner(
            asn1.Certificate.load(self.issue("Signer", signing_key.public_key(), 2)),
            _private(signing_key),
            SimpleCertificateStore.from_certs([asn1.Certificate.load(self.root)]),
        )
        stamper = asn1.Certificate.load(self.issue("Stamper", stamping_key.public_key(), 3, purpose))
        # What revocation data says of a signature counts when it is younger than the signature's stamp.
        early = NOW - timedelta(hours=2)
        self.stamper = DummyTimeStamper(stamper, _private(stamping_key), fixed_dt=early)
        self.later = DummyTimeStamper(stamper, _private(stamping_key))
        builder = x509.CertificateRevocationListBuilder(self.name).last_update(NOW - timedelta(hours=1))
        builder = builder.next_update(NOW + timedelta(days=30))
        self.crl = asn1_crl.CertificateList.load(builder.sign(self.key, hashes.SHA256()).public_bytes(_DER))

    def issue(self, name, public, serial, purpose=None):
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(self.name, subject, public, serial)
        builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=900))
        ca = serial == 1
        unused = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
            False,
        )
        usage = x509.KeyUsage(
            digital_signature=not ca, content_commitment=not ca, key_cert_sign=ca, crl_sign=ca, **unused
        )
        place = [x509.UniformResourceIdentifier(f"{self.address}/crl")]
        places = [
            x509.AccessDescription(method, x509.UniformResourceIdentifier(f"{self.address}/{what}"))
            for method, what in ((x509.AuthorityInformationAccessOID.OCSP, "ocsp"),
                                 (x509.AuthorityInformationAccessOID.CA_ISSUERS, "issuer"))
        ]  # fmt: skip
        for extension, critical in (
            (usage, True), (x509.BasicConstraints(ca=ca, path_length=None), True),
            *(() if purpose is None else ((purpose, True),)),
            (x509.CRLDistributionPoints([x509.DistributionPoint([*place], None, None, None)]), False),
            (x509.AuthorityInformationAccess(places), False),
        ):  # fmt: skip
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(_DER)

    def sign(self, *, level):
        """A file of this PAdES level."""
        context = ValidationContext(
            trust_roots=[asn1.Certificate.load(self.root)], crls=[self.crl], allow_fetching=False,
            revocation_mode="require",
        )  # fmt: skip
        more = {"B-B": {}, "B-T": {}, "B-LT": {"embed_validation_info": True, "validation_context": context}}
        more["B-LTA"] = more["B-LT"]
        metadata = signers.PdfSignatureMetadata(
            field_name="sig", subfilter=fields.SigSeedSubFilter.PADES, **more[level]
        )
        writer = IncrementalPdfFileWriter(BytesIO(sound.unsigned()))
        stamper = None if level == "B-B" else self.stamper
        signed = signers.sign_pdf(writer, metadata, self.signer, timestamper=stamper)
        if level == "B-LTA":
            over = IncrementalPdfFileWriter(BytesIO(signed.getvalue()))
            signed = signers.PdfTimeStamper(self.later).timestamp_pdf(over, "sha256", context)
        return signed.getvalue()


def _private(key):
    made = key.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return asn1_keys.PrivateKeyInfo.load(made)


@cache
def authority():
    return Authority()


@cache
def lasting(level):
    return authority().sign(level=level)


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT", "B-LTA"])
def test_the_level_that_is_there_is_told(level):
    found = look(lasting(level), authority().root)
    row = found.report["signatures"][0]
    lasts = level in ("B-LT", "B-LTA")
    assert (row["level"], row["validity"]) == (level, "passed")
    assert (row["stamp"] is None) == (level == "B-B")
    assert row["revocation"] == {"crls": 0, "ocsps": 0, "chain_covered": lasts}
    assert (found.report["dss"] or {}).get("crls", 0) == int(lasts)
    assert row["ades_indication"] == ("TOTAL-PASSED" if lasts else "INDETERMINATE")
    assert (row["ades_sub_indication"] is None) == lasts
    words = "total-passed" if lasts else "indeterminate"
    assert f"urn:etsi:019102:mainindication:{words}" in found.validations[0]


def test_what_was_added_after_signing_is_no_total_pass_however_good_the_signature(monkeypatch):
    data = changing.updated(changing.page_added, lasting("B-LT"))
    found = look(data, authority().root)
    row = found.report["signatures"][0]
    assert (row["integrity"], row["changes_after"], row["validity"]) == (
        "intact",
        "suspicious",
        "could_not_be_checked",
    )
    assert (row["ades_indication"], row["ades_sub_indication"]) == (
        "INDETERMINATE",
        "SIG_CONSTRAINTS_FAILURE",
    )
    assert "urn:etsi:019102:subindication:SIG_CONSTRAINTS_FAILURE" in found.validations[0]
    given = ades.validate
    monkeypatch.setattr(
        ades, "validate", lambda *args, **more: given(*args, **more | {"constraints_met": True})
    )
    lie = look(data, authority().root).report["signatures"][0]
    assert lie["ades_indication"] == "TOTAL-PASSED", "the negative control: pyHanko alone does not mind"


def with_revocation(maker, data, serial, moment):
    """The file after an update of its store: a CRL of this authority that says who was revoked when."""
    builder = x509.CertificateRevocationListBuilder(maker.name).last_update(NOW - timedelta(minutes=1))
    one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment).build()
    builder = builder.next_update(NOW + timedelta(days=30)).add_revoked_certificate(one)
    der = builder.sign(maker.key, hashes.SHA256()).public_bytes(_DER)
    writer = IncrementalPdfFileWriter(BytesIO(data))
    stream = writer.add_object(generic.StreamObject(stream_data=der))
    writer.root["/DSS"]["/CRLs"].insert(0, stream)
    writer.update_container(writer.root["/DSS"]["/CRLs"])
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_certificate_that_was_revoked_does_not_pass():
    maker = Authority()
    data = with_revocation(maker, maker.sign(level="B-LT"), 2, NOW - timedelta(hours=3))
    (row,) = look(data, maker.root).report["signatures"]
    assert row["validity"] != "passed"
    assert row["ades_indication"] != "TOTAL-PASSED"


def test_stamps_of_a_key_that_was_revoked_after_them_date_nothing():
    """The signer's own certificate is good; the stamper's was revoked later than both stamps say that they are."""
    data = with_revocation(authority(), lasting("B-LTA"), 3, NOW + timedelta(minutes=4))
    row, stamp = look(data, authority().root).report["signatures"]
    assert (row["integrity"], row["trust"], row["stamp"]) == ("intact", "trusted", "untrusted")
    assert (stamp["kind"], stamp["stamp"], stamp["validity"]) == (
        "document_timestamp",
        "untrusted",
        "could_not_be_checked",
    )
    assert "revoked" in (stamp["note"] or "").split()


def test_revocation_data_inside_a_signature_is_asked_too():
    _, signer, crl = sound.party()
    status = SimpleNamespace(signing_cert=signer.signing_cert, validation_path=None)
    inside = material.Material(crls=[asn1_crl.CertificateList.load(crl)])
    trust = Trust([], sound.AT)
    assert trust.revoked(status, sound.AT, inside)
    assert not trust.revoked(status, sound.AT - timedelta(hours=21), inside)
    assert not trust.revoked(status, sound.AT)


def test_a_chain_is_told_from_the_signer_to_the_root_and_each_certificate_once():
    found = look(lasting("B-LTA"), authority().root).report
    names = [each["subject"] for each in found["certificates"]]
    assert len(set(names)) == len(names)
    first, stamp = found["signatures"]
    assert [names[at] for at in first["chain"]] == ["CN=Signer", "CN=Lasting Root"]
    assert [names[at] for at in stamp["chain"]] == ["CN=Stamper", "CN=Lasting Root"]
    assert found["certificates"][first["chain"][0]]["sha256"] == first["certificate_sha256"]
    assert (stamp["kind"], stamp["level"], stamp["validation_sha256"]) == ("document_timestamp", None, None)
    assert stamp["ades_indication"] == "TOTAL-PASSED"


@pytest.mark.parametrize("permission", fields.MDPPerm)
def test_what_a_certification_allows_is_told(permission):
    row = look(sound.signed(certify=permission), sound.party()[0], sound.AT).report["signatures"][0]
    assert (row["doc_mdp"], row["field_mdp"], row["filter"]) == (permission.value, None, "Adobe.PPKLite")


@pytest.mark.parametrize(
    ("action", "names"),
    [("ALL", []), ("INCLUDE", ["amount"]), ("EXCLUDE", ["remark"] + [f"f{n}" for n in range(20)])],
)
def test_which_fields_are_locked_is_told(action, names):
    lock = fields.FieldMDPSpec(fields.FieldMDPAction[action], names or None)
    row = look(sound.signed.__wrapped__(lock=lock), sound.party()[0], sound.AT).report["signatures"][0]
    assert row["field_mdp"] == {"action": action.lower(), "fields": names[: report.MAX_LOCKED]}
    assert row["doc_mdp"] is None


@pytest.fixture
def canary():
    """A server that counts who comes: its address and the list of visits."""
    visits = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def listen():
            while server.fileno() >= 0:
                try:
                    visitor, _ = server.accept()
                except TimeoutError:
                    continue
                except OSError:
                    return
                visits.append(visitor.recv(99))
                visitor.close()

        thread = Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", visits
    thread.join(5)


def test_no_address_in_a_file_is_visited(canary):
    address, visits = canary
    maker = Authority(address)
    (row,) = look(maker.sign(level="B-B"), maker.root).report["signatures"]
    assert (row["validity"], row["ades_indication"]) == ("passed", "INDETERMINATE")
    assert visits == []


def test_without_that_rule_the_addresses_would_be_visited(canary, monkeypatch):
    """The negative control of the test above."""
    address, visits = canary
    maker = Authority(address)
    data = maker.sign(level="B-B")
    always = RevocationInfoGatheringSpec(online_fetching_rule=RevinfoOnlineFetchingRule.ALWAYS_FETCH)
    monkeypatch.setattr(ades, "RevocationInfoGatheringSpec", lambda **_: always)
    look(data, maker.root)
    assert visits != []


def test_after_its_time_no_signature_is_validated_any_more_and_the_report_says_so(monkeypatch):
    monkeypatch.setattr("notary.intake.inspection.finding.VALIDATING_SECONDS", -1.0)
    found = look(lasting("B-LT"), authority().root)
    (row,) = found.report["signatures"]
    assert (row["ades_indication"], row["note"], found.validations) == (None, "not_validated_in_time", {})
    assert (row["integrity"], row["trust"], row["validity"]) == ("intact", "trusted", "could_not_be_checked")
