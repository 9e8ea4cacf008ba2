"""docs/schemas: what the formats let pass passes, and what they refuse by its shape is refused."""

import base64
import json
import re
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from notary.evidence import commitments, statement
from notary.evidence.catalogue import CHECKS
from notary.evidence.digests import ALGORITHMS
from notary.evidence.outcome import Claim, Outcome
from notary.evidence.verify import verify
from notary.intake.submission import FIELDS
from notary.store.records import VISIBILITIES
from tests.evidence import build, test_consistency, test_json_proof, test_statement
from tests.evidence.test_statement import BY_TYPE
from tests.intake import test_bulkline

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "schemas"
TESTDATA = ROOT / "tests" / "testdata"
SCHEMAS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.iterdir())}
REGISTRY = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)


def validator(name):
    return Draft202012Validator(SCHEMAS[name], registry=REGISTRY)


def passes(name, value):
    errors = [error.message for error in validator(name).iter_errors(value)]
    return not errors


def cases(function):
    """The cases that a parser's test is run with."""
    (mark,) = [mark for mark in function.pytestmark if mark.name == "parametrize"]
    return mark.args[1]


def objects(value):
    """Every schema of an object inside one."""
    if isinstance(value, dict):
        if "properties" in value and isinstance(value["properties"], dict):
            yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_closed(name):
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"].endswith(f"/{name}.json")
    for found in objects(SCHEMAS[name]):
        assert found["additionalProperties"] is False
    # "$" also matches before a newline at the end, and not in every dialect: patterns end another way.
    for pattern in re.findall(r'"pattern": "(.*)"', json.dumps(SCHEMAS[name], indent=1)):
        assert pattern.startswith("^(?:")
        assert pattern.endswith(r")(?![\\s\\S])")


def test_each_is_named_in_the_formats():
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    for name in SCHEMAS:
        assert f"schemas/{name}.json" in text, name


def test_names_are_those_of_the_code():
    parts = SCHEMAS["common"]["$defs"]
    assert parts["name"]["enum"] == list(commitments.NAMES)
    assert {n: s["pattern"] for n, s in parts["digests"]["properties"].items()} == {
        n: f"^(?:[0-9a-f]{{{2 * length}}})(?![\\s\\S])" for n, (length, _) in ALGORITHMS.items()
    }
    assert parts["outcome"]["enum"] == [each.value for each in Outcome]
    kinds = [each["properties"]["type"]["const"] for each in SCHEMAS["statement"]["oneOf"]]
    assert kinds == list(statement.TYPES)
    shown = json.dumps(SCHEMAS["result"])
    for word in Claim:
        assert f'"{word.value}"' in shown
    line = SCHEMAS["bulk-line"]["oneOf"][0]["properties"]
    assert set(FIELDS) <= set(line)
    assert line["visibility"]["anyOf"][1]["enum"] == list(VISIBILITIES)


# What passes


FILES = {
    "statement": ["v1/statements/*.json"],
    "openings": ["v1/openings.json"],
    "consistency": ["v1/consistency.json"],
    "anchor": ["chain/anchor.json", "chain/anchor-without-state.json", "chain/other-chain.json"],
    "proof": ["v1/proof.json"],
    "result": ["v1/result.json", "v1/result-revocation.json"],
}
MEMBERS = {
    r"(.*/)?statement\.json": "statement",
    r"(.*/)?openings\.json": "openings",
    r"consistency\.json": "consistency",
    r".*/anchor\.json": "anchor",
    r"controls/expected\.json": "expected",
}


@pytest.mark.parametrize(("name", "pattern"), [(name, each) for name in FILES for each in FILES[name]])
def test_every_file_of_the_testdata_passes(name, pattern):
    found = list(TESTDATA.glob(pattern))
    assert found
    for path in found:
        validator(name).validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted(TESTDATA.glob("v1/*.zip")), ids=lambda path: path.name)
def test_every_member_of_a_package_passes(path):
    with zipfile.ZipFile(path) as archive:
        found = [member for member in archive.namelist() if member.endswith(".json")]
        assert len(found) > 3
        for member in found:
            (name,) = [name for pattern, name in MEMBERS.items() if re.fullmatch(pattern, member)]
            validator(name).validate(json.loads(archive.read(member)))


def test_every_opened_value_passes_as_a_disclosure():
    for openings in build.log().openings.values():
        for each in openings:
            text = each.disclosure + "=" * (-len(each.disclosure) % 4)
            validator("disclosure").validate(json.loads(base64.urlsafe_b64decode(text)))


def test_results_of_all_kinds_pass():
    log = build.log()
    results = [
        build.check(build.files(log), build.trust(log)),
        build.check(build.files(log), None),
        build.check({"data/statement.json": b"{}"}, None),
        verify(test_json_proof.package_of_json(test_json_proof.GOOD), build.trust(log)),
    ]
    for report in results:
        validator("result").validate(report.to_json())
        assert {check["id"] for check in report.to_json()["checks"]} <= set(CHECKS)


def test_lines_that_are_taken_pass():
    digest = "ab" * 32
    for line in (
        {"sha-256": digest},
        {"digests": {"sha-256": digest.upper(), "sm3": digest}, "media_type": "Text/HTML; charset=utf-8"},
        {"kind": "event", "phase": "sent", "metadata": {"ä": [1, None, {"b": True}]}},
        {"sha-256": digest, "title": None, "sequence": 0, "source": "client", "visibility": "private"},
    ):
        validator("bulk-line").validate(line)
        test_bulkline.parsed(**line)


# What does not


@pytest.mark.parametrize("kind", BY_TYPE)
def test_a_common_field_that_the_parser_refuses_is_refused(kind):
    for path, values, _ in test_statement.COMMON:
        for value in values:
            changed = json.loads(test_statement.encoded(kind, *path, value=value))
            expected = json.dumps(value) in {'"MLNLM6Q222222228"', '"2026-02-30T11:30:00Z"'}
            assert passes("statement", changed) is expected, (path, value)


@pytest.mark.parametrize("case", test_statement.BODIES, ids=lambda case: ".".join(case[1]))
def test_a_field_of_a_body_that_the_parser_refuses_is_refused(case):
    kind, path, values, _ = case
    for value in values:
        changed = json.loads(BY_TYPE[kind].encode())
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        assert not passes("statement", changed), (path, value)


@pytest.mark.parametrize("kind", BY_TYPE)
def test_every_key_of_a_statement_is_needed_and_no_other_is_known(kind):
    whole = json.loads(BY_TYPE[kind].encode())
    assert passes("statement", whole)
    assert not passes("statement", whole | {"zz": 1})
    for key in whole:
        assert not passes("statement", {name: value for name, value in whole.items() if name != key})


def test_a_consistency_file_that_the_parser_refuses_is_refused():
    for data, message in cases(test_consistency.test_another_form_is_refused):
        try:
            value = json.loads(data)
        except json.JSONDecodeError:
            continue
        spelling = "canonical form" in message
        (proof,) = value["proofs"] if spelling or message == test_consistency.DISORDER else ({},)
        # Numbers in strings no schema compares; a path of another form it does refuse.
        order = message == test_consistency.DISORDER and proof["path"] in ([], test_consistency.GOOD["path"])
        assert passes("consistency", value) is (order or spelling), data[:80]


@pytest.mark.parametrize("case", test_json_proof.REFUSED)
def test_a_json_proof_that_the_parser_refuses_is_refused(case):
    data, message = test_json_proof.REFUSED[case]
    beyond = ("canonical form", "size is not that", "entry is not that of", "no signature", "more than")
    allowed = message.startswith(beyond) and case != "another statement"
    assert passes("proof", json.loads(data)) is allowed, message


def test_a_line_that_the_parser_refuses_is_refused():
    for more, _, message in cases(test_bulkline.test_what_is_not_of_its_form_is_refused):
        value = {"sha-256": test_bulkline.A} | more
        allowed = any(word in message for word in ("check character", "not valid Unicode"))
        assert passes("bulk-line", value) is allowed, more
    for value, _, message in cases(test_bulkline.test_digests_of_another_form_are_refused):
        assert not passes("bulk-line", value), message
    for more in ({"sha-256": "00" * 32}, {"size": 5}, {"media_type": "a/b"}, {"visibility": "by-document"}):
        assert not passes("bulk-line", {"kind": "event", **more}), more


OPENING = {"disclosure": "abc", "index": 0, "path": []}


@pytest.mark.parametrize(
    "value",
    [
        {"version": 2, "openings": []},
        {"version": 1, "openings": [], "more": 1},
        {"version": 1, "openings": [OPENING] * 65},
        {"version": 1, "openings": [OPENING | {"index": 64}]},
        {"version": 1, "openings": [OPENING | {"index": -1}]},
        {"version": 1, "openings": [OPENING | {"path": ["00" * 32] * 7}]},
        {"version": 1, "openings": [OPENING | {"path": ["00"]}]},
        {"version": 1, "openings": [OPENING | {"disclosure": "a="}]},
        {"version": 1, "openings": [OPENING | {"disclosure": "A" * 131073}]},
        {"version": 1, "openings": [OPENING | {"name": "title"}]},
    ],
)
def test_openings_of_another_form_are_refused(value):
    assert passes("openings", {"version": 1, "openings": [OPENING]})
    assert not passes("openings", value)


@pytest.mark.parametrize(
    "value",
    [["A" * 22, "matter"], ["A" * 22, "matter", 1, 2], ["A" * 21, "matter", 1], ["A" * 22, "name", 1],
     ["A" * 22, "matter", 1.5], ["A" * 22, "matter", {"": 1}], ["A" * 22, "matter", 2**53], {}],
)  # fmt: skip
def test_a_disclosure_of_another_form_is_refused(value):
    assert passes("disclosure", ["A" * 22, "matter", {"a": [None, True, -1, "b"]}])
    assert not passes("disclosure", value)


ANCHOR = json.loads((TESTDATA / "chain" / "anchor.json").read_text(encoding="utf-8")) | {
    "version": 2,
    "head_slots": [["00"], None],
}


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3}, {"version": 1}, {"more": 1}, {"chain_id": -1}, {"contract": "0x" + "00" * 20}, {"log_id": "00"},
        {"profile": "A"}, {"header": ""}, {"header": "abc"}, {"receipt_proof": None}, {"receipt_proof": ["00"] * 66},
        {"account_proof": [""]}, {"head_slots": [None]}, {"head_slots": [None] * 3}, {"not_before": [{"header": "00"}]},
        {"not_before": [{"header": "00", "storage_proof": None}] * 257}, {"transaction": "00"}, {"log_index": True},
    ],
    ids="".join,
)  # fmt: skip
def test_an_anchor_of_another_form_is_refused(change):
    assert passes("anchor", ANCHOR)
    assert not passes("anchor", ANCHOR | change)
    without = {key: value for key, value in ANCHOR.items() if key != next(iter(change))}
    assert not passes("anchor", without | {"zz": 1})


CONTROL = {"name": "a-1", "file": "controls/a.json", "replaces": "data/statement.json", "check": "2.1"}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "A"}, {"name": ""}, {"file": "a.json"}, {"file": "controls/expected.json"}, {"file": "controls/../a"},
        {"replaces": "mimetype"}, {"replaces": "bagit.txt"}, {"replaces": "manifest-sha256.txt"}, {"check": "2"},
        {"replaces": "controls/a.json"}, {"replaces": "META-INF/signature001.p7s"}, {"check": 2}, {"more": 1},
    ],
    ids="".join,
)  # fmt: skip
def test_controls_of_another_form_are_refused(change):
    assert passes("expected", {"version": 1, "controls": [CONTROL]})
    assert not passes("expected", {"version": 1, "controls": [CONTROL | change]})
    assert not passes("expected", {"version": 1, "controls": []})
    assert not passes("expected", {"version": 1, "controls": [CONTROL] * 65})


def test_a_result_of_another_form_is_refused():
    good = json.loads((TESTDATA / "v1" / "result.json").read_text(encoding="utf-8"))
    assert passes("result", good)
    for change in (
        {"outcome": "valid"}, {"version": 2}, {"withheld": 65}, {"withheld": -1}, {"entry": "00"}, {"checks": []},
        {"openings": {"name": 1}}, {"index": -1}, {"time": {}}, {"more": 1}, {"test_only": None},
    ):  # fmt: skip
        assert not passes("result", good | change), change
    assert not passes("result", {key: value for key, value in good.items() if key != "withheld"})
    (check, *_) = good["checks"]
    assert passes("result", good | {"checks": [check | {"sentence": {"zh": "是", "en": "yes"}}]})
    for sentence in ("yes", {"en": "yes"}, {"zh": "是", "en": 1}, {"zh": "是", "en": "yes", "fr": "oui"}):
        assert not passes("result", good | {"checks": [check | {"sentence": sentence}]}), sentence
