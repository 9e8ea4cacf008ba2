"""Hostile bytes: nothing stops a verification, and nothing that was altered passes for what it was not.

The mutations know the formats: they change values inside JSON, lines inside notes and bits inside tokens, and
the manifest is made right afterwards, so that each reaches the check it is aimed at.
"""

import base64
import functools
import io
import json
import random

import pytest

from notary.errors import FormatError, TrustError
from notary.evidence import canonical, heads
from notary.evidence.exports import package_of_proof
from notary.evidence.outcome import Outcome, Report
from notary.evidence.package import Package, digest_stream, read_package, write_package
from notary.evidence.trust import Trust, parse_trust
from notary.evidence.verify import verify
from tests.evidence import build
from tests.evidence.build import CONTRACT, DOCUMENT, LATE

LOG = build.log()
FILES = {name: data for name, data in build.files(LOG).items() if name != "README.en.txt"}
TRUST_TEXT = build.trust_text(LOG).encode()
TRUST = parse_trust(TRUST_TEXT)
DOCUMENT_DIGESTS = digest_stream(io.BytesIO(CONTRACT))
ROUNDS, EACH = 8, 120
ODD = (
    None,
    True,
    0,
    -1,
    1,
    2**53 - 1,
    "",
    "0",
    "00" * 32,
    "a" * 300,
    [],
    {},
    [[]],
    {"a": 1},
    "\u0000",
    "日志",
)
# Some of their bytes are signed by nobody, and openings, proofs or signatures may be doubled or left out: they
# may say less then, never something else. Every other file is all or nothing.
LOOSE = (
    "tokens/",
    "revocation/",
    "tlog-proof",
    "openings.json",
    "anchor.json",
    "receipt.txt",
    "consistency.json",
)


def damaged(data, chance):
    """One change of bytes."""
    at, to = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    to = min(to, at + 80)
    match chance.randrange(6):
        case 0:
            bit = chance.randrange(8 * len(data))
            return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]
        case 1:
            return data[:at]
        case 2:
            return data[:at] + data[to:]
        case 3:
            return data[:to] + data[at:]
        case 4:
            return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]
        case _:
            return data[:at] + bytes(to - at) + data[to:]


def in_json(data, chance):
    """One value of the JSON changed, removed, doubled or replaced by an odd one; still canonical."""
    value = json.loads(data)
    places = []

    def walk(node):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, below in list(items):
            places.append((node, key))
            if isinstance(below, dict | list):
                walk(below)

    walk(value)
    node, key = chance.choice(places)
    match chance.randrange(5):
        case 0:
            del node[key]
        case 1:
            node[key] = chance.choice(ODD)
        case 2 if isinstance(node[key], str) and node[key]:
            text = list(node[key])
            text[chance.randrange(len(text))] = chance.choice("0123456789abcdef")
            node[key] = "".join(text)
        case 3 if isinstance(node, list):
            node.insert(key, node[key])
        case 3:
            node["more"] = node[key]
        case _:
            other, name = chance.choice(places)
            node[key] = json.loads(json.dumps(other.get(name) if isinstance(other, dict) else None))
    return canonical.dumps(value)


def in_lines(data, chance):
    """One line of a note changed, dropped, doubled or exchanged; base64 stays base64."""
    lines = data.decode().split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            del lines[at]
        case 2:
            lines.insert(at, lines[other])
        case 3:
            head, space, last = lines[at].rpartition(" ")
            try:
                raw = bytearray(base64.b64decode(last, validate=True))
                raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
                lines[at] = head + space + base64.b64encode(raw).decode()
            except (ValueError, IndexError):
                lines[at] += "0"
        case _:
            lines[at] = "".join(chance.sample(lines[at], len(lines[at])))
    return "\n".join(lines).encode()


def mutated(name, chance):
    data = FILES[name]
    if chance.random() < 0.1:
        return FILES[chance.choice(list(FILES))]
    if name.endswith(".json") and chance.random() < 0.7:
        try:
            return in_json(data, chance)
        except (FormatError, UnicodeEncodeError):
            return damaged(data, chance)
    if name.endswith(("proof", "point", ".txt")) and chance.random() < 0.7:
        return in_lines(data, chance)
    return damaged(data, chance)


GOOD = build.check(FILES, TRUST)


def says_no_more_than_the_good_one(report):
    found, good = report.interval, GOOD.interval
    same = (report.entry, report.index, report.statement) == (GOOD.entry, GOOD.index, GOOD.statement)
    after = found.made_after is None or (found.made_after, found.made_after_block) == (
        good.made_after,
        good.made_after_block,
    )
    by = set(found.bounds) <= set(good.bounds) and found.existed_by >= good.existed_by
    return same and after and by and report.openings.items() <= GOOD.openings.items()


@pytest.fixture
def remembered(monkeypatch):
    """A token that was found good is, with the same arguments, good again: most mutations leave both alone."""
    monkeypatch.setattr(heads, "check_token", functools.cache(heads.check_token))


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_no_mutation_stops_the_verification_or_passes_for_something_else(seed):
    chance = random.Random(seed)
    names = sorted(FILES)
    done = passed = 0
    while done < EACH:
        name = chance.choice(names)
        data = mutated(name, chance)
        if data == FILES[name] or len(data) > 2**20:
            continue
        done += 1
        report = build.check(FILES | {name: data}, TRUST)
        assert isinstance(report, Report)
        json.dumps(report.to_json())
        if report.outcome is Outcome.PASSED:
            passed += 1
            assert any(part in name for part in LOOSE), (name, data)
            assert says_no_more_than_the_good_one(report), (name, data)
            if "revocation/" in name:  # at most it says nothing any more
                assert Outcome.UNCHECKED in {c.outcome for c in report.checks if c.id == "5.2"}, (name, data)
    assert passed < EACH / 10


@pytest.mark.parametrize("seed", range(2))
def test_no_byte_of_a_zip_stops_its_reader(seed):
    chance = random.Random(seed)
    whole = write_package(FILES, ("contract.pdf", CONTRACT))
    read = 0
    for _ in range(500):
        try:
            package = read_package(io.BytesIO(damaged(whole, chance)))
        except FormatError:
            continue
        read += 1
        assert package.files == FILES
        assert package.document == DOCUMENT_DIGESTS
    assert read < 50


def test_no_bare_proof_stops_the_verification():
    chance = random.Random(1)
    good = LOG.proof(DOCUMENT, LATE, FILES["data/statement.json"])
    for _ in range(500):
        data = in_lines(good, chance) if chance.random() < 0.5 else damaged(good, chance)
        try:
            package = package_of_proof(data)
        except FormatError:
            continue
        report = verify(package, TRUST, DOCUMENT_DIGESTS)
        assert report.outcome is not Outcome.PASSED
        if report.outcome is Outcome.UNCHECKED:  # nothing was found wrong, so nothing was changed that counts
            assert (report.entry, report.index) == (GOOD.entry, GOOD.index)


def test_no_trust_file_stops_its_reader():
    chance = random.Random(2)
    for _ in range(300):
        try:
            assert isinstance(parse_trust(damaged(TRUST_TEXT, chance)), Trust)
        except TrustError:
            continue


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"[" * 100_000, b"\xff" * 1000, b"9" * 5000, b"{}", b"null", b"\n\n"]
)
def test_any_file_may_be_anything(data):
    for name in FILES:
        report = build.check(FILES | {name: data}, TRUST)
        assert report.outcome is Outcome.FAILED, name


def test_a_package_may_hold_nothing_at_all():
    assert verify(Package({}), TRUST).outcome is Outcome.FAILED
    assert verify(Package({}), None).outcome is Outcome.FAILED
