"""A time-stamping authority for tests that can be told to do each thing wrong.

Root, intermediate and signer are made anew in each process; times are fixed unless a test says otherwise.
"""

import hashlib
from datetime import UTC, datetime
from functools import cache

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

POLICY = "1.3.6.1.4.1.4146.2.3"
GEN_TIME = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
SALT_LENGTH = 32


@cache
def key(kind, name="signer"):
    """One key for each kind and role."""
    if kind in {"rsa", "pss"}:
        return rsa.generate_private_key(65537, 2048)
    if kind == "rsa1024":
        return rsa.generate_private_key(65537, 1024)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, public, issuer, issuer_key, *, years=YEARS, extensions=(), serial=None, digest=None):
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(years[0])
        .not_valid_after(years[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if isinstance(issuer_key, ed25519.Ed25519PrivateKey):
        return builder.sign(issuer_key, None)
    return builder.sign(issuer_key, digest or hashes.SHA256())


def authority_extensions():
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return [(x509.BasicConstraints(True, None), True), (usage, True)]


def signer_extensions(*, purposes=(TIME_STAMPING,), critical=True, usage=(True, True), cert_sign=False):
    found = []
    if purposes:
        found.append((x509.ExtendedKeyUsage(list(purposes)), critical))
    if usage:
        flags = x509.KeyUsage(*usage, False, False, False, cert_sign, False, False, False)
        found.append((flags, True))
    return found


def der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


def parsed(cert):
    return asn1.Certificate.load(der(cert))


class MiniTsa:
    """Root, intermediate, signer; `respond` makes one TimeStampResp."""

    def __init__(self, kind="p256", *, years=YEARS, root_years=YEARS, extensions=None, root="Root", **more):
        self.kind = kind
        self.root_key, self.middle_key, self.key = key("p256", root), key("p256", "middle"), key(kind)
        self.root = certificate(
            root,
            self.root_key.public_key(),
            root,
            self.root_key,
            years=root_years,
            extensions=authority_extensions(),
        )
        self.middle = certificate(
            "Middle", self.middle_key.public_key(), root, self.root_key, extensions=authority_extensions()
        )
        self.extensions = signer_extensions() if extensions is None else extensions
        self.signer = self.issue("Mini TSA", years=years, extensions=self.extensions, **more)

    def issue(self, subject, **more):
        return certificate(subject, self.key.public_key(), "Middle", self.middle_key, **more)

    def respond(
        self,
        data,
        *,
        status="granted",
        status_text=(),
        fail_info=None,
        token=True,
        certificates=None,
        signer_infos=1,
        content_type="tst_info",
        outer="signed_data",
        **more,
    ):
        response = {"status": {"status": status}}
        if status_text:
            response["status"]["status_string"] = list(status_text)
        if fail_info:
            response["status"]["fail_info"] = {fail_info}
        if not token:
            return _refusal(response)
        content = self.info(data, **{k: more.pop(k) for k in list(more) if k in _INFO})
        infos = [self.signer_info(content, **more) for _ in range(signer_infos)]
        chain = [self.signer, self.middle] if certificates is None else certificates
        signed = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": more.get("digest", "sha256")}],
            "encap_content_info": {
                "content_type": content_type,
                "content": core.ParsableOctetString(content),
            },
            "signer_infos": infos,
        }
        if chain:
            signed["certificates"] = [parsed(cert) for cert in chain]
        response["time_stamp_token"] = {"content_type": outer, "content": cms.SignedData(signed)}
        if outer != "signed_data":
            response["time_stamp_token"] = {"content_type": outer, "content": core.OctetString(b"no token")}
        return tsp.TimeStampResp(response).dump()

    def info(
        self,
        data,
        *,
        version="v1",
        policy=POLICY,
        imprint_algorithm="sha256",
        imprint_hash="sha256",
        serial=7,
        gen_time=GEN_TIME,
        accuracy=None,
        nonce=None,
        tsa=None,
        extensions=None,
        tail=b"",
        parameters=None,
    ):
        algorithm = {"algorithm": imprint_algorithm}
        if parameters is not None:
            algorithm["parameters"] = parameters
        fields = {
            "version": version,
            "policy": policy,
            "message_imprint": {
                "hash_algorithm": algos.DigestAlgorithm(algorithm),
                "hashed_message": hashlib.new(imprint_hash, data).digest(),
            },
            "serial_number": serial,
            "gen_time": gen_time
            if isinstance(gen_time, datetime)
            else core.GeneralizedTime(contents=gen_time),
            "accuracy": {"seconds": 1} if accuracy is None else accuracy,
        }
        if accuracy == {}:
            fields["accuracy"] = tsp.Accuracy(contents=b"")
        if accuracy is False:
            del fields["accuracy"]
        if nonce is not None:
            fields["nonce"] = nonce
        if tsa is not None:
            fields["tsa"] = asn1.GeneralName(
                "directory_name", parsed(self.signer).subject if tsa is True else tsa
            )
        if extensions is not None:
            fields["extensions"] = extensions
        return tsp.TSTInfo(fields).dump() + tail

    def signer_info(
        self,
        content,
        *,
        digest="sha256",
        signed_attrs=True,
        content_types=("tst_info",),
        message_digests=None,
        ess=("v2",),
        ess_cert=None,
        ess_issuer=None,
        ess_digest="sha256",
        sid=None,
        algorithm=None,
        unsorted=False,
    ):
        named = der(ess_cert or self.signer)
        computed = hashlib.new(digest, content).digest()
        attributes = [{"type": "content_type", "values": [each]} for each in content_types]
        digests = [computed] if message_digests is None else message_digests
        attributes += [{"type": "message_digest", "values": [each]} for each in digests]
        attributes += [_ess(version, named, ess_digest, ess_issuer) for version in ess]
        whole = cms.CMSAttributes([cms.CMSAttribute(each) for each in attributes])
        if unsorted:
            parts = sorted((each.dump() for each in whole), reverse=True)
            whole = cms.CMSAttributes(contents=b"".join(parts))
        else:
            whole = cms.CMSAttributes(contents=b"".join(sorted(each.dump() for each in whole)))
        signature = self.sign(whole.dump() if signed_attrs else content, digest)
        signer = parsed(self.signer)
        identity = {"issuer": signer.issuer, "serial_number": signer.serial_number}
        fields = {
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", identity),
            "digest_algorithm": {"algorithm": digest},
            "signature_algorithm": algorithm or self.algorithm(digest),
            "signature": signature,
        }
        if sid == "ski":
            fields["version"] = "v3"
            fields["sid"] = cms.SignerIdentifier("subject_key_identifier", signer.key_identifier)
        if signed_attrs:
            fields["signed_attrs"] = whole
        return cms.SignerInfo(fields)

    def algorithm(self, digest):
        if self.kind == "pss":
            mask = {"algorithm": "mgf1", "parameters": {"algorithm": digest}}
            parameters = {
                "hash_algorithm": {"algorithm": digest},
                "mask_gen_algorithm": mask,
                "salt_length": SALT_LENGTH,
            }
            return {"algorithm": "rsassa_pss", "parameters": algos.RSASSAPSSParams(parameters)}
        scheme = {"rsa": "rsassa_pkcs1v15", "rsa1024": "rsassa_pkcs1v15", "ed25519": "ed25519"}
        return {"algorithm": scheme.get(self.kind, f"{digest}_ecdsa")}

    def sign(self, data, digest):
        if self.kind == "ed25519":
            return self.key.sign(data)
        chosen = getattr(hashes, digest.upper())()
        if self.kind == "pss":
            return self.key.sign(data, padding.PSS(padding.MGF1(chosen), SALT_LENGTH), chosen)
        if self.kind.startswith("rsa"):
            return self.key.sign(data, padding.PKCS1v15(), chosen)
        return self.key.sign(data, ec.ECDSA(chosen))


_INFO = set(MiniTsa.info.__kwdefaults__)


class _Refusal(core.Sequence):
    _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012 - asn1crypto's way


def _refusal(response):
    return _Refusal(response).dump()


def _ess(version, named, ess_digest, issuer):
    if version == "v1":
        entry = {"cert_hash": hashlib.sha1(named).digest()}
        kind, container = "signing_certificate", tsp.SigningCertificate
    else:
        entry = {
            "hash_algorithm": {"algorithm": ess_digest},
            "cert_hash": hashlib.new(ess_digest, named).digest(),
        }
        kind, container = "signing_certificate_v2", tsp.SigningCertificateV2
    if issuer is not None:
        entry["issuer_serial"] = issuer
    return {"type": kind, "values": [container({"certs": [entry]})]}
