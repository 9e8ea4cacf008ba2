"""A local time-stamping authority for the embedded profile: `openssl ts` behind HTTP on loopback.

It signs whatever it is asked to with a key that lies in a folder, so its tokens prove nothing; its names say so.
Run it with `python -m notary.embedded.tsa --dir DIR --port PORT`; port 0 takes the one of last time, or a free one.
The first line on standard output is its URL. Beside tokens it gives the revocation list that its certificate names.
"""

import argparse
import contextlib
import secrets
import shutil
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from cryptography.hazmat.primitives.asymmetric import ec

from notary.embedded.authority import (
    NAME,
    ROOT_KEY,
    SIGNER,
    SIGNER_KEY,
    certificate,
    certify,
    revocation_list,
    write,
    write_key,
)
from notary.errors import ToolMissing

POLICY = "2.25.310943214671094117361735923452351923517"  # from a random UUID: an arc of its own
MAX_QUERY = 4096  # bytes; a query is about 60
ROOT = "root.pem"
CRL = "root.crl"  # its place below the URL
_PORT = "port"
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
    authority = certificate("root", authority_key, authority_key)
    write_key(folder / ROOT_KEY, authority_key)
    write_key(folder / SIGNER_KEY, signer_key)
    write(folder / SIGNER, certificate("signer", signer_key, authority_key))
    (folder / "openssl.cnf").write_text(_CONFIG)
    return write(root, authority)


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

    def do_GET(self) -> None:
        """The revocation list (RFC 5280 §4.2.1.13)."""
        if self.path == f"/{CRL}":
            self._send("application/pkix-crl", revocation_list(self.server.folder))
        else:
            self.send_error(404)

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
        self._send("application/timestamp-reply", response)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet: the embedded profile shows one log, not two."""


def _listen(folder: Path, host: str, port: int) -> _Server:
    """At the port of last time where any will do: certificates name it, and what was stamped then asks for it."""
    last = folder / _PORT
    if port == 0 and last.exists():
        with contextlib.suppress(OSError, ValueError):
            return _Server(folder, host, int(last.read_text()))
    server = _Server(folder, host, port)
    last.write_text(f"{server.server_port}\n")
    return server


def _end_with_parent(server: _Server) -> None:
    sys.stdin.read()  # a parent that is killed cannot stop us, but its end of the pipe is closed
    server.shutdown()


def main(arguments: list[str] | None = None) -> None:
    """Prepare the folder and serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m notary.embedded.tsa", description=NAME)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; only a container needs another"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--until-eof", action="store_true", help="end when standard input does: with the parent"
    )
    parser.add_argument(
        "--url", help="where others reach it, ending in /; the first line of output if not given"
    )
    options = parser.parse_args(arguments)
    prepare(options.dir)
    with _listen(options.dir, options.host, options.port) as server:
        url = f"http://{options.host}:{server.server_port}/"
        certify(options.dir, (options.url or url) + CRL)
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        if options.until_eof:
            Thread(target=_end_with_parent, args=(server,), daemon=True).start()
        server.serve_forever()


if __name__ == "__main__":
    main()
