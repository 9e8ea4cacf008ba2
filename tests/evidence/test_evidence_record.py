"""Evidence Records around tokens: RFC 4998 in full, read with definitions of its own, and their ASiC manifests."""

import base64
import hashlib
import xml.etree.ElementTree as ET

import pytest
from asn1crypto import algos, cms, core, tsp

from notary.evidence import asn1
from notary.evidence.evidence_record import MAX_RECORDS, URIS, evidence_records
from notary.evidence.package_names import check_name
from notary.evidence.timestamp_der import check_der, retag
from tests.evidence import build
from tests.evidence.build import EARLY

LOG = build.log()
CHECKPOINT = LOG.checkpoint(EARLY)
TOKEN = f"heads/{EARLY}/tokens/tsa-a.tsr"
SM3 = "1.2.156.10197.1.401"
ASIC, DS = "{http://uri.etsi.org/02918/v1.2.1#}", "{http://www.w3.org/2000/09/xmldsig#}"


class Attributes(core.SetOf):
    _child_spec = cms.CMSAttribute


class Hashes(core.SequenceOf):
    _child_spec = core.OctetString


class Tree(core.SequenceOf):
    _child_spec = Hashes


class Stamp(core.Sequence):
    """RFC 4998 §4.1."""

    _fields = [  # noqa: RUF012 - asn1crypto's way
        ("digest_algorithm", algos.DigestAlgorithm, {"implicit": 0, "optional": True}),
        ("attributes", Attributes, {"implicit": 1, "optional": True}),
        ("reduced_hashtree", Tree, {"implicit": 2, "optional": True}),
        ("time_stamp", cms.ContentInfo),
    ]


class Chain(core.SequenceOf):
    _child_spec = Stamp


class Chains(core.SequenceOf):
    _child_spec = Chain


class Algorithms(core.SequenceOf):
    _child_spec = algos.DigestAlgorithm


class Record(core.Sequence):
    """RFC 4998 §3.1."""

    _fields = [  # noqa: RUF012 - asn1crypto's way
        ("version", core.Integer),
        ("digest_algorithms", Algorithms),
        ("crypto_infos", Attributes, {"implicit": 0, "optional": True}),
        ("encryption_info", core.Sequence, {"implicit": 1, "optional": True}),
        ("archive_time_stamp_sequence", Chains),
    ]


def made(token, *, name=TOKEN, checkpoint=CHECKPOINT):
    return evidence_records({f"heads/{EARLY}/checkpoint": checkpoint, name: token})


def parts(found):
    (record,) = [data for name, data in found.items() if name.endswith(".ers")]
    (manifest,) = [data for name, data in found.items() if name.endswith(".xml")]
    return Record.load(record, strict=True), ET.fromstring(manifest)


@pytest.mark.parametrize("algorithm", URIS)
def test_a_record_is_that_of_the_rfc_around_the_token_as_it_came(algorithm):
    response = LOG.token("tsa-a", EARLY, imprint_algorithm=algorithm, imprint_hash=algorithm)
    found = made(response)
    assert list(found) == ["META-INF/evidencerecord001.ers", "META-INF/ASiCEvidenceRecordManifest001.xml"]
    for name in found:
        check_name(name)
    record, manifest = parts(found)
    assert record["version"].native == 1
    assert [item["algorithm"].native for item in record["digest_algorithms"]] == [algorithm]
    assert isinstance(record["crypto_infos"], core.Void)
    assert isinstance(record["encryption_info"], core.Void)
    ((stamp,),) = record["archive_time_stamp_sequence"]
    for optional in ("digest_algorithm", "attributes", "reduced_hashtree"):
        assert isinstance(stamp[optional], core.Void)
    token = tsp.TimeStampResp.load(response)["time_stamp_token"]
    assert stamp["time_stamp"].dump() == token.dump()
    # Without a reduced hash tree the imprint is the digest of the data object (RFC 4998 §4.3).
    info = stamp["time_stamp"]["content"]["encap_content_info"]["content"].parsed
    digest = hashlib.new(algorithm, CHECKPOINT).digest()
    assert info["message_imprint"]["hashed_message"].native == digest
    assert manifest.tag == f"{ASIC}ASiCManifest"
    signature, reference = manifest
    assert (signature.tag, signature.attrib) == (
        f"{ASIC}SigReference",
        {"URI": "META-INF/evidencerecord001.ers"},
    )
    assert reference.tag == f"{ASIC}DataObjectReference"
    assert reference.attrib == {"URI": f"heads/{EARLY}/checkpoint", "MimeType": "text/plain"}
    method, value = reference
    assert (method.tag, method.attrib) == (f"{DS}DigestMethod", {"Algorithm": URIS[algorithm]})
    assert (value.tag, base64.b64decode(value.text)) == (f"{DS}DigestValue", digest)


def test_a_token_of_no_definite_length_stands_in_the_record_as_it_came():
    status, token = asn1.parse(LOG.token("tsa-a", EARLY)).children
    indefinite = b"\x30\x80" + token.content + b"\0\0"
    record = made(retag(0x30, status.raw + indefinite))["META-INF/evidencerecord001.ers"]
    assert asn1.parse(record).children[2].children[0].children[0].children[0].raw == indefinite


def test_a_record_is_der():
    found = made(LOG.token("tsa-a", EARLY))
    data = found["META-INF/evidencerecord001.ers"]
    check_der(data)
    assert parts(found)[0].dump(force=True) == data


@pytest.mark.parametrize(
    "token",
    [
        b"",
        LOG.token("tsa-a", EARLY)[:-1],
        LOG.token("tsa-a", EARLY, imprint_algorithm=SM3, imprint_hash="sm3"),  # XML has no name for it
        LOG.token("tsa-a", EARLY, imprint_algorithm="sha1", imprint_hash="sha1"),
        LOG.token("tsa-a", build.LATE),  # over something else
        LOG.token("tsa-a", EARLY, status="rejection", token=False),
    ],
)
def test_of_other_tokens_there_is_none(token):
    assert made(token) == {}


def test_without_its_checkpoint_there_is_none():
    assert evidence_records({TOKEN: LOG.token("tsa-a", EARLY)}) == {}


def test_records_are_numbered_in_the_order_of_the_tokens():
    tokens = {f"heads/{EARLY}/tokens/tsa-{at:03}.tsr": LOG.token("tsa-a", EARLY) for at in range(70)}
    tokens[f"heads/{EARLY}/tokens/tsa-001.tsr"] = b"no token"
    found = evidence_records(dict(reversed(tokens.items())) | {f"heads/{EARLY}/checkpoint": CHECKPOINT})
    assert len(found) == 2 * MAX_RECORDS
    assert {name[-7:-4] for name in found} == {f"{at:03}" for at in range(1, 65)}
    for name in found:
        check_name(name)
