"""What must be true of time stamps: every request that was made, and the authority's answer to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from asn1crypto import algos, tsp

from notary.anchoring.port import Head
from notary.errors import EvidenceError, FormatError, NotaryError, TimestampError
from notary.evidence.timestamp import Authority, check_token
from notary.evidence.timestamp_cms import check_signature, find_signer, open_response
from notary.evidence.timestamp_der import check_der, load
from notary.evidence.timestamp_signature import IMPRINTS, digest
from notary.store.anchorings import Anchoring
from notary.store.engine import Connection
from notary.store.outbox import Attempt

_MAX_REQUEST = 4096  # bytes; ours have about 70


@dataclass(frozen=True, slots=True)
class TokenChecks:
    """Checks of anchorings of the kind `rfc3161`.

    A token of an authority that the settings do not name any more is not checked against roots: only that it is over
    this head, answers this request, and is signed by the certificate in it.
    """

    authorities: Mapping[str, Authority]

    def problems(self, item: Anchoring, head: Head, attempts: Sequence[Attempt]) -> Iterator[str]:
        """As `KindChecks.problems`."""
        for attempt in attempts:
            if sha256(attempt.raw).hexdigest() != attempt.ref:
                yield f"attempt {attempt.ref}: its bytes are those of another request"
            try:
                _check_request(attempt, head.note)
            except EvidenceError as error:
                yield f"attempt {attempt.ref}: {error}"
        if item.state == "final" and item.evidence is not None:
            try:
                self._check_answer(item, item.evidence, head.note, attempts)
            except TimestampError as error:
                yield f"its token fails check {error.check}: {error}"
            except NotaryError as error:
                yield f"its token: {error}"

    def left_over(self, _connection: Connection) -> Iterator[str]:
        """As `KindChecks.left_over`: nothing, since a request takes any nonce."""
        yield from ()

    def _check_answer(
        self, item: Anchoring, response: bytes, note: bytes, attempts: Sequence[Attempt]
    ) -> None:
        nonce = _read(lambda: _nonce_of(response, note), "token")
        if nonce not in {attempt.nonce for attempt in attempts}:
            raise TimestampError(19, "the token holds another nonce than the request")
        authority = self.authorities.get(item.anchor)
        if authority is not None:
            check_token(response, note, authority, nonce=nonce)


def _check_request(attempt: Attempt, note: bytes) -> None:
    """The bytes are a request over this note, with the row's nonce, for the certificates and no extension.

    Which policy it asks for is not compared: the settings may have named another one by then.
    """
    if len(attempt.raw) > _MAX_REQUEST:
        raise FormatError(f"a request of {len(attempt.raw)} bytes is longer than {_MAX_REQUEST}")
    check_der(attempt.raw)
    query = _read(lambda: _query(attempt.raw), "request")
    if query["version"] != "v1" or not query["cert_req"] or query["extensions"] is not None:
        raise FormatError("the request is of another version or for something else")
    _check_imprint(query["message_imprint"], note)
    if query["nonce"] != attempt.nonce:
        raise FormatError(f"the request has nonce {query['nonce']}, not {attempt.nonce}")


def _query(raw: bytes) -> Any:
    return load(tsp.TimeStampReq, raw).native


def _nonce_of(response: bytes, note: bytes) -> int | None:
    """The nonce of a token over this note that the certificate in it verifies."""
    token = open_response(response)
    check_signature(token, find_signer(token, ()))
    info = load(tsp.TSTInfo, token.content).native
    _check_imprint(info["message_imprint"], note)
    nonce: int | None = info["nonce"]
    return nonce


def _check_imprint(imprint: Any, note: bytes) -> None:
    algorithm = algos.DigestAlgorithmId(imprint["hash_algorithm"]["algorithm"]).dotted
    if imprint["hashed_message"] != digest(algorithm, note, 18, "the imprint", IMPRINTS):
        raise TimestampError(18, "the imprint is of other data")


def _read(parse: Callable[[], Any], what: str) -> Any:
    try:
        return parse()
    except (EvidenceError, MemoryError):
        raise
    except Exception as error:
        # The parser raises nearly anything on damaged input, and late, since it reads lazily.
        raise FormatError(f"the {what} cannot be read ({type(error).__name__})") from error
