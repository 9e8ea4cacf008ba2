"""What a service answered to a bulk request: whether it is about the files that were sent, and its receipts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from notary.cli.journal import File, Journal, Request
from notary.errors import FormatError, ProofError, RequestError
from notary.evidence.bodies import Document
from notary.evidence.note import parse_note
from notary.evidence.number import show_number
from notary.evidence.receipt import parse_promise
from notary.evidence.statement import parse_statement
from notary.intake.receipts import decode_tree, receipts_from
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file with its record."""

    file: File
    number: str
    index: int
    group: int
    close_by: str
    statement: bytes
    receipt: bytes


def recorded(journal: Journal) -> Iterator[Recorded]:
    """Everything that a journal holds, with the receipts made from the answers."""
    for request, answer in journal.answers():
        receipts = receipts_from(decode_tree(answer["tree"]), answer["receipt"].encode())
        for file, line in zip(request.files, answer["lines"], strict=True):
            yield Recorded(
                file,
                line["number"],
                line["index"],
                answer["group"],
                answer["close_by"],
                line["statement"].encode(),
                receipts[line["index"]],
            )


def check_answer(request: Request, answer: Mapping[str, Any]) -> None:
    """Check that an answer is about the files that were sent, and that its receipts are of its statements.

    The signature is not checked: whose it must be is for a trust file to say.

    Raises:
        ProofError: it is not.
    """
    try:
        lines = answer["lines"]
        entries = []
        for at, (file, line) in enumerate(zip(request.files, lines, strict=True)):
            data = line["statement"].encode()
            statement = parse_statement(data)
            body = statement.body
            if (
                not isinstance(body, Document)
                or (body.digests["sha-256"], body.size) != (file.sha256, file.size)
                or (show_number(statement.number), at) != (line["number"], line["index"])
            ):
                raise ProofError(f"the service's answer is not about {file.path}")
            entries.append(sha256(data).digest())
        rows = levels(hash_leaves(entries))
        promise = parse_promise(parse_note(answer["receipt"].encode()).text)
        if decode_tree(answer["tree"]) != rows or (promise.count, promise.root) != (
            len(rows[0]),
            rows[-1][0],
        ):
            raise ProofError("the receipt in the service's answer is not of its statements")
    except (KeyError, TypeError, ValueError, AttributeError, FormatError, RequestError) as error:
        raise ProofError("the service's answer is not of the form of a bulk answer") from error
