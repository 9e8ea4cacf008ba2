"""The one client for requests that leave the service: it goes where it was sent, and nowhere inside.

A host is resolved once, its addresses are judged, and the connection is made to one of those very addresses: an
answer of the name server that changes in between (DNS rebinding) has no effect. Redirects are not followed,
proxies from the environment are not used, and a whole exchange has one deadline, however slowly bytes drip in.
httpcore, the engine under httpx, is used itself, since it lets the connection be made by us.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import httpcore

from notary.errors import SettingsError, Unavailable

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
_OK, _MISSING = 200, 404
_TOO_MANY, _BUSY = 429, 503
_MAX_WAIT_DIGITS = 9
_NAT64 = IPv6Network("64:ff9b::/96")

Resolver = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, in the order in which the system would try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted(address: str, *, allow_private: bool) -> bool:
    """Whether a request may go to an address.

    Multicast, link-local (cloud metadata), unspecified and reserved addresses never; loopback and private ones,
    and IPv4 addresses mapped into IPv6, with `allow_private` only.
    """
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip.sixtofour or ip.teredo:  # tunnels to an IPv4 address of somebody's choice
            return False
        if ip.ipv4_mapped:
            return allow_private and permitted(str(ip.ipv4_mapped), allow_private=True)
        if ip in _NAT64:
            ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.is_loopback:
        return allow_private
    if ip.is_multicast or ip.is_link_local or ip.is_unspecified or ip.is_reserved:
        return False
    return allow_private or ip.is_global


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates count, read once in a process: reading them takes longer than a request."""
    return httpcore.default_ssl_context()


class Outbound:
    """Asks URLs of the operator's settings, or of certificates under his roots; one connection a request."""

    def __init__(self, *, allow_private: bool, resolver: Resolver = resolve) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._tls = _authorities()

    def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        """Send `body` and return the body of the answer, at most `limit` bytes of it.

        Raises:
            SettingsError: not a plain http or https URL.
            Unavailable: no permitted address, no answer in time, another status than 200, or too long an answer;
                with status 429 or 503 it says for how long the server asks to be left alone.
        """
        found = self._exchange("POST", url, body, [("Content-Type", content_type)], limit)
        if found is None:
            raise Unavailable(f"{urlsplit(url).hostname} answers with status {_MISSING}")
        return found

    def get(self, url: str, limit: int) -> bytes | None:
        """The body at `url`, at most `limit` bytes of it; None where there is nothing (status 404).

        Raises:
            SettingsError, Unavailable: as `post`.
        """
        return self._exchange("GET", url, b"", [], limit)

    def _exchange(
        self, method: str, url: str, body: bytes, more: list[tuple[str, str]], limit: int
    ) -> bytes | None:
        parts = check_url(url)
        host = parts.hostname or ""
        deadline = time.monotonic() + TOTAL_SECONDS
        network = _Network(self._addresses(parts), deadline)
        headers = [*more, ("Accept-Encoding", "identity"), ("User-Agent", "notary")]
        timeouts = {"connect": CONNECT_SECONDS, "read": TOTAL_SECONDS, "write": TOTAL_SECONDS}
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=network) as pool,
                pool.stream(
                    method, url, headers=headers, content=body, extensions={"timeout": timeouts}
                ) as answer,
            ):
                if answer.status == _MISSING:
                    return None
                if answer.status != _OK:
                    wait = retry_after(answer.headers) if answer.status in {_TOO_MANY, _BUSY} else None
                    raise Unavailable(f"{host} answers with status {answer.status}", wait)
                return _read(answer.iter_stream(), limit, host)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unavailable(f"{host} does not answer ({type(error).__name__})") from error

    def _addresses(self, parts: SplitResult) -> list[str]:
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = self._resolver(host, port)
        except OSError as error:
            raise Unavailable(f"the name {host} cannot be resolved") from error
        good = [address for address in found if permitted(address, allow_private=self._allow_private)]
        if not good:
            raise Unavailable(f"{host} has no address that requests may go to")
        return good


def check_url(url: str) -> SplitResult:
    """Split a URL that may be asked.

    Raises:
        SettingsError: not http or https, no host, or with user, password, fragment or characters outside ASCII.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and parts.username is None and not parts.fragment
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise SettingsError(
            "a URL to post to is http or https, with a host and without user, password or fragment"
        )
    return parts


def retry_after(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Seconds for which a server asks to be left alone (RFC 9110 §10.2.3); None where it does not say so.

    A date is compared with the server's own `Date`, and means nothing without it: no clock of ours has a part in it.
    """
    found = {name.lower(): value.decode("ascii", "replace").strip() for name, value in headers}
    asked = found.get(b"retry-after", "")
    if asked.isascii() and asked.isdigit():
        return float(asked) if len(asked) <= _MAX_WAIT_DIGITS else None
    try:
        until, since = (parsedate_to_datetime(each) for each in (asked, found.get(b"date", "")))
        return max(0.0, (until - since).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: one of the two has no zone
        return None


def _read(chunks: Iterable[bytes], limit: int, host: str) -> bytes:
    found = b""
    for chunk in chunks:
        found += chunk
        if len(found) > limit:
            raise Unavailable(f"the answer of {host} is longer than {limit} bytes")
    return found


class _Network(httpcore.NetworkBackend):
    """Connects to addresses that were judged before, whatever the name resolves to by now."""

    def __init__(self, addresses: Sequence[str], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - its addresses are known already
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        problem: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            left = min(timeout or CONNECT_SECONDS, _left(self._deadline, httpcore.ConnectTimeout))
            try:
                stream = self._system.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _Stream(stream, self._deadline)
        raise problem


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline alone counts
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline alone counts
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline alone counts
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the exchange took too long")
    return left
