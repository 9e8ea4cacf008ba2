"""docs/formats.md §16 names every field, member and column: a new one is put there, as personal or not."""

import json
import re
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from notary.evidence.commitments import NAMES
from notary.evidence.package_names import check_name
from notary.store import tables

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
(SECTION,) = re.findall(r"^## 16 .*?(?=^## )", TEXT, re.MULTILINE | re.DOTALL)
FIELDS, MEMBERS, _, _, KEPT = re.split(
    r"^\*\*(?:Fields|Members|Exports|What anybody|What the operator)", SECTION, flags=re.MULTILINE
)[1:]


def rows(part):
    return [line.strip("| ").split(" | ", 1) for line in part.splitlines() if line.startswith("| ")][1:]


def words(text):
    return re.findall(r"`([^`]+)`", text)


def properties(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for value in schema.values():
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


def test_every_field_of_the_formats_is_listed_once():
    listed = [name for _, fields in rows(FIELDS) for name in words(fields)]
    assert len(listed) == len(set(listed))
    found = set(NAMES)
    for path in (ROOT / "docs" / "schemas").iterdir():
        found |= set(properties(json.loads(path.read_text(encoding="utf-8"))))
    assert found - set(listed) == set()
    assert set(listed) - found == set()


def test_what_is_committed_is_what_the_list_calls_personal():
    personal = words(rows(FIELDS)[0][1])
    assert set(personal) == set(NAMES) | {"disclosure", "openings"}


MEMBER_NAMES = [
    "mimetype", "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "data/statement.json",
    "data/openings.json", "data/document/<file name>", "data/report.pdf", "receipt.txt", "consistency.json",
    "controls/<file>", "controls/expected.json", "inspection/openings.json", "inspection/statement.json",
    "previous/<n>/statement.json", "previous/<n>/openings.json", "heads/<size>/inclusion.tlog-proof",
    "META-INF/evidencerecord<nnn>.ers", "META-INF/ASiCManifest<nnn>.xml", "META-INF/signature<nnn>.p7s",
    "README.en.txt", "README.zh.txt",
]  # fmt: skip
EXAMPLE = {"<file name>": "a.pdf", "<file>": "a.pdf", "<n>": "1", "<size>": "7", "<nnn>": "001"}


@pytest.mark.parametrize("name", MEMBER_NAMES)
def test_every_member_is_listed_and_has_a_place(name):
    assert f"`{name}`" in MEMBERS
    for placeholder, value in EXAMPLE.items():
        name = name.replace(placeholder, value)
    check_name(name)


def test_the_members_are_those_of_the_table_of_the_package():
    (section,) = re.findall(r"^### 11\.1 .*?(?=^### )", TEXT, re.MULTILINE | re.DOTALL)
    inside = [
        word
        for line in section.splitlines()
        if line.startswith("| `")
        for word in words(line.split(" | ")[0])
    ]
    assert len(inside) > 25
    folders = ("heads/", "incident/", "tools/")  # listed as a whole
    for name in inside:
        assert (
            name in MEMBER_NAMES
            or name.startswith(folders)
            or name.endswith(("inclusion.tlog-proof", ".xml"))
        ), name
    for folder in folders:
        assert f"`{folder}…`" in MEMBERS


def test_every_table_is_listed_and_every_column_named_is_one():
    assert tables.record.name == "record"
    known = {table.name: set(table.columns.keys()) for table in SQLModel.metadata.sorted_tables}
    listed = {}
    for place, what in rows(KEPT):
        for name in words(place):
            if name in known:
                assert name not in listed, name
                listed[name] = what
    assert set(known) - set(listed) == set()
    for name, what in listed.items():
        columns = {word for word in words(what) if re.fullmatch(r"[a-z0-9_]+", word)}
        assert columns <= known[name], (name, columns - known[name])
        assert bool(columns) != what.startswith("none"), name


def test_each_table_with_a_digest_or_text_of_a_submitter_is_called_personal():
    personal = {name for place, what in rows(KEPT) if not what.startswith("none") for name in words(place)}
    for table in SQLModel.metadata.sorted_tables:
        if {"tenant_id", "disclosure", "sha256", "digest", "statement"} & set(table.columns.keys()):
            assert table.name in personal | {"tsa_certificate"}, table.name
