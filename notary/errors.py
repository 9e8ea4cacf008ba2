"""Every error that is ours: one class for each thing a caller can do about it.

NotaryError
├── EvidenceError          the evidence is not what it claims to be: ask its holder for an intact copy
│   ├── FormatError            bytes are not of the format they should be
│   ├── ProofError             a Merkle proof does not lead where it must
│   ├── SignatureError         a note, receipt or checkpoint is not signed by the key named
│   ├── TimestampError         an RFC 3161 token fails a numbered check
│   └── ChainError             a header, receipt or account proof does not bind the checkpoint
├── TrustError             the trust file cannot be used: correct it
├── RequestError           the caller's request is wrong: change it
│   ├── EmptyDocument          send a document of at least one byte
│   ├── BadDigest              send the digest at its right length, in hexadecimal
│   ├── UnknownAlgorithm       use one of the algorithms named
│   ├── DigestMismatch         the digest sent is not the digest of the bytes sent
│   ├── TooLarge               send less
│   └── BadNumber              check the record number for a typing mistake
├── AuthError              who is asking is not known or not allowed
│   ├── KeyMissing             send an API key
│   ├── KeyInvalid             the key is unknown, revoked or expired: use another
│   └── ScopeMissing           ask for a key with that scope
├── NotFound               nothing there that this caller may see
├── Conflict               the same idempotency key was used for another request
├── NotReady               exists, but not yet: come back later
├── TooManyRequests        this organisation sends more than its share: send less at a time
├── Unavailable            a service we lean on does not answer: try again later
│   ├── Busy                   more comes in than can be stored: try again in a second
│   ├── NumberTaken            a record number was drawn that another record has: send it again
│   ├── OutOfTime              a step asked the endpoints of a chain for too long: see which of them is slow
│   └── AnchorUnavailable      a time-stamping authority or a chain endpoint
│       └── SignerUnavailable      the process that holds a key: see why it does not sign
├── AnchorRejected         an authority answered, and the answer cannot be used: look at it
│   ├── HeadRefused            a chain would refuse a head: see why before the next one is due
│   └── LaneStopped            a wallet cannot pay, or somebody else uses its key: fund it, or take another
├── SettingsError          the configuration is wrong: correct it
├── ToolMissing            a program that is needed is not installed: install it
└── Fatal                  state is unclear or contradicts what was published: stop, do not repair
    ├── DiskFailed             what this process reads and writes from here on may not be on the disk: end it
    ├── WriterEnded            the thread of this process that stores has ended by a fault of ours: end the process
    └── Overtaken              another process makes the checkpoints now: end this one, and start it again
"""

from typing import ClassVar


class NotaryError(Exception):
    """Root of all errors of this project; `code` is stable and safe to show and to count."""

    code: ClassVar[str] = "error"


class EvidenceError(NotaryError):
    """The evidence is not what it claims to be."""

    code = "evidence"


class FormatError(EvidenceError):
    """Bytes are not of the format they should be."""

    code = "format"


class ProofError(EvidenceError):
    """A Merkle proof does not lead where it must."""

    code = "proof"


class SignatureError(EvidenceError):
    """A signed note is not signed by the key named."""

    code = "signature"


class TimestampError(EvidenceError):
    """An RFC 3161 token fails a numbered check; `check` is its number in docs/formats.md."""

    code = "timestamp"

    def __init__(self, check: int, message: str) -> None:
        super().__init__(message)
        self.check = check


class ChainError(EvidenceError):
    """Chain evidence does not bind the checkpoint."""

    code = "chain"


class TrustError(NotaryError):
    """The trust file cannot be used."""

    code = "trust"


class RequestError(NotaryError):
    """The caller's request is wrong."""

    code = "bad_request"


class EmptyDocument(RequestError):
    """A document of no bytes is no evidence of anything."""

    code = "empty_document"


class BadDigest(RequestError):
    """A digest of the wrong length or not in hexadecimal."""

    code = "bad_digest"


class UnknownAlgorithm(RequestError):
    """A digest algorithm that we do not know."""

    code = "unknown_algorithm"


class DigestMismatch(RequestError):
    """The digest sent is not the digest of the bytes sent."""

    code = "digest_mismatch"


class TooLarge(RequestError):
    """More bytes than the limit."""

    code = "too_large"


class BadNumber(RequestError):
    """A record number that cannot exist: its check character does not fit."""

    code = "bad_record_number"


class AuthError(NotaryError):
    """Who is asking is not known or not allowed."""

    code = "unauthorized"


class KeyMissing(AuthError):
    """No API key was sent."""

    code = "key_missing"


class KeyInvalid(AuthError):
    """The API key is unknown, revoked or expired."""

    code = "key_invalid"


class ScopeMissing(AuthError):
    """The API key lacks the scope that the call needs."""

    code = "scope_missing"


class NotFound(NotaryError):
    """Nothing there that this caller may see."""

    code = "not_found"


class Conflict(NotaryError):
    """An idempotency key was used before, for another request."""

    code = "conflict"


class NotReady(NotaryError):
    """It exists, but what was asked for does not yet."""

    code = "not_ready"


class TooManyRequests(NotaryError):
    """One organisation sends more than its share; nothing of this was stored."""

    code = "too_many_requests"


class Unavailable(NotaryError):
    """A service that we lean on does not answer; `retry_after` is how long it asks to be left alone, in seconds."""

    code = "unavailable"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Unavailable):
    """More comes in than can be stored; nothing of this was."""

    code = "busy"


class NumberTaken(Unavailable):
    """A record number was drawn that another record has; nothing was stored. To be tried with a new one."""

    code = "number_taken"


class OutOfTime(Unavailable):
    """A step asked the endpoints of a chain for as long as it may, and asks on in its next turn."""

    code = "out_of_time"


class AnchorUnavailable(Unavailable):
    """A time-stamping authority or a chain endpoint does not answer."""

    code = "anchor_unavailable"


class NoAnswer(AnchorUnavailable):
    """One endpoint of a chain gives no answer, or an error for one: another may answer."""

    code = "no_answer"


class SignerUnavailable(AnchorUnavailable):
    """The process that holds a key does not sign, or not with that key."""

    code = "signer_unavailable"


class AnchorRejected(NotaryError):
    """An authority answered, and the answer cannot be used."""

    code = "anchor_rejected"


class HeadRefused(AnchorRejected):
    """A chain would refuse a head: it does not extend the one that is anchored, or the head key is not the log's."""

    code = "head_refused"


class LaneStopped(AnchorRejected):
    """A wallet cannot pay for an anchor now, or somebody else uses its key (`foreign`).

    Attributes:
        foreign: a nonce went to a transaction that is none of ours.
        nonce: which one, the first where it is several.
        failed: the nonce of this attempt went to it, and it failed in its block: the wallet itself can go on.
    """

    code = "lane_stopped"

    def __init__(
        self, message: str, *, foreign: bool = False, nonce: int | None = None, failed: bool = False
    ) -> None:
        super().__init__(message)
        self.foreign = foreign
        self.nonce = nonce
        self.failed = failed


class SettingsError(NotaryError):
    """The configuration is wrong."""

    code = "settings"


class ToolMissing(NotaryError):
    """A program that is needed is not installed."""

    code = "tool_missing"


class Fatal(NotaryError):
    """State is unclear or contradicts what was published: the process must stop."""

    code = "fatal"


class DiskFailed(Fatal):
    """The disk failed under a write, or under the database: nothing that this process says counts from here on."""

    code = "disk_failed"


class WriterEnded(Fatal):
    """A thread that all submissions go through has ended: this process stores nothing any more, and must end."""

    code = "writer_ended"


class Overtaken(Fatal):
    """Another process makes the checkpoints now, and nothing is unclear: this one ends, and may be started again."""

    code = "overtaken"
