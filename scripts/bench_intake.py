"""Measure the pure parts of intake against bare hashing on this machine.

What each costs a document, in processor time, next to one SHA-256 of 65 bytes in the same run, turn by turn; what
counts is the median of the ratios. Goals are for a machine where such a hash takes 400 ns, and are given as ratios.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from random import Random

from notary.evidence.statement import Block
from notary.intake.answers import bulk_answer, document_lines
from notary.intake.bulkparse import Bulk, parse_array, parse_lines
from notary.intake.numbers import draw_numbers, number_of
from notary.intake.receipts import receipts_from
from notary.intake.rows import cut, document_rows, draw_salts
from notary.intake.template import template_at
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels
from notary.store.rows import encode_row

DOCUMENTS = 10_000
HASH_NS = 400
ORIGIN, NOW = "log.example.org/2026", datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
BLOCK = Block(31337, 22_222_222, bytes(32), 1_772_362_800)
COMPACT = (",", ":")
NOTE = b"n" * 500

# name -> (what is done, documents that it is done for, goal in ns a document or None)
Subjects = dict[str, tuple[Callable[[], object], int, float | None]]


def bodies() -> tuple[bytes, bytes, bytes]:
    """An array, lines of digest and size, and lines of digest and reference."""
    random = Random(1)
    digests = [sha256(b"%d" % at).hexdigest() for at in range(DOCUMENTS)]
    sized = [{"sha-256": d, "size": random.randrange(1, 10 ** random.randrange(3, 9))} for d in digests]
    named = [{"sha-256": d, "reference": f"INV-2026-{at}"} for at, d in enumerate(digests)]
    return (json.dumps(digests, separators=COMPACT).encode(), _lines(sized), _lines(named))


def _lines(values: Sequence[Mapping[str, object]]) -> bytes:
    return b"".join(json.dumps(value, separators=COMPACT).encode() + b"\n" for value in values)


def prepare(bulk: Bulk) -> tuple[bytes, list[memoryview]]:
    """All that is made of a request before its transaction: entries, and rows for COPY."""
    template = template_at(ORIGIN, NOW, BLOCK)
    numbers, salts = (
        draw_numbers(1_772_364_600_000, bulk.count, os.urandom),
        draw_salts(bulk.count, os.urandom),
    )
    made = [document_rows(template, group, numbers, salts, 7, "by-code", False) for group in bulk.plain]
    return b"".join(rows.entries.tobytes() for rows in made), [rows.encode(1 << 14) for rows in made]


def parsing() -> Subjects:
    """From bytes to documents, and to rows."""
    array, sized, named = bodies()
    one, many = parse_array(array), parse_lines(sized, 1, 1 << 24)
    return {
        "parse a JSON array": (lambda: parse_array(array), DOCUMENTS, 130),
        "parse lines of digest and size": (lambda: parse_lines(sized, 1, 1 << 24), DOCUMENTS, 500),
        "parse lines of digest and reference": (lambda: parse_lines(named, 1, 1 << 24), DOCUMENTS, None),
        "prepare an array: numbers, salts, statements, entries, rows": (
            lambda: prepare(one),
            DOCUMENTS,
            1300,
        ),
        "prepare lines of digest and size": (lambda: prepare(many), DOCUMENTS, None),
    }


def answering() -> Subjects:
    """From a prepared request to its answer."""
    template, plain = template_at(ORIGIN, NOW, BLOCK), parse_array(bodies()[0]).plain[0]
    numbers, salts = draw_numbers(1_772_364_600_000, DOCUMENTS, os.urandom), draw_salts(DOCUMENTS, os.urandom)
    entries = cut(document_rows(template, plain, numbers, salts, 7, "by-code", False).entries)
    rows, small = levels(hash_leaves(entries)), levels(hash_leaves(entries[:64]))

    def answer() -> memoryview:
        lines = document_lines(template, plain, numbers, salts, 0)
        return bulk_answer(7, NOTE, "2026-03-01T13:00:00Z", [lines], {}, rows)

    return {
        "tree of a group of 10,000": (lambda: levels(hash_leaves(entries)), DOCUMENTS, None),
        "answer to an array": (answer, DOCUMENTS, None),
        "receipts of a group of 64": (lambda: [receipts_from(small, NOTE) for _ in range(50)], 50 * 64, 4000),
    }


def singles() -> Subjects:
    """One document at a time."""
    template, zeros, number = template_at(ORIGIN, NOW, BLOCK), bytes(32), "2222222222222222"
    statement = template.document(zeros, number, zeros)

    def row() -> bytes:
        return encode_row(
            1, number, 7, "document", statement, zeros, zeros, None, "by-code", False, None
        )  # fmt: skip

    def thousand(call: Callable[[], object]) -> Callable[[], object]:
        return lambda: [call() for _ in range(1000)]

    return {
        "one number": (thousand(lambda: number_of(1_772_364_600_000, b"abcde")), 1000, 2000),
        "one statement": (
            thousand(lambda: template.document(zeros, number, zeros, 5, "application/pdf")), 1000, 6000
        ),
        "one row": (thousand(row), 1000, None),
    }  # fmt: skip


def measured(subject: Callable[[], object], documents: int, runs: int) -> tuple[float, float]:
    """Median ns a document, and the median of its ratios to a hash."""
    block = bytes(65)
    subject()  # the first run fills caches and is not counted
    times, ratios = [], []
    for _ in range(runs):
        mine = _seconds(subject) / documents
        bare = _seconds(lambda: [sha256(block).digest() for _ in range(DOCUMENTS)]) / DOCUMENTS
        times.append(mine * 1e9)
        ratios.append(mine / bare)
    return statistics.median(times), statistics.median(ratios)


def _seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> int:
    """Print the table; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="interleaved runs of each (default: %(default)s)")
    runs, missed = parser.parse_args().runs, 0
    print(f"{'':60} {'ns':>7} {'x hash':>7} {'goal':>6}")
    for name, (subject, documents, goal) in (parsing() | answering() | singles()).items():
        ns, ratio = measured(subject, documents, runs)
        most = None if goal is None else goal / HASH_NS
        ok = most is None or ratio <= most
        missed += not ok
        print(
            f"{name:60} {ns:7.0f} {ratio:7.2f} {'' if most is None else f'{most:.2f}':>6} {'' if ok else 'MISSED'}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
