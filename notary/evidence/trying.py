"""Tries a package's negative controls: each must fail the check that it names (docs/formats.md §11.6)."""

import io
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from notary.evidence.controls import Control, parse_expected
from notary.evidence.outcome import Outcome, Report
from notary.evidence.package import Digests, Package, digest_stream
from notary.evidence.package_names import DOCUMENT, EXPECTED, is_document
from notary.evidence.trust import Trust
from notary.evidence.verify import verify


class Tried(StrEnum):
    """What became of a control."""

    FAILS = "fails as stated"
    UNTRIED = "could not be tried"
    STANDS = "does not fail as stated"


def try_controls(
    package: Package, trust: Trust | None, document: Digests | None, report: Report
) -> Iterator[tuple[Control, Tried]]:
    """Put each control in its place and verify again.

    Args:
        package: as it was verified.
        trust: the verifier's own, as for `verify`.
        document: digests of the document that the verifier holds, as for `verify`.
        report: what `verify` said of the package as it is.

    Raises:
        FormatError: `controls/expected.json` is not of its form.
    """
    data = package.files.get(EXPECTED)
    if data is None:
        return
    names = frozenset(package.files)
    if package.document is not None:
        names |= {DOCUMENT + package.document_name}
    passed = {check.id for check in report.checks if check.outcome is Outcome.PASSED}
    for control in parse_expected(data, names):
        if control.check not in passed:
            yield control, Tried.UNTRIED
            continue
        found = verify(_with(package, control), trust, document)
        failed = any(check.id == control.check for check in found.failures())
        yield control, Tried.FAILS if failed else Tried.STANDS


def _with(package: Package, control: Control) -> Package:
    data = package.files[control.file]
    if is_document(control.replaces):
        return replace(package, document=digest_stream(io.BytesIO(data)))
    return replace(package, files={**package.files, control.replaces: data})
