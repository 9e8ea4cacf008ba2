"""COSE receipts of inclusion (RFC 9942, RFC9162_SHA256) under the log's key (docs/formats.md §7.1).

The file holds no root: whoever checks it recomputes the root from the entry, and checks the signature over that.
The protected header states the log and the size of its tree, so that all three that a checkpoint states are signed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from notary.errors import FormatError, SignatureError
from notary.evidence import cbor
from notary.evidence.checkpoint import MAX_SIZE, Checkpoint, parse_decimal
from notary.evidence.note import Verifier
from notary.evidence.statement import ORIGIN
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import MAX_PATH, root_from_inclusion_proof

MAX_RECEIPT = 8192  # 63 hashes take 2,142 bytes, an origin 203
SIGNATURE_SIZE = 64
_KEY_ID = 4
_ALG, _KID, _CWT_CLAIMS, _VDS, _VDP = 1, 4, 15, 395, 396  # header parameters
_ISS, _SUB = 1, 2  # claims (RFC 8392)
_EDDSA, _RFC9162_SHA256, _INCLUSION = -8, 1, -1
TAG_AND_ARRAY = cbor.head(cbor.TAG, 18) + cbor.head(cbor.ARRAY, 4)  # how a COSE_Sign1 of four begins


@dataclass(frozen=True, slots=True)
class CoseReceipt:
    """The entry at `index` is in the tree of `size` entries of log `origin`; not verified."""

    origin: str
    size: int
    key_id: bytes  # of the log key, 4 bytes (docs/formats.md §4)
    index: int
    path: tuple[bytes, ...]  # the leaf's sibling first, at least one
    signature: bytes

    def encode(self) -> bytes:
        """The bytes of the file.

        Raises:
            FormatError: a tree of one entry has no path, and RFC 9942 no receipt without one.
        """
        if not self.path:
            raise FormatError("a COSE receipt needs a path: there is none in a tree of one entry")
        hashes = b"".join(cbor.byte_string(node) for node in self.path)
        proof = (
            cbor.head(cbor.ARRAY, 3)
            + cbor.integer(self.size)
            + cbor.integer(self.index)
            + cbor.head(cbor.ARRAY, len(self.path))
            + hashes
        )
        protected = _protected(self.origin, self.size, self.key_id)
        return b"".join(
            (
                TAG_AND_ARRAY,
                cbor.byte_string(protected),
                _UNPROTECTED,
                cbor.byte_string(proof),
                cbor.NULL,
                cbor.byte_string(self.signature),
            )
        )


def sign_root(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """The signature (64 bytes) of every receipt under this checkpoint; the log key's."""
    verifier = Verifier(checkpoint.origin, key.public_key().public_bytes_raw())
    return key.sign(_to_be_signed(checkpoint, verifier))


def check_root(signature: bytes, checkpoint: Checkpoint, verifier: Verifier) -> None:
    """Check such a signature.

    Raises:
        SignatureError: it is not of this checkpoint by this key.
    """
    key = Ed25519PublicKey.from_public_bytes(verifier.public)
    try:
        key.verify(signature, _to_be_signed(checkpoint, verifier))
    except InvalidSignature as error:
        raise SignatureError(
            f"{verifier.name} has not signed the root {checkpoint.root.hex()} at size {checkpoint.size} for receipts"
        ) from error


def open_receipt(receipt: CoseReceipt, entry: bytes, keys: Sequence[Verifier]) -> tuple[Checkpoint, Verifier]:
    """Verify a receipt.

    Args:
        receipt: from `parse_receipt`.
        entry: 32 bytes, from the statement.
        keys: the log keys that are trusted.

    Returns:
        The checkpoint whose root the entry leads to, and the key that signed it.

    Raises:
        ProofError: the path has not the length that index and size allow.
        SignatureError: none of `keys` has the key id, or it has not signed the root that the path leads to.
    """
    leaf = hash_leaf(entry)
    root = root_from_inclusion_proof(leaf, receipt.index, receipt.size, receipt.path)
    checkpoint = Checkpoint(receipt.origin, receipt.size, root)
    for verifier in keys:
        if verifier.key_id == receipt.key_id:
            check_root(receipt.signature, checkpoint, verifier)
            return checkpoint, verifier
    raise SignatureError("no key that is trusted for this has signed the receipt")


def parse_receipt(data: bytes) -> CoseReceipt:
    """Read a receipt of ours; verifies nothing.

    Raises:
        FormatError: longer than 8192 bytes, not in core deterministic encoding, or not of exactly this shape.
    """
    if len(data) > MAX_RECEIPT:
        raise FormatError(f"a COSE receipt of {len(data)} bytes is larger than {MAX_RECEIPT}")
    reader = cbor.Reader(data)
    reader.expect(TAG_AND_ARRAY, "the beginning of the receipt")
    origin, size, key_id = _read_protected(reader.octets("the protected header"))
    reader.expect(_UNPROTECTED, "the unprotected header")
    stated, index, path = _read_proof(reader.octets("the inclusion proof"))
    reader.expect(cbor.NULL, "the payload, which is detached,")
    signature = reader.octets("the signature", SIGNATURE_SIZE)
    reader.end("the receipt")
    if stated != size:
        raise FormatError(f"the proof is of size {stated}, the signed header of size {size}")
    return CoseReceipt(origin, size, key_id, index, path, signature)


def _protected(origin: str, size: int, key_id: bytes) -> bytes:
    claims = (
        cbor.head(cbor.MAP, 2)
        + cbor.integer(_ISS)
        + cbor.text_string(origin)
        + cbor.integer(_SUB)
        + cbor.text_string(str(size))
    )
    return b"".join((_BEFORE_KID, cbor.byte_string(key_id), cbor.integer(_CWT_CLAIMS), claims, _AFTER_CLAIMS))


# What stands around the values: {1: -8, 4: kid, 15: {1: origin, 2: size}, 395: 1}, {396: {-1: [proof]}}
_BEFORE_KID = cbor.head(cbor.MAP, 4) + cbor.integer(_ALG) + cbor.integer(_EDDSA) + cbor.integer(_KID)
_AFTER_CLAIMS = cbor.integer(_VDS) + cbor.integer(_RFC9162_SHA256)
_UNPROTECTED = (
    cbor.head(cbor.MAP, 1)
    + cbor.integer(_VDP)
    + cbor.head(cbor.MAP, 1)
    + cbor.integer(_INCLUSION)
    + cbor.head(cbor.ARRAY, 1)
)


def _read_protected(data: bytes) -> tuple[str, int, bytes]:
    reader = cbor.Reader(data)
    reader.expect(_BEFORE_KID, "the protected header (alg, kid)")
    key_id = reader.octets("the key id", _KEY_ID)
    reader.expect(
        cbor.integer(_CWT_CLAIMS) + cbor.head(cbor.MAP, 2) + cbor.integer(_ISS), "the claims (iss, sub)"
    )
    origin = reader.text("the origin of the log")
    reader.expect(cbor.integer(_SUB), "the second claim (sub)")
    size = parse_decimal(reader.text("the size"))
    reader.expect(_AFTER_CLAIMS, "the protected header (vds)")
    reader.end("the protected header")
    if not re.fullmatch(ORIGIN, origin):
        raise FormatError("the origin of the log is not of the form it must have")
    return origin, size, key_id


def _read_proof(data: bytes) -> tuple[int, int, tuple[bytes, ...]]:
    reader = cbor.Reader(data)
    reader.expect(cbor.head(cbor.ARRAY, 3), "the inclusion proof")
    size, index = (reader.argument(cbor.UNSIGNED, what) for what in ("the size", "the index"))
    count = reader.argument(cbor.ARRAY, "the inclusion path")
    if not 1 <= count <= MAX_PATH or max(size, index) > MAX_SIZE:
        raise FormatError(f"an inclusion path has 1 to {MAX_PATH} hashes, and size and index are below 2**63")
    path = tuple(reader.octets("a hash of the inclusion path", 32) for _ in range(count))
    reader.end("the inclusion proof")
    return size, index, path


def _to_be_signed(checkpoint: Checkpoint, verifier: Verifier) -> bytes:
    """Sig_structure of RFC 9052 §4.4, with no external data."""
    protected = _protected(checkpoint.origin, checkpoint.size, verifier.key_id)
    return b"".join(
        (
            cbor.head(cbor.ARRAY, 4),
            cbor.text_string("Signature1"),
            cbor.byte_string(protected),
            cbor.byte_string(b""),
            cbor.byte_string(checkpoint.root),
        )
    )
