"""Packages that are wrong in one way that chance does not meet, or right where that is easily mistaken.

All around the one thing is right: paths lead where they must, tries and tokens are made over what they hold. Whoever
has the log's key can make each of them.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from notary.evidence.chain import encode_evidence
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.commitments import Commitments, Opening, encode_openings
from notary.evidence.consistency import Consistency, encode_consistency
from notary.evidence.note import Note
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.merkle.hashing import hash_leaf, hash_node
from notary.merkle.proof import inclusion_path
from notary.merkle.tree import root_of
from tests.evidence import build, mini_chain, ots_build, test_previous
from tests.evidence.bft import STRANGER, VALIDATORS, sealed
from tests.evidence.build import DOCUMENT, EARLY, INSPECTION, LATE, Log
from tests.evidence.test_verify_profiles import Chain
from tests.fuzz import corpus
from tests.fuzz.alone import ANCHOR, _again, _anchored, _edited, _of, _put
from tests.fuzz.corpus import DOCUMENT_NAME, Sample

MAGIC_AND_DIGEST = 31 + 2 + 32  # bytes of an OpenTimestamps file before its operations
OPEN = "could_not_be_checked"


@dataclass(frozen=True)
class Pointed:
    """What makes the package, the one check that speaks of what is meant, and the outcome of that."""

    make: Callable[[], Sample]
    check: str
    outcome: str = "failed"


def _signed(log: Log, size: int, root: bytes) -> bytes:
    return sign_checkpoint(Checkpoint(log.origin, size, root), log.key).encode()


def _two_heads(log: Log, more: dict[str, bytes]) -> Sample:
    """The document under the heads in `more`, the later of which is stamped."""
    statement = {"data/statement.json": log.statements[DOCUMENT].encode(), DOCUMENT_NAME: build.CONTRACT}
    return Sample("two heads", statement | more, build.trust_text(log, chain=None, tsa_b=None))


def _head(note: bytes, size: int, index: int, path: tuple[bytes, ...]) -> dict[str, bytes]:
    return {
        f"heads/{size}/checkpoint": note,
        f"heads/{size}/inclusion.tlog-proof": ProofFile(index, path, note, None).encode(TLOG_PROOF),
    }


def _stamp(note: bytes, size: int, **more: object) -> dict[str, bytes]:
    token = build.tsa("tsa-a").respond(note, gen_time=build.GEN_TIME, tsa=True, **more)
    return {f"heads/{size}/tokens/tsa-a.tsr": token}


def two_indexes() -> Sample:
    """The log holds the entry twice; each head proves another of them."""
    log = Log()
    log.statements[DOCUMENT + 1] = log.statements[DOCUMENT]
    early, late = log.checkpoint(EARLY), log.checkpoint(LATE)
    heads = _head(early, EARLY, DOCUMENT, log.path(DOCUMENT, EARLY))
    heads |= _head(late, LATE, DOCUMENT + 1, log.path(DOCUMENT + 1, LATE))
    return _two_heads(log, heads | _stamp(early, EARLY) | _stamp(late, LATE))


def other_index_of_an_ended_key() -> Sample:
    """The log holds the entry twice. A head that nobody dates, of a key that has ended, names the first of them."""
    log, key = Log(), build.ed25519("the next key")
    log.statements[DOCUMENT + 1] = log.statements[DOCUMENT]
    early = log.checkpoint(EARLY)
    late = sign_checkpoint(Checkpoint(log.origin, LATE, root_of(log.leaves[:LATE])), key).encode()
    heads = _head(early, EARLY, DOCUMENT, log.path(DOCUMENT, EARLY))
    heads |= _head(late, LATE, DOCUMENT + 1, log.path(DOCUMENT + 1, LATE)) | _stamp(late, LATE)
    ended = build.key_table("log_key", log.origin, log.key, "until = 2026-03-01T13:00:00Z")
    keys = ended + build.key_table("log_key", log.origin, key)
    trust_text = build.trust_text(log, log_key=keys, chain=None, tsa_b=None)
    return replace(_two_heads(log, heads), trust_text=trust_text)


def short_consistency() -> Sample:
    """A tree said to be of 5 that is one step less high over that of 2, and a proof that leaves this step out.

    The entry is at index 1 of both, since its leaf lies at two depths of what the log signed.
    """
    log = build.log()
    leaf, other, right = log.leaves[DOCUMENT], log.leaves[0], log.leaves[1]
    left = hash_node(other, leaf)
    old = hash_node(left, leaf)
    early, late = _signed(log, 2, old), _signed(log, 5, hash_node(old, right))
    proof = encode_consistency((Consistency(2, 5, (right,)),))
    heads = _head(early, 2, 1, (left,)) | _head(late, 5, 1, (other, leaf, right)) | _stamp(late, 5)
    return _two_heads(log, heads | {"consistency.json": proof})


def long_consistency() -> Sample:
    log = build.log()
    right = log.consistency(EARLY, LATE)
    longer = replace(right, path=(*right.path, bytes(32)))
    return _put(corpus.whole(), "consistency.json", encode_consistency((longer,)))


def forked() -> Sample:
    """At 6 the log signed another last entry; the proof is that of the tree that became the later one."""
    log, old = build.log(), 6
    leaves = [*log.leaves[: old - 1], hash_leaf(sha256(b"another").digest())]
    upper = hash_node(*leaves[old - 2 :])
    early, late = _signed(log, old, root_of(leaves)), log.checkpoint(LATE)
    heads = _head(early, old, DOCUMENT, (*log.path(DOCUMENT, old)[:-1], upper))
    heads |= _head(late, LATE, DOCUMENT, log.path(DOCUMENT, LATE)) | _stamp(late, LATE)
    proof = encode_consistency((log.consistency(old, LATE),))
    return _two_heads(log, heads | {"consistency.json": proof})


def _stamped_under(note: bytes, stored: bytes | None = None) -> Sample:
    """One head with that note; `stored` is the file checkpoint, and what is stamped."""
    log, stored = build.log(), note if stored is None else stored
    head = _head(note, EARLY, DOCUMENT, log.path(DOCUMENT, EARLY))
    return _two_heads(log, head | {f"heads/{EARLY}/checkpoint": stored} | _stamp(stored, EARLY))


def _note() -> Note:
    log = build.log()
    return sign_checkpoint(Checkpoint(log.origin, EARLY, root_of(log.leaves[:EARLY])), log.key)


def foreign_key_id() -> Sample:
    """Name and signature are the log key's, the key id is not."""
    note = _note()
    return _stamped_under(replace(note, signatures=(replace(note.signatures[0], key_id=b"else"),)).encode())


def one_more_line() -> Sample:
    """Beside the log's line one of its name and another key's id: nobody's business."""
    return _stamped_under(_note_with_a_line(), _note().encode())


def _note_with_a_line() -> bytes:
    note = _note()
    more = replace(note.signatures[0], key_id=b"else", value=bytes(64))
    return replace(note, signatures=(*note.signatures, more)).encode()


def unused_bits() -> Sample:
    """The signature line ends in a character whose last bits say nothing, and are not 0."""
    right = _note().encode()
    body, end = right[:-3], right[-3:]
    assert (end[1:], base64.b64decode(right.split()[-1])[-1:]) == (b"=\n", _note().signatures[0].value[-1:])
    return _stamped_under(body + bytes([end[0] + 1]) + end[1:], right)


def kept_with_the_line() -> Sample:
    """The file checkpoint is the note of the proof, and not the stamped bytes of it."""
    return _put(one_more_line(), f"heads/{EARLY}/checkpoint", _note_with_a_line())


def under_another_size() -> Sample:
    """The checkpoint of the later head stands under a smaller size, in which the path has as many hashes."""
    log, size = build.log(), LATE - 2
    assert len(log.path(DOCUMENT, size)) == len(log.path(DOCUMENT, LATE))
    note = log.checkpoint(LATE)
    return _two_heads(log, _head(note, size, DOCUMENT, log.path(DOCUMENT, LATE)) | _stamp(note, size))


def long_path() -> Sample:
    log = build.log()
    note = log.checkpoint(EARLY)
    head = _head(note, EARLY, DOCUMENT, (*log.path(DOCUMENT, EARLY), bytes(32)))
    return _two_heads(log, head | _stamp(note, EARLY))


def another_size() -> Sample:
    """All digests are the document's, its size is not."""
    body = build.document_body(size=len(build.CONTRACT) + 1)
    return _of(Log(altered=lambda made: replace(made, body=body)))


def promise_from_here() -> Sample:
    """The promise is of when the log had as many entries as the index of this one says."""
    log = build.log()
    receipt = log.receipt(size=DOCUMENT, size_root=root_of(log.leaves[:DOCUMENT]))
    return _put(corpus.whole(), "receipt.txt", receipt)


def receipt_of_another_trie() -> Sample:
    """The node at the end of the way holds the right event; the node above it names another."""
    right = Chain("ethereum").evidence.receipt_proof[-1]

    def changed(chain: Chain) -> Chain:
        other = Chain("ethereum", logs=[mini_chain.event(LATE, bytes(32), old_size=EARLY)])
        proof = (*other.evidence.receipt_proof[:-1], right)
        other.evidence = replace(other.evidence, receipt_proof=proof)
        return other

    return _anchored(changed)


def one_node_more() -> Sample:
    def change(value: dict[str, Any]) -> None:
        value["receipt_proof"].append(value["account_proof"][-1])

    return _edited(change)


def sealed_by_a_stranger() -> Sample:
    """Three seals, as are needed; one is of nobody whom the trust file names."""
    chain = Chain("qbft")
    header = sealed(chain.evidence.header, (*VALIDATORS[:2], STRANGER))[0]
    return _put(corpus.sealed(), ANCHOR, encode_evidence(replace(chain.evidence, header=header)))


def of_kind(profile: object, chain_id: int = 1) -> Sample:
    """Two authorities, and an anchor of another kind of chain, which the trust file does not name if not said."""
    sample = corpus.whole()
    value = json.loads(sample.files[ANCHOR]) | {"profile": profile, "chain_id": chain_id}
    return _put(sample, ANCHOR, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def other_contract() -> Sample:
    root = root_of(Chain("ethereum").log.leaves[:LATE])
    return _anchored(_again(logs=[mini_chain.event(LATE, root, old_size=EARLY, contract=b"\x33" * 20)]))


def failed_transaction() -> Sample:
    return _anchored(_again(status=b""))


def receipt_and_a_byte() -> Sample:
    return _anchored(_again(form=lambda raw: raw + b"\x00"))


def receipt_of_a_padded_length() -> Sample:
    """The length of the list in three bytes, the first of which is 0."""

    def form(raw: bytes) -> bytes:
        assert raw[1] == 0xF9  # two bytes of length
        return raw[:1] + b"\xfa\x00" + raw[2:]

    return _anchored(_again(form=form))


def receipt_of_a_needless_length() -> Sample:
    """The gas, of two bytes, with a length of its own as for more than 55."""

    def form(raw: bytes) -> bytes:
        short, long = b"\x82\x52\x08", b"\xb8\x02\x52\x08"
        length = int.from_bytes(raw[2:4], "big") + 1
        return raw[:2] + length.to_bytes(2, "big") + raw[4:].replace(short, long, 1)

    return _anchored(_again(form=form))


def ots_and_a_byte() -> Sample:
    sample = corpus.in_bitcoin()
    return _put(sample, ots_build.NAME, sample.files[ots_build.NAME] + b"\x00")


def unknown_operation() -> Sample:
    """On a branch beside the one that leads to the block: SHA-1, which we do not know, and a calendar."""
    sample = corpus.in_bitcoin()
    data, uri = sample.files[ots_build.NAME], ots_build.URI.encode()
    pending = b"\x00" + bytes.fromhex("83dfe30d2ef90c8e") + bytes([len(uri) + 1]) + bytes([len(uri)]) + uri
    made = data[:MAGIC_AND_DIGEST] + b"\xff\x02" + pending + data[MAGIC_AND_DIGEST:]
    return _put(sample, ots_build.NAME, made)


def cut() -> Sample:
    """Two statements before the last of four; the first is not there."""
    log, size = test_previous.LOG, test_previous.SIZE
    stamp = _stamp(log.checkpoint(size), size)
    files = test_previous.files(back=2) | stamp
    return Sample("cut", files, build.trust_text(log, chain=None, tsa_b=None))


def inspection_that_opens_more() -> Sample:
    class More(Log):
        def __init__(self) -> None:
            super().__init__()
            self.statements[INSPECTION] = self.statement(
                "inspection",
                at=INSPECTION,
                fields={"inspection": {}, "title": "a contract"},
                previous=self.entries[DOCUMENT],
            )

    return _of(More())


def _disclosed(*disclosures: str) -> Sample:
    """The statement commits to these disclosures alone, and they are opened."""
    leaves = [hash_leaf(sha256(disclosure.encode()).digest()) for disclosure in disclosures]
    log = Log(altered=lambda made: replace(made, commitments=Commitments(len(leaves), root_of(leaves))))
    openings = tuple(
        Opening(disclosure, at, tuple(inclusion_path(at, len(leaves), build.node_of(leaves))))
        for at, disclosure in enumerate(disclosures)
    )
    return _put(_of(log), "data/openings.json", encode_openings(openings))


def _disclosure(salt: bytes, value: str = "M-1") -> str:
    text = base64.urlsafe_b64encode(salt).rstrip(b"=").decode()
    array = json.dumps([text, "matter", value], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(array).rstrip(b"=").decode()


def short_salt() -> Sample:
    return _disclosed(_disclosure(bytes(range(15))))


def disclosure_with_unused_bits() -> Sample:
    right = _disclosure(bytes(range(16)))
    assert len(right) % 4  # so that the last character has some
    other = right[:-1] + chr(ord(right[-1]) + 1)
    assert base64.urlsafe_b64decode(other + "==") == base64.urlsafe_b64decode(right + "==")
    return _disclosed(other)


def opened_twice() -> Sample:
    """The statement commits to two values of one name."""
    return _disclosed(_disclosure(bytes(16)), _disclosure(bytes(range(16)), "M-2"))


def another_opening() -> Sample:
    """In the place of one that is committed to, with its path."""
    sample = corpus.whole()
    first, *rest = build.log().openings[DOCUMENT][:2]
    changed = replace(first, disclosure=_disclosure(bytes(16)))
    return _put(sample, "data/openings.json", encode_openings((changed, *rest)))


def openings_and_a_newline() -> Sample:
    sample = corpus.whole()
    return _put(sample, "data/openings.json", sample.files["data/openings.json"] + b"\n")


def other_message_digest() -> Sample:
    note = _note().encode()
    sample = _stamped_under(note)
    return replace(
        sample, files=sample.files | _stamp(note, EARLY, message_digests=[sha256(b"another").digest()])
    )


POINTED: dict[str, Pointed] = {
    "one entry at two indexes": Pointed(two_indexes, "3.2"),
    "another index of a head that is open": Pointed(other_index_of_an_ended_key, "3.2", "passed"),
    "a consistency proof that is too short": Pointed(short_consistency, "3.3"),
    "a consistency proof that is too long": Pointed(long_consistency, "3.3"),
    "another tree of the older size": Pointed(forked, "3.3"),
    "the log's line under another key id": Pointed(foreign_key_id, "3.1"),
    "a line of the log's name and another key": Pointed(one_more_line, "3.1", "passed"),
    "unused bits of a signature line": Pointed(unused_bits, "3.1"),
    "the file checkpoint with another's line": Pointed(kept_with_the_line, "3.1"),
    "a checkpoint under another size": Pointed(under_another_size, "3.1"),
    "a path of one hash too many": Pointed(long_path, "3.2"),
    "another size of the document": Pointed(another_size, "2.3"),
    "a promise from this index on": Pointed(promise_from_here, "4.3", "passed"),
    "a receipt that its trie does not hold": Pointed(receipt_of_another_trie, "6.3"),
    "a node that is not on the way": Pointed(one_node_more, "6.3"),
    "a stranger's seal": Pointed(sealed_by_a_stranger, "6.7"),
    "an unknown chain of a kind that nobody knows": Pointed(partial(of_kind, "clique"), "6.1", OPEN),
    "an unknown chain of a kind with a dash": Pointed(partial(of_kind, "op-stack"), "6.1", OPEN),
    "an unknown chain of a kind of 32 characters": Pointed(partial(of_kind, "a" * 32), "6.1", OPEN),
    "an unknown chain of a known kind": Pointed(partial(of_kind, "qbft"), "6.1", OPEN),
    "a chain of a kind that nobody knows": Pointed(partial(of_kind, "clique", 31337), "6.1"),
    "a kind in capitals": Pointed(partial(of_kind, "Clique"), "6.1"),
    "a kind of 33 characters": Pointed(partial(of_kind, "a" * 33), "6.1"),
    "a kind and a newline": Pointed(partial(of_kind, "op\n"), "6.1"),
    "no kind": Pointed(partial(of_kind, ""), "6.1"),
    "a kind that is no text": Pointed(partial(of_kind, 1), "6.1"),
    "the event of another contract": Pointed(other_contract, "6.3"),
    "a transaction that failed": Pointed(failed_transaction, "6.3"),
    "a receipt and one byte": Pointed(receipt_and_a_byte, "6.3"),
    "a receipt with a padded length": Pointed(receipt_of_a_padded_length, "6.3"),
    "a receipt with a needless length": Pointed(receipt_of_a_needless_length, "6.3"),
    "an OpenTimestamps file and one byte": Pointed(ots_and_a_byte, "5.3"),
    "an unknown operation beside the way": Pointed(unknown_operation, "5.3"),
    "a chain without its first": Pointed(cut, "9.3", OPEN),
    "an inspection that opens more": Pointed(inspection_that_opens_more, "9.1"),
    "a salt of 15 bytes": Pointed(short_salt, "2.4"),
    "unused bits of a disclosure": Pointed(disclosure_with_unused_bits, "2.4"),
    "a name opened twice": Pointed(opened_twice, "2.4"),
    "an opening in another's place": Pointed(another_opening, "2.4"),
    "openings and a newline": Pointed(openings_and_a_newline, "2.4"),
    "another messageDigest": Pointed(other_message_digest, "5.1"),
}
