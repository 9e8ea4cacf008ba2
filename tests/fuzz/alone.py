"""For each numbered check a package in which it alone fails: without it, the package would pass."""

import json
from collections.abc import Callable
from dataclasses import replace

from notary.evidence.chain import encode_evidence
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.commitments import encode_openings
from notary.evidence.consistency import encode_consistency
from notary.merkle.tree import root_of
from tests.evidence import build, ots_build
from tests.evidence.bft import sealed as seal
from tests.evidence.build import EARLY, INSPECTION, LATE, Log
from tests.evidence.test_verify_profiles import HEAD_KEY, HEAD_KEYS, Chain
from tests.fuzz import corpus
from tests.fuzz.corpus import DOCUMENT_NAME, Sample
from tests.mini_revocation import crl
from tests.ots_world import Bitcoin, file_of

ANCHOR = f"heads/{LATE}/anchor.json"


def _changed(sample: Sample, **files: bytes) -> Sample:
    names = {key.replace("__", "/"): data for key, data in files.items()}
    return replace(sample, files=sample.files | names)


def _put(sample: Sample, name: str, data: bytes) -> Sample:
    return replace(sample, files=sample.files | {name: data})


def _of(log: Log) -> Sample:
    return Sample("altered", build.files(log) | {DOCUMENT_NAME: build.CONTRACT}, build.trust_text(log))


def statement() -> Sample:
    sample = corpus.whole()
    value = json.loads(sample.files["data/statement.json"]) | {"more": 1}
    return _put(
        sample, "data/statement.json", json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    )


def origin() -> Sample:
    return _of(Log(altered=lambda made: replace(made, log="log.example.org/2025")))


def document() -> Sample:
    return _put(corpus.whole(), DOCUMENT_NAME, build.CONTRACT[:-2] + b"!\n")


def opening() -> Sample:
    return _put(corpus.whole(), "data/openings.json", encode_openings(build.log().openings[INSPECTION]))


def signature() -> Sample:
    """The head that the chain attests, signed by somebody else."""
    log, sample = build.log(), corpus.stamped()
    forged = sign_checkpoint(
        Checkpoint(log.origin, EARLY, root_of(log.leaves[:EARLY])), Log("evil").key
    ).encode()
    name = f"heads/{EARLY}/inclusion.tlog-proof"
    made = sample.files[name].replace(log.checkpoint(EARLY), forged)
    return replace(sample, files=sample.files | {name: made, f"heads/{EARLY}/checkpoint": forged})


def inclusion() -> Sample:
    return _put(corpus.stamped(), f"heads/{EARLY}/inclusion.tlog-proof", build.log().proof(1, EARLY))


def consistency() -> Sample:
    right = build.log().consistency(EARLY, LATE)
    wrong = replace(right, path=(bytes(32), *right.path[1:]))
    return _put(corpus.whole(), "consistency.json", encode_consistency((wrong,)))


def receipt_key() -> Sample:
    return _put(corpus.whole(), "receipt.txt", Log("evil").receipt())


def receipt_entry() -> Sample:
    return _put(corpus.whole(), "receipt.txt", build.log().receipt(index=1))


def promise() -> Sample:
    log = build.log()
    changes = {"size": 3, "size_root": root_of(log.leaves[:3])}
    return _put(corpus.whole(), "receipt.txt", log.receipt(**changes))


def token() -> Sample:
    return _put(corpus.stamped(), f"heads/{EARLY}/tokens/tsa-a.tsr", build.log().token("tsa-a", LATE))


def revoked() -> Sample:
    tsa = build.tsa("tsa-a")
    found = crl(
        tsa.middle, tsa.middle_key, (tsa.signer, build.moment(10), "keyCompromise"), at=build.moment(12, 30)
    )
    sample = corpus.stamped()
    (name,) = [
        name
        for name in sample.files
        if name.endswith(".crl") and _speaks_of(sample.files[name], tsa.signer, tsa)
    ]
    return _put(sample, name, found.data)


def _speaks_of(data: bytes, certificate, tsa) -> bool:
    return tsa.middle.subject.public_bytes() in data


def ots() -> Sample:
    other = file_of(ots_build.upgraded(ots_build.stamped(build.log().checkpoint(LATE)), Bitcoin()))
    return _put(corpus.in_bitcoin(), ots_build.NAME, other)


def merkle_root() -> Sample:
    bitcoin = Bitcoin()
    bitcoin.mine(b"\x07" * 32)
    sample = corpus.in_bitcoin()
    text, _, _ = sample.trust_text.partition("[[bitcoin_block]]")
    return replace(sample, trust_text=text + ots_build.block_table(bitcoin))


def _anchored(change: Callable[[Chain], Chain], *more: str) -> Sample:
    """The anchored sample with another chain, whose block the trust file names."""
    chain = change(Chain("ethereum"))
    table = build.chain_table(chain.log, *more, blocks=[chain.evidence.header])
    sample = corpus.anchored()
    front = {ANCHOR: encode_evidence(chain.evidence), f"heads/{LATE}/header.rlp": chain.evidence.header}
    return Sample(
        "anchored", sample.files | front, build.trust_text(chain.log, chain=table, tsa_a=None, tsa_b=None)
    )


def _again(**made) -> Callable[[Chain], Chain]:
    return lambda _chain: Chain("ethereum", **made)


def binding() -> Sample:
    sample = corpus.anchored()
    return _put(sample, f"heads/{LATE}/header.rlp", sample.files[f"heads/{LATE}/header.rlp"] + b"\x00")


def block() -> Sample:
    """Another hash of the same number is in the trust file."""
    sample = corpus.anchored()
    header = Chain("ethereum", time=build.ANCHOR_TIME + 1).evidence.header
    log = Chain("ethereum").log
    table = build.chain_table(log, HEAD_KEYS, blocks=[header])
    return replace(sample, trust_text=build.trust_text(log, chain=table, tsa_a=None, tsa_b=None))


def _edited(change: Callable[[dict], None]) -> Sample:
    sample = corpus.anchored()
    value = json.loads(sample.files[ANCHOR])
    change(value)
    return _put(sample, ANCHOR, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def event() -> Sample:
    return _edited(lambda value: value.update(log_index=1))


def head() -> Sample:
    """The event and the slots are of two heads."""
    log = Chain("ethereum").log
    other = build.mini_chain.event(LATE, bytes(32), old_size=EARLY)
    stored = (LATE, root_of(log.leaves[:LATE]), HEAD_KEY)
    return _anchored(_again(logs=[other], stored=stored))


def code() -> Sample:
    return _anchored(_again(code_hash=b"\x09" * 32))


def slots() -> Sample:
    return _anchored(_again(stored=(LATE, b"\x09" * 32, HEAD_KEY)))


def seals() -> Sample:
    chain = Chain("qbft")
    header = seal(chain.evidence.header, altered=lambda made: made[:2])[0]
    evidence = replace(chain.evidence, header=header)
    return _put(corpus.sealed(), ANCHOR, encode_evidence(evidence))


def not_before() -> Sample:
    """The statement says another time than the header of the block that it names."""

    def altered(made):
        return replace(made, not_before=replace(made.not_before, time=made.not_before.time + 1))

    return _of(Log(altered=altered))


def history() -> Sample:
    def change(value):
        proof = value["not_before"][0]["storage_proof"]
        raw = bytes.fromhex(proof[-1])
        proof[-1] = (raw[:-1] + bytes([raw[-1] ^ 1])).hex()

    return _edited(change)


def bounds() -> Sample:
    log, sample = build.log(), corpus.stamped()
    early = build.moment(10, 30)
    name = f"heads/{EARLY}/tokens/tsa-a.tsr"
    anchored = {name: data for name, data in build.files(log).items() if name.startswith(f"heads/{LATE}/")}
    table = build.chain_table(log, blocks=[log.anchor(LATE).header])
    trust = build.trust_text(log, chain=table, tsa_b=None)
    return Sample(
        "contradicting", sample.files | anchored | {name: log.token("tsa-a", EARLY, gen_time=early)}, trust
    )


def inspection() -> Sample:
    """An inspection of another record, rightly in the log."""

    class Other(Log):
        def __init__(self):
            super().__init__()
            self.openings[INSPECTION] = []
            self.statements[INSPECTION] = self.statement(
                "inspection", at=INSPECTION, fields={"inspection": {}}, previous=self.entries[1]
            )

    return _of(Other())


def incident() -> Sample:
    sample = corpus.followed()
    return _put(sample, "incident/inclusion.tlog-proof", sample.files["inspection/inclusion.tlog-proof"])


def previous() -> Sample:
    log, sample = build.log(), corpus.chained()
    more = {
        "previous/1/statement.json": log.statements[1].encode(),
        "previous/1/inclusion.tlog-proof": log.proof(1, LATE),
    }
    files = {name: data for name, data in sample.files.items() if name != "previous/1/openings.json"}
    return replace(sample, files=files | more)


# By id of the check. 1.2 cannot fail: without a trust file it is open.
ALONE: dict[str, Callable[[], Sample]] = {
    "2.1": statement,
    "2.2": origin,
    "2.3": document,
    "2.4": opening,
    "3.1": signature,
    "3.2": inclusion,
    "3.3": consistency,
    "4.1": receipt_key,
    "4.2": receipt_entry,
    "4.3": promise,
    "5.1": token,
    "5.2": revoked,
    "5.3": ots,
    "5.4": merkle_root,
    "6.1": binding,
    "6.2": block,
    "6.3": event,
    "6.4": head,
    "6.5": code,
    "6.6": slots,
    "6.7": seals,
    "7.1": not_before,
    "7.2": history,
    "8.1": bounds,
    "9.1": inspection,
    "9.2": incident,
    "9.3": previous,
}
