"""A client of the API for the command line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode

import httpx

from notary import errors
from notary.errors import KeyMissing, NotaryError, RequestError, TimestampError, Unavailable
from notary.evidence.number import parse_number, show_number

URL = "NOTARY_URL"
KEY_FILE = "NOTARY_API_KEY_FILE"
_DEFAULT_URL = "http://127.0.0.1:8000"
_MAX_DETAIL = 1000
_MAX_PORT = 65535
_TIMEOUT = httpx.Timeout(60, connect=5)


class Client:
    """Calls with the API key in the file named by NOTARY_API_KEY_FILE; errors come back as our own."""

    def __init__(self, url: str | None = None, key_file: Path | None = None) -> None:
        """Read the key.

        Raises:
            KeyMissing: no key file is named, it cannot be read, or holds no key.
            RequestError: `url` is not the address of a service.
        """
        path = key_file or (Path(os.environ[KEY_FILE]) if KEY_FILE in os.environ else None)
        if path is None:
            raise KeyMissing(f"name the file of your API key with --key-file or {KEY_FILE}")
        try:
            key = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyMissing(f"the API key in {path} cannot be read") from error
        if not key or not key.isprintable():
            raise KeyMissing(f"{path} does not hold one API key and nothing else")
        self.url = str(_address(url or os.environ.get(URL, _DEFAULT_URL))).rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_TIMEOUT,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit_file(
        self,
        file: BinaryIO,
        name: str,
        request: str,
        idempotency_key: str | None,
        media_type: str | None = None,
    ) -> dict[str, Any]:
        """Send a document; `request` is the JSON part."""
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        with _translated():
            response = self._http.post(
                "/v1/evidence",
                files={"file": (name, file, media_type)},
                data={"request": request},
                headers=headers,
            )
        return _json(_checked(response))

    def submit_bulk(self, lines: bytes, idempotency_key: str) -> dict[str, Any]:
        """Send up to 10,000 lines, all or none."""
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": idempotency_key}
        with _translated():
            response = self._http.post("/v1/evidence/bulk", content=lines, headers=headers)
        return _json(_checked(response), "lines")

    def state(self, number: str) -> dict[str, Any]:
        """Where a record stands."""
        return _json(self._get(_path(number)))

    def download(self, number: str, what: str, **query: str) -> bytes:
        """Statement, receipt, proof, package or report of a record."""
        return self._get(f"{_path(number)}/{what}{'?' if query else ''}{urlencode(query)}").content

    def _get(self, path: str) -> httpx.Response:
        with _translated():
            return _checked(self._http.get(path))


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RequestError(f"{url!r} is not the address of a service: {error}") from error
    if address.scheme not in {"http", "https"} or not address.host or (address.port or 0) > _MAX_PORT:
        raise RequestError(f"{url!r} is not the address of a service, such as https://notary.example.org")
    return address


def _path(number: str) -> str:
    return f"/v1/evidence/{show_number(parse_number(number))}"


def _json(response: httpx.Response, name: str = "number") -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or name not in answer:
        raise Unavailable("what answers there is no service of this kind")
    return answer


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise Unavailable(f"the service does not answer: {type(error).__name__}") from error


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        problem = response.json()
        detail, code = str(problem["detail"]), str(problem["code"])
    except (ValueError, KeyError, TypeError):
        raise Unavailable(f"the service answered {response.status_code} without a reason") from None
    raise _error_of(code)("".join(c if c.isprintable() else "\ufffd" for c in detail[:_MAX_DETAIL]))


_KINDS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, NotaryError) and kind is not TimestampError
}


def _error_of(code: str) -> type[NotaryError]:
    return _KINDS.get(code, Unavailable)
