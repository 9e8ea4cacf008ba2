"""A trust file from the address of a service, held against a fingerprint that came by another way."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from notary.errors import NotFound, RequestError, TrustError, Unavailable
from notary.evidence.note import MAX_NOTE
from notary.evidence.trust_statement import CheckedVersions, check_versions, parse_trust_statement

TOTAL_SECONDS = 120.0  # for all versions together
PATH = "/.well-known/notary-trust"


def fetch_trust(
    get: Callable[[str, int], bytes | None],
    url: str,
    fingerprint: bytes,
    clock: Callable[[], float] = time.monotonic,
) -> CheckedVersions:
    """The newest trust statement of a service and the one that has the fingerprint, after all versions were checked.

    Args:
        get: the body at an address, of at most so many bytes; None where there is nothing.
        url: of the service, or of its trust statement.
        fingerprint: SHA-256 of a version, 32 bytes. Of an old one it does not show that the newest is the log's own.
        clock: seconds, for the deadline of all requests together.

    Raises:
        RequestError: the address has a query or a fragment.
        NotFound: there is no trust statement, or a version is missing.
        EvidenceError, TrustError: a version is malformed, is another one than was asked for, or does not follow;
            or none has the fingerprint.
        SettingsError, Unavailable: as `get`; or all together took too long.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise RequestError(f"the address of a trust statement has no query and no fragment: {url}")
    deadline = clock() + TOTAL_SECONDS
    base = url if parts.path.endswith(PATH) else url.rstrip("/") + PATH
    newest = _read(get, base)
    count = parse_trust_statement(newest).version
    files = []
    for number in range(1, count):
        if clock() > deadline:
            raise Unavailable(
                f"the versions of the trust statement at {base} took more than {TOTAL_SECONDS:.0f} s"
            )
        files.append(_read(get, f"{base}?version={number}"))
    files.append(newest)
    for number, data in enumerate(files, 1):
        if parse_trust_statement(data).version != number:
            raise TrustError(f"another version of the trust statement was sent than {number}")
    return check_versions(files, fingerprint)


def _read(get: Callable[[str, int], bytes | None], url: str) -> bytes:
    data = get(url, MAX_NOTE)
    if data is None:
        raise NotFound(f"there is no trust statement at {url}")
    return data
