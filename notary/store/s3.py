"""Objects in a bucket of S3 or of a server that speaks its protocol.

The one thing asked of the server beyond reading and writing is that a PUT with `If-None-Match: *` never replaces
an object: that is what keeps two processes from publishing two tiles of one name. It is tried before it is relied on.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from notary.errors import Fatal, SettingsError, Unavailable
from notary.store.objects import check_same, check_size, checked_name, is_name
from notary.store.parallel import each

if TYPE_CHECKING:  # they are only there for type checkers
    from obstore.store import BackoffConfig, ClientConfig, RetryConfig, S3Credential

REQUESTS = 16  # at a time, in one create_all
_TRIES = 3  # of a conditional PUT of which a read shows nothing
_PAUSE_SECONDS = 0.1
_NO_KEY = "<Code>NoSuchKey</Code>"
_PROBE = ".probe"  # not the name of an object
# As the API sends, for a cache that reads the bucket itself.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FOR_SECONDS = {"Cache-Control": "public, max-age=2"}


@dataclass(slots=True)
class S3Objects:
    """Objects under a prefix of a bucket. An answer of success means durable: that is S3's own promise."""

    store: S3Store
    _proven: bool = field(default=False, init=False)

    def create(self, name: str, data: bytes) -> None:
        """As `Objects.create`."""
        self.create_all([(name, data)])

    def create_all(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """As `Objects.create_all`."""
        # A crash at any moment leaves any of the objects, each whole.
        each(self._create, objects, REQUESTS)

    def create_named(self, folder: str, data: bytes) -> str:
        """As `Objects.create_named`."""
        name = f"{folder}/{sha256(data).hexdigest()}"
        self.create(name, data)
        return name

    def replace(self, name: str, data: bytes) -> None:
        """As `Objects.replace`.

        A PUT without an answer may still arrive, even after a later one. For the checkpoint that means: for as long
        as a close takes the world may see an older one of ours, and the next poke of the sequencer puts it right.
        """
        checked_name(name)
        check_size(name, len(data))
        try:
            with _translated():
                obstore.put(self.store, name, data, use_multipart=False, attributes=_FOR_SECONDS)
            # Durable. A crash before leaves the old bytes or the new ones.
        except Unavailable:
            if self.read(name) != data:
                raise

    def read(self, name: str) -> bytes | None:
        """As `Objects.read`."""
        checked_name(name)
        with _translated():
            try:
                found = obstore.get(self.store, name)
            except FileNotFoundError as error:
                # Only the server's own word for it: a missing bucket or a proxy that is lost says 404 too.
                if _NO_KEY in str(error):
                    return None
                raise
            check_size(name, found.meta["size"])
            return bytes(found.bytes())

    def delete(self, name: str) -> None:
        """As `Objects.delete`."""
        checked_name(name)
        with _translated():
            try:
                obstore.delete(self.store, name)
            except FileNotFoundError as error:
                if _NO_KEY not in str(error):
                    raise

    def names(self, prefix: str) -> Iterator[str]:
        """As `Objects.names`."""
        checked_name(prefix)
        with _translated():
            for page in obstore.list(self.store, prefix):
                yield from (meta["path"] for meta in page if is_name(meta["path"]))

    def _create(self, item: tuple[str, bytes]) -> None:
        name, data = item
        checked_name(name)
        check_size(name, len(data))
        self._prove()
        kept = _FOR_EVER if name.startswith("tile/") else None
        for again in range(_TRIES):
            try:
                with _translated():
                    obstore.put(self.store, name, data, mode="create", attributes=kept)
            except Unavailable as error:
                unclear = error
            else:
                return  # durable, and the first under this name
            # Refused (412, or 409 while another is being decided), or no clear answer: the name may hold our bytes,
            # from a request whose answer was lost, or another's. What can be read there decides.
            existing = self.read(name)
            if existing is not None:
                check_same(name, existing, data)
                return
            # Nothing there. Our request may still arrive; it is the same bytes or is refused, so trying again is safe.
            time.sleep(_PAUSE_SECONDS * again)
        raise unclear

    def _prove(self) -> None:
        """Once in a process, before the first PUT that must not replace anything: the server refuses such a one.

        Leaves an object that is no object of ours; others may do the same at the same time.

        Raises:
            Fatal: it does not, so a tile that was published could be overwritten.
            Unavailable: it does not answer.
        """
        if self._proven:
            return
        with _translated():
            obstore.put(self.store, _PROBE, b"1", use_multipart=False)
            try:
                obstore.put(self.store, _PROBE, b"2", mode="create")
            except AlreadyExistsError:
                self._proven = True
                return
        raise Fatal("the S3 server replaces objects in spite of If-None-Match: tiles are not safe there")


def open_s3(
    bucket: str,
    prefix: str,
    *,
    endpoint: str | None,
    region: str,
    access_key: str,
    secret_key: str,
    allow_http: bool = False,
    timeout: timedelta = timedelta(seconds=30),
) -> S3Objects:
    """Objects in a bucket; nothing is sent yet.

    Args:
        bucket: it is there already.
        prefix: what the keys of all objects begin with, without the slash after it.
        endpoint: https://HOST[:PORT], addressed as HOST/BUCKET/KEY; None: AWS.
        region: as in the signature of requests.
        access_key: who asks.
        secret_key: signs requests.
        allow_http: also http://…, where requests are signed, and anybody on the way can read the objects.
        timeout: of one request; three more may follow in that time where the server is not there or says 5xx.

    Raises:
        SettingsError: the endpoint is not https, or not a URL.
    """
    address = endpoint or f"https://s3.{region}.amazonaws.com"
    if not allow_http and not address.startswith("https://"):
        raise SettingsError(f"{address} is not https")

    try:
        store = S3Store(
            bucket,
            prefix=prefix,
            # Everything that AWS_… variables could change otherwise.
            aws_endpoint_url_s3=address,
            region=region,
            virtual_hosted_style_request=False,
            conditional_put="etag",
            skip_signature=False,
            unsigned_payload=False,
            s3_express=False,
            disable_bulk_delete=True,  # not every server has it, and a refusal of one object hides in its 200
            client_options=_client(timeout, allow_http=allow_http),
            retry_config=_retries(timeout),
            # Not in `config`, which is shown by repr() and to which a variable would add a session's token.
            credential_provider=partial(_credential, access_key, secret_key),
        )
    except (BaseError, ValueError) as error:
        raise SettingsError(f"the S3 store cannot be used: {_first_line(error)}") from None
    return S3Objects(store)


def _client(timeout: timedelta, *, allow_http: bool) -> "ClientConfig":
    return {
        "allow_http": allow_http,
        "connect_timeout": min(timeout, timedelta(seconds=3)),
        "timeout": timeout,
    }


def _retries(timeout: timedelta) -> "RetryConfig":
    """All tries together end within the time of one request."""
    backoff: BackoffConfig = {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=2),
        "base": 2,
    }
    return {"max_retries": 3, "retry_timeout": timeout, "backoff": backoff}


def _credential(access_key: str, secret_key: str) -> "S3Credential":
    return {
        "access_key_id": access_key,
        "secret_access_key": secret_key,
        "token": None,
        "expires_at": None,
    }


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise Unavailable(f"the object store: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:300]
