"""Anchors, which `tools/check.sh` follows from the block's hash to event, code and storage by its own Keccak-256."""

import random
import shutil
from dataclasses import replace
from hashlib import sha256

import pytest
import rlp
from trie import HexaryTrie

from notary.errors import ChainError
from notary.evidence.keccak import keccak256
from notary.evidence.mpt import verify_proof
from tests.evidence import build, mini_chain
from tests.evidence import test_check_script as script
from tests.evidence.build import EARLY, LATE
from tests.evidence.test_check_script_limits import READER, ask, functions
from tests.evidence.test_check_script_tokens import agrees, packed

bare, run = script.bare, script.run
LOG = script.LOG
FILES = {name: data for name, data in script.FILES.items() if "/revocation/" not in name}
OPEN, PASSED, FAILED = "could_not_be_checked", "passed", "failed"
HEAD = f"head {LATE}"
ROOT = build.root_of(LOG.leaves[:LATE])
KEY, OTHER = b"\x51" * 20, b"\x52" * 20
SHELLS = [("dash",), ("bash", "--posix"), *([(found, "sh")] if (found := shutil.which("busybox")) else [])]

HASH = (
    functions("keccak")
    + """
while IFS= read -r line; do
    keccak "$line"
    echo "$sum"
done
"""
)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_hash_is_keccak_256(tmp_path, shell):
    chance = random.Random(1)
    inputs = [chance.randbytes(size) for size in (0, 1, 55, 134, 135, 136, 137, 271, 272, 532, 1100)]
    inputs += [bytes(size) for size in (135, 136)] + [b"\xff" * 200]
    said = ask(HASH, [data.hex() for data in inputs], tmp_path, shell)
    assert said == [keccak256(data).hex() for data in inputs]


# --- tries

WALK = f"""
stop() {{ echo "$1" >&2; exit 3; }}
{functions("hash", "keccak", "hash_node", "prove", "read_rlp")}
{READER}
blocks_left=100000
: >"$work/hashed"
while read -r root key nodes; do
    printf 'x %s\\n' "$nodes" >"$work/nodes"
    code=0
    prove "$root" "$key" x || code=$?
    echo "$code $proved"
done
"""


def tries():
    """Root, key and nodes of proofs of presence and absence, and of the same with something changed."""
    chance = random.Random(2)
    trie = HexaryTrie({})
    keys = [chance.randbytes(chance.choice((1, 2, 32))) for _ in range(60)]
    for key in keys:
        trie[key] = chance.randbytes(chance.choice((33, 60, 300)))
    for key in [*keys[:20], *(chance.randbytes(2) for _ in range(20))]:
        nodes = mini_chain._proof(trie, key)
        yield trie.root_hash, key, nodes
        at = chance.randrange(len(nodes))
        bent = bytearray(nodes[at])
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        yield trie.root_hash, key, (*nodes[:at], bytes(bent), *nodes[at + 1 :])
        yield trie.root_hash, key, nodes[:-1]
        yield trie.root_hash, key, (*nodes, nodes[-1])
        # A root of its own: only the form of the node is left to be judged.
        yield keccak256(bytes(bent)), key, (bytes(bent),)


def small():
    """Tries whose nodes stand one inside another."""
    trie = HexaryTrie({})
    for number in range(20):
        trie[rlp.encode(number)] = bytes([number + 1])
    for number in range(20):
        yield trie.root_hash, rlp.encode(number), mini_chain._proof(trie, rlp.encode(number))


def wanted(root, key, nodes):
    try:
        value = verify_proof(root, key, nodes)
    except ChainError:
        return None
    return (value or b"").hex()


def test_a_proof_in_a_trie_holds_where_the_verifier_says_so(tmp_path):
    cases = [*tries(), *small()]
    lines = [
        f"{root.hex()} {key.hex()} {' '.join(node.hex() for node in nodes)}" for root, key, nodes in cases
    ]
    said = [line.split(" ", 1) for line in ask(WALK, lines, tmp_path)]
    for case, (code, value) in zip(cases, said, strict=True):
        expected = wanted(*case)
        assert expected is None if code == "1" else code == "2" or value == expected, case
    codes = [code for code, _ in said]
    whole, inside = codes[:-20], codes[-20:]
    assert set(whole[::5]) == {"0"}  # what is as a trie makes it
    assert set(whole[1::5] + whole[2::5] + whole[3::5]) == {"1"}
    assert set(whole[4::5]) == {"0", "1", "2"}
    assert set(inside) == {"2"}  # it does not read those, and says so


# --- whole packages


def anchored(**more):
    evidence = LOG.anchor(LATE, **more)
    return with_evidence(evidence), evidence.header


def with_evidence(evidence):
    return FILES | {
        f"heads/{LATE}/anchor.json": build.encode_evidence(evidence),
        f"heads/{LATE}/header.rlp": evidence.header,
    }


def trusting(header, *more, **changes):
    blocks = [] if header is None else [header]
    return script.trust_text(chain=build.chain_table(LOG, *more, blocks=blocks, **changes))


def of_chain(run, files, trust):
    """The script's outcomes of 6.1 to 6.6, the verifier's, status, all checks, and the text."""
    data = packed(files)
    status, checks, _, text, problems = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert problems == ""
    ours, theirs = (
        {id_: word for (id_, subject), word in found.items() if id_[0] == "6" and subject == HEAD}
        for found in (checks, expected)
    )
    return ours, theirs, status, checks, text


def bent_receipt():
    evidence = LOG.anchor(LATE)
    last = evidence.receipt_proof[-1]
    return with_evidence(replace(evidence, receipt_proof=(*evidence.receipt_proof[:-1], last[:-1] + b"\x00")))


GOOD, HEADER = anchored()
STORED, STORED_HEADER = anchored(stored=(LATE, ROOT, KEY, 3))
LATER, LATER_HEADER = anchored(stored=(LATE + 1, bytes(32), KEY, 3))
SMALLER, SMALLER_HEADER = anchored(stored=(LATE - 1, ROOT, KEY, 3))
ELSE_ROOT, ELSE_HEADER = anchored(stored=(LATE, bytes(31) + b"\x01", KEY, 3))
FALLEN, FALLEN_HEADER = anchored(status=b"")
LEGACY, LEGACY_HEADER = anchored(form=lambda raw: raw[1:])
TYPE_5, TYPE_5_HEADER = anchored(form=lambda raw: b"\x05" + raw[1:])
CODE, CODE_HEADER = anchored(code_hash=keccak256(b"other code"))
OTHER_SIZE, OTHER_SIZE_HEADER = anchored(logs=[mini_chain.event(LATE, bytes(32))])
TWO_LOGS = [mini_chain.event(1, bytes(32), contract=b"\x33" * 20), mini_chain.event(LATE, ROOT)]
OTHERS, OTHERS_HEADER = anchored(logs=TWO_LOGS)
EVIDENCE = LOG.anchor(LATE)
STORED_EVIDENCE = LOG.anchor(LATE, stored=(LATE, ROOT, KEY, 3))
ADDRESS = f'"0x{KEY.hex()}"'
AT = "2026-03-01T12:10:00Z"  # the block
PERIOD = f"[[chain.head_key]]\naddress = {ADDRESS}\n"
# Files and trust file, and what 6.2 to 6.6 come to.
CASES = {
    "good": (GOOD, trusting(HEADER), {"6.2": PASSED, "6.3": PASSED, "6.4": PASSED, "6.5": PASSED}),
    "no block is named": (GOOD, trusting(None), {"6.2": OPEN, "6.3": PASSED, "6.4": PASSED, "6.5": PASSED}),
    "another block is named": (
        GOOD,
        trusting(None)
        + f'[[chain.block]]\nnumber = 200\nhash = "0x{"ab" * 32}"\n',
        {"6.2": FAILED, "6.3": PASSED, "6.4": PASSED, "6.5": PASSED},
    ),
    "a node with a bit changed": (bent_receipt(), trusting(HEADER), {"6.3": FAILED, "6.5": PASSED}),
    "a transaction that failed": (FALLEN, trusting(FALLEN_HEADER), {"6.3": FAILED, "6.5": PASSED}),
    "a receipt of the old kind": (LEGACY, trusting(LEGACY_HEADER), {"6.3": PASSED, "6.4": PASSED}),
    "a receipt of a kind that is not known": (TYPE_5, trusting(TYPE_5_HEADER), {"6.3": FAILED}),
    "another transaction": (
        with_evidence(replace(EVIDENCE, transaction_index=2)),
        trusting(HEADER),
        {"6.3": FAILED},
    ),
    "a log that is not there": (with_evidence(replace(EVIDENCE, log_index=1)), trusting(HEADER), {"6.3": FAILED}),
    "the second log": (OTHERS, trusting(OTHERS_HEADER), {"6.3": PASSED, "6.4": PASSED}),
    "the first log, of another contract": (
        with_evidence(replace(LOG.anchor(LATE, logs=TWO_LOGS), log_index=0)),
        trusting(OTHERS_HEADER),
        {"6.3": FAILED},
    ),
    "another root": (OTHER_SIZE, trusting(OTHER_SIZE_HEADER), {"6.3": PASSED, "6.4": FAILED}),
    "other code": (CODE, trusting(CODE_HEADER), {"6.5": FAILED}),
    "no account": (with_evidence(replace(EVIDENCE, account_proof=None)), trusting(HEADER), {"6.5": OPEN}),
    "an account of another contract": (
        with_evidence(replace(EVIDENCE, account_proof=EVIDENCE.history_proof)),
        trusting(HEADER),
        {"6.5": FAILED},
    ),
    "stored": (STORED, trusting(STORED_HEADER), {"6.5": PASSED, "6.6": PASSED}),
    "stored by a key that is named": (
        STORED,
        trusting(STORED_HEADER, f"head_keys = [{ADDRESS}]"),
        {"6.6": PASSED},
    ),
    "stored by a key that is not named": (
        STORED,
        trusting(STORED_HEADER, f'head_keys = ["0x{OTHER.hex()}"]'),
        {"6.6": FAILED},
    ),
    "stored within the period": (
        STORED,
        trusting(STORED_HEADER, PERIOD, f"since = {AT}", f"until = {AT}", "last_good_size = 7"),
        {"6.6": PASSED},
    ),
    "stored before the period": (
        STORED,
        trusting(STORED_HEADER, PERIOD, "since = 2026-03-01T12:10:01Z"),
        {"6.6": FAILED},
    ),
    "stored after the period": (
        STORED,
        trusting(STORED_HEADER, PERIOD, "until = 2026-03-01T12:09:59Z"),
        {"6.6": FAILED},
    ),
    "stored above the last good size": (
        STORED,
        trusting(STORED_HEADER, PERIOD, "until = 2026-04-01T00:00:00Z", "last_good_size = 6"),
        {"6.6": FAILED},
    ),
    "a later head": (LATER, trusting(LATER_HEADER), {"6.6": OPEN}),
    "a smaller head": (SMALLER, trusting(SMALLER_HEADER), {"6.6": FAILED}),
    "another head of this size": (ELSE_ROOT, trusting(ELSE_HEADER), {"6.6": FAILED}),
    "slots that were not captured": (
        with_evidence(replace(STORED_EVIDENCE, head_slots=(None, STORED_EVIDENCE.head_slots[1]))),
        trusting(STORED_HEADER),
        {"6.6": OPEN},
    ),
    "slots of which one was not captured, and a key is named": (
        with_evidence(replace(STORED_EVIDENCE, head_slots=(STORED_EVIDENCE.head_slots[0], None))),
        trusting(STORED_HEADER, f"head_keys = [{ADDRESS}]"),
        {"6.6": OPEN},
    ),
    "slots of another place": (
        with_evidence(replace(STORED_EVIDENCE, head_slots=STORED_EVIDENCE.head_slots[::-1])),
        trusting(STORED_HEADER),
        {"6.6": FAILED},
    ),
    "evidence of version 1 where a key is named": (
        GOOD,
        trusting(HEADER, f"head_keys = [{ADDRESS}]"),
        {"6.6": OPEN},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "what",
    script.some(
        CASES,
        "no block is named",
        "another block is named",
        "a node with a bit changed",
        "a transaction that failed",
        "the first log, of another contract",
        "other code",
        "stored within the period",
        "stored after the period",
        "a later head",
        "another head of this size",
        "slots that were not captured",
    ),
)
def test_an_anchor_comes_to_what_the_verifier_says(run, what):
    files, trust, words = CASES[what]
    ours, theirs, status, _, text = of_chain(run, files, trust)
    assert ours == theirs, text
    assert {id_: ours[id_] for id_ in words} == words
    assert (status == 1) == (FAILED in ours.values())


# --- the chain as a source

ONE_TOKEN = {name: data for name, data in GOOD.items() if "/tokens/tsa-b" not in name}
NO_TSA_B = {"top": build.trust_tables(LOG)["top"] + "k = 2\n", "tsa_b": None}


@pytest.mark.parametrize(
    ("named", "word"), [(True, PASSED), pytest.param(False, OPEN, marks=pytest.mark.fuzz)]
)
def test_an_anchor_in_a_block_that_is_named_bounds_the_time_as_a_source(run, named, word):
    trust = script.trust_text(chain=build.chain_table(LOG, blocks=[HEADER] if named else []), **NO_TSA_B)
    _, _, status, checks, text = of_chain(run, ONE_TOKEN, trust)
    assert checks["8.1", ""] == word, text
    assert status == (0 if named else 2)
    assert ("最迟于此时已存在: 2026-03-01T12:10:00Z" in text) == named


WITHOUT = {
    "no account": with_evidence(replace(EVIDENCE, account_proof=None)),
    "other code": CODE,
    "a key that is not shown": GOOD,
}


@pytest.mark.parametrize("what", script.some(WITHOUT, "a key that is not shown"))
def test_an_anchor_of_which_one_thing_is_missing_bounds_nothing(run, what):
    more = [f"head_keys = [{ADDRESS}]"] if what == "a key that is not shown" else []
    header = CODE_HEADER if what == "other code" else HEADER
    files = {name: data for name, data in WITHOUT[what].items() if "/tokens/tsa-b" not in name}
    trust = script.trust_text(chain=build.chain_table(LOG, *more, blocks=[header]), **NO_TSA_B)
    _, _, _, checks, text = of_chain(run, files, trust)
    assert checks["8.1", ""] == OPEN, text


def test_an_authority_that_is_named_as_the_chain_is_no_second_source(run):
    table = script.TABLES["tsa_a"].replace("tsa-a Ltd", f"Chain {mini_chain.CHAIN_ID}")
    trust = script.trust_text(chain=build.chain_table(LOG, blocks=[HEADER]), tsa_a=table, **NO_TSA_B)
    _, _, status, checks, text = of_chain(run, ONE_TOKEN, trust)
    assert (status, checks["8.1", ""]) == (2, OPEN), text


def test_the_block_dates_a_head_within_the_period_of_its_key(run):
    key = build.key_table("log_key", LOG.origin, LOG.key, "until = 2026-03-01T12:10:00Z")
    late = {
        name: data for name, data in GOOD.items() if not name.startswith((f"heads/{EARLY}/", "consistency"))
    }
    for until, word in (("12:10:00", PASSED), ("12:09:59", FAILED)):
        trust = script.trust_text(
            log_key=key.replace("12:10:00", until), chain=build.chain_table(LOG, blocks=[HEADER])
        )
        data = packed(late)
        _, checks, _, text, _ = run(data, trust=trust)
        _, expected = agrees(data, trust, checks)
        place = "3.1", f"{HEAD} key period"
        assert (checks.get(place, PASSED), expected.get(place, PASSED)) == (word, word), text


@pytest.mark.parametrize(("size", "word"), [(100_000, FAILED), (560_000, OPEN)])
def test_no_more_is_hashed_than_takes_seconds(run, size, word):
    """A node that is too long leaves its own check open, and takes nothing from the others."""
    evidence = LOG.anchor(LATE)
    files = with_evidence(replace(evidence, receipt_proof=(bytes(size), *evidence.receipt_proof[1:])))
    ours, theirs, _, _, text = of_chain(run, files, trusting(evidence.header))
    assert (ours["6.3"], theirs["6.3"]) == (word, FAILED), text
    assert (ours["6.5"], theirs["6.5"]) == (PASSED, PASSED)


def test_a_node_is_hashed_once_for_the_package_and_its_controls(tmp_path):
    program = f"""
{functions("hash", "hash_node")}
keccak() {{ echo hashed; sum=$1; }}
: >"$work/hashed"
blocks_left=3
while IFS= read -r node; do hash_node "$node" || sum="no more"; echo "$sum $blocks_left"; done
"""
    long = "ab" * 136
    assert ask(program, ["aa", "aa", long * 3, long, "aa", "bb"], tmp_path) == [
        *("hashed", "aa 2", "aa 2", "no more 2"),
        *("hashed", f"{long} 0", "aa 0", "no more 0"),
    ]


def test_a_shell_that_computes_otherwise_makes_no_check(run):
    """As if it did: the value that its first hash is compared with is another."""

    def change(folder):
        script_file, manifest = folder / "tools/check.sh", folder / "tagmanifest-sha256.txt"
        data = script_file.read_bytes()
        other = data.replace(b"3a5912a7c5faa06e", b"3a5912a7c5faa06f")
        assert other != data
        script_file.write_bytes(other)
        listed = manifest.read_text().replace(sha256(data).hexdigest(), sha256(other).hexdigest())
        manifest.write_text(listed)

    status, checks, _, _, problems = run(packed(FILES), change=change)
    assert (status, checks) == (2, {})
    assert problems == "check.sh: this shell does not compute with 64 bits\n"
