"""An OCSP response that names certificates in a digest that nobody here can make says nothing of ours."""

from asn1crypto import ocsp as lenient
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

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


def test_a_certificate_that_is_named_in_an_unknown_digest_is_not_ours_whatever_is_said_of_it():
    tsa = MiniTsa()
    issuer = (tsa.middle, tsa.middle_key)
    for status in ("GOOD", "REVOKED"):
        more = {"revoked_at": GEN_TIME, "reason": None} if status == "REVOKED" else {}
        known = ocsp(tsa.signer, *issuer, status=status, at=GEN_TIME + DAY, **more)
        assert statuses_of(known, tsa.signer, tsa.middle)
        unknown = named_by("1.2.3.4.5", known, tsa.middle_key)
        assert list(statuses_of(unknown, tsa.signer, tsa.middle)) == []
        path = [der(tsa.signer), der(tsa.middle), der(tsa.root)]
        data = [unknown, crl(tsa.root, tsa.root_key, at=GEN_TIME + DAY)]
        assert revocation(path, GEN_TIME, data).standing is Standing.NOT_CAPTURED
        # And takes nothing from what is said of it otherwise.
        good = crl(tsa.middle, tsa.middle_key, at=GEN_TIME + DAY)
        assert revocation(path, GEN_TIME, [*data, good]).standing is Standing.NOT_REVOKED
