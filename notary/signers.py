"""Keys that stay where they are: a process beside this one signs, and nothing that it says is taken on trust.

One process a signature. It gets the digest on standard input, 64 hexadecimal characters and a line feed, and writes
the ECDSA signature (secp256k1) to standard output in hexadecimal: DER (SEC 1 C.5), or r and s of 32 bytes each. That is
what PKCS#11 tokens and key management services give. Their signatures differ from time to time, have s in either
half, and do not say which of two keys they are of: all of that is settled here.
"""

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol, cast

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from notary.errors import SignerUnavailable

if TYPE_CHECKING:
    from eth_account.datastructures import SignedMessage
    from eth_typing import Hash32

SECONDS = 10.0  # that a signature may take
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_PLAIN = 64  # bytes of r and s
_MAX_OUTPUT = 2 * 72 + 2  # the longest DER, in hexadecimal, and the end of a line


_NO_SIGNATURE = "writes no signature, neither DER nor r and s in hexadecimal"


class Signer(Protocol):
    """Holds a secp256k1 key: an account of eth_account, or an `ExternalSigner`."""

    @property
    def address(self) -> str:
        """0x and 40 hexadecimal characters, with the checksum of EIP-55."""
        ...

    def unsafe_sign_hash(self, message_hash: "Hash32") -> "SignedMessage":
        """The signature of 32 bytes, s in the lower half, v 27 or 28.

        Raises:
            SignerUnavailable: the process that holds the key does not sign, or not with that key.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExternalSigner:
    """A process that signs.

    Attributes:
        address: of the key, with the checksum of EIP-55; a signature of another one is refused.
        command: program and arguments; no shell reads them.
        seconds: after which it is killed.
    """

    address: str
    command: tuple[str, ...]
    seconds: float = SECONDS

    def unsafe_sign_hash(self, message_hash: "Hash32") -> "SignedMessage":
        """The signature of 32 bytes. Raises as `Signer`."""
        from eth_account.datastructures import SignedMessage  # noqa: PLC0415 - the API has no memory for what this brings
        from hexbytes import HexBytes  # noqa: PLC0415 - as above

        r, s = self._numbers(self._run(bytes(message_hash).hex()))
        s = min(s, _ORDER - s)  # both are signatures, and Ethereum takes the lower (EIP-2)
        parity = self._parity(message_hash, r, s)
        packed = r.to_bytes(32) + s.to_bytes(32) + bytes([27 + parity])
        return SignedMessage(HexBytes(message_hash), r, s, 27 + parity, HexBytes(packed))

    def _run(self, line: str) -> bytes:
        try:
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # may say what nobody should read in a log
                start_new_session=True,
            )
        except OSError as error:
            raise self._failed(f"cannot be started: {error.strerror}") from error
        with process:
            try:
                output = self._exchange(process, f"{line}\n".encode())
            except subprocess.TimeoutExpired as error:
                raise self._failed(f"does not answer within {self.seconds:g} seconds") from error
            finally:
                with suppress(ProcessLookupError):  # it, and what it started
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            raise self._failed(f"ends with status {process.returncode}")
        return output

    def _exchange(self, process: subprocess.Popen[bytes], line: bytes) -> bytes:
        """What the process writes until it ends; no more is read than a signature has, however much it writes.

        Raises:
            subprocess.TimeoutExpired: it does not end in time.
            SignerUnavailable: it writes more than any signature has.
        """
        end = time.monotonic() + self.seconds
        given, source = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        with suppress(BrokenPipeError), given:  # one that has ended already is told by its status
            given.write(line)
        output = b""
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while len(output) <= _MAX_OUTPUT:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise subprocess.TimeoutExpired(self.command, self.seconds)
                found = os.read(source.fileno(), _MAX_OUTPUT + 1 - len(output))
                if not found:
                    process.wait(max(0.0, end - time.monotonic()))
                    return output
                output += found
        raise self._failed(_NO_SIGNATURE)

    def _numbers(self, output: bytes) -> tuple[int, int]:
        try:
            data = bytes.fromhex(output.decode("ascii"))
            numbers = (
                (int.from_bytes(data[:32]), int.from_bytes(data[32:]))
                if len(data) == _PLAIN
                else decode_dss_signature(data)
            )
        except ValueError as error:
            raise self._failed(_NO_SIGNATURE) from error
        if not all(0 < number < _ORDER for number in numbers):
            raise self._failed("writes a signature with a number out of range")
        return numbers

    def _parity(self, message_hash: bytes, r: int, s: int) -> int:
        """Which of the two keys that fit a signature it is of."""
        from eth_keys.datatypes import Signature  # noqa: PLC0415 - as in `unsafe_sign_hash`
        from eth_keys.exceptions import BadSignature  # noqa: PLC0415 - as above

        for parity in (0, 1):
            with suppress(BadSignature):
                key = Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(message_hash)
                if key.to_checksum_address() == self.address:
                    return parity
        raise self._failed("signs with another key")

    def _failed(self, what: str) -> SignerUnavailable:
        return SignerUnavailable(f"the signer of {self.address} {what}")
