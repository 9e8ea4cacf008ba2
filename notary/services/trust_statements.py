"""The trust statement: published, kept in all its versions, and linked by signatures of the log's keys."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import NotFound, RequestError, SettingsError
from notary.evidence.note import MAX_NOTE, Verifier
from notary.evidence.trust import Trust
from notary.evidence.trust_statement import (
    MAX_VERSIONS,
    TrustStatement,
    parse_trust_statement,
    sign_trust_statement,
)
from notary.intake.accept import Intake
from notary.intake.key_statement import log_trust_statement
from notary.services.trust_file import TrustSource
from notary.store.engine import Database
from notary.store.key_changes import known_history
from notary.store.trust_statements import read_trust_statement

# In bytes, more than is needed: what stands around the trust file, and a key with its period.
_FRAME, _KEY = 2048, 512
FindKey = Callable[[Verifier], Ed25519PrivateKey]


@dataclass(frozen=True, slots=True)
class TrustStatements:
    """Reads versions and makes the next one.

    Attributes:
        database: where they are kept.
        source: what the settings say; the keys are read from the log each time.
    """

    database: Database
    source: TrustSource

    def read(self, version: int | None = None) -> bytes:
        """The file of one version, or of the newest.

        Raises:
            NotFound: there is none.
        """
        with self.database.reading() as connection:
            return read_trust_statement(connection, version)

    def newest(self) -> TrustStatement | None:
        """The newest version; None before the first."""
        try:
            return self.published()
        except NotFound:
            return None

    def published(self) -> TrustStatement:
        """The newest version.

        Raises:
            NotFound: none was published.
        """
        return parse_trust_statement(self.read())

    def current(self) -> TrustSource:
        """What the next version would say."""
        with self.database.reading() as connection:
            return replace(self.source, history=known_history(connection))

    def keys_told(self) -> bool:
        """Whether the newest version names the keys, and their periods, that the log names."""
        newest = self.newest()
        return newest is not None and _keys(newest.trust) == _keys(self.current().trust())

    def require_room(self, versions: int) -> None:
        """Refuse what would end at a trust statement that cannot be made, before anything is signed.

        Args:
            versions: how many will be made at most, each with one key or one end of a key more.

        Raises:
            SettingsError: the trust file is too large for one.
            RequestError: there have been too many.
        """
        newest, source = self.newest(), self.current()
        number = 0 if newest is None else newest.version
        if number + versions > MAX_VERSIONS:
            raise RequestError(
                f"there have been {number} versions of the trust statement, of {MAX_VERSIONS} that a log can have: "
                "begin another log, and give verifiers the file of `notary trust` until then"
            )
        size = len(source.file().encode()) + _FRAME + versions * _KEY * (1 + len(source.chains))
        if size > MAX_NOTE:
            raise SettingsError(
                f"the trust file is too large for a trust statement ({size} bytes with what is added, of {MAX_NOTE}): "
                "name fewer authorities or chains, and of each authority only the roots that are needed"
            )

    def publish(self, intake: Intake, find_key: FindKey) -> TrustStatement | None:
        """Make the next version, if it would say anything new: sign it, keep it, log its digest.

        It is signed by its own newest log key, and by one that the version before names as good: at a rotation
        by the new key and by the old one.

        Args:
            intake: where its digest becomes a record.
            find_key: gives the private key of a log key.

        Raises:
            SettingsError, RequestError: as `require_room`; or a key that must sign is not at hand.
            Conflict, NotReady, Unavailable: as `log_trust_statement`.
        """
        before, source = self.newest(), self.current()
        toml = source.file()
        if before is not None and before.toml == toml:
            return None
        self.require_room(1)
        newest = source.trust().log_keys[-1].verifier
        wanted = [newest]
        if before is not None and newest not in before.successors():
            wanted.append(before.successors()[0])
        note = sign_trust_statement(
            toml,
            source.origin,
            1 if before is None else before.version + 1,
            intake.now() if before is None else max(intake.now(), before.date),
            None if before is None else before.fingerprint,
            [find_key(verifier) for verifier in wanted],
        )
        made = parse_trust_statement(note)
        log_trust_statement(intake, made.version, note)
        return made


def _keys(trust: Trust) -> tuple[object, ...]:
    chains = {(chain.head_keys, chain.head_periods) for chain in trust.chains}
    return trust.log_keys, trust.receipt_keys, chains
