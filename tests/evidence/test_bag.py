"""Manifests: what each lists, in which order, and of which members the digest of the evidence is made."""

import io
import re
from hashlib import sha256

from notary.evidence.assemble import assemble
from notary.evidence.bag import evidence_manifest, manifest
from notary.evidence.package import read_package
from notary.evidence.package_names import REPORT
from tests.evidence import build

EVIDENCE = {
    "data/statement.json": b"statement",
    "data/openings.json": b"openings",
    "heads/10/checkpoint": b"ten",
    "heads/9/checkpoint": b"nine",
    "receipt.txt": b"receipt",
    "previous/1/statement.json": b"earlier",
}
APART = {
    "controls/expected.json": b"1",
    "tools/check.sh": b"2",
    "README.en.txt": b"3",
    "README.zh.txt": b"4",
    "bag-info.txt": b"5",
    REPORT: b"6",
    "META-INF/signature001.p7s": b"7",
}


# The members that docs/formats.md §11.7 names for `grep`.
LISTED = re.compile(
    r"data/(statement|openings)\.json|(heads|inspection|incident|previous)/.*|receipt\.txt|consistency\.json"
)


def line(name):
    return f"{sha256(EVIDENCE[name]).hexdigest()}  {name}\n".encode()


def test_the_evidence_is_what_a_check_reads_in_the_order_of_the_names_bytes():
    wanted = b"".join(map(line, sorted(EVIDENCE)))
    assert evidence_manifest(EVIDENCE) == wanted
    assert evidence_manifest(dict(reversed(EVIDENCE.items()))) == wanted
    assert wanted.index(b"heads/10/") < wanted.index(b"heads/9/")
    assert evidence_manifest({}) == b""


def test_of_a_whole_package_it_is_what_the_document_s_own_command_finds():
    contents = build.files(build.log()) | APART
    del contents["META-INF/signature001.p7s"]
    del contents["controls/expected.json"]
    whole = assemble(contents, ("contract.pdf", build.CONTRACT))
    files = read_package(io.BytesIO(whole)).files
    assert files.keys() - {name for name in files if LISTED.fullmatch(name)} > {"bag-info.txt", REPORT}
    wanted = [
        f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files) if LISTED.fullmatch(name)
    ]
    assert evidence_manifest(files) == "".join(wanted).encode()


def test_guides_tools_controls_and_the_report_are_no_part_of_the_evidence():
    whole = evidence_manifest(EVIDENCE)
    for name, data in APART.items():
        assert evidence_manifest(EVIDENCE | {name: data}) == whole, name
    assert evidence_manifest(EVIDENCE | APART) == whole


def test_any_member_of_the_evidence_makes_another_manifest():
    whole = evidence_manifest(EVIDENCE)
    for name in EVIDENCE:
        changed = evidence_manifest(EVIDENCE | {name: b"changed"})
        without = evidence_manifest({other: data for other, data in EVIDENCE.items() if other != name})
        assert len({whole, changed, without}) == 3, name


def test_names_beyond_ascii_stand_in_the_order_of_their_bytes():
    found = manifest({"data/é": "1", "data/z": "2", "data/合同": "3", "data/\U0001f4c4": "4"})
    assert found.decode().splitlines() == ["2  data/z", "1  data/é", "3  data/合同", "4  data/\U0001f4c4"]
