"""Both verifiers say the same of the controls of a package, and of what is no list of them (formats.md §11.6)."""

import io
import json
import subprocess
from typing import Any

import pytest

from notary.errors import FormatError
from notary.evidence import canonical
from notary.evidence.controls import control_members
from notary.evidence.package import read_package
from notary.evidence.package_names import EXPECTED
from notary.evidence.trying import try_controls
from notary.evidence.verify import verify
from tests.evidence.build import CONTRACT
from tests.fuzz.corpus import Sample, whole
from tests.fuzz.verifiers import ROOT
from tests.fuzz.zips import packed

CONTROL = {
    "name": "receipt-signature",
    "file": "controls/receipt-signature.txt",
    "replaces": "receipt.txt",
    "check": "4.1",
}
SAMPLE = whole()
DAMAGED = control_members(SAMPLE.files, ("contract.pdf", CONTRACT))


def listed(*controls, **more):
    return canonical.dumps({"version": 1, "controls": [*controls]} | more)


def by_python(data: bytes, sample: Sample) -> dict[str, Any]:
    package = read_package(io.BytesIO(data))
    try:
        tried = list(try_controls(package, sample.trust, None, verify(package, sample.trust)))
    except FormatError:
        return {"error": True, "controls": []}
    found = [[control.name, str(word).replace(" ", "_")] for control, word in tried]
    return {"error": False, "controls": found}


def by_javascript(folder, data: bytes, sample: Sample) -> dict[str, Any]:
    (folder / "p.zip").write_bytes(data)
    (folder / "t.toml").write_text(sample.trust_text)
    command = ["node", ROOT / "tests/verifier_js/tried.mjs", folder / "p.zip", folder / "t.toml"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def asked(folder, expected: bytes, **changed: bytes) -> dict[str, Any]:
    """What both say; an AssertionError where they differ."""
    files = SAMPLE.files | DAMAGED | {f"{name}.txt": data for name, data in changed.items()}
    data = packed(files | {EXPECTED: expected})
    python = by_python(data, SAMPLE)
    assert by_javascript(folder, data, SAMPLE) == python
    return python


def test_the_controls_that_we_write_fail_as_stated_in_both(tmp_path):
    found = asked(tmp_path, DAMAGED[EXPECTED])
    assert len(found["controls"]) == len(DAMAGED) - 1
    assert {status for _, status in found["controls"]} == {"fails_as_stated"}


def test_where_the_check_failed_before_nothing_was_tried(tmp_path):
    """Whatever was put in its place would fail then, and shows nothing."""
    found = asked(tmp_path, listed(CONTROL), receipt=DAMAGED[CONTROL["file"]])
    assert found == {"error": False, "controls": [["receipt-signature", "could_not_be_tried"]]}


def test_a_control_that_stands_is_found_out_by_both(tmp_path):
    found = asked(tmp_path, listed(CONTROL | {"check": "5.1"}))
    assert found == {"error": False, "controls": [["receipt-signature", "does_not_fail_as_stated"]]}


@pytest.mark.parametrize(
    "expected",
    [
        *(listed(CONTROL | {"check": check}) for check in ("12.345", "12.3", "0.1", "4.0", "4.123", "4.1\n")),
        listed(CONTROL | {"replaces": "x" * 256}),
        listed(CONTROL | {"replaces": ""}),
        listed(CONTROL, CONTROL),
        listed(CONTROL, more=1),
        listed(CONTROL, version=True),
        listed(CONTROL) + b"\n",
        b"",
    ],
)
def test_what_is_not_of_its_form_is_an_error_to_both(tmp_path, expected):
    assert asked(tmp_path, expected) == {"error": True, "controls": []}
