"""What stands around the log: words of third parties on it, blocks that it names, keys of those who write to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from notary.errors import EvidenceError, Fatal
from notary.evidence.bodies import Genesis
from notary.evidence.chain import ChainTrust
from notary.evidence.note import Verifier
from notary.evidence.timestamp import Authority
from notary.log.fsck_anchorings import AnchoringChecks, KindChecks
from notary.log.fsck_blocks import block_problems
from notary.log.fsck_calendars import CalendarChecks
from notary.log.fsck_stamps import stamp_problems
from notary.log.fsck_tenants import inspection_problems, key_problems
from notary.log.fsck_tokens import TokenChecks
from notary.log.fsck_transactions import TransactionChecks
from notary.log.open import read_genesis
from notary.store.blocks import kept_block
from notary.store.engine import Connection, Database
from notary.store.incidents import contradicted
from notary.store.walks import tenant_ids


@dataclass(frozen=True, slots=True)
class Attesters:
    """Who attests heads, as the settings of today say; what they do not name is checked for its form alone.

    Attributes:
        chains: by the name of the anchor.
        authorities: by the name of the anchor.
        head_keys: addresses (20 bytes) that may have signed heads, beside that of entry 0.
    """

    chains: Mapping[str, ChainTrust] = field(default_factory=dict)
    authorities: Mapping[str, Authority] = field(default_factory=dict)
    head_keys: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Surrounding:
    """All checks but those of the log itself."""

    origin: str
    log_keys: Sequence[Verifier]
    roots: Mapping[int, bytes]
    genesis: Genesis | None
    attesters: Attesters

    def problems(self, connection: Connection, count: Callable[[str, int], None]) -> Iterator[str]:
        """One sentence for each thing wrong."""
        chains = {trust.chain_id for trust in self.attesters.chains.values()}
        if self.genesis is not None:
            chains.add(self.genesis.chain_id)
        yield from block_problems(connection, chains, count)
        yield from AnchoringChecks(self.origin, self.log_keys, self._kinds(connection)).problems(
            connection, count
        )
        yield from stamp_problems(connection, count)
        yield from key_problems(connection, tenant_ids(connection))
        yield from inspection_problems(connection, count)

    def _kinds(self, connection: Connection) -> Mapping[str, KindChecks]:
        attesters = self.attesters
        return {
            "evm": TransactionChecks(
                self.genesis,
                attesters.chains,
                self.roots,
                set(attesters.head_keys),
                partial(kept_block, connection),
                partial(contradicted, connection),
            ),
            "rfc3161": TokenChecks(attesters.authorities),
            "opentimestamps": CalendarChecks(connection),
        }


def genesis_of(database: Database) -> Genesis | None:
    """What entry 0 says; None where it is not there or damaged, which is told of its record.

    Raises:
        Unavailable: the database does not answer.
    """
    try:
        return read_genesis(database)
    except (EvidenceError, Fatal):
        return None
