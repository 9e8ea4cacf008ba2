"""The not-before block, 7.1 and 7.2: `tools/check.sh` comes to what the verifiers say, or leaves it open."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
import rlp

from notary.errors import ChainError
from notary.evidence.chain import NotBefore, decode_header, encode_evidence
from notary.evidence.chain_bft import MIX_HASH
from notary.evidence.keccak import keccak256
from notary.services.package_tools import static_members
from tests.evidence import build, mini_chain
from tests.evidence import test_check_script as script
from tests.evidence.build import DOCUMENT, LATE, Log
from tests.evidence.test_check_script_limits import READER, ask, functions
from tests.evidence.test_check_script_tokens import agrees, packed

bare, run = script.bare, script.run
OPEN, PASSED, FAILED = "could_not_be_checked", "passed", "failed"
HEAD, ANCHOR = f"head {LATE}", f"heads/{LATE}/anchor.json"
LOG = build.log()
BEFORE = build.NOT_BEFORE
TOOLS = static_members()


def case(evidence=None, *, log=LOG, named=True, blocks=(), **made):
    """Files and trust file of a package whose one head is anchored, in a block that is named or not."""
    evidence = evidence or log.anchor(LATE, **made)
    files = {
        "data/statement.json": log.statements[DOCUMENT].encode(),
        "data/document/contract.pdf": build.CONTRACT,
        f"heads/{LATE}/inclusion.tlog-proof": log.proof(DOCUMENT, LATE),
        ANCHOR: encode_evidence(evidence),
    }
    table = build.chain_table(log, blocks=[*([evidence.header] if named else []), *blocks])
    return files, build.trust_text(log, chain=table, tsa_a=None, tsa_b=None)


def saying(**changes):
    """A log whose statement says something else of the block."""
    return Log(altered=lambda made: replace(made, not_before=replace(made.not_before, **changes)))


def after(number, time=build.NOT_BEFORE_TIME, *, at):
    """A statement of the block of this number, anchored in one of number `at`."""
    raw = mini_chain.header(number, time)
    log = saying(number=number, hash=keccak256(raw), time=time)
    return case(log=log, not_before=[raw], number=at)


def without_history(given):
    files, trust = given
    value = json.loads(files[ANCHOR]) | {"history_proof": None}
    return files | {ANCHOR: json.dumps(value, sort_keys=True, separators=(",", ":")).encode()}, trust


def bent(proof):
    last = proof[-1]
    return (*proof[:-1], last[:-1] + bytes([last[-1] ^ 1]))


def with_headers(*items):
    return replace(EVIDENCE, not_before=tuple(items))


def with_item(change):
    return replace(EVIDENCE, not_before=(change(GOOD),))


def state_of(*stored):
    """Evidence of a block whose EIP-2935 contract holds `stored` and not what the evidence carries."""
    evidence = LOG.anchor(LATE, not_before=list(stored))
    proofs = [item.storage_proof for item in evidence.not_before]
    return replace(evidence, not_before=(NotBefore(BEFORE, proofs[0]),))


EVIDENCE = LOG.anchor(LATE)
(GOOD,) = EVIDENCE.not_before
BAD = NotBefore(BEFORE, bent(GOOD.storage_proof))
NEXT = NotBefore(mini_chain.header(101, build.NOT_BEFORE_TIME + 12), None)
SEALED = rlp.encode([MIX_HASH if at == 13 else field for at, field in enumerate(rlp.decode(BEFORE))])
OTHER = mini_chain.header(100, build.NOT_BEFORE_TIME + 1)
NO_PROOF = NotBefore(BEFORE, None)
# Files and trust file, and what 7.1, 7.2 and 8.1 come to.
CASES = {
    "the state names it": (case(), PASSED, PASSED, PASSED),
    "it is in the trust file": (
        case(with_headers(NO_PROOF), blocks=[BEFORE]), PASSED, PASSED, PASSED,
    ),
    "it is in the trust file, and its proof is bad": (case(with_headers(BAD), blocks=[BEFORE]), PASSED, PASSED, PASSED),
    "it is in the trust file, and the anchoring block is not": (
        case(named=False, blocks=[BEFORE]), PASSED, PASSED, OPEN,
    ),
    "another one is in the trust file": (case(blocks=[OTHER]), PASSED, FAILED, PASSED),
    "no block is named": (case(named=False), PASSED, OPEN, OPEN),
    "no proof of its slot": (case(with_headers(NO_PROOF)), PASSED, OPEN, PASSED),
    "no proof of the history": (case(replace(EVIDENCE, history_proof=None)), PASSED, OPEN, PASSED),
    "no header": (case(with_headers()), OPEN, None, PASSED),
    "other headers": (case(with_headers(NEXT)), OPEN, None, PASSED),
    "another hash in the statement": (case(log=saying(hash=bytes(32))), OPEN, None, PASSED),
    "another time in the statement": (case(log=saying(time=build.NOT_BEFORE_TIME + 1)), FAILED, None, PASSED),
    "another number in the statement": (case(log=saying(number=99)), FAILED, None, PASSED),
    "another chain in the statement": (case(log=saying(chain_id=1)), FAILED, None, PASSED),
    "a header of which nothing is read": (case(with_headers(GOOD, NotBefore(b"\x01", None))), FAILED, None, PASSED),
    "a header of another kind": (case(with_headers(GOOD, NotBefore(SEALED, None))), FAILED, None, PASSED),
    "eight times": (case(with_headers(*[GOOD] * 8)), PASSED, PASSED, PASSED),
    "nine times": (case(with_headers(*[GOOD] * 9)), FAILED, None, PASSED),
    "behind another": (case(with_headers(NEXT, GOOD)), PASSED, PASSED, PASSED),
    "one proof of two holds": (case(with_headers(BAD, NEXT, GOOD)), PASSED, PASSED, PASSED),
    "no proof of two holds": (case(with_headers(BAD, NO_PROOF, BAD)), PASSED, FAILED, PASSED),
    "a node with a bit changed": (case(with_item(lambda _: BAD)), PASSED, FAILED, PASSED),
    "a proof without nodes": (case(with_item(lambda _: NotBefore(BEFORE, ()))), PASSED, FAILED, PASSED),
    "an account of another contract": (
        case(replace(EVIDENCE, history_proof=EVIDENCE.account_proof)), PASSED, FAILED, PASSED,
    ),
    "an account with a bit changed": (
        case(replace(EVIDENCE, history_proof=bent(EVIDENCE.history_proof))), PASSED, FAILED, PASSED,
    ),
    "another hash in the state": (case(state_of(OTHER)), PASSED, FAILED, PASSED),
    "another slot in the state": (case(state_of(NEXT.header)), PASSED, FAILED, PASSED),
    "as old as can be": (after(100, at=100 + 8191), PASSED, PASSED, PASSED),
    "too old": (after(100, at=100 + 8192), PASSED, FAILED, PASSED),
    "too old, and nothing captured": (without_history(after(100, at=100 + 8192)), PASSED, OPEN, PASSED),
    "of the same number": (after(200, at=200), PASSED, FAILED, PASSED),
    "of a later number": (after(201, at=200), PASSED, FAILED, PASSED),
    "in a slot that was used again": (after(20000, at=20001), PASSED, PASSED, PASSED),
    "block 0": (after(0, at=1), PASSED, PASSED, PASSED),
    "as early as the anchor": (case(time=build.NOT_BEFORE_TIME), PASSED, PASSED, PASSED),
    "later than the anchor": (case(time=build.NOT_BEFORE_TIME - 1), PASSED, PASSED, FAILED),
}  # fmt: skip


@pytest.mark.parametrize(
    "what",
    script.some(
        CASES,
        "it is in the trust file",
        "another one is in the trust file",
        "no block is named",
        "another number in the statement",
        "another time in the statement",
        "another chain in the statement",
        "one proof of two holds",
        "a node with a bit changed",
        "too old",
        "later than the anchor",
    ),
)
def test_the_not_before_block_comes_to_what_the_verifier_says(run, what):
    (files, trust), first, second, time = CASES[what]
    data = packed_with_tools(files)
    status, checks, _, text, problems = run(data, trust=trust)
    report, expected = agrees(data, trust, checks)
    places = ("7.1", HEAD), ("7.2", HEAD), ("8.1", "")
    assert [expected.get(place) for place in places] == [first, second, time]
    assert [checks.get(place) for place in places] == [first, second, time], text
    assert (status, problems) == ({"passed": 0, "failed": 1}.get(report.outcome.value, 2), "")
    shown = "The record was made after 记录制作于此区块之后: " in text
    assert shown == (status == 0 and second == PASSED)


def packed_with_tools(files):
    document = files["data/document/contract.pdf"]
    rest = {name: data for name, data in files.items() if not name.startswith("data/document/")}
    return script.write_package(rest | TOOLS, ("contract.pdf", document))


def test_it_says_when_the_record_was_made_and_what_to_compare_where_it_cannot(run):
    """And no more: nothing of it is shown of what failed (the case above)."""
    files, trust = case()
    shown = f"chain {mini_chain.CHAIN_ID} block 100 0x{keccak256(BEFORE).hex()}"
    _, _, _, text, _ = run(packed_with_tools(files), trust=trust)
    assert f"The record was made after 记录制作于此区块之后: 2026-03-01T11:00:00Z, {shown}\n" in text
    files, trust = case(named=False)
    _, _, _, text, _ = run(packed_with_tools(files), trust=trust)
    assert f"name it there ([[chain.block]]): {shown}." in text


@pytest.mark.parametrize(
    ("moment", "accuracy", "word"),
    [
        (b"20260301105959.5Z", {"millis": 499}, FAILED),
        (b"20260301105959.5Z", {"millis": 500}, PASSED),
        pytest.param(b"20260301105959.9999999Z", {"seconds": 0}, PASSED, marks=pytest.mark.fuzz),
        pytest.param(b"20260301095959.9Z", False, FAILED, marks=pytest.mark.fuzz),
        pytest.param(b"20260301095959.9999999Z", False, PASSED, marks=pytest.mark.fuzz),
        pytest.param(b"20260301100000Z", False, PASSED, marks=pytest.mark.fuzz),
    ],
)
def test_whoever_attests_the_statement_before_its_block_says_what_is_false(run, moment, accuracy, word):
    token = script.stamped("tsa-a", gen_time=moment, accuracy=accuracy)
    files = {name: data for name, data in script.FILES.items() if "/revocation/" not in name}
    data = packed(files | {f"heads/{build.EARLY}/tokens/tsa-a.tsr": token})
    trust = script.trust_text(top=build.trust_tables(LOG)["top"] + "k = 1\n")
    status, checks, _, text, _ = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert (checks["7.2", HEAD], checks["8.1", ""], expected["8.1", ""]) == (PASSED, word, word), text
    assert status == (1 if word == FAILED else 0)


def test_what_may_be_false_leaves_the_time_open(run):
    """Where it is open whether the block is of the chain."""
    files, _ = case(replace(EVIDENCE, history_proof=None))
    early = script.stamped("tsa-a", size=LATE, gen_time=build.moment(10))
    data = packed_with_tools(files | {f"heads/{LATE}/tokens/tsa-a.tsr": early})
    trust = script.trust_text(top=build.trust_tables(LOG)["top"] + "k = 1\n")
    status, checks, _, text, _ = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert (status, checks["8.1", ""], expected["8.1", ""]) == (2, OPEN, PASSED), text
    assert "may be earlier than the block" in text
    assert "可能有时间戳或区块早于起始区块" in text


def test_of_headers_no_more_are_hashed_than_takes_seconds(run):
    """As if less were: the verifier, which hashes all, passes what the script leaves open."""

    def change(folder):
        script_file, manifest = folder / "tools/check.sh", folder / "tagmanifest-sha256.txt"
        data = script_file.read_bytes()
        other = data.replace(b"BLOCKS=4096 ", b"BLOCKS=30 ")
        assert other != data
        script_file.write_bytes(other)
        manifest.write_text(manifest.read_text().replace(sha256(data).hexdigest(), sha256(other).hexdigest()))

    many = [NotBefore(mini_chain.header(100, at), None) for at in range(1, 21)]
    others = [NotBefore(mini_chain.header(number, 1), None) for number in range(1, 21)]
    for items, word in ([*many, GOOD], OPEN), ([GOOD, *many], PASSED), ([*others, GOOD], PASSED):
        files, trust = case(with_headers(*items))
        data = packed_with_tools(files)
        status, checks, _, text, _ = run(data, trust=trust, change=change)
        _, expected = agrees(data, trust, checks)
        assert (expected["7.1", HEAD], expected["7.2", HEAD]) == (PASSED, PASSED)
        assert (checks["7.1", HEAD], checks.get(("7.2", HEAD))) == (word, None if word == OPEN else PASSED), (
            text
        )
        assert status == 0
        assert ("What could not be checked above may still fail" in text) == (word == OPEN)


@pytest.mark.parametrize(
    ("check", "spoilt", "word"),
    [
        ("7.1", with_headers(GOOD, NotBefore(b"\x01", None)), "fails"),
        ("7.2", with_headers(BAD), "fails"),
        ("7.2", with_headers(GOOD, NEXT), "DOES"),
    ],
)
def test_a_control_of_these_checks_is_tried(run, check, spoilt, word):
    files, trust = case()
    control = {"check": check, "file": "controls/anchor.json", "name": "anchor", "replaces": ANCHOR}
    expected = json.dumps({"controls": [control], "version": 1}, separators=(",", ":")).encode()
    files |= {"controls/anchor.json": encode_evidence(spoilt), "controls/expected.json": expected}
    status, _, controls, text, _ = run(packed_with_tools(files), trust=trust)
    assert controls == {"anchor": word}, text
    assert status == (0 if word == "fails" else 1)


HEADERS = f"""
stop() {{ echo "$1" >&2; exit 3; }}
{functions("read_header")}
{READER}
while IFS= read -r line; do
    if read_header "$line"; then echo "$block $block_time $state_root $receipts_root $mix"; else echo; fi
done
"""


def headers():
    """Headers, and what is nearly one: each field of another length or form, more and fewer, with odd RLP."""
    fields = rlp.decode(BEFORE)
    yield from (BEFORE, BEFORE[:-1], BEFORE + b"\x00", b"\x01", b"\xc0", BEFORE[1:], rlp.encode(b"x" * 600))
    for at in range(len(fields)):
        for value in (
            b"",
            b"\x00",
            b"\x01",
            b"\x00\x01",
            fields[at] + b"\x01",
            bytes(31),
            bytes(32),
            [],
            [b""],
        ):
            yield rlp.encode([*fields[:at], value, *fields[at + 1 :]])
    for number in (2**53 - 1, 2**53, 2**56, 2**64, 253402300799, 253402300800):
        for at in (8, 11):
            yield rlp.encode([*fields[:at], mini_chain._integer(number), *fields[at + 1 :]])
    for count in (14, 15, 16, 23, 24, 25):
        yield rlp.encode([*fields, *[b"\x05"] * 10][:count])
    extra = 8192 - len(BEFORE) - 2
    for size in (extra, extra + 1, extra + 2, extra + 3):
        yield rlp.encode([*fields[:12], bytes(size), *fields[13:]])
    body = BEFORE[3:]
    assert BEFORE[0] == 0xF9
    yield from (b"\xfa\x00" + BEFORE[1:3] + body, b"\xfb\x00\x00" + BEFORE[1:3] + body, b"\xff" * 9 + body)
    for at in range(0, len(BEFORE), 7):
        yield BEFORE[:at] + bytes([BEFORE[at] ^ 0x40]) + BEFORE[at + 1 :]


def read_by_the_verifier(raw):
    try:
        header = decode_header(raw, "ethereum")
    except ChainError:
        return ""
    mix = rlp.decode(raw)[13]
    return f"{header.number} {header.time} {header.state_root.hex()} {header.receipts_root.hex()} {mix.hex()}"


def test_a_header_is_read_as_the_verifier_reads_it(tmp_path):
    cases = list(headers())
    said = ask(HEADERS, [raw.hex() for raw in cases], tmp_path)
    wanted = [read_by_the_verifier(raw) for raw in cases]
    assert said == wanted
    assert 30 < sum(map(bool, wanted)) < len(wanted) - 30
