"""Mutants of valid packages: one thing is changed, and all manifests and checksums around it are right again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from rlp.exceptions import DecodingError

from notary.errors import EvidenceError
from notary.evidence.chain_header import PROFILES, header_fields
from tests.fuzz import structures as s
from tests.fuzz.corpus import DOCUMENT_NAME, Sample, others, samples, strangers
from tests.fuzz.headers import other_headers
from tests.fuzz.lines import signed_by_strangers
from tests.fuzz.zips import TRICKS, members, packed

Files = dict[str, bytes]


@dataclass(frozen=True)
class Mutant:
    """A package that differs from that of a sample.

    `must_fail`: the mutation is of a kind of which no check may let one through.
    """

    sample: Sample
    what: str
    data: bytes
    must_fail: bool = False


def mutants(seed: int, count: int) -> Iterator[Mutant]:
    """As many as asked for, the same for the same seed; each of the ZIP's tricks once before them, for seed 0."""
    if seed == 0:
        yield from tricks()
    random = Random(seed)
    made = 0
    while made < count:
        sample = random.choices(samples(), WEIGHTS)[0]
        way = random.choices(list(WAYS), list(WAYS.values()))[0]
        try:
            found = way(sample, random)
        except (s.NoChangeError, ValueError, LookupError, TypeError, AttributeError, DecodingError):
            continue  # the second of two mutations finds what the first has broken
        what, changed, must_fail = found
        if changed == sample.files:
            continue
        made += 1
        data = changed if isinstance(changed, bytes) else packed(changed)
        yield Mutant(sample, f"{sample.name}: {what}", data, must_fail)


def tricks() -> Iterator[Mutant]:
    """Each wrong ZIP once."""
    for sample in samples()[:2]:
        for what, trick in TRICKS.items():
            yield Mutant(sample, f"{sample.name}: {what}", trick(members(sample.files)), must_fail=True)


def _kind(name: str) -> str:
    return name.rpartition(".")[2] if "." in name.rpartition("/")[2] else name.rpartition("/")[2]


def _chosen(files: Files, random: Random, *kinds: str) -> str:
    return random.choice(sorted(name for name in files if _kind(name) in kinds))


def _json(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    name = _chosen(sample.files, random, "json")
    return name, sample.files | {name: s.mutate_json(sample.files[name], random)}, False


def _respelt(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    name = _chosen(sample.files, random, "json")
    return (
        f"{name} in another spelling",
        sample.files | {name: s.respelt_json(sample.files[name], random)},
        True,
    )


def _der(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    name = _chosen(sample.files, random, "tsr", "crl", "ocsp")
    return f"{name} as DER", sample.files | {name: s.mutate_der(sample.files[name], random)}, False


def _lines(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    name = _chosen(sample.files, random, "tlog-proof", "txt", "checkpoint")
    return f"{name} in its lines", sample.files | {name: s.mutate_lines(sample.files[name], random)}, False


def _raw(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    name = random.choice(sorted(sample.files))
    changed = sample.files | {name: s.other_bytes(sample.files[name], random)}
    return f"{name} in its bytes", changed, name in (DOCUMENT_NAME, "data/statement.json")


def _header(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    """A header changed as RLP, alike in both files that hold it; or a trie node, or one of the older headers."""
    name = next((each for each in sample.files if each.endswith("/anchor.json")), None)
    if name is None:
        raise s.NoChangeError
    value = json.loads(sample.files[name])
    choice = random.randrange(4)
    more: Files = {}
    if choice == 0:
        before = bytes.fromhex(value["header"])
        changed = s.mutate_rlp(before, random)
        value["header"] = changed.hex()
        front = name.replace("anchor.json", "header.rlp")
        more = {front: changed} if front in sample.files else {}
    elif choice == 1 and value["not_before"]:
        one = random.choice(value["not_before"])
        one["header"] = s.mutate_rlp(bytes.fromhex(one["header"]), random).hex()
    else:
        proofs = [value[key] for key in ("receipt_proof", "account_proof", "history_proof") if value[key]]
        proofs += [each for each in value.get("head_slots") or [] if each]
        proofs += [each["storage_proof"] for each in value["not_before"] if each["storage_proof"]]
        proof = random.choice(proofs)
        at = random.randrange(len(proof))
        proof[at] = s.mutate_rlp(bytes.fromhex(proof[at]), random).hex()
    # Without the header of the not-before block that alone is open, and so is a block of a number that nobody named.
    must_fail = choice != 1 and (choice != 0 or _number(changed) in (None, _number(before)))
    return f"{name} as RLP", sample.files | {name: s.canonical(value)} | more, must_fail


def _number(header: bytes) -> bytes | None:
    """The block's, or None of what is no header."""
    try:
        return header_fields(header)[8]
    except EvidenceError:
        return None


def _exchanged(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    """A file of another package, of another place in this one, or of a forger."""
    source = random.choice([strangers(), others(), random.choice(samples()).files, sample.files])
    name = random.choice(sorted(sample.files))
    same = [
        other
        for other in sorted(source)
        if _kind(other) == _kind(name) and source[other] != sample.files[name]
    ]
    other = random.choice(same)
    return f"{name} is another's {other}", sample.files | {name: source[other]}, False


def _moved(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    """A file taken away, put at another name, or a head at another size."""
    name = random.choice(sorted(sample.files))
    choice = random.randrange(4)
    files = dict(sample.files)
    if choice == 0:
        del files[name]
        return f"{name} taken away", files, False
    if choice == 1:
        new = random.choice(
            [
                "data/statement.json",
                "previous/1/statement.json",
                "incident/statement.json",
                "data/openings.json",
                "heads/4/tokens/tsa-b.tsr",
                "heads/5/checkpoint",
                "receipt.txt",
                f"{name}x",
                f"x/{name}",
                name.upper(),
                f"previous/2/{name.rpartition('/')[2]}",
            ]
        )
        files[new] = files.pop(name)
        return f"{name} moved to {new}", files, False
    sizes = sorted({each.split("/")[1] for each in files if each.startswith("heads/")})
    old, new = random.choice(sizes), random.choice(["1", "3", "4", "5", "6", "7", "8", "07", "0", str(2**63)])
    if choice == 2:
        made = {each.replace(f"heads/{old}/", f"heads/{new}/"): data for each, data in files.items()}
        return f"head {old} called {new}", made, False
    more = {
        each.replace(f"heads/{old}/", f"heads/{new}/"): data
        for each, data in files.items()
        if f"heads/{old}/" in each
    }
    return f"head {old} a second time as {new}", more | files, False


def _headers(sample: Sample, random: Random) -> tuple[str, bytes, bool]:
    """The same files in a ZIP whose headers say something else of one."""
    return *other_headers(members(sample.files), random), False


def _signed(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    """Lines of strangers under the signature of the log."""
    name = random.choice(
        sorted(n for n in sample.files if n.endswith(("/inclusion.tlog-proof", "receipt.txt")))
    )
    changed = sample.files | {name: signed_by_strangers(sample.files[name], random)}
    return f"{name} signed by strangers", changed, False


def _of_another_kind(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    """Evidence of another kind of chain, known or not, of the chain that is trusted or of one that nobody knows."""
    name = random.choice(sorted(n for n in sample.files if n.endswith("/anchor.json")))
    value = json.loads(sample.files[name])
    value["profile"] = profile = random.choice(
        [*PROFILES, "clique", "op-stack", "-", "x" * 32, "x" * 33, "Op", "op\n", ""]
    )
    if random.random() < 0.6:
        value["chain_id"] = random.choice([0, 1, 2**53 - 1])
    return f"{name} of {profile!r} on {value['chain_id']}", sample.files | {name: s.canonical(value)}, False


def _two(sample: Sample, random: Random) -> tuple[str, Files, bool]:
    """Two mutations at once."""
    first = random.choice([_json, _lines, _exchanged, _moved, _raw])
    second = random.choice([_json, _lines, _exchanged, _moved, _raw])
    what, files, _ = first(sample, random)
    also, files, _ = second(Sample(sample.name, files, sample.trust_text), random)
    return f"{what}; {also}", files, False


Way = Callable[[Sample, Random], tuple[str, Files | bytes, bool]]
WEIGHTS = (2, 3, 5, 2, 5, 2, 2, 4)  # of the samples: the quick ones more often
WAYS: dict[Way, int] = {
    _json: 6,
    _respelt: 2,
    _der: 6,
    _lines: 5,
    _raw: 2,
    _header: 4,
    _exchanged: 2,
    _moved: 2,
    _two: 2,
    _headers: 2,
    _signed: 2,
    _of_another_kind: 1,
}
