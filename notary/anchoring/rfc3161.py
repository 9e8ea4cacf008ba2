"""A time-stamping authority over HTTP (RFC 3161 §3.4)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

import rfc3161ng

from notary.anchoring.port import Attempt, Head, KeepsNoHeads, Observation, Step
from notary.errors import AnchorUnavailable, RequestError, TimestampError, Unavailable
from notary.evidence.digests import Digester
from notary.evidence.timestamp import MAX_RESPONSE, Authority, check_token
from notary.evidence.timestamp_issuing import MAX_TAKEN_IN, Tries
from notary.evidence.timestamp_signature import SM3
from notary.evidence.timestamp_status import CHECK as REVOCATION
from notary.outbound import Outbound, check_url

_NONCE_BITS = 64
_DIGESTS = {"sha256": "sha-256", "sm3": "sm3"}


Imprint = Literal["sha256", "sm3"]


def request(data: bytes, nonce: int, imprint: Imprint = "sha256", policy: str | None = None) -> bytes:
    """A DER TimeStampReq: SHA-256 or SM3 of `data`, the nonce, the wish for the certificates, perhaps for a policy.

    Raises:
        RequestError: the nonce is negative or longer than 64 bits.
    """
    if nonce < 0 or nonce.bit_length() > _NONCE_BITS:
        raise RequestError(f"a nonce is a number of at most {_NONCE_BITS} bits")
    # The library must be given the digest: from `data` it would take a SHA-1 and call it SHA-256.
    library: Any = rfc3161ng  # it has no types
    digester = Digester([_DIGESTS[imprint]])
    digester.update(data)
    digest = bytes.fromhex(digester.hex()[_DIGESTS[imprint]])
    query = library.make_timestamp_request(
        digest=digest, hashname="sha256", include_tsa_certificate=True, nonce=nonce, tsa_policy_id=policy
    )
    if imprint == "sm3":  # which it does not know; a digest of it is as long
        query["messageImprint"]["hashAlgorithm"]["algorithm"] = SM3
    return bytes(library.encode_timestamp_request(query))


_CHECK = re.compile(r"[^:]*: check ([0-9]{1,2}): (.*)", re.DOTALL)


def failed_check(detail: str) -> tuple[int, str] | None:
    """Number and reason of the check that a rejected response failed, by what `TsaAnchor.send` said of it."""
    found = _CHECK.fullmatch(detail)
    return None if found is None else (int(found[1]), found[2])


@dataclass(slots=True)  # not frozen, since the port has plain attributes
class TsaAnchor(KeepsNoHeads):
    """One authority. Its answer is evidence at once: an attempt is final or rejected, never under way."""

    name: str
    url: str
    authority: Authority
    outbound: Outbound
    now: Callable[[], datetime]  # UTC; judges whether genTime lies between request and response
    imprint: Imprint = "sha256"  # digest of the head that it is asked to stamp
    # From when on tokens that rest on these DER certificates are spoiled, where one of them is known to be revoked.
    spoiled: Callable[[Sequence[bytes]], datetime | None] = lambda _path: None
    kind: str = "rfc3161"
    lane: str = ""

    def __post_init__(self) -> None:
        """Refuse a URL that could never be used, when the service starts.

        Raises:
            SettingsError: from `check_url`.
        """
        check_url(self.url)

    def sign(self, head: Head, nonce: int, consistency: Sequence[bytes], old_size: int) -> Attempt:  # noqa: ARG002 - the port's form
        """Make the request over the note; an authority has no use for a consistency proof.

        Where one policy alone is accepted it is asked for: an authority that does not stamp by it must say so (RFC
        3161 §2.4.2). Of several any will do, and a request can name no more than one.
        """
        accepted = self.authority.policies
        raw = request(head.note, nonce, self.imprint, accepted[0] if len(accepted) == 1 else None)
        return Attempt(sha256(raw).digest(), raw, nonce)

    def send(self, head: Head, attempt: Attempt, *earlier: Attempt) -> Observation:  # noqa: ARG002 - the port's form
        """Ask for a token and check it as any verifier will.

        Returns:
            FINAL or REJECTED, with the raw response as evidence either way. REJECTED also where more than 8 signatures
            would have to be tried for its path, and where the token is good, and rests on a certificate that is known
            to be revoked: asked ever more rarely, the authority is taken in again once it has another.

        Raises:
            AnchorUnavailable: no answer; the same attempt may be sent again.
        """
        sent = self.now()
        try:
            response = self.outbound.post(self.url, attempt.raw, "application/timestamp-query", MAX_RESPONSE)
        except Unavailable as error:
            raise AnchorUnavailable(f"{self.name}: {error}", error.retry_after) from error
        received = self.now()
        try:
            stamp = check_token(
                response,
                head.note,
                self.authority,
                nonce=attempt.nonce,
                sent=sent,
                received=received,
                tries=Tries(MAX_TAKEN_IN),
            )
        except TimestampError as error:
            return Observation(Step.REJECTED, response, f"{self.name}: check {error.check}: {error}")
        since = self.spoiled(stamp.path)
        if since is not None and stamp.gen_time >= since:
            detail = f"{self.name}: check {REVOCATION}: a certificate behind it was revoked"
            return Observation(Step.REJECTED, response, detail)
        return Observation(Step.FINAL, response, f"{self.name}: stamped at {stamp.gen_time.isoformat()}")

    def observe(self, head: Head, attempts: Sequence[Attempt]) -> Observation:  # noqa: ARG002 - the port's form
        """After a crash: an authority remembers nothing, so ask again; a lost token harms nobody."""
        return Observation(Step.DUE, None, f"{self.name}: no token was kept, it will be asked again")
