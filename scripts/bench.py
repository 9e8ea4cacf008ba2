"""Measure this machine and this code: `make bench`. Prints a table and writes bench.json.

Each figure stands beside a reference of the same run; what counts is the median of five or more. Exits 1 when a
goal is missed.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import closing, finding, gas, harness, intake, log, merkle, serving

BENCHMARKS: Sequence[harness.Benchmark] = (
    merkle.building,
    merkle.proving,
    merkle.verifying,
    merkle.peers,
    log.appending,
    serving.proofs,
    intake.singles,
    intake.bulk,
    finding.lookups,
    closing.batches,
    closing.beside_submissions,
    gas.gas,
)


def main() -> int:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="such as merkle or log.appending; without any, all are run")
    parser.add_argument("--runs", type=int, default=7, help="counted runs of each, at least 5")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    parser.add_argument("--folder", type=Path, help="for the logs, 4 GB; on the disk that is to be measured")
    parser.add_argument(
        "--large", action="store_true", help="logs of 10⁸ and tables of 10⁷, too: an hour, 40 GB"
    )
    arguments = parser.parse_args()
    if arguments.runs < harness.MIN_RUNS:
        parser.error(f"a median needs at least {harness.MIN_RUNS} runs")
    chosen = [each for each in BENCHMARKS if not arguments.names or _named(each) & set(arguments.names)]
    if not chosen:
        parser.error("there are these: " + ", ".join(sorted(set().union(*map(_named, BENCHMARKS)))))
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="bench-") as folder:
        rows = list(harness.run(chosen, arguments.runs, Path(folder), large=arguments.large))
    harness.show(rows)
    harness.write(rows, arguments.output)
    return 0 if all(row.ok for row in rows) else 1


def _named(benchmark: harness.Benchmark) -> set[str]:
    module = benchmark.__module__.rpartition(".")[2]
    return {module, f"{module}.{benchmark.__name__}"}


if __name__ == "__main__":
    sys.exit(main())
