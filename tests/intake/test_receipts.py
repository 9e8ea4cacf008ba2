"""Receipts from the rows of a tree are byte for byte those of `sign_receipts`."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.evidence.note import sign_note
from notary.evidence.receipt import Promise, group_root, receipt_key_name, sign_receipts
from notary.intake.receipts import decode_tree, encode_tree, receipt_of, receipts_from
from notary.merkle.hashing import hash_leaves
from notary.merkle.tree import levels
from tests.evidence.build import ed25519, moment
from tests.intake.samples import ORIGIN, digests_of

KEY = ed25519("receipt")


def signed(entries):
    """The slow receipts of a group, and its note."""
    promise = Promise(
        ORIGIN, len(entries), group_root(entries), 5, bytes(range(32)), moment(12), moment(13), moment(14)
    )
    note = sign_note(promise.text(), receipt_key_name(ORIGIN), KEY).encode()
    return sign_receipts(promise, entries, KEY), note


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 500))
def test_receipts_are_those_of_the_slow_way(count):
    entries = digests_of(count)
    slow, note = signed(entries)
    rows = levels(hash_leaves(entries))
    assert receipts_from(rows, note) == slow
    tree = json.loads(json.dumps([row.decode() for row in encode_tree(rows)]))
    at = {0, 1, count // 2, count - 2, count - 1} & set(range(count))
    assert [receipt_of(index, tree, note.decode()) for index in at] == [slow[index] for index in at]


def test_each_line_of_every_small_tree_has_its_receipt():
    for count in range(1, 34):
        slow, note = signed(digests_of(count))
        tree = [row.decode() for row in encode_tree(levels(hash_leaves(digests_of(count))))]
        assert [receipt_of(index, tree, note.decode()) for index in range(count)] == slow


TREE = [row.decode() for row in encode_tree(levels(hash_leaves(digests_of(5))))]
LEAF = TREE[-1]


@pytest.mark.parametrize(
    ("index", "tree", "message"),
    [
        (5, TREE, "has no such leaf"),
        (-1, TREE, "has no such leaf"),
        (True, TREE, "has no such leaf"),
        ("0", TREE, "has no such leaf"),
        (0, [""], "has no such leaf"),
        (0, [], "does not end in one root"),
        (0, TREE[:-1], "does not end in one root"),
        (0, [*TREE, LEAF], "does not end in one root"),
        (0, [*TREE[:1], *TREE[2:]], "not half as long"),
        (0, [TREE[0], *TREE], "not half as long"),
        (0, [LEAF[:-4]], "has no such leaf"),
        (0, [base64.b64encode(bytes(33)).decode()], "not half as long"),
        (0, ["*"], "is not base64"),
        (0, ["AAA"], "is not base64"),
        (0, [None], "is not base64"),
    ],
)
def test_what_is_no_tree_with_that_leaf_is_refused(index, tree, message):
    with pytest.raises(FormatError, match=message):
        receipt_of(index, tree, "note")


def test_a_note_that_no_text_has_is_left_to_the_check_of_its_signature():
    assert receipt_of(0, [LEAF], "\ud800").endswith(b"\n\n?")


def test_a_tree_is_read_back_and_one_that_is_none_is_refused():
    rows = levels(hash_leaves(digests_of(5)))
    assert decode_tree(encode_tree(rows)) == [list(row) for row in rows]
    for bad in (["AAAA"], [base64.b64encode(bytes(33)).decode()]):
        with pytest.raises(FormatError, match="does not consist of hashes"):
            decode_tree(bad)
    for bad in (["?"], [None], ["AAA"]):
        with pytest.raises(FormatError, match="is not base64"):
            decode_tree(bad)
