"""The steps of a worker: one call each, with the adapters that the settings name."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from notary.anchoring.advance import Advance
from notary.anchoring.backoff import Patient
from notary.anchoring.behind import Behind
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.poll import newest_finalized
from notary.anchoring.port import Anchor, Head
from notary.anchoring.quorum import Quorum
from notary.anchoring.review import Review
from notary.anchoring.revocation import fetch
from notary.anchoring.rfc3161 import TsaAnchor
from notary.anchoring.rpc import Node
from notary.anchoring.stamps import StampWatch
from notary.anchoring.watching import WalletWatch
from notary.errors import AnchorRejected, NotaryError, Unavailable
from notary.evidence.bodies import Genesis
from notary.evidence.statement import Block
from notary.intake.accept import Intake
from notary.intake.broken import log_broken
from notary.intake.inspect import Turn, inspect_next, sweep
from notary.intake.inspection.report import Inspected
from notary.intake.inspection.sandbox import inspect
from notary.log.index import index_digests
from notary.log.sequence import Sequencer
from notary.observe import BROKEN_PROMISES, OVERDUE, PENDING, PENDING_SECONDS
from notary.outbound import Outbound
from notary.proving import Prover
from notary.services.overdue import ANCHOR, Watch
from notary.services.steps import Step
from notary.settings import Settings
from notary.settings.anchors import Chain, Ots, Tsa
from notary.store import blocks, stamps
from notary.store.engine import Database
from notary.store.groups import waiting
from notary.store.promises import overdue
from notary.wiring.chains import evm_anchors, warn_of_no_cap
from notary.wiring.checking import Checking
from notary.wiring.nodes import chain_patience, ending_in_time, nodes_of, quorum_of, witness_of
from notary.wiring.serving import anchors_of, targets_of
from notary.wiring.trusting import authority, certificate

_INSPECTING_SECONDS = 5.0  # then the step ends, though more may wait: an orderly stop waits for it
# With intervals of a second a look just before the end of one waits for half of one more.
_STAMP_SECONDS = 0.5
_SWEEP_SECONDS = 3600.0
_PROMISES_SECONDS = 10.0
_OWING_SECONDS = 10.0
_FSCK_SECONDS = 60.0  # between two looks at whether it is time
_FSCK_PATIENCE = 86_400.0  # it runs as long as it takes to read everything
_CALENDARS_PATIENCE = 600.0  # eight calendars that are away, each asked twice, and a slow source of headers


@dataclass(frozen=True, slots=True)
class Steps:
    """Makes the steps of one process."""

    settings: Settings
    database: Database
    intake: Intake
    prover: Prover
    genesis: Genesis
    sequencer: Sequencer
    now: Callable[[], datetime]

    def all(self) -> tuple[Step, ...]:
        """Closing, inspecting, looking for broken promises, one step for each anchor and each chain, and what they owe.

        Raises:
            SettingsError: a file that is named cannot be used.
        """
        settings = self.settings
        roots = [certificate(path) for path in settings.signer_roots]  # else each inspection would fail
        steps = [
            Step("close", settings.close_interval_seconds, self._close),
            Step("index", settings.close_interval_seconds, self._index),
            Step("inspect", 1.0, partial(self._inspect, Turn(), roots)),
            Step("sweep", _SWEEP_SECONDS, self._sweep),
            Step("promises", _PROMISES_SECONDS, self._promises),
        ]
        if settings.fsck_interval_seconds:
            checking = Checking(settings, lambda: self.sequencer.leading, self.now)
            steps.append(Step("fsck", _FSCK_SECONDS, checking.run, checking.end, _FSCK_PATIENCE))
        steps += [self._stamping(tsa) for tsa in settings.tsas]
        steps += [
            self._anchoring(self._ots(ots), settings.anchor_interval_seconds, patience=_CALENDARS_PATIENCE)
            for ots in settings.ots
        ]
        if settings.tsas:
            steps.append(self._stamps())
        for chain in settings.chains:
            warn_of_no_cap(chain)
            nodes = nodes_of(chain, settings)
            first, *more = payers = self._evm(chain, nodes)
            interval, often = settings.anchor_interval_seconds, settings.poll_interval_seconds
            patience = chain_patience(chain, often)
            anchoring = self._anchoring(first, interval, tuple(more), patience)
            behind = Behind(chain.chain_id, self.now)
            rule = quorum_of(chain, nodes, behind)
            review = Review(self.database, chain.name, rule, self.now)
            again = partial(self._if_leading, review.step)
            review_patience = chain_patience(chain, interval)
            reviewing = Step(f"review {chain.name}", interval, again, patience=review_patience)
            wallets = WalletWatch(self.database, payers, nodes, self.now)
            poll = partial(self._poll_block, rule, behind, wallets)
            polling = Step(f"blocks {chain.name}", often, poll, patience=patience)
            steps += map(ending_in_time, (anchoring, reviewing, polling))
        return (*steps, self._owing(steps))

    def witnesses(self) -> tuple[Callable[[], tuple[int, bytes]], ...]:
        """What each chain holds of this log, for the sequencer to compare before its first checkpoint."""
        return tuple(
            witness_of(chain, self.settings, self.genesis, self.database) for chain in self.settings.chains
        )

    def _close(self) -> None:
        self.sequencer.sequence()
        with self.database.reading() as connection:
            queue = waiting(connection)
        PENDING.set(0 if queue is None else queue.count)
        PENDING_SECONDS.set(0 if queue is None else (self.now() - queue.oldest).total_seconds())

    def _index(self) -> None:
        if self.sequencer.leading:
            index_digests(self.database)

    def _inspect(self, turn: Turn, roots: Sequence[bytes]) -> None:
        def inspector(path: Path, media_type: str | None) -> Inspected:
            return inspect(path, media_type, roots)

        end = time.monotonic() + _INSPECTING_SECONDS
        while inspect_next(self.intake, inspector, turn) and time.monotonic() < end:
            pass

    def _sweep(self) -> None:
        sweep(self.intake)

    def _stamping(self, tsa: Tsa) -> Step:
        interval = timedelta(seconds=max(self.settings.stamp_interval_seconds, tsa.interval_seconds))
        advance = self._advance(self._tsa(tsa), interval)
        chance = random.SystemRandom().random
        patient = Patient(self.database, tsa.name, advance.step, interval, self.now, chance)
        # Looked at more often than a chain: what waits and may be stamped is, within two seconds of its closing.
        period = min(_STAMP_SECONDS, self.settings.poll_interval_seconds)
        return Step(f"{ANCHOR}{tsa.name}", period, partial(self._if_leading, patient))

    def _promises(self) -> None:
        if not self.sequencer.leading:
            return
        with self.database.reading() as connection:
            OVERDUE.set(overdue(connection, self.now()))
        BROKEN_PROMISES.inc(log_broken(self.intake))

    def _anchoring(
        self, anchor: Anchor, interval: float, reserves: tuple[Anchor, ...] = (), patience: float = 0.0
    ) -> Step:
        advance = self._advance(anchor, timedelta(seconds=interval), reserves)

        def step() -> None:
            advance.show()  # whoever led before shows no longer what it found then
            self._if_leading(advance.step)

        return Step(f"{ANCHOR}{anchor.name}", self.settings.poll_interval_seconds, step, patience=patience)

    def _advance(self, anchor: Anchor, interval: timedelta, reserves: tuple[Anchor, ...] = ()) -> Advance:
        return Advance(
            self.database, anchor, interval, self._head, self.prover.consistency, self.now, reserves
        )

    def _if_leading(self, step: Callable[[], None]) -> None:
        # Only who makes the checkpoints anchors them: two senders for one wallet would fight over nonces.
        if self.sequencer.leading:
            step()

    def _owing(self, steps: Sequence[Step]) -> Step:
        anchors = anchors_of(self.settings)
        watch = Watch(
            database=self.database,
            patience={
                step.name.removeprefix(ANCHOR): step.patience
                for step in steps
                if step.name.startswith(ANCHOR)
            },
            sources=anchors.organisations,
            needed=anchors.stamps_needed,
            targets=targets_of(self.settings),
            now=self.now,
            leading=lambda: self.sequencer.leading,
        )
        return Step("owing", _OWING_SECONDS, watch.step)

    def _stamps(self) -> Step:
        outbound = Outbound(allow_private=self.settings.allow_private_addresses)
        watch = StampWatch(
            database=self.database,
            authorities={tsa.name: authority(tsa) for tsa in self.settings.trusted_tsas},
            note=lambda size: self._head(size).note,
            fetch=partial(fetch, outbound),
            interval=timedelta(seconds=self.settings.revocation_interval_seconds),
            now=self.now,
        )
        step = partial(self._if_leading, watch.step)
        return Step("revocation", self.settings.poll_interval_seconds, step)

    def _head(self, size: int) -> Head:
        signed = self.prover.checkpoint(size)  # signature checked, root recomputed from the tiles
        point = signed.checkpoint
        return Head(point.origin, point.size, point.root, signed.note)

    def _poll_block(self, quorum: Quorum, behind: Behind, wallets: WalletWatch) -> None:
        # The block first: slow endpoints would leave it no time after all wallets, and what statements name would be
        # ever older. And the wallets whatever became of it: for hours no block may become final.
        failed: NotaryError | None = None
        try:
            self._keep_block(quorum)
        except (Unavailable, AnchorRejected) as error:
            failed = error
        self._if_leading(wallets.look)
        if failed is not None:
            raise failed
        behind.require_agreement()  # it holds nothing up, and is told as a step that fails

    def _keep_block(self, quorum: Quorum) -> None:
        found = newest_finalized(quorum)
        block = Block(found.chain_id, found.number, found.hash, found.time)
        # Statements name one that is as old as the margin; one that is older by half of it again says hardly less.
        apart = self.settings.not_before_margin_seconds // 2
        with self.database.writing() as connection:
            blocks.add_block(connection, block, found.raw, self.now(), apart)

    def _tsa(self, tsa: Tsa) -> TsaAnchor:
        outbound = Outbound(allow_private=self.settings.allow_private_addresses)

        def spoiled(path: Sequence[bytes]) -> datetime | None:
            with self.database.reading() as connection:
                return stamps.spoiled_from(connection, path)

        return TsaAnchor(tsa.name, tsa.url, authority(tsa), outbound, self.now, tsa.imprint, spoiled)

    def _ots(self, ots: Ots) -> Anchor:
        from notary.wiring.calendars import ots_anchor  # noqa: PLC0415 - brings a library that few services need

        return ots_anchor(ots, self.database, self.settings.allow_private_addresses, self.now)

    def _evm(self, chain: Chain, nodes: tuple[Node, ...]) -> tuple[EvmAnchor, ...]:
        return evm_anchors(chain, nodes, self.settings, self.database, self.genesis, self.now)
