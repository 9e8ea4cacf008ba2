"""A thief of the wallet or of the database who keeps every hash right: what he put there is named all the same."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from hashlib import sha256

import pytest

from notary.anchoring.contract import ANCHOR, call_data, head_digest
from notary.anchoring.reading import read_anchor_call, read_transaction
from notary.anchoring.rfc3161 import request
from notary.evidence.chain import decode_evidence, decode_header, encode_evidence
from notary.evidence.keccak import keccak256
from notary.log.fsck_around import Attesters
from tests.anchoring.local_chain import STRANGER, WALLET
from tests.evidence import mini_chain
from tests.log.attested import HEAD, attested, copied, named, sql

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    with attested(tmp_path_factory.mktemp("attested")) as (rig, attesters):
        assert rig.fsck(attesters).problems == []
        yield rig, attesters


@pytest.fixture
def rig(sound, tmp_path):
    with copied(sound[0], tmp_path) as made:
        yield made


def transactions(rig):
    """(id, raw) of each, in their order."""
    with closing(sqlite3.connect(rig.folder / "notary.db")) as connection:
        return connection.execute(
            "SELECT id, raw FROM attempt WHERE length(raw) > 100 ORDER BY id"
        ).fetchall()


def evidence(rig, anchor):
    with closing(sqlite3.connect(rig.folder / "notary.db")) as connection:
        query = (
            f"SELECT id, evidence FROM anchoring WHERE anchor = '{anchor}' AND state = 'final' ORDER BY id"
        )
        return connection.execute(query).fetchall()


def put(rig, identity, raw, nonce):
    ref = keccak256(raw).hex()
    sql(rig, "UPDATE attempt SET raw = :raw, ref = :ref, nonce = :nonce WHERE id = :id",
        raw=raw, ref=ref, nonce=nonce, id=identity)  # fmt: skip


def made_again(rig, at=-1, *, wallet=WALLET, head_key=None, call=None, **changes):
    """A transaction in the place of one of ours that a thief of wallet or database made, with its own hash."""
    identity, raw = transactions(rig)[at]
    sent = read_transaction(raw)
    data = sent.data
    if call is not None or head_key is not None:
        old = read_anchor_call(data)
        new = replace(old, **(call or {}))
        digest = head_digest(sent.chain_id, sent.to, old.log_id, old.size, old.root)
        signature = old.signature if head_key is None else bytes(head_key.unsafe_sign_hash(digest).signature)
        data = call_data(ANCHOR, new.log_id, new.size, new.root, list(new.consistency), signature)
    fields = {
        "chainId": sent.chain_id,
        "nonce": sent.nonce,
        "to": sent.to,
        "value": 0,
        "data": data,
        "gas": 10**6,
    }
    fields |= {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 1} | changes
    put(rig, identity, bytes(wallet.sign_transaction(fields).raw_transaction), fields["nonce"])


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"chainId": 1}, "it is for chain 1, not for 31337"),
        ({"to": bytes(20)}, f"it is for 0x{bytes(20).hex()}, not for the contract"),
        ({"value": 7}, "it pays 7 wei"),
        ({"data": bytes(100)}, "the input is not"),
        ({"call": {"size": 4}}, "it anchors size 4 root "),
        ({"call": {"root": bytes(32)}}, f"it anchors size 9 root {bytes(32).hex()} of log"),
        ({"call": {"log_id": bytes(32)}}, f"of log 0x{bytes(32).hex()}$"),
        ({"head_key": STRANGER}, "its head is signed by 0x70997970c51812dc3a010c7d01b50e0d17dc79c8, which"),
        ({"nonce": 9}, r"its nonce is 9, the one before is \d"),
        ({"nonce": 2}, r"nonce 2 was used for anchoring \d before, or is earlier than its own"),
        ({"at": 2, "wallet": STRANGER}, "it is of wallet 0x7099[0-9a-f]{36}, and stands in the lane of 0xf39F"),
    ],
)  # fmt: skip
def test_a_transaction_that_was_put_in_the_place_of_ours_is_named(sound, rig, changes, pattern):
    made_again(rig, **changes)
    named(rig, sound[1], pattern)


def test_what_differs_in_nothing_that_counts_is_no_damage(sound, rig):
    made_again(rig)
    assert rig.fsck(sound[1]).problems == []


def test_of_one_anchoring_two_nonces_are_named(sound, rig):
    sql(rig, "UPDATE attempt SET anchoring_id = (SELECT max(anchoring_id) FROM attempt) WHERE id = :id",
        id=transactions(rig)[-2][0])  # fmt: skip
    named(rig, sound[1], r"it uses nonce \d beside \d")


def test_a_key_that_the_head_was_handed_over_to_is_known_by_the_chain_or_by_the_settings(sound, rig):
    """Entry 0 of this log names another one: what the chain took was signed by whoever had the key then."""
    sql(rig, "UPDATE anchoring SET evidence = NULL, state = 'sent' WHERE anchor = 'ledger'")
    told = [
        problem for problem in rig.fsck(sound[1]).problems if "which is no head key that is known" in problem
    ]
    assert len(told) == 4
    assert rig.fsck(replace(sound[1], head_keys=frozenset({HEAD}))).problems == []


@pytest.mark.parametrize("with_chain", [True, False])
def test_the_chain_of_entry_0_is_that_of_an_anchor_that_the_settings_do_not_name(sound, rig, with_chain):
    attesters = sound[1] if with_chain else Attesters(authorities=sound[1].authorities)
    problems = rig.fsck(attesters).problems
    assert any("trusted is 0x2222" in problem for problem in problems) != with_chain


def _other(e, *, size=8, old_size=0, **changes):
    """What another chain would say."""
    root = bytes(32) if size != 8 else _ROOTS[8]
    logs = [mini_chain.event(size, root, old_size=old_size, contract=e.contract, log_id=e.log_id)]
    return mini_chain.anchor(logs, number=9, time=9, contract=e.contract, log_id=e.log_id, **changes)


def _with_another_head(e):
    """Of the proof of one slot, in the place of the other's."""
    assert e.head_slots is not None
    assert None not in e.head_slots
    return replace(e, head_slots=(e.head_slots[1], e.head_slots[0]))


def _with_other_history(e):
    earlier = _other(e, not_before=[mini_chain.header(5, 5)])
    return replace(earlier, account_proof=None, history_proof=None)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda e: replace(e, chain_id=1), "the evidence is of chain_id 1, trusted is 31337"),
        (lambda e: replace(e, receipt_proof=(*e.receipt_proof[:-1], b"x")), "at ledger: its evidence: "),
        (lambda e: replace(e, account_proof=e.receipt_proof), "at ledger: its evidence: "),
        (lambda e: _other(e, size=7), "its evidence: the event is of size 7 root 00"),
        (lambda e: _other(e, old_size=5), "its evidence: the event extends a head of size 5 that is not ours"),
        (lambda e: _other(e, code_hash=bytes(32)), "its evidence: the contract has code hash 0x0000"),
        (_with_another_head, "its evidence: "),
        (_with_other_history, "its evidence: no account proof|its evidence: .*account"),
    ],
)  # fmt: skip
def test_what_a_chain_cannot_have_said_is_named(sound, rig, change, pattern):
    identity, found = evidence(rig, "ledger")[-1]
    changed = encode_evidence(change(decode_evidence(found)))
    sql(rig, "UPDATE anchoring SET evidence = :found WHERE id = :id", found=changed, id=identity)
    named(rig, sound[1], pattern)


_ROOTS = {}


@pytest.fixture(autouse=True)
def roots(sound):
    with closing(sqlite3.connect(sound[0].folder / "notary.db")) as connection:
        _ROOTS.update(connection.execute("SELECT size, root FROM checkpoint"))


def put_request(rig, raw, nonce=None):
    ref = sha256(raw).hexdigest()
    sql(rig, "UPDATE attempt SET raw = :raw, ref = :ref, nonce = coalesce(:nonce, nonce) WHERE id = "
        "(SELECT min(id) FROM attempt WHERE length(raw) < 100)", raw=raw, ref=ref, nonce=nonce)  # fmt: skip


def test_a_request_for_something_else_is_named(sound, rig):
    with closing(sqlite3.connect(rig.folder / "notary.db")) as connection:
        (raw, nonce), *_ = connection.execute(
            "SELECT raw, nonce FROM attempt WHERE length(raw) < 100 ORDER BY id"
        )
        (note,) = connection.execute("SELECT note FROM checkpoint WHERE size = 7").fetchone()
    put_request(rig, request(note, nonce))
    assert rig.fsck(sound[1]).problems == []
    put_request(rig, request(b"another", nonce))
    named(rig, sound[1], "the imprint is of other data")
    put_request(rig, request(note, nonce ^ 1))
    named(rig, sound[1], f"the request has nonce {nonce ^ 1}, not {nonce}")
    put_request(rig, request(note, nonce ^ 1), nonce ^ 1)
    named(rig, sound[1], "its token fails check 19: the token holds another nonce than the request")
    put_request(rig, bytes([0x30, raw[1] - 3]) + raw[2:-3])  # without certReq, which is last
    named(rig, sound[1], "the request is of another version or for something else")
    put_request(rig, b"\x30\x00")
    named(rig, sound[1], r"the request cannot be read \(")
    put_request(rig, raw + b"\x05\x00")
    named(rig, sound[1], "ASN.1: bytes behind the value")


def test_a_token_of_whom_the_settings_name_is_checked_and_others_for_their_form(sound, rig):
    stranger = replace(sound[1].authorities["stamps"], policies=("1.2.3.4",))
    strict = replace(sound[1], authorities={"stamps": stranger})
    named(rig, strict, "its token fails check 17: ")
    assert rig.fsck(replace(sound[1], authorities={})).problems == []
    identity, token = evidence(rig, "stamps")[0]
    changed = token[:-1] + bytes([token[-1] ^ 1])
    sql(rig, "UPDATE anchoring SET evidence = :token WHERE id = :id", token=changed, id=identity)
    named(rig, replace(sound[1], authorities={}), "its token fails check ")
    broken = replace(sound[1].authorities["stamps"], roots=(b"x",))
    named(
        rig,
        replace(sound[1], authorities={"stamps": broken}),
        "its token: a certificate of authority stamps|fails check",
    )


def test_a_log_whose_entry_0_is_gone_is_told_of_that_alone(sound, rig):
    sql(rig, "UPDATE record SET statement = x'7b7d' WHERE seq = 16384")
    problems = rig.fsck(sound[1]).problems
    assert any("is of no type that we know" in problem for problem in problems), problems
    assert not any("anchoring" in problem for problem in problems)
    named(rig, Attesters(), "is of no type that we know")


def test_a_header_of_another_block_than_the_one_that_was_seen_final_is_named(sound, rig):
    """Most fields of a header are bound by its hash alone, and the hash by nothing but the chain."""
    identity, found = evidence(rig, "ledger")[-1]
    old = decode_evidence(found)
    header = decode_header(old.header, "ethereum")
    kept = "INSERT INTO block VALUES (31337, :number, :hash, :header, :time)"
    sql(rig, kept, number=header.number, hash=header.hash, header=old.header, time=header.time)
    assert not any("evidence" in problem for problem in rig.fsck(sound[1]).problems)
    changed = encode_evidence(replace(old, header=old.header[:-1] + bytes([old.header[-1] ^ 1])))
    sql(rig, "UPDATE anchoring SET evidence = :found WHERE id = :id", found=changed, id=identity)
    named(rig, sound[1], f"its evidence: block {header.number} is another one than was seen final")


def test_what_was_contradicted_and_anchored_again_by_the_same_transaction_is_no_damage(sound, rig):
    identity, found = evidence(rig, "ledger")[-1]
    old = decode_evidence(found)
    header = decode_header(old.header, "ethereum")
    kept = "INSERT INTO block VALUES (31337, :number, :hash, :header, :time)"
    sql(rig, kept, number=header.number, hash=bytes(32), header=old.header, time=header.time)
    again = (
        "INSERT INTO anchoring (anchor, kind, size, state, detail, evidence, created_at, updated_at) "
        "SELECT anchor, kind, size, state, detail, evidence, created_at, updated_at FROM anchoring WHERE id = :id"
    )
    sql(rig, again, id=identity)
    another = f"its evidence: block {header.number} is another one than was seen final"
    told = [problem for problem in rig.fsck(sound[1]).problems if "anchoring" in problem]
    assert [another in problem for problem in told] == [True, True]
    contradicted = (
        "INSERT INTO incident (kind, anchor, subject, anchoring_id, detail, created_at) "
        "SELECT 'contradicted', anchor, id, id, '', created_at FROM anchoring WHERE id = :id"
    )
    sql(rig, contradicted, id=identity)
    (told,) = (problem for problem in rig.fsck(sound[1]).problems if "anchoring" in problem)
    assert another in told
    assert f"anchoring {identity} " not in told
