"""The proof of one entry, assembled from what is stored and checked before it is handed out."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from notary.errors import EvidenceError, Fatal, NotFound, NotReady, SignatureError, Unavailable
from notary.evidence.checkpoint import SignedCheckpoint, open_checkpoint
from notary.evidence.cose import CoseReceipt, open_receipt
from notary.evidence.note import Verifier
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.store.checkpoints import (
    StoredCheckpoint,
    checkpoint_at,
    newest_checkpoint,
    receipted_checkpoint,
)
from notary.store.engine import Connection, Database
from notary.store.objects import CHECKPOINT
from notary.store.records import Record, record_at, record_by_number, record_by_seq
from notary.store.sound import require_own_entry
from notary.store.tiles import Tiles
from notary.store.views import RecordView

_NOTES_KEPT = 1024  # checkpoints, of a few hundred bytes each


@dataclass(slots=True)
class Known:
    """What was checked before: the same bytes need no second look.

    Attributes:
        published: the newest published checkpoint that was seen. The world may have a larger one, never a smaller.
        notes: checkpoints of ours by their bytes.
        keys: as they were read last.
    """

    published: SignedCheckpoint | None = None
    notes: dict[bytes, SignedCheckpoint] = field(default_factory=dict)
    keys: Sequence[Verifier] = ()


@dataclass(frozen=True, slots=True)
class Prover:
    """Proves from stored tiles against stored checkpoints.

    Sizes are those of checkpoints. What is built is checked with the code that a verifier uses, and nothing
    that fails leaves this class: then the log is damaged, and `fsck` says where.

    Attributes:
        database: records and checkpoints; only read.
        tiles: the log's tiles.
        origin: name of the log.
        keys: reads every key that ever signed checkpoints.
        known: signatures that were verified.
    """

    database: Database
    tiles: Tiles
    origin: str
    keys: Callable[[], Sequence[Verifier]]
    known: Known = field(default_factory=Known, compare=False)

    def prove(self, record: str | int, size: int | None = None) -> bytes:
        """The `.tlog-proof` (C2SP tlog-proof) of a record, with its statement in the extra line.

        Args:
            record: its number in canonical form, or its `seq`.
            size: of the checkpoint to prove against; None takes the newest.

        Raises:
            NotFound: no such record, or no checkpoint of that size.
            NotReady: the record is in no checkpoint, or not in one of that size.
            Fatal: what is stored does not prove it.
            Unavailable: database or disk do not answer.
        """
        with self.database.reading() as connection:
            found = (
                record_by_seq(connection, record)
                if isinstance(record, int)
                else record_by_number(connection, record)
            )
            stored = self._stored(connection, size)
        return self._proof(found, stored)

    def prove_read(self, record: Record | RecordView, size: int) -> bytes:
        """As `prove`, of a record that was just read."""
        with self.database.reading() as connection:
            stored = self._stored(connection, size)
        return self._proof(record, stored)

    def prove_closed(self, record: RecordView, closing: StoredCheckpoint) -> bytes:
        """As `prove`, of a record and the checkpoint that closed it, both just read: without the database."""
        return self._proof(record, self._readable(closing, self.published(closing.size)))

    def cose_receipt(self, record: Record | RecordView, size: int | None = None) -> bytes:
        """The COSE receipt (RFC 9942) of a record that was just read; the log key's signature is a stored one.

        Args:
            record: with its place in the log.
            size: of the checkpoint to prove against; None takes the first that it can be proved under.

        Raises:
            NotFound: no checkpoint of that size.
            NotReady: the record is in no checkpoint, not in one of that size, or in none that was signed for receipts.
            Fatal, Unavailable: as `prove`.
        """
        if record.index is None:
            raise NotReady(f"record {record.number} is in no checkpoint yet")
        with self.database.reading() as connection:
            try:
                stored = (
                    receipted_checkpoint(connection, record.index)
                    if size is None
                    else checkpoint_at(connection, size)
                )
            except NotFound as error:
                if size is not None:
                    raise
                raise NotReady("no checkpoint that COSE receipts can be of has this record yet") from error
            stored = self._readable(stored, self.published(stored.size))
        if record.index >= stored.size:
            raise NotReady(f"record {record.number} is not in a checkpoint of size {stored.size} yet")
        signed = self._opened(stored)
        path = self._path(record, record.index, signed)
        if stored.cose is None or not path:
            raise NotReady(
                f"the checkpoint of size {stored.size} was not signed for COSE receipts; name a later one"
            )
        key = signed.verifier.key_id
        receipt = CoseReceipt(self.origin, stored.size, key, record.index, tuple(path), stored.cose)
        try:
            open_receipt(receipt, record.entry, [signed.verifier])
        except EvidenceError as error:
            raise Fatal(f"the stored signature for receipts of size {stored.size}: {error}") from error
        return receipt.encode()

    def _proof(self, record: Record | RecordView, stored: StoredCheckpoint) -> bytes:
        if record.index is None or record.index >= stored.size:
            raise NotReady(f"record {record.number} is not in a checkpoint of size {stored.size} yet")
        signed = self._opened(stored)
        path = self._path(record, record.index, signed)
        return ProofFile(record.index, tuple(path), signed.note, extra=record.statement).encode(TLOG_PROOF)

    def proof_at(self, index: int, size: int) -> list[bytes]:
        """The inclusion path of entry `index` in the checkpoint of `size`.

        Raises:
            NotFound: no such entry, or no checkpoint of that size.
            NotReady: the entry is in no checkpoint of that size.
            Fatal, Unavailable: as `prove`.
        """
        with self.database.reading() as connection:
            found = record_at(connection, index)
            stored = self._stored(connection, size)
        if index >= size:
            raise NotReady(f"entry {index} is not in the checkpoint of size {size}")
        return self._path(found, index, self._opened(stored))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the checkpoint of `old` entries begins the one of `new`.

        Raises:
            NotFound: no checkpoint of one of the sizes, or `old` is the larger.
            Fatal, Unavailable: as `prove`.
        """
        if old > new:
            raise NotFound(f"a log of {old} entries does not begin one of {new}")
        with self.database.reading() as connection:
            first, second = (self._opened(self._stored(connection, size)) for size in (old, new))
        path = self.tiles.consistency(old, new, self._have(new))
        try:
            check_consistency(old, new, path, first.checkpoint.root, second.checkpoint.root)
        except EvidenceError as error:
            self.tiles.cache.clear()
            raise Fatal(f"the stored tiles do not connect two checkpoints: {error}") from error
        return path

    def checkpoint(self, size: int | None = None) -> SignedCheckpoint:
        """The checkpoint of `size`, or the newest, its signature checked and its root recomputed from tiles.

        Raises:
            NotFound: there is none.
            Fatal, Unavailable: as `prove`.
        """
        with self.database.reading() as connection:
            signed = self._opened(self._stored(connection, size))
        if self.tiles.root(signed.checkpoint.size) != signed.checkpoint.root:
            raise Fatal(f"the tiles at size {signed.checkpoint.size} do not have the root that was signed")
        return signed

    def all_keys(self) -> Sequence[Verifier]:
        """Every key that ever signed checkpoints; as they were last known where the database does not answer."""
        with suppress(Unavailable):
            self.known.keys = self.keys()
        return self.known.keys

    def signed_at(self, size: int) -> SignedCheckpoint | None:
        """The checkpoint of exactly `size`, its signature checked; None if none was made of that size.

        Raises:
            NotReady: it is not published yet.
            Fatal, Unavailable: as `prove`.
        """
        try:
            with self.database.reading() as connection:
                return self._opened(self._stored(connection, size))
        except NotFound:
            return None

    def published(self, at_least: int | None = None) -> SignedCheckpoint | None:
        """The newest checkpoint that the world can read; None before the first.

        Args:
            at_least: one of that size or larger is new enough; then what was seen before will do.

        Raises:
            Fatal: it is not ours.
            Unavailable: it cannot be read now.
        """
        known = self.known.published
        if known is not None and at_least is not None and known.checkpoint.size >= at_least:
            return known
        note = self.tiles.objects.read(CHECKPOINT)
        if note is None:
            return None
        try:
            signed = self._verified(note)
        except EvidenceError as error:
            raise Fatal(f"the published checkpoint is not ours: {error}") from error
        if known is not None and signed.checkpoint.size < known.checkpoint.size:
            # A leader that slept put its older one there, until the next close. What was proved stays true.
            return known
        self.known.published = signed
        return signed

    def _path(self, record: Record | RecordView, index: int, signed: SignedCheckpoint) -> list[bytes]:
        require_own_entry(record.number, record.statement, record.entry)  # it goes out beside the path
        size, root = signed.checkpoint.size, signed.checkpoint.root
        path = self.tiles.inclusion(index, size, self._have(size))
        try:
            check_inclusion(hash_leaf(record.entry), index, size, path, root)
        except EvidenceError as error:
            self.tiles.cache.clear()  # it may be what was read, and not what is stored
            raise Fatal(f"the stored tiles do not prove record {record.number}: {error}") from error
        return path

    def _have(self, size: int) -> int:
        """A published size that is no smaller: its few partial tiles serve the proofs at all sizes."""
        known = self.known.published
        return size if known is None else max(size, known.checkpoint.size)

    def _stored(self, connection: Connection, size: int | None) -> StoredCheckpoint:
        """A checkpoint whose tiles are all at their names.

        Between the swap and the publishing of a close the database is ahead of the tiles. That is no damage:
        what is published is what can be proved.
        """
        published = self.published(size)
        if size is None and published is not None:
            return checkpoint_at(connection, published.checkpoint.size)
        stored = newest_checkpoint(connection) if size is None else checkpoint_at(connection, size)
        return self._readable(stored, published)

    def _readable(self, stored: StoredCheckpoint, published: SignedCheckpoint | None) -> StoredCheckpoint:
        if published is None or stored.size > published.checkpoint.size:
            raise NotReady(f"the checkpoint of size {stored.size} is being published; ask again in a second")
        return stored

    def _opened(self, stored: StoredCheckpoint) -> SignedCheckpoint:
        try:
            signed = self._verified(stored.note)
        except EvidenceError as error:
            raise Fatal(f"the stored checkpoint of size {stored.size}: {error}") from error
        if (signed.checkpoint.size, signed.checkpoint.root) != (stored.size, stored.root):
            raise Fatal(f"the stored checkpoint of size {stored.size} is signed for another size or root")
        return signed

    def _verified(self, note: bytes) -> SignedCheckpoint:
        notes = self.known.notes
        signed = notes.get(note)
        if signed is None:
            signed = self._signed(note)
            if len(notes) >= _NOTES_KEPT:
                notes.clear()
            notes[note] = signed
        return signed

    def _signed(self, note: bytes) -> SignedCheckpoint:
        with suppress(SignatureError):
            return open_checkpoint(note, self.origin, self.known.keys)
        # Perhaps of a key that the log has named since.
        self.known.keys = self.keys()
        return open_checkpoint(note, self.origin, self.known.keys)
