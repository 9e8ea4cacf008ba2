"""Reports on documents, through the sandbox: signed, changed, unsigned, hostile."""

import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from notary.embedded.contract import make_contract, unsigned_contract
from notary.evidence import canonical
from notary.intake.inspection import report
from notary.intake.inspection.digests import fill
from notary.intake.inspection.pdf import inspect_pdf
from notary.intake.inspection.sandbox import inspect

sys.path.insert(0, str(Path(__file__).parent))
import pdfs
from measured import LIMITS

PDF = "application/pdf"


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    """The bytes of a contract with two signatures, and the root that both lead to."""
    folder = tmp_path_factory.mktemp("contract")
    root = make_contract(folder / "contract.pdf", folder / "keys")
    return (folder / "contract.pdf").read_bytes(), root


@pytest.fixture
def look():
    """Report on these bytes as the process in the sandbox does, but in this one."""

    def look(data, roots=(), at=None):
        found = judged(data, roots, at or datetime.now(UTC))
        assert report.check(found) == found
        return found

    return look


@pytest.fixture
def look_inside(tmp_path):
    """The same in the sandbox: of what is hostile, or shows that the way there and back changes nothing."""

    def look(data, roots=(), **options):
        path = tmp_path / "document.pdf"
        path.write_bytes(data)
        found = inspect(path, PDF, roots, LIMITS, **options).report
        assert report.check(found) == found
        assert canonical.dumps(found)
        return found

    return look


def judged(data, roots, at):
    inspected = inspect_pdf(BytesIO(data), roots, at)
    fill(inspected, BytesIO(data))
    return inspected.report


def column(found, key):
    return [signature[key] for signature in found["signatures"]]


def test_a_contract_signed_by_two_is_told_as_it_is(contract, look_inside):
    data, root = contract
    found = look_inside(data, [root])
    assert (found["outcome"], found["reason"], found["cms"]) == ("inspected", None, True)
    assert (found["pages"], found["encrypted"], found["revisions"]) == (1, False, 3)
    assert column(found, "field") == ["party-a", "party-b"]
    assert column(found, "signer") == ["CN=张三,O=甲方示例有限公司,C=CN", "CN=李四,O=乙方示例有限公司,C=CN"]
    assert column(found, "covers") == ["revision", "whole_file"]
    assert column(found, "changes_after") == ["allowed", "none"]
    assert column(found, "integrity") == ["intact", "intact"]
    assert column(found, "trust") == ["trusted", "trusted"]
    assert column(found, "validity") == ["passed", "passed"]
    assert column(found, "stamp") == [None, None]
    assert all(column(found, "claimed_time"))


def test_the_digest_of_what_is_covered_is_the_file_at_that_signature(contract, look):
    data, _ = contract
    first, second = look(data)["signatures"]
    end = first["byte_range"][2] + first["byte_range"][3]
    assert first["covers_sha256"] == sha256(data[:end]).hexdigest()
    assert second["covers_sha256"] == sha256(data).hexdigest()


def test_without_roots_nobody_is_known_and_nothing_passes(contract, look):
    found = look(contract[0])
    assert column(found, "integrity") == ["intact", "intact"]
    assert column(found, "trust") == ["unrecognised", "unrecognised"]
    assert column(found, "validity") == ["could_not_be_checked", "could_not_be_checked"]


def test_another_root_of_the_same_name_trusts_nobody(contract, look, tmp_path):
    other = make_contract(tmp_path / "other.pdf", tmp_path / "other")
    found = look(contract[0], [other])
    assert column(found, "trust") == ["untrusted", "untrusted"]
    assert "passed" not in column(found, "validity")


def test_a_certificate_out_of_its_time_is_not_trusted(contract, look):
    data, root = contract
    found = look(data, [root], at=datetime.now(UTC) + timedelta(days=365 * 3))
    assert column(found, "trust") == ["untrusted", "untrusted"]
    assert column(found, "validity") == ["could_not_be_checked", "could_not_be_checked"]
    assert column(found, "note") == ["out_of_bounds_no_poe", "out_of_bounds_no_poe"]


def test_a_root_that_is_no_certificate_is_an_outcome(contract, look):
    assert look(contract[0], [b"not DER"])["reason"] == "unreadable"


@pytest.mark.parametrize("where", [20_000, 40_000, -100])
def test_one_byte_changed_fails(contract, look, where):
    data, root = bytearray(contract[0]), contract[1]
    data[where] ^= 1
    found = look(bytes(data), [root])
    assert "passed" not in column(found, "validity") or where < 0
    if found["outcome"] == "inspected":
        assert column(found, "validity")[-1] == "failed"
        assert column(found, "integrity")[-1] == "broken"


def test_one_byte_of_the_first_part_changed_breaks_both(contract, look):
    data = contract[0].replace(b"/Title", b"/Titlf", 1)
    assert data != contract[0]
    found = look(data, [contract[1]])
    assert column(found, "integrity") == ["broken", "broken"]
    assert column(found, "validity") == ["failed", "failed"]


def test_a_page_added_after_signing_does_not_pass(contract, look):
    writer = IncrementalPdfFileWriter(BytesIO(contract[0]))
    page = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Page"),
            generic.pdf_name("/MediaBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 99, 99))),
            generic.pdf_name("/Resources"): generic.DictionaryObject(),
        }
    )
    writer.insert_page(page)
    out = BytesIO()
    writer.write(out)
    found = look(out.getvalue(), [contract[1]])
    assert found["pages"] == 2
    assert column(found, "integrity") == ["intact", "intact"]
    assert column(found, "changes_after") == ["suspicious", "suspicious"]
    assert column(found, "validity") == ["could_not_be_checked", "could_not_be_checked"]


@pytest.mark.parametrize(
    "more", [b"\n% more", b"1 0 obj\n(other)\nendobj\n", b"junk\nstartxref\n%d\n%%%%EOF\n"]
)
def test_bytes_appended_after_signing_do_not_pass(contract, look, more):
    data, root = contract
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    found = look(data + (more % start if b"%d" in more else more), [root])
    assert column(found, "integrity") == ["intact", "intact"]
    assert column(found, "changes_after") == ["suspicious", "suspicious"]
    assert "passed" not in column(found, "validity")


def test_a_line_end_at_the_end_of_the_file_does_no_harm(contract, look):
    found = look(contract[0] + b"\r\n", [contract[1]])
    assert column(found, "covers") == ["revision", "revision"]
    assert column(found, "validity") == ["passed", "passed"]


def test_bytes_hidden_behind_the_signature_do_not_pass(contract, look):
    data, root = contract
    (last,) = look(data)["signatures"][1:]
    end = last["byte_range"][2]
    hidden = data[: end - 9] + b"deadbeef" + data[end - 1 :]
    assert len(hidden) == len(data)
    signature = look(hidden, [root])["signatures"][1]
    assert (signature["integrity"], signature["note"]) == ("intact", "bytes_after_cms")
    assert signature["validity"] == "could_not_be_checked"


def test_the_earlier_revision_alone_is_told_as_signed_by_one(contract, look):
    data, root = contract
    numbers = look(data)["signatures"][0]["byte_range"]
    found = look(data[: numbers[2] + numbers[3]], [root])
    assert column(found, "field") == ["party-a"]
    assert column(found, "covers") == ["whole_file"]
    assert column(found, "validity") == ["passed"]


def test_signatures_copied_into_a_new_file_fail(contract, look):
    out = BytesIO()
    copy_into_new_writer(IncrementalPdfFileWriter(BytesIO(contract[0])).prev).write(out)
    found = look(out.getvalue(), [contract[1]])
    assert "passed" not in column(found, "validity")
    assert len(found["signatures"]) == 2


def test_an_unsigned_document_has_no_signatures(look):
    found = look(unsigned_contract())
    assert (found["outcome"], found["cms"], found["pages"]) == ("no_signatures", False, 1)
    assert look(pdfs.plain())["outcome"] == "no_signatures"


def test_a_field_nobody_signed_is_named(look):
    found = look(pdfs.many_fields(2))
    assert (found["outcome"], found["empty_fields"]) == ("no_signatures", ["field 0", "field 1"])


def test_a_field_filled_with_something_else_is_no_signature_that_passes(look):
    for value in (
        b"<</Type/Sig/SubFilter/adbe.pkcs7.detached>>",
        b"<</Contents<00>/ByteRange[0 1 2 3]>>",
        b"(text)",
    ):
        found = look(pdfs.filled_without_signature(value))
        assert (found["cms"], column(found, "note")) == (False, ["signature_not_readable"])
        assert column(found, "validity") == ["could_not_be_checked"]


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\0" * 2000 + b"%PDF-1.7"])
def test_what_is_no_pdf_is_told_without_starting_anything(data, tmp_path):
    (tmp_path / "file").write_bytes(data)
    found = inspect(tmp_path / "file", "text/plain").report
    assert report.check(found) == found
    assert (found["outcome"], found["reason"]) == ("not_a_pdf", None)
    assert inspect(tmp_path / "file", PDF).report["reason"] == "not_as_declared"
    assert judged(data, [], datetime.now(UTC))["outcome"] == "not_a_pdf"


@pytest.mark.parametrize("length", [5, 9, 100, 30_000, 66_000])
def test_a_document_cut_off_is_not_inspected_as_whole(contract, look, length):
    found = look(contract[0][:length], [contract[1]])
    assert (found["outcome"], found["reason"]) in {
        ("could_not_be_inspected", "malformed"),
        ("could_not_be_inspected", "unreadable"),
    }


def test_a_document_with_a_password_could_not_be_inspected(look):
    for algorithm in (4, 6):
        out = BytesIO()
        with pikepdf.open(BytesIO(pdfs.plain())) as document:
            document.save(out, encryption=pikepdf.Encryption(owner="o", user="secret", R=algorithm))
        found = look(out.getvalue())
        assert (found["outcome"], found["reason"], found["encrypted"]) == (
            "could_not_be_inspected",
            "encrypted",
            True,
        )


def test_a_document_that_opens_without_a_password_is_inspected(look):
    for algorithm in (4, 6):
        out = BytesIO()
        with pikepdf.open(BytesIO(pdfs.many_fields(1))) as document:
            document.save(out, encryption=pikepdf.Encryption(owner="o", user="", R=algorithm))
        found = look(out.getvalue())
        assert (found["outcome"], found["encrypted"], found["empty_fields"]) == (
            "no_signatures",
            True,
            ["field 0"],
        )


def test_a_bomb_does_not_go_off(look_inside):
    data = pdfs.bomb()
    assert len(data) < 10_000
    assert look_inside(data)["reason"] == "decode_limit"


@pytest.mark.parametrize("levels", [500, 5_000, 500_000])
def test_deep_nesting_is_an_outcome(look, levels):
    assert look(pdfs.deep(levels))["reason"] == "nested_too_deep"


def test_deep_nesting_is_an_outcome_in_the_sandbox_too(look_inside):
    assert look_inside(pdfs.deep(500_000))["reason"] == "nested_too_deep"


@pytest.mark.parametrize("make", [pdfs.looping_fields, pdfs.looping_reference, pdfs.looping_tables])
def test_loops_end(look, make):
    found = look(make())
    assert found["outcome"] in {"could_not_be_inspected", "no_signatures"}
    assert found["signatures"] == []


def test_more_fields_than_a_report_holds_are_left_out_and_told(look):
    found = look(pdfs.many_fields(100))
    assert (len(found["empty_fields"]), found["truncated"]) == (64, True)
    assert look(pdfs.many_fields(5_000))["truncated"]


def test_names_are_made_harmless(look):
    data = pdfs.many_fields(1).replace(b"(field 0)", b"(a\\n\\033)")
    assert look(data)["empty_fields"] == ["a\ufffd\ufffd"]


def test_the_sandbox_says_what_the_same_code_says_outside(contract, look_inside):
    data, root = contract
    at = datetime(2027, 1, 1, tzinfo=UTC)
    assert look_inside(data, [root], at=at) == judged(data, [root], at)


def test_a_large_document_fits(look_inside):
    big = pdfs.pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        pdfs.PAGES,
        pdfs.PAGE,
        b"<</Length %d>>stream\n%b\nendstream" % (100 << 20, bytes(100 << 20)),
    )
    assert look_inside(big)["outcome"] == "no_signatures"


def authority():
    """A time-stamping authority that is its own root, valid for twenty years: certificate and stamper."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example TSA")])
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example TSA Root")])
    now = datetime.now(UTC)

    def certificate(subject, public, extension, critical):
        builder = x509.CertificateBuilder(root_name, subject, public, x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(
            now + timedelta(days=7300)
        )
        made = builder.add_extension(extension, critical=critical).sign(root_key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.DER)

    root = certificate(root_name, root_key.public_key(), x509.BasicConstraints(ca=True, path_length=0), True)
    purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
    leaf = certificate(name, key.public_key(), purpose, True)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return root, DummyTimeStamper(asn1.Certificate.load(leaf), asn1_keys.PrivateKeyInfo.load(private))


@pytest.fixture(scope="module")
def stamped(tmp_path_factory):
    """A contract that party A signs once more with a time stamp, then stamped: bytes, root, authority's root."""
    folder = tmp_path_factory.mktemp("stamped")
    root = make_contract(folder / "contract.pdf", folder / "keys")
    stamp_root, stamper = authority()
    signer = signers.SimpleSigner.load(folder / "keys" / "party-a.key.pem", folder / "keys" / "party-a.der")
    settings = signers.PdfSignatureMetadata(field_name="third", subfilter=SigSeedSubFilter.PADES)
    writer = IncrementalPdfFileWriter(BytesIO((folder / "contract.pdf").read_bytes()))
    signed = signers.sign_pdf(writer, settings, signer, timestamper=stamper)
    done = signers.PdfTimeStamper(stamper).timestamp_pdf(
        IncrementalPdfFileWriter(BytesIO(signed.getvalue())), "sha256"
    )
    return done.getvalue(), root, stamp_root


def test_a_stamp_is_told_apart_from_what_the_signer_claims(stamped, look):
    data, root, stamp_root = stamped
    third, stamp = look(data, [root, stamp_root])["signatures"][2:]
    assert (third["stamp"], third["trust"], third["validity"]) == ("trusted", "trusted", "passed")
    assert third["claimed_time"]
    assert third["stamped_time"]
    assert (stamp["kind"], stamp["claimed_time"], stamp["stamp"]) == ("document_timestamp", None, "trusted")
    assert stamp["stamped_time"] >= third["stamped_time"]
    assert (stamp["covers"], stamp["validity"]) == ("whole_file", "passed")


def test_an_unknown_authority_is_told_as_unrecognised(stamped, look):
    data, root, _ = stamped
    third, stamp = look(data, [root])["signatures"][2:]
    assert (third["stamp"], third["validity"]) == ("unrecognised", "passed")
    assert (stamp["stamp"], stamp["validity"]) == ("unrecognised", "could_not_be_checked")


def test_a_trusted_stamp_keeps_a_signature_beyond_its_certificate(stamped, look):
    data, root, stamp_root = stamped
    later = datetime.now(UTC) + timedelta(days=365 * 3)
    rows = look(data, [root, stamp_root], at=later)["signatures"]
    assert [row["validity"] for row in rows] == ["could_not_be_checked"] * 2 + ["passed"] * 2
    assert look(data, [root], at=later)["signatures"][2]["trust"] == "untrusted"


def test_a_damaged_stamp_dates_nothing(stamped, look):
    data, root, stamp_root = stamped
    *_, third, _ = look(data)["signatures"]
    start, end = third["byte_range"][1] + 1, third["byte_range"][2] - 1
    place = data.lower().rindex(b"Example TSA".hex().encode(), start, end)
    damaged = data[:place] + b"5" + data[place + 1 :]
    third = look(damaged, [root, stamp_root])["signatures"][2]
    assert (third["stamp"], third["stamped_time"], third["note"]) == ("broken", None, "stamp_broken")
    assert (third["integrity"], third["validity"]) == ("intact", "could_not_be_checked")
