"""A scripted chain that polices the port: what may be signed, what may be sent, and after what."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256

from notary.anchoring.port import Attempt, Observation, Step
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped
from notary.evidence.chain import encode_evidence
from notary.store import anchorings, outbox
from notary.store.engine import Database
from tests.evidence import mini_chain

GONE = AnchorUnavailable("the node does not answer")
WRONG = AnchorRejected("the node is of chain 1, not 31337")


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Fuse:
    """Ends the process at one of the points it comes past; `left` counts them down, None never ends it."""

    left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Crash

    @property
    def blown(self) -> bool:
        return self.left is not None and self.left <= 0


@dataclass(frozen=True)
class MortalDatabase(Database):
    """Ends before a commit, or after it."""

    fuse: Fuse = field(default_factory=Fuse)

    @contextmanager
    def writing(self):
        with super().writing() as connection:
            yield connection
            self.fuse.burn()
        self.fuse.burn()


def mortal(database: Database, fuse: Fuse) -> MortalDatabase:
    return MortalDatabase(database.engine, database._lock, fuse)


@dataclass
class Ledger:
    """One wallet's transactions. Nothing is mined or final until a test says so.

    Every rule that it keeps is an assertion: a nonce is signed for only while no stored attempt has it, and what
    is sent was committed before.
    """

    database: Database
    first: int = 5  # the wallet was used before
    fuse: Fuse = field(default_factory=Fuse)
    name: str = "ledger"
    kind: str = "evm"
    lane: str = "0xledger"
    errors: dict = field(default_factory=dict)  # by method: raised instead of an answer
    wire: list = field(default_factory=list)  # every raw transaction that left, in order
    pool: dict = field(default_factory=dict)
    mined: list = field(default_factory=list)  # (attempt, head, salt of its block)
    final: int = 0
    reverts: bool = False
    forgets: bool = False  # the state that proofs are made from
    salt: int = 0
    foreign: int = 0  # transactions of the wallet that are not ours
    dear: bool = False  # it would take more for more
    blocks: int = 1  # that were made since the last attempt
    replaced: set = field(default_factory=set)  # raw transactions that were made in place of another

    # The port

    def attested_size(self):
        self._answer("attested_size")
        return max((head.size for _, head, _ in self.mined), default=0)

    def held_root(self, size):
        return next((head.root for _, head, _ in self.mined if head.size == size), None)

    def first_nonce(self):
        self._answer("first_nonce")
        return self.first + len(self.mined) + self.foreign

    def agreed_nonce(self, *, accusing=False):
        return self.first_nonce()

    def lost_nonce(self, lane):
        count = self.first_nonce()
        return count if count < lane else None

    def shown(self, attempts):
        return any(attempt in attempts for attempt, _, _ in self.mined)

    def adopted(self, head):
        self._answer("adopted")

    def own(self, head, ref, lane):
        self._answer("own")

    def sign(self, head, nonce, consistency, old_size):
        self._answer("sign")
        assert nonce == self.first + len(self.mined), "a nonce that is not the next one"
        assert nonce not in self._stored(), "a second signature for one nonce"
        assert bool(consistency) == bool(old_size)
        # Signatures differ from time to time, as those of a key in hardware do.
        self.salt += 1
        raw = b"%d:%d:%s:%d" % (nonce, head.size, head.root.hex().encode(), self.salt)
        self.fuse.burn()
        return Attempt(sha256(raw).digest(), raw, nonce, self.lane)

    def send(self, head, attempt, *earlier):
        self._answer("send")
        stored = self._stored().get(attempt.nonce, ())
        assert attempt.raw in stored, "sent what is not stored"
        assert sorted(each.raw for each in (attempt, *earlier)) == sorted(stored), "of another nonce"
        assert attempt.raw.startswith(b"%d:%d:%s" % (attempt.nonce, head.size, head.root.hex().encode()))
        self.fuse.burn()
        self.wire.append(attempt.raw)
        if attempt.nonce < self.first_nonce() and attempt.raw not in [one.raw for one, _, _ in self.mined]:
            raise LaneStopped(f"nonce {attempt.nonce} went to another transaction", foreign=True)
        if attempt.nonce >= self.first_nonce():
            self.pool[attempt.nonce] = (attempt, head)
        self.fuse.burn()
        return Observation(Step.SENT)

    def replacement(self, attempts, since, blocks=1):
        self._answer("replacement")
        if blocks > self.blocks:
            return None
        if not self.dear or len(attempts) > 8 or self.first_nonce() != attempts[-1].nonce:
            return None
        self.salt += 1
        raw = attempts[-1].raw.rpartition(b":")[0] + b":%d" % self.salt
        self.replaced.add(raw)
        self.fuse.burn()
        return Attempt(sha256(raw).digest(), raw, attempts[-1].nonce, self.lane)

    def observe(self, head, attempts):
        self._answer("observe")
        self.fuse.burn()
        if self.reverts:
            return Observation(Step.REJECTED, detail="the transaction reverted")
        for at, (attempt, _, salt) in enumerate(self.mined):
            if attempt in attempts:
                step = Step.FINAL if at < self.final else Step.MINED
                return Observation(step, self.evidence(head, salt), f"block {at}")
        return Observation(Step.SENT)

    # The script

    def mine(self):
        while (nonce := self.first + len(self.mined)) in self.pool:
            self.salt += 1
            self.mined.append((*self.pool.pop(nonce), self.salt))

    def finalize(self):
        self.final = len(self.mined)

    def reorg(self, depth=1, *, keep=False):
        """Undo blocks, and forget the transactions in them unless they are to be mined again."""
        gone, self.mined = self.mined[-depth:], self.mined[:-depth]
        if keep:
            self.pool |= {attempt.nonce: (attempt, head) for attempt, head, _ in gone}

    def evidence(self, head, salt):
        found = mini_chain.anchor([mini_chain.event(head.size, head.root)], number=100 + salt, time=1000)
        if self.forgets:
            found = replace(found, account_proof=None, history_proof=None)
        return encode_evidence(found)

    def check(self):
        """What must hold whatever happened."""
        by_nonce = {}
        for raw in self.wire:
            first = by_nonce.setdefault(raw.split(b":")[0], raw)
            assert first == raw or raw in self.replaced, "two transactions for one nonce"
        stored = self._stored()
        assert set(self.wire) <= {raw for raws in stored.values() for raw in raws}
        assert sorted(stored) == list(range(self.first, self.first + len(stored))), "a gap between nonces"
        sizes = [head.size for _, head, _ in self.mined]
        assert sizes == sorted(set(sizes)), "a head was anchored twice"

    def _answer(self, method):
        if method in self.errors:
            raise self.errors[method]

    def _stored(self):
        # Another connection sees what is committed and nothing else.
        found = {}
        with self.database.reading() as connection:
            for item in anchorings.anchorings(connection, anchor=self.name):
                for attempt in outbox.attempts_of(connection, item.id):
                    if attempt.lane not in (self.lane, ""):
                        continue
                    raws = found.setdefault(attempt.nonce, [])
                    assert not raws or attempt.raw in self.replaced, "two attempts for one nonce"
                    assert item.state != "due"
                    raws.append(attempt.raw)
        return found


def finished(ledger, step):
    """Bring what is due or under way to its end."""
    step()
    ledger.mine()
    ledger.finalize()
    step()
