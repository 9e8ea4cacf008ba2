"""Organisations and their API keys: printed once, stored hashed."""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from notary.errors import KeyInvalid, RequestError, ScopeMissing, Unavailable
from notary.evidence.fields import show_moment
from notary.services.types import Principal
from notary.store import tenants
from notary.store.engine import Database

SCOPES = ("submit", "read", "report")
_PREFIX = "nk"
_SECRET_BYTES = 32
_TOKEN = re.compile(rf"{_PREFIX}_([0-9a-f]{{16}})_([A-Za-z0-9-]{{43}})")
_MAX_NAME = 100
RECENT_SECONDS = 2.0  # a key that is revoked may submit for so long in other processes
_MAX_RECENT = 10_000


@dataclass(frozen=True, slots=True)
class Tenants:
    """Adds organisations, gives and revokes keys, and says who holds one."""

    database: Database
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    _recent: dict[str, tuple[tenants.ApiKey, float]] = field(default_factory=dict, repr=False)
    _again: dict[str, float] = field(default_factory=dict, repr=False)  # when it was last read again

    def add(self, name: str, scopes: tuple[str, ...] = SCOPES, expires: datetime | None = None) -> str:
        """Add an organisation and give it a key, good until `expires` or, with None, until it is revoked.

        Returns:
            The key. It is shown now and never again: only its SHA-256 is stored.

        Raises:
            RequestError: an empty or overlong name, an unknown scope, or an end that is not to come.
            Conflict: there is an organisation of that name.
        """
        if not 0 < len(name.strip()) <= _MAX_NAME:
            raise RequestError(f"the name of an organisation has 1 to {_MAX_NAME} characters")
        now = self.now()
        key = _new_key(scopes, expires, now)
        # After the commit the key is good. A crash before it leaves nothing, and the key was not shown yet.
        with self.database.writing() as connection:
            tenant = tenants.create_tenant(connection, name.strip(), now)
            tenants.add_api_key(connection, key.key_id, tenant.id, key.digest, scopes, now, expires)
        return key.token

    def give_key(self, name: str, scopes: tuple[str, ...] = SCOPES, expires: datetime | None = None) -> str:
        """Give an organisation a further key; the others stay good.

        Raises:
            NotFound: there is no such organisation.
            RequestError: an unknown scope, or an end that is not to come.
        """
        now = self.now()
        key = _new_key(scopes, expires, now)
        with self.database.writing() as connection:
            tenant = tenants.tenant_named(connection, name.strip())
            tenants.add_api_key(connection, key.key_id, tenant.id, key.digest, scopes, now, expires)
        return key.token

    def list(self) -> Sequence[tuple[tenants.Tenant, Sequence[tenants.ApiKey]]]:
        """All organisations in the order in which they came, each with its keys, the oldest first."""
        with self.database.reading() as connection:
            found = tenants.tenants(connection)
            return [(each, tenants.api_keys(connection, each.id)) for each in found]

    def revoke_key(self, key_id: str) -> None:
        """End a key, by its id: what stands between the underscores.

        Raises:
            NotFound: there is no such key.
        """
        with self.database.writing() as connection:
            tenants.revoke_api_key(connection, key_id, self.now())
        self._recent.pop(key_id, None)

    def recent(self, token: str, scope: str) -> Principal | None:
        """As `authenticate`, by what was read in the last seconds; None where the database must be asked.

        Raises:
            ScopeMissing: the key is good, but not for this.
        """
        form = _TOKEN.fullmatch(token)
        known = self._recent.get(form[1]) if form else None
        if form is None or known is None:
            return None
        key, read_at = known
        good = hmac.compare_digest(sha256(form[2].encode()).digest(), key.secret_sha256)
        if not good or self.clock() - read_at > RECENT_SECONDS or not key.good_at(self.now()):
            return None  # the database says what is wrong
        return _principal(key, scope)

    def ageing(self, token: str) -> bool:
        """Whether what `recent` says should be read again: true for one asker each half of its time."""
        form = _TOKEN.fullmatch(token)
        known = self._recent.get(form[1]) if form else None
        if form is None or known is None:
            return False
        now = self.clock()
        if now - max(known[1], self._again.get(form[1], known[1])) <= RECENT_SECONDS / 2:
            return False
        self._again[form[1]] = now
        return True

    def read_again(self, token: str, scope: str) -> None:
        """Read what `recent` says from the database, for those who come later; whoever has a bad key learns it then."""
        try:
            self.authenticate(token, scope)
        except (KeyInvalid, ScopeMissing):
            self._recent.pop(token.split("_")[1], None)
        except Unavailable:
            return  # what was read is used until it is too old

    def authenticate(self, token: str, scope: str) -> Principal:
        """Who holds the key `token`, by the database.

        Raises:
            KeyInvalid: it is malformed, unknown, revoked or expired; which of these is not told.
            ScopeMissing: it is good, but not for this.
        """
        form = _TOKEN.fullmatch(token)
        key_id, secret = form.groups() if form else ("", "")
        asked = self.clock()  # what is read now may be old when it comes
        with self.database.reading() as connection:
            key = tenants.find_api_key(connection, key_id)
            # The hash is compared even where there is no such key, so that the time tells nothing.
            expected = key.secret_sha256 if key else bytes(32)
            good = hmac.compare_digest(sha256(secret.encode()).digest(), expected)
            if key is None or not good or not key.good_at(self.now()):
                raise KeyInvalid(
                    "this API key is unknown, revoked or expired; ask your administrator for another"
                )
        if len(self._recent) >= _MAX_RECENT:
            self._recent.clear()
            self._again.clear()
        self._recent[key_id] = key, asked
        return _principal(key, scope)


def _principal(key: tenants.ApiKey, scope: str) -> Principal:
    if scope not in key.scopes:
        raise ScopeMissing(f"this API key has no scope {scope!r}; ask for one that has")
    return Principal(key.tenant_id, key.scopes)


@dataclass(frozen=True, slots=True)
class _NewKey:
    key_id: str
    secret: str

    @property
    def digest(self) -> bytes:
        return sha256(self.secret.encode()).digest()

    @property
    def token(self) -> str:
        return f"{_PREFIX}_{self.key_id}_{self.secret}"


def _new_key(scopes: tuple[str, ...], expires: datetime | None, now: datetime) -> _NewKey:
    if not scopes or set(scopes) - set(SCOPES):
        raise RequestError(f"scopes are one or more of {', '.join(SCOPES)}")
    if expires is not None and expires <= now:
        raise RequestError(f"{show_moment(expires)} is past: a key expires at a time to come")
    return _NewKey(secrets.token_hex(8), secrets.token_urlsafe(_SECRET_BYTES).replace("_", "-"))
