"""An OCSP response that names certificates in a digest that nobody here can make is no answer."""

import pytest
from asn1crypto import ocsp as lenient
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from notary.errors import TimestampError
from notary.evidence.timestamp_certificate import read_certificate
from notary.evidence.timestamp_revocation import Standing, revocation, statuses_of
from notary.evidence.timestamp_status import Kind, RevocationData
from tests.mini_revocation import DAY, crl, ocsp
from tests.mini_tsa import GEN_TIME, MiniTsa, der


def named_by(oid, response, own):
    """The same response, its certificate named in another digest, signed again."""
    parsed = lenient.OCSPResponse.load(response.data)
    basic = parsed["response_bytes"]["response"].parsed
    for answer in basic["tbs_response_data"]["responses"]:
        answer["cert_id"]["hash_algorithm"] = {"algorithm": oid}
    signed = basic["tbs_response_data"].dump(force=True)
    basic["signature"] = own.sign(signed, ec.ECDSA(hashes.SHA256()))
    parsed["response_bytes"]["response"] = lenient.ParsableOctetString(basic.dump(force=True))
    return RevocationData(Kind.OCSP, parsed.dump(force=True))


@pytest.mark.parametrize("oid", ["1.2.3.4.5", "1.2.840.113549.2.5"], ids=["unknown", "MD5"])
@pytest.mark.parametrize("status", ["GOOD", "REVOKED"])
def test_a_certificate_that_is_named_in_another_digest_than_those_allowed_cannot_be_read(oid, status):
    tsa = MiniTsa()
    more = {"revoked_at": GEN_TIME, "reason": None} if status == "REVOKED" else {}
    known = ocsp(tsa.signer, tsa.middle, tsa.middle_key, status=status, at=GEN_TIME + DAY, **more)
    path = [der(tsa.signer), der(tsa.middle), der(tsa.root)]
    data = [crl(tsa.root, tsa.root_key, at=GEN_TIME + DAY)]
    said = revocation(path, GEN_TIME, [known, *data]).standing
    assert said is (Standing.REVOKED if status == "REVOKED" else Standing.NOT_REVOKED)
    with pytest.raises(
        TimestampError, match="a certificate identifier with a digest that is not known"
    ) as caught:
        revocation(path, GEN_TIME, [named_by(oid, known, tsa.middle_key), *data])
    assert caught.value.check == 15


def test_sha_3_names_a_certificate():
    tsa = MiniTsa()
    known = ocsp(tsa.signer, tsa.middle, tsa.middle_key, at=GEN_TIME + DAY)
    renamed = named_by("2.16.840.1.101.3.4.2.8", known, tsa.middle_key)
    # Its values are digests of SHA-1 still, which SHA-3 of the same names nobody by.
    signer, issuer = (read_certificate(der(each)) for each in (tsa.signer, tsa.middle))
    assert statuses_of(renamed, signer, issuer) == []
    assert statuses_of(known, signer, issuer)
