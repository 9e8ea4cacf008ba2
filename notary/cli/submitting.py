"""`notary submit` of folders and lists: what is selected, what is shown, what is written."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from notary.cli.client import Client
from notary.cli.journal import Journal
from notary.cli.many import Outcome, files_under, submit_files
from notary.cli.recorded import Recorded, recorded
from notary.errors import RequestError

_NAME = "notary-submit.jsonl"
_SHOWN = 20  # files left out that are named


@dataclass(frozen=True, slots=True)
class Selection:
    """What a command names.

    Attributes:
        paths: files and folders.
        list_file: of further files, one path a line; `-` is standard input.
        journal: where it is kept; None: beside what is named first.
        receipts: folder for receipts; None: they stay in the journal.
    """

    paths: Sequence[Path]
    list_file: Path | None
    journal: Path | None
    receipts: Path | None

    @property
    def journal_file(self) -> Path:
        """Where the journal is: beside the list or the first folder, under its name."""
        if self.journal is not None:
            return self.journal
        if self.list_file == Path("-"):
            return Path(_NAME)
        named = self.list_file or next(path for path in self.paths if path.is_dir())
        named = named.resolve()  # `.` has a name
        return named.parent / f"{named.name}.{_NAME}"

    def files(self) -> Iterator[Path]:
        """The files, without our own."""
        ours = [self.journal_file, *([] if self.receipts is None else [self.receipts])]
        for path in self.paths:
            if path.is_dir():
                yield from files_under(path, ours)
            else:
                yield path
        if self.list_file is not None:
            yield from _listed(self.list_file)


def submit_many(client: Client, selected: Selection, common: Mapping[str, str], *, as_json: bool) -> None:
    """Record all that is selected, and say what became of it; exit status 1 if something was left out."""
    paths = list(selected.files())
    if not paths:
        raise RequestError("there is no file to submit")
    with Journal(selected.journal_file, client.url) as journal:
        with _progress(hidden=as_json and sys.stdout.isatty()) as progress:
            task = progress.add_task("hashed and sent", total=len(paths))
            outcome = submit_files(client, journal, paths, common, lambda n: progress.advance(task, n))
        if as_json or selected.receipts is not None:
            _give_out(journal, selected.receipts, as_json=as_json)
    _tell(outcome, selected, as_json=as_json)
    if outcome.left_out:
        raise typer.Exit(1)


def _listed(list_file: Path) -> Iterator[Path]:
    try:
        data = sys.stdin.buffer.read() if list_file == Path("-") else list_file.read_bytes()
    except OSError as error:
        raise RequestError(f"{list_file}: {error.strerror}") from error
    for line in data.split(b"\n"):
        if name := line.removesuffix(b"\r"):
            yield Path(os.fsdecode(name))


def _progress(*, hidden: bool) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden)


def _give_out(journal: Journal, receipts: Path | None, *, as_json: bool) -> None:
    """Print, and write the receipts of, all that the journal holds: also what an earlier run recorded."""
    try:
        if receipts is not None:
            receipts.mkdir(parents=True, exist_ok=True)
        for one in recorded(journal):
            if receipts is not None:
                (receipts / f"{one.number}.receipt.txt").write_bytes(one.receipt)
                (receipts / f"{one.number}.statement.json").write_bytes(one.statement)
            if as_json:
                sys.stdout.write(json.dumps(_line(journal, one)) + "\n")
    except OSError as error:
        raise RequestError(f"{receipts}: {error.strerror}") from error


def _line(journal: Journal, one: Recorded) -> dict[str, str | int]:
    return {
        "path": os.path.normpath(journal.path.parent / one.file.path),
        "number": one.number,
        "sha-256": one.file.sha256,
        "size": one.file.size,
        "group": one.group,
        "index": one.index,
        "close_by": one.close_by,
    }


def _tell(outcome: Outcome, selected: Selection, *, as_json: bool) -> None:
    err = Console(stderr=True, soft_wrap=True, highlight=False)
    for path, reason in outcome.left_out[:_SHOWN]:
        err.print(f"[yellow]left out[/] {escape(path)}: {escape(reason)}")
    if len(outcome.left_out) > _SHOWN:
        err.print(f"[yellow]left out[/] {len(outcome.left_out) - _SHOWN} more")
    if as_json:
        return
    parts = [f"[bold]{outcome.recorded}[/] recorded"]
    if outcome.before:
        parts.append(f"{outcome.before} recorded before")
    if outcome.left_out:
        parts.append(f"{len(outcome.left_out)} left out")
    # Numbers and receipts are in the journal; it is what a promise that is broken can be shown with.
    Console(soft_wrap=True, highlight=False).print(
        f"{', '.join(parts)}; numbers and receipts: {escape(str(selected.receipts or selected.journal_file))}"
    )
