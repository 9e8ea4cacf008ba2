"""One value, one byte string: what RFC 8785 writes is read back, and nothing else is."""

import json
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary.errors import FormatError
from notary.evidence.canonical import MAX_DEPTH, MAX_INTEGER, dumps, dumps_free, loads, loads_unordered

LIMIT = 10_000
keys = st.text("abcXYZ019_.-", min_size=1, max_size=64)
leaves = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(max_size=20)
values = st.recursive(
    leaves, lambda v: st.lists(v, max_size=4) | st.dictionaries(keys, v, max_size=4), max_leaves=8
)


def nested(depth):
    return b"[" * depth + b"]" * depth


@given(values)
def test_what_is_written_is_read_back(value):
    data = dumps(value)
    assert loads(data, LIMIT) == value
    assert loads_unordered(data, LIMIT) == value


@given(values)
def test_a_value_has_one_encoding(value):
    loose = json.dumps(value, indent=1).encode()
    assert loads_unordered(loose, 4 * LIMIT) == value
    if loose != dumps(value):
        with pytest.raises(FormatError, match="canonical form"):
            loads(loose, 4 * LIMIT)


def test_keys_are_sorted_and_nothing_is_escaped_without_need():
    assert (
        dumps({"b": "甲\u2028/\x7f", "a": [True, None, -1]})
        == '{"a":[true,null,-1],"b":"甲\u2028/\x7f"}'.encode()
    )


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',  # order
        b'{"a": 1}',  # space
        b'{"a":1}\n',
        b' {"a":1}',
        b'"\\u0041"',  # an escape that need not be
        b'"\\/"',
        b'"\\u000A"',  # upper case, and RFC 8785 writes \n
        b"-0",
        b'"\\u7532"',
    ],
)
def test_other_spellings_of_a_value_are_refused(data):
    with pytest.raises(FormatError, match="not in canonical form"):
        loads(data, LIMIT)
    loads_unordered(data, LIMIT)  # the value itself is fine


@pytest.mark.parametrize("data", [b'{"a":1,"a":1}', b'{"a":1,"b":{"c":1,"c":2}}', b'{"a":1,"\\u0061":1}'])
@pytest.mark.parametrize("read", [loads, loads_unordered])
def test_the_same_key_twice_is_refused(read, data):
    with pytest.raises(FormatError, match="same key twice"):
        read(data, LIMIT)


@pytest.mark.parametrize(
    "number", [b"1.0", b"1e3", b"1E0", b"-0.0", b"NaN", b"Infinity", b"-Infinity", b"0.1"]
)
@pytest.mark.parametrize("read", [loads, loads_unordered])
def test_a_number_that_is_no_integer_is_refused(read, number):
    with pytest.raises(FormatError, match="not an integer"):
        read(b'{"a":' + number + b"}", LIMIT)


@pytest.mark.parametrize("text", [f"{2**53}", f"-{2**53}", "1" + "0" * 17, "1" + "0" * 5000], ids=len)
@pytest.mark.parametrize("read", [loads, loads_unordered])
def test_an_integer_that_others_cannot_hold_is_refused(read, text):
    with pytest.raises(FormatError, match=r"beyond 2\*\*53"):
        read(text.encode(), LIMIT)


def test_the_largest_integers_are_accepted():
    assert loads(b"[9007199254740991,-9007199254740991]", LIMIT) == [MAX_INTEGER, -MAX_INTEGER]
    with pytest.raises(FormatError, match=r"beyond 2\*\*53"):
        dumps([MAX_INTEGER + 1])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"[1]]",
        b"[1] [2]",
        b"\xff",
        b"\xef\xbb\xbf[]",
        b'"\x01"',
        b"tru",
        b"01",
        b"+1",
    ],
)
def test_what_is_no_json_is_refused(data):
    with pytest.raises(FormatError, match="not JSON"):
        loads(data, LIMIT)


@pytest.mark.parametrize("data", [b'"\\ud800"', b'["\\udc00\\ud800"]', b'{"a":"\\udfff"}'])
def test_a_lone_surrogate_is_refused(data):
    with pytest.raises(FormatError, match="not valid Unicode"):
        loads(data, LIMIT)
    assert loads('"𠮷"'.encode(), LIMIT) == "𠮷"


@pytest.mark.parametrize("key", ["", "a b", "é", "甲", "a" * 65, "a\n", "a/b", "\ud800"])
def test_a_key_that_is_not_plain_is_refused(key):
    with pytest.raises(FormatError, match="1 to 64 plain ASCII"):
        dumps({key: 1})
    with pytest.raises(FormatError, match="1 to 64 plain ASCII"):
        loads(json.dumps({key: 1}).encode(), LIMIT)


# RFC 8785 §3.2.3: keys are sorted by UTF-16 code units, so U+1F600 comes before U+FB33.
RFC_8785_KEYS = ("\r", "1", "\x80", "ö", "€", "\U0001f600", "\ufb33")
free_keys = st.text(min_size=1, max_size=64)
free_values = st.recursive(
    leaves, lambda v: st.lists(v, max_size=4) | st.dictionaries(free_keys, v, max_size=4), max_leaves=8
)


def test_free_keys_are_in_the_order_of_the_rfc():
    value = dict.fromkeys(sorted(RFC_8785_KEYS, reverse=True), 1)
    written = ('"\\r"', *(f'"{key}"' for key in RFC_8785_KEYS[1:]))
    assert dumps_free(value).decode() == "{" + ",".join(f"{key}:1" for key in written) + "}"


@given(free_values)
def test_free_json_is_read_in_any_spelling(value):
    for data in (dumps_free(value), json.dumps(value, indent=1).encode()):
        assert loads_unordered(data, 10**6) == value
        assert dumps_free(loads_unordered(data, 10**6)) == dumps_free(value)


@pytest.mark.parametrize("key", ["合同编号", "𠮷" * 64, "é", "e\u0301", "\n\x00", " "])
def test_a_free_key_may_be_of_any_script(key):
    assert loads_unordered(json.dumps({key: 1}).encode(), LIMIT) == {key: 1}
    with pytest.raises(FormatError, match="1 to 64 plain ASCII"):
        loads(dumps_free({key: 1}), LIMIT)


@pytest.mark.parametrize("key", ["", "甲" * 65, 1])
def test_a_free_key_is_text_of_bounded_length(key):
    with pytest.raises(FormatError, match="is not a key of 1 to 64 characters"):
        dumps_free({"a": [{key: 1}]})


def test_a_free_key_is_valid_unicode():
    for wrong in (lambda: dumps_free({"\ud800": 1}), lambda: loads_unordered(b'{"\\ud800":1}', LIMIT)):
        with pytest.raises(FormatError, match="not valid Unicode"):
            wrong()


@pytest.mark.parametrize("data", ['{"甲":1,"\\u7532":2}', '{"\U0001f600":1,"\\ud83d\\ude00":2}'])
def test_the_same_free_key_in_two_spellings_is_refused(data):
    with pytest.raises(FormatError, match="same key twice"):
        loads_unordered(data.encode(), LIMIT)
    assert loads_unordered('{"é":1,"e\u0301":2}'.encode(), LIMIT) == {"é": 1, "e\u0301": 2}  # not normalised


def test_a_key_that_is_no_text_is_refused():
    with pytest.raises(FormatError, match="1 to 64 plain ASCII"):
        dumps({1: 1})


@pytest.mark.parametrize("value", [1.5, float("nan"), b"bytes", {1, 2}, object()])
def test_a_value_without_a_place_in_json_is_refused(value):
    with pytest.raises(FormatError, match="has no place in canonical JSON"):
        dumps({"a": value})


def test_nesting_is_bounded():
    assert loads(nested(MAX_DEPTH + 1), LIMIT)
    with pytest.raises(FormatError, match="nested deeper than 10 levels"):
        loads(nested(MAX_DEPTH + 2), LIMIT)


@pytest.mark.parametrize("data", [nested(500_000), b"[" * 500_000, b'{"a":' * 100_000])
def test_nesting_that_would_exhaust_the_parser_never_reaches_it(data):
    # Libraries raise the limit of the interpreter so far that its stack ends first, and the process with it.
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        with pytest.raises(FormatError, match="nested deeper than 10 levels"):
            loads(data, 2_000_000)
    finally:
        sys.setrecursionlimit(before)


def test_brackets_in_strings_are_no_nesting():
    text = '"[[[[[[[[[[[[{{{{{{{{{{{{{{\\\\\\"[[[['.replace('"', '\\"')
    value = {"a": ["[" * 20, '\\"' + "[" * 20, text], "b": {"c": "]" * 20}}
    assert loads(dumps(value), LIMIT) == value


@pytest.mark.parametrize(
    "data", [b'"' + b'\\"' * 500_000, b'"' + b'\\"' * 500_000 + b"\\", b'"' * 999_999, b"[]" * 500_000]
)
def test_hostile_text_is_refused_in_linear_time(data):
    before = time.process_time()  # of a busy machine too
    with pytest.raises(FormatError, match="not JSON"):
        loads(data, 2_000_000)
    assert time.process_time() - before < 10


def test_length_is_bounded_before_reading():
    assert loads(b"[1]", 3) == [1]
    with pytest.raises(FormatError, match="4 bytes long, more than the 3 allowed"):
        loads(b"[12]", 3)
