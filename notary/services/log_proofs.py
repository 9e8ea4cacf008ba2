"""Proofs about the log itself, at any size that was published, from tiles."""

from dataclasses import dataclass, field

from notary.errors import EvidenceError, Fatal, NotReady, RequestError
from notary.evidence.checkpoint import SignedCheckpoint
from notary.merkle.proof import Node, check_consistency, check_inclusion, consistency_path, inclusion_path
from notary.proving import Prover
from notary.store.tiles import root_from

_HEADS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The tree of `size` entries has this `root`; `note` is its signed checkpoint where there is one.

    A head without a checkpoint was connected to the published one when it was made.
    """

    size: int
    root: bytes
    note: bytes | None


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Entry `index`, whose leaf hash this is, is in the tree of `head`."""

    index: int
    leaf_hash: bytes
    head: Head
    path: list[bytes]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """The tree of `old` begins the tree of `new`."""

    old: Head
    new: Head
    path: list[bytes]


@dataclass(frozen=True, slots=True)
class LogProofs:
    """Proves what needs no record. As in `Prover`, nothing leaves that a verifier would refuse.

    Attributes:
        prover: checkpoints and tiles.
        heads: those that were asked for lately, by size. They never change.
    """

    prover: Prover
    heads: dict[int, Head] = field(default_factory=dict, compare=False)

    def inclusion(self, index: int, size: int | None) -> InclusionProof:
        """Entry `index` is in the log at `size`; None takes the newest checkpoint.

        Raises:
            RequestError: `index` is not below `size`.
            NotReady: the log is not published at that size yet.
            Fatal: what is stored does not prove it.
            Unavailable: database or disk do not answer.
        """
        published = self._published(size)
        at = published.checkpoint.size if size is None else size
        _require_index(index, at)
        head = self._head(at, published)
        return self._inclusion(index, head, self.prover.tiles.nodes(published.checkpoint.size))

    def inclusion_held(self, index: int, size: int | None) -> InclusionProof:
        """As `inclusion`, from memory alone: never waits.

        Raises:
            KeyError: something must be read first, as the newest checkpoint always is.
            RequestError, Fatal: as `inclusion`.
        """
        head, node = self.heads[size or 0], self._held()
        _require_index(index, head.size)
        return self._inclusion(index, head, node)

    def consistency(self, old: int, new: int | None) -> ConsistencyProof:
        """The log at `old` begins the log at `new`; None takes the newest checkpoint.

        Raises:
            RequestError: not 1 ≤ `old` ≤ `new`.
            NotReady, Fatal, Unavailable: as `inclusion`.
        """
        published = self._published(new)
        size = published.checkpoint.size if new is None else new
        _require_order(old, size)
        heads = (self._head(old, published), self._head(size, published))
        return self._consistency(*heads, self.prover.tiles.nodes(published.checkpoint.size))

    def consistency_held(self, old: int, new: int | None) -> ConsistencyProof:
        """As `consistency`, from memory alone: never waits.

        Raises:
            KeyError: as `inclusion_held`.
            RequestError, Fatal: as `consistency`.
        """
        heads = (self.heads[old], self.heads[new or 0])
        _require_order(old, heads[1].size)
        return self._consistency(*heads, self._held())

    def _inclusion(self, index: int, head: Head, node: Node) -> InclusionProof:
        leaf_hash, path = node(0, index), inclusion_path(index, head.size, node)
        try:
            check_inclusion(leaf_hash, index, head.size, path, head.root)
        except EvidenceError as error:
            raise self._damaged(error) from error
        return InclusionProof(index, leaf_hash, head, path)

    def _consistency(self, old: Head, new: Head, node: Node) -> ConsistencyProof:
        path = consistency_path(old.size, new.size, node)
        try:
            check_consistency(old.size, new.size, path, old.root, new.root)
        except EvidenceError as error:
            raise self._damaged(error) from error
        return ConsistencyProof(old, new, path)

    def _published(self, size: int | None) -> SignedCheckpoint:
        published = self.prover.published(size)
        if published is None:
            raise NotReady("the log is not open yet")
        if size is not None and size > published.checkpoint.size:
            raise NotReady(f"the log is published at size {published.checkpoint.size}, not at {size} yet")
        return published

    def _held(self) -> Node:
        published = self.prover.known.published
        # At least as large as any head here: each was made while one was known that is.
        return self.prover.tiles.held(0 if published is None else published.checkpoint.size)

    def _head(self, size: int, published: SignedCheckpoint) -> Head:
        """The head of a size of 1 up to the published one.

        No checkpoint of a smaller size is ever made afterwards, so what is found stays true.
        """
        head = self.heads.get(size)
        if head is None:
            head = self._signed(size, published) or self._connected(size, published)
            if len(self.heads) >= _HEADS_KEPT:
                self.heads.clear()
            self.heads[size] = head
        return head

    def _signed(self, size: int, published: SignedCheckpoint) -> Head | None:
        signed = published if size == published.checkpoint.size else self.prover.signed_at(size)
        return None if signed is None else Head(size, signed.checkpoint.root, signed.note)

    def _connected(self, size: int, published: SignedCheckpoint) -> Head:
        """A size between checkpoints: its root is computed, and the signed head must extend it."""
        newest = published.checkpoint
        node = self.prover.tiles.nodes(newest.size)
        head = Head(size, root_from(node, size), None)
        self._consistency(head, Head(newest.size, newest.root, published.note), node)
        return head

    def _damaged(self, error: EvidenceError) -> Fatal:
        self.prover.tiles.cache.clear()  # it may be what was read, and not what is stored
        return Fatal(f"the stored tiles do not prove what was signed: {error}")


def _require_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise RequestError(f"index must be below size, which is {size}")


def _require_order(old: int, new: int) -> None:
    if not 1 <= old <= new:
        raise RequestError(f"old must be between 1 and new, which is {new}")
