"""A local time-stamping authority for the embedded profile: `openssl ts` behind HTTP on loopback.

It signs whatever it is asked to with a key that lies in a folder, so its tokens prove nothing; its names say so.
Run it with `python -m notary.embedded.tsa --dir DIR --port PORT`; port 0 takes a free one. The first line on
standard output is its URL.
"""

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from notary.errors import ToolMissing

POLICY = "2.25.310943214671094117361735923452351923517"  # from a random UUID: an arc of its own
MAX_QUERY = 4096  # bytes; a query is about 60
ROOT = "root.pem"
_NAME = "Embedded test TSA - proves nothing"
_REPLY_SECONDS = 10
_CONFIG = f"""\
[tsa]
default_tsa = embedded
[embedded]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
default_policy = {POLICY}
digests = sha256, sha384, sha512
accuracy = secs:1
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def prepare(folder: Path) -> Path:
    """Make keys, certificates and configuration, unless they are there.

    Returns:
        The PEM file of the root, for a trust file.

    Raises:
        ToolMissing: `openssl` is not installed.
    """
    openssl()
    root = folder / ROOT
    if root.exists():
        return root
    folder.mkdir(parents=True, exist_ok=True)
    # The root is written last: where it is missing, making stopped half-way and begins again.
    authority_key, signer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("root", authority_key, authority_key)
    signer = _certificate("signer", signer_key, authority_key)
    secret = signer_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "signer.key").unlink(missing_ok=True)
    descriptor = os.open(folder / "signer.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    (folder / "signer.pem").write_bytes(signer.public_bytes(serialization.Encoding.PEM))
    (folder / "openssl.cnf").write_text(_CONFIG)
    draft = folder / "root.new"
    draft.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    return draft.replace(root)


def openssl() -> str:
    """The path of the program.

    Raises:
        ToolMissing: with the sentence to show.
    """
    found = shutil.which("openssl")
    if found is None:
        raise ToolMissing(
            "the embedded time-stamping authority needs the program openssl, which is not installed"
        )
    return found


def reply(folder: Path, query: bytes) -> bytes:
    """The TimeStampResp to a query; a refusal is a response too. One call at a time for a folder.

    Raises:
        OSError: the program cannot be run, or makes no response.
    """
    # A random serial number for each token: nothing to count, so nothing that a crash could leave torn.
    (folder / "serial").write_text(f"{secrets.randbits(63) | 1 << 63:X}\n")
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".tsq") as file:
        file.write(query)
        file.flush()
        command = [openssl(), "ts", "-reply", "-config", "openssl.cnf", "-queryfile", file.name]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                capture_output=True,
                check=True,
                timeout=_REPLY_SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.SubprocessError as error:
            raise OSError("openssl ts made no response") from error
    return done.stdout


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.folder = folder.resolve()
        self.serial_lock = Lock()


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds a client may take for its request
    server: _Server

    def do_POST(self) -> None:
        """RFC 3161 §3.4."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Content-Type") != "application/timestamp-query":
            self.send_error(415)
        elif not length.isascii() or not length.isdigit():
            self.send_error(411)
        elif int(length[:10]) > MAX_QUERY:
            self.send_error(413)
        else:
            self._answer(self.rfile.read(int(length)))

    def _answer(self, query: bytes) -> None:
        try:
            with self.server.serial_lock:
                response = reply(self.server.folder, query)
        except OSError:
            self.send_error(500)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet: the embedded profile shows one log, not two."""


def _certificate(
    role: str, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    is_root = role == "root"
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(role))
        .issuer_name(_name("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(_usage(certificates=is_root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(purpose, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _NAME),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{_NAME} ({role})"),
        ]
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _end_with_parent(server: _Server) -> None:
    sys.stdin.read()  # a parent that is killed cannot stop us, but its end of the pipe is closed
    server.shutdown()


def main(arguments: list[str] | None = None) -> None:
    """Prepare the folder and serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m notary.embedded.tsa", description=_NAME)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; only a container needs another"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--until-eof", action="store_true", help="end when standard input does: with the parent"
    )
    options = parser.parse_args(arguments)
    prepare(options.dir)
    with _Server(options.dir, options.host, options.port) as server:
        sys.stdout.write(f"http://{options.host}:{server.server_port}/\n")
        sys.stdout.flush()
        if options.until_eof:
            Thread(target=_end_with_parent, args=(server,), daemon=True).start()
        server.serve_forever()


if __name__ == "__main__":
    main()
