"""Assembles proofs and packages of one record from what is stored."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from notary.errors import FormatError, NotReady, RequestError
from notary.evidence.assemble import assemble
from notary.evidence.bag import evidence_manifest
from notary.evidence.commitments import Opening, encode_openings
from notary.evidence.consistency import Consistency, encode_consistency
from notary.evidence.package_names import MAX_OPENED, OPENINGS, REPORT, STATEMENT
from notary.evidence.previous import MAX_PREVIOUS
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.proving import Prover
from notary.services.believing import Believing, first_believed
from notary.services.kept_reports import KeptReports
from notary.services.opening import Choice
from notary.services.package_heads import PackageHeads
from notary.services.package_tools import static_members
from notary.services.records import Records, may_see
from notary.services.types import Found, RecordView, Viewer
from notary.store import openings, promises, records, views
from notary.store.engine import Database
from notary.store.places import group_of
from notary.store.records import Record


@dataclass(frozen=True, slots=True)
class Packages:
    """What a record's holder takes out: a function of the record, the heads that cover it, and the stored report."""

    database: Database
    records: Records
    prover: Prover
    kept: KeptReports | None = None  # without it no package holds a report
    clock: Callable[[], float] = time.monotonic
    believing: Believing = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "believing", Believing(self.database, self.clock))

    def proof(self, number: str, viewer: Viewer, size: int | None = None) -> bytes:
        """A tlog-proof, with the statement in `extra`.

        Args:
            number: of the record, in canonical form.
            viewer: who asks.
            size: of the checkpoint to prove it under; None takes the first that covers the record and that a verifier
                believes.

        Raises:
            NotFound: `viewer` may not see the record, or there is no checkpoint of that size.
            NotReady: it is in no checkpoint yet, in none of that size, or in none that is believed.
        """
        view = self.records.view(number, viewer)
        if view.index is None or view.size is None:
            raise NotReady("the record is in no checkpoint yet; ask again in a few seconds")
        return self.prover.prove_read(view, self._believed(view.index) if size is None else size)

    def proof_found(self, found: Found) -> bytes | None:
        """The same of a record that was just looked up, for someone who may see it; None while there is none."""
        record, closing = found.record, found.closing
        if closing is None or record.index is None:
            return None
        try:
            if self.believing.lately().thief(closing.note, closing.size) is not None:
                return self.prover.prove_read(record, self._believed(record.index))
            return self.prover.prove_closed(record, closing)
        except NotReady:  # its checkpoint is being published at this moment
            return None

    def package(
        self,
        number: str,
        viewer: Viewer,
        heads: Sequence[int] | None = None,
        choice: Choice | None = None,
    ) -> bytes:
        """The evidence package (docs/formats.md §11), without the document, with the report that was stored of it.

        A report is stored of the members that it was made of, so one that prints what is not opened here is not found.

        Openings, receipt and report are only for the organisation that submitted the record.

        Args:
            number: of the record, in canonical form.
            viewer: who asks.
            heads: sizes of the checkpoints to prove it under, with what attests to each; None takes for each anchor
                the first that covers the record.
            choice: which commitments are opened; None opens all that are for `viewer`.

        Raises:
            NotFound, NotReady: as `proof`.
            RequestError: what is to be opened is not there for `viewer`, or what stands under `heads` passes a limit
                of packages.
        """
        contents = self.members(number, viewer, heads, choice)
        if (
            self.kept is not None
            and viewer.reports
            and self._is_own(self.records.view(number, viewer), viewer)
        ):
            report = self.kept.read(number, evidence_manifest(contents))
            contents |= {} if report is None else {REPORT: report}
        try:
            return assemble(contents | static_members())
        except FormatError as error:
            if heads is None:
                raise
            raise RequestError(
                f"a package cannot hold what these heads have: {error}; name fewer, or none"
            ) from error

    def members(
        self,
        number: str,
        viewer: Viewer,
        heads: Sequence[int] | None = None,
        choice: Choice | None = None,
    ) -> dict[str, bytes]:
        """The members of the package that checks read, by name. Arguments and errors as `package`."""
        choice = choice or Choice()
        view = self.records.view(number, viewer)
        if view.index is None:
            raise NotReady("the record is in no checkpoint yet; ask again in a few seconds")
        own = self._is_own(view, viewer)
        with self.database.reading() as connection:
            inspected = views.inspection_of(connection, view.seq)
            # An incident is told beside the receipt that it is about.
            broken = promises.incident_of(connection, group_of(view.seq)) if own else None
        contents = {STATEMENT: view.statement}
        if heads is None:
            followers = [each for each in (inspected, broken) if each is not None]
            contents |= self._heads.first(view, view.index, followers)
        else:
            contents |= self._heads.named(view, view.index, sorted(set(heads)))
        if own:
            contents |= self._own(view, choice)
        for folder, later in (("inspection", inspected), ("incident", broken)):
            contents |= self._beside(folder, later, contents, choice if own else None)
        contents |= self._earlier(view, viewer, contents, choice)
        choice.check()
        sizes = sorted({int(name.split("/")[1]) for name in contents if name.startswith("heads/")})
        if len(sizes) > 1:
            proofs = tuple(
                Consistency(old, new, tuple(self.prover.consistency(old, new)))
                for old, new in pairwise(sizes)
            )
            contents["consistency.json"] = encode_consistency(proofs)
        return contents

    def _believed(self, index: int) -> int:
        with self.database.reading() as connection:
            return first_believed(connection, index).size

    @property
    def _heads(self) -> PackageHeads:
        return PackageHeads(self.database, self.prover)

    @staticmethod
    def _is_own(record: RecordView | Record, viewer: Viewer) -> bool:
        return viewer.tenant_id is not None and viewer.tenant_id == record.tenant_id

    def _own(self, view: RecordView, choice: Choice) -> dict[str, bytes]:
        assert view.tenant_id is not None  # noqa: S101 - the caller compared it
        contents = {"receipt.txt": self.records.receipt(view.number, view.tenant_id)}
        with self.database.reading() as connection:
            opened = choice.of(openings.filed_openings(connection, view.seq))
        return contents | ({OPENINGS: encode_openings(opened)} if opened else {})

    def _beside(
        self,
        folder: str,
        other: RecordView | Record | None,
        contents: dict[str, bytes],
        choice: Choice | None,
        back: int = 0,
    ) -> dict[str, bytes]:
        """Another statement with its proof under the smallest head that has it; nothing where none has."""
        if other is None or other.index is None:
            return {}
        sizes = sorted(int(n.split("/")[1]) for n in contents if n.endswith("/checkpoint"))
        size = next((size for size in sizes if size > other.index), None)
        if size is None:
            return {}
        opened: tuple[Opening, ...] = ()
        if choice is not None:
            with self.database.reading() as connection:
                opened = choice.of(openings.filed_openings(connection, other.seq), back)
        path = tuple(self.prover.proof_at(other.index, size))
        note = contents[f"heads/{size}/checkpoint"]  # which was verified when it was put there
        proof = ProofFile(other.index, path, note).encode(TLOG_PROOF)
        found = {f"{folder}/statement.json": other.statement, f"{folder}/inclusion.tlog-proof": proof}
        return found | ({f"{folder}/openings.json": encode_openings(opened)} if opened else {})

    def _earlier(
        self, view: RecordView, viewer: Viewer, contents: dict[str, bytes], choice: Choice
    ) -> dict[str, bytes]:
        """The statements that this one follows, back to the first or to one that `viewer` may not see.

        Of their openings there are, from the newest back, as many as all openings of a package may have together;
        from the first that passes it on they are withheld.
        """
        found: dict[str, bytes] = {}
        room = MAX_OPENED - sum(
            len(data) for name, data in contents.items() if name.endswith("/openings.json")
        )
        with self.database.reading() as connection:
            chain = records.earlier(connection, view.seq, MAX_PREVIOUS)
        for back, record in enumerate(chain, 1):
            if not may_see(record, viewer):
                break
            folder, own = f"previous/{back}", self._is_own(record, viewer)
            files = self._beside(folder, record, contents, choice if own else None, back)
            if not files:
                break
            room -= len(files.get(f"{folder}/openings.json", b""))
            if room < 0:
                files.pop(f"{folder}/openings.json", None)
            found |= files
        return found
