"""The verifier's own files: his trust, and the document that he holds."""

from dataclasses import dataclass
from pathlib import Path

from notary.errors import RequestError
from notary.evidence.package import Digests, digest_stream
from notary.evidence.trust import MAX_TRUST, Trust, parse_trust


@dataclass(frozen=True, slots=True)
class Given:
    """What the verifier holds himself, besides the evidence."""

    trust: Trust | None = None
    document: Digests | None = None


def given_files(document: Path | None, trust: Path | None) -> Given:
    """Read them.

    Raises:
        RequestError: a file that was named cannot be read.
        TrustError: the trust file cannot be used.
    """
    return Given(_trust(trust) if trust else None, _digests(document) if document else None)


def _trust(path: Path) -> Trust:
    try:
        with path.open("rb") as stream:
            return parse_trust(stream.read(MAX_TRUST + 1))
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from error


def _digests(path: Path) -> Digests:
    try:
        with path.open("rb") as stream:
            return digest_stream(stream)
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from error
