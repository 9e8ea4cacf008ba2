"""Verifiers of time stamps beside each other: each is asked the same, in its own way, and raises what it refuses."""

import asyncio
import hashlib
import subprocess
import tempfile
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from ssl import DER_cert_to_PEM_cert

import rfc3161ng
from asn1crypto import crl, ocsp, tsp, x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509 import ObjectIdentifier, load_der_x509_certificate
from pyasn1.error import PyAsn1Error
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from notary.errors import TimestampError
from notary.evidence.timestamp import Authority, check_token
from notary.evidence.timestamp_revocation import check_revocation
from notary.evidence.timestamp_serial import Serials
from notary.evidence.timestamp_signature import SM3
from notary.evidence.timestamp_status import Kind, RevocationData
from timestamps.tool import Question, Refused, Tool

_IDENTIFIERS = {"sm3": SM3}  # of what the library has no name for
_SECONDS = 30  # for one run of openssl, which takes a hundredth of one


def _ours(question: Question) -> None:
    roots, policies = (question.root,), (question.policy,)
    authority = Authority("tsa", "TSA", roots, policies, None, intermediates=question.supplied)
    stamp = check_token(
        question.response,
        question.data,
        authority,
        nonce=question.nonce,
        sent=question.sent,
        received=question.received,
    )
    serials = Serials()
    for other in question.others:
        serials.add(check_token(other, question.data, authority), authority.organisation, "another")
    serials.add(stamp, authority.organisation, "this")
    data = [RevocationData(Kind.CRL, each) for each in question.lists]
    data += [RevocationData(Kind.OCSP, each) for each in question.answers]
    check_revocation(stamp.path, stamp.gen_time, data, strict=question.strict)


def _rfc3161ng(question: Question) -> None:
    """Follows no path: the certificate that it takes is the signer's."""
    token = rfc3161ng.decode_timestamp_response(question.response).time_stamp_token
    rfc3161ng.check_timestamp(
        token,
        certificate=question.signer,
        data=question.data,
        hashname=question.digest,
        nonce=question.nonce,
    )


def _rfc3161_client(question: Question) -> None:
    signer, *above = map(load_der_x509_certificate, question.supplied) if question.supplied else (None,)
    builder = VerifierBuilder(
        policy_id=ObjectIdentifier(question.policy),
        tsa_certificate=signer,
        intermediates=[each for each in above if each is not None],
        roots=[load_der_x509_certificate(question.root)],
        nonce=question.nonce,
    )
    builder.build().verify_message(decode_timestamp_response(question.response), question.data)


def _pyhanko(question: Question) -> None:
    signed = tsp.TimeStampResp.load(question.response, strict=True)["time_stamp_token"]["content"]
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(question.root)],
        other_certs=[x509.Certificate.load(each) for each in question.supplied],
        moment=_gen_time(question.response),
        allow_fetching=False,
        crls=[crl.CertificateList.load(each) for each in question.lists],
        ocsps=[ocsp.OCSPResponse.load(each) for each in question.answers],
        revocation_mode="require" if question.about_revocation else "soft-fail",
    )

    def imprint(name: str) -> bytes:
        return hashlib.new(name, question.data).digest()

    found = asyncio.run(validate_tst_signed_data(signed, context, imprint))
    if not TimestampSignatureStatus(**found).trusted:
        raise Refused("the status is not trusted")


def _openssl(question: Question, *more: str, lists: Sequence[bytes] = ()) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "response").write_bytes(question.response)
        (folder / "query").write_bytes(_query(question))
        with (folder / "roots.pem").open("w") as roots:
            roots.write(DER_cert_to_PEM_cert(question.root))
            roots.writelines(map(_pem_list, lists))  # where openssl looks for lists too
        command = [
            "openssl",
            "ts",
            "-verify",
            "-queryfile",
            "query",
            "-in",
            "response",
            "-CAfile",
            "roots.pem",
        ]
        if question.supplied:
            (folder / "more.pem").write_text("".join(map(DER_cert_to_PEM_cert, question.supplied)))
            command += ["-untrusted", "more.pem"]
        run = subprocess.run(
            [*command, *more], cwd=folder, capture_output=True, timeout=_SECONDS, check=False
        )
    if run.returncode < 0:
        raise RuntimeError(f"openssl was ended by signal {-run.returncode}")
    if run.returncode:
        raise Refused(run.stderr.decode("utf-8", "replace"))


def _openssl_then(question: Question) -> None:
    moment = _gen_time(question.response)
    more = [] if moment is None else ["-attime", str(int(moment.timestamp()))]
    if question.about_revocation:
        more.append("-crl_check_all")
    _openssl(question, *more, lists=question.lists)


def _pem_list(der: bytes) -> str:
    # By hand: some of them are damaged.
    lines = "\n".join(textwrap.wrap(b64encode(der).decode(), 64))
    return f"-----BEGIN X509 CRL-----\n{lines}\n-----END X509 CRL-----\n"


def _gen_time(response: bytes) -> datetime | None:
    """What a caller would name as the moment to check at; None where no time can be read."""
    try:
        signed = tsp.TimeStampResp.load(response)["time_stamp_token"]["content"]
        moment: datetime = signed["encap_content_info"]["content"].parsed["gen_time"].native
    except Exception:  # noqa: BLE001 - the parser raises nearly anything, and late
        return None
    return moment


def _query(question: Question) -> bytes:
    """The request that the response is an answer to: openssl reads imprint, policy and nonce from there."""
    hashed = hashlib.new(question.digest, question.data).digest()
    algorithm = _IDENTIFIERS.get(question.digest, question.digest)
    imprint = {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": hashed}
    request: dict[str, object] = {"version": "v1", "message_imprint": imprint, "req_policy": question.policy}
    if question.nonce is not None:
        request["nonce"] = question.nonce
    query: bytes = tsp.TimeStampReq(request).dump()
    return query


def _openssl_version() -> str:
    run = subprocess.run(["openssl", "version"], capture_output=True, text=True, timeout=_SECONDS, check=True)
    return run.stdout.split()[1]


OURS = Tool(
    "notary",
    lambda: version("notary"),
    frozenset({"status", "policy", "nonce", "time", "roots", "crl", "ocsp", "serial"}),
    _ours,
    (TimestampError,),
)
TOOLS = (
    OURS,
    Tool(
        "rfc3161ng",
        lambda: version("rfc3161ng"),
        frozenset({"nonce"}),
        _rfc3161ng,
        (ValueError, rfc3161ng.TimestampingError, InvalidSignature, PyAsn1Error),
    ),
    Tool(
        "rfc3161-client",
        lambda: version("rfc3161-client"),
        frozenset({"status", "policy", "nonce", "roots"}),
        _rfc3161_client,
        (VerificationError, ValueError),
    ),
    Tool(
        "pyHanko",
        lambda: version("pyhanko"),
        frozenset({"roots", "crl", "ocsp"}),
        _pyhanko,
        (Refused, SignatureValidationError, ValueError),
    ),
    Tool(
        "openssl ts",
        _openssl_version,
        frozenset({"status", "policy", "nonce", "roots"}),
        _openssl,
        (Refused,),
    ),
    Tool(
        "openssl ts -attime",
        _openssl_version,
        frozenset({"status", "policy", "nonce", "roots", "crl"}),
        _openssl_then,
        (Refused,),
    ),
)
