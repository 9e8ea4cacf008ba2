"""One line of a bulk request has the fields, and the limits, of a single submission."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.api.schemas import SubmitRequest
from notary.errors import BadDigest, BadNumber, FormatError, RequestError, UnknownAlgorithm
from notary.evidence.canonical import loads_unordered
from notary.evidence.number import make_number, show_number
from notary.intake.bulkline import _KEYS, _flat, parse_line
from notary.intake.submission import Submission

A = "a1" * 32
NUMBER = make_number(1772364600000, b"abcde")


def parsed(**value) -> Submission:
    return parse_line(json.dumps(value).encode(), 7, 1)


def test_a_line_has_the_fields_of_a_single_submission():
    assert set(SubmitRequest.model_fields) | {"sha-256"} == _KEYS


def test_every_field_of_a_document_is_taken_over():
    fields = {
        "matter": "m", "phase": "signed", "sequence": 3, "actor": "a", "holder": "h", "source": "client",
        "reference": "r", "title": "合同", "metadata": {"a": [1, {"b": None}]},
    }  # fmt: skip
    made = parsed(
        kind="document",
        digests={"sha-256": A.upper(), "sha-512": "0f" * 64},
        size=2**50,
        media_type="Text/Plain; charset=utf-8",
        visibility="public",
        previous=show_number(NUMBER).lower(),
        **fields,
    )
    assert made == Submission(
        tenant_id=7,
        kind="document",
        digests={"sha-256": A},
        claimed={"sha-512": "0f" * 64},
        size=2**50,
        media_type="text/plain",
        fields=fields,
        visibility="public",
        previous=NUMBER,
    )


def test_null_is_as_if_it_were_not_there():
    optional = _KEYS - {"kind", "digests", "sha-256"}
    line = {"sha-256": A} | dict.fromkeys(optional)
    assert parsed(**line) == parsed(**{"sha-256": A}) == Submission(7, "document", digests={"sha-256": A})


def test_an_event_has_no_document():
    assert parsed(kind="event", phase="sent") == Submission(7, "event", fields={"phase": "sent"})
    for more in ({"sha-256": A}, {"size": 5}, {"media_type": "a/b"}, {"digests": {"sm3": A}}):
        with pytest.raises(RequestError, match="line 1: an event has no document: no digests"):
            parsed(kind="event", **more)
    with pytest.raises(RequestError, match="an event has no document to present"):
        parsed(kind="event", visibility="by-document")


@pytest.mark.parametrize(
    ("more", "kind", "message"),
    [
        ({"kind": "report"}, RequestError, "line 1: kind is one of document, event"),
        ({"kind": None}, RequestError, "kind is one of"),
        ({"kind": []}, RequestError, "kind is one of"),
        ({"Size": 1}, RequestError, "unknown field 'Size'"),
        ({"seen": True}, RequestError, "unknown field 'seen'"),
        ({"digests": {"sha-256": A}}, RequestError, "give sha-256 or digests, not both"),
        ({"size": 0}, RequestError, "size is a whole number from 1 to 1125899906842624"),
        ({"size": 2**50 + 1}, RequestError, "size is a whole number"),
        ({"size": True}, RequestError, "size is a whole number"),
        ({"size": "5"}, RequestError, "size is a whole number"),
        ({"media_type": "pdf"}, RequestError, "media_type is of the form type/subtype"),
        ({"media_type": "a/" + "b" * 126}, RequestError, "media_type is a string of 0 to 127 characters"),
        ({"media_type": 5}, RequestError, "media_type is a string"),
        ({"visibility": "secret"}, RequestError, "visibility is one of by-document"),
        ({"visibility": {}}, RequestError, "visibility is one of"),
        ({"previous": NUMBER[:-1] + "2"}, BadNumber, "line 1: the check character"),
        ({"previous": "2" * 25}, RequestError, "previous is a string of 0 to 24 characters"),
        ({"title": ""}, RequestError, "title is a string of 1 to 300 characters"),
        ({"matter": "m" * 301}, RequestError, "matter is a string of 1 to 300"),
        ({"reference": 5}, RequestError, "reference is a string"),
        ({"sequence": -1}, RequestError, "sequence is a whole number from 0 to 2147483648"),
        ({"sequence": 2**31 + 1}, RequestError, "sequence is a whole number"),
        ({"source": "both"}, RequestError, "source is one of client, server"),
        ({"metadata": []}, RequestError, "metadata is a JSON object"),
        (
            {"metadata": {"a": 1.5}},
            RequestError,
            "line 1 is not usable JSON: a JSON number is not an integer",
        ),
        ({"metadata": {"ä" * 65: 1}}, RequestError, "is not a key of 1 to 64"),
        ({"title": "\ud800"}, RequestError, "not valid Unicode"),
        ({"sequence": 10**20}, RequestError, r"beyond 2\*\*53"),
    ],
)
def test_what_is_not_of_its_form_is_refused(more, kind, message):
    with pytest.raises(kind, match=message):
        parsed(**{"sha-256": A}, **more)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ({}, RequestError, "line 1: a document needs its sha-256"),
        ({"digests": {"sm3": A}}, RequestError, "a document needs its sha-256"),
        ({"digests": {"md5": "00" * 16}}, UnknownAlgorithm, "line 1: 'md5' is not a digest algorithm"),
        ({"digests": []}, RequestError, "digests are hexadecimal strings by algorithm"),
        ({"digests": {"sha-256": 5}}, RequestError, "digests are hexadecimal strings"),
        ({"sha-256": None}, RequestError, "digests are hexadecimal strings"),
        ({"sha-256": A + "00"}, BadDigest, "line 1: a sha-256 digest is 64"),
    ],
)
def test_digests_of_another_form_are_refused(value, kind, message):
    with pytest.raises(kind, match=message):
        parsed(**value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"sha-256":"%b","size":5,"size":5}' % A.encode(), "the same key twice"),
        (b'\xef\xbb\xbf{"sha-256":"%b"}' % A.encode(), "not JSON"),
        (b'{"sha-256":"%b","title":"\xff"}' % A.encode(), "not JSON"),
        (b'{"sha-256":"%b","title":"a\x00"}' % A.encode(), "not JSON"),
        (b'{"sha-256":"%b","size":NaN}' % A.encode(), "a JSON number is not an integer"),
        (b'{"metadata":' + b"[" * 9_000, "nested deeper"),
    ],
)
def test_json_that_two_readers_may_take_differently_is_refused(line, message):
    with pytest.raises(RequestError, match=f"line 1 is not usable JSON: .*{message}"):
        parse_line(line, 1, 1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab-", max_size=2), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.dictionaries(st.sampled_from(["size", "title", "kind", "a"]), json_values, max_size=4).flatmap(
            lambda value: st.builds(
                lambda ascii_only, gap: json.dumps(value, ensure_ascii=ascii_only, separators=(",", gap)).encode(),
                st.booleans(),
                st.sampled_from([":", ": "]),
            )
        ),
        st.text('{}[]":,\\ 0123456789.eE-truefalsnu\ufeff\t\r', max_size=14).map(str.encode),
        st.binary(max_size=10),
    )
)  # fmt: skip
def test_the_quick_reader_takes_nothing_that_the_strict_one_refuses(line):
    quick = _flat(line)
    if quick is not None:
        try:
            strict = loads_unordered(line, 1000)
        except FormatError as error:
            refusal = str(error)
        else:
            refusal = ""
            assert json.dumps(quick) == json.dumps(strict)  # true is not 1
        # A key that is no field is refused later, by its name.
        assert refusal == "" or "is not a key of" in refusal


def test_the_quick_reader_reads_what_it_is_for():
    line = b'{"sha-256":"%b","size":5,"reference":"\xe5\x90\x88"}' % A.encode()
    assert _flat(line) == {"sha-256": A, "size": 5, "reference": "合"}
    for other in (b'{"a":{}}', b'{"a":[]}', b'{"a":"\\u0061"}', b'{"a":1.0}', b'{"a":1,"a":1}', b"x"):
        assert _flat(other) is None
