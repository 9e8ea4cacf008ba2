"""Bulk bodies: read fast where they are regular, with the same result as one by one; refused by line."""

import json
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notary.errors import BadDigest, EmptyDocument, RequestError, TooLarge
from notary.intake.bulkline import parse_line
from notary.intake.bulkparse import MAX_ARRAY, MAX_LINES, MAX_LINES_VALUES, parse_array, parse_lines
from notary.intake.plain import first_empty
from notary.intake.values import MAX_VALUES, has_few, is_light
from tests.intake.samples import digests_of

LIMIT = 1 << 24
NOTHING = sha256(b"").hexdigest()
ABC = [digest.hex() for digest in digests_of(12)]
COMPACT = {"separators": (",", ":")}


def documents(bulk) -> list[tuple[str, int | None]]:
    """(digest, size) by position, of a request of documents with nothing else."""
    found = {}
    for group in bulk.plain:
        assert group.hex.shape == (len(group.at), 64)
        assert group.digests.hex() == group.hex.tobytes().decode()
        for row, at in enumerate(group.at.tolist()):
            size = group.sizes[row].tobytes()
            found[at] = (group.hex[row].tobytes().decode(), int(size) if size else None)
    for at, submission in bulk.others.items():
        assert at not in found
        found[at] = (submission.digests["sha-256"], submission.size)
    return [found[at] for at in range(bulk.count)]


def lines_of(values, **how) -> bytes:
    return b"".join(json.dumps(value, **how).encode() + b"\n" for value in values)


# --- arrays ---


@pytest.mark.parametrize("count", [1, 2, 12])
@pytest.mark.parametrize("how", [{}, COMPACT, {"indent": 1}, {"indent": "\t"}])
@pytest.mark.parametrize("around", [("", ""), ("", "\n"), (" \r\n", "\t ")])
def test_an_array_is_read_however_it_is_spaced(count, how, around):
    bulk = parse_array((around[0] + json.dumps(ABC[:count], **how) + around[1]).encode())
    assert documents(bulk) == [(digest, None) for digest in ABC[:count]]
    assert not bulk.others


def test_spaces_may_differ_from_element_to_element():
    body = f'["{ABC[0]}","{ABC[1]}", "{ABC[2]}" ,\n"{ABC[0]}"]'.encode()
    assert documents(parse_array(body)) == [(ABC[at], None) for at in (0, 1, 2, 0)]


def test_an_array_of_ten_thousand_is_read_and_one_more_is_refused():
    all_of_them = [digest.hex() for digest in digests_of(MAX_LINES)]
    assert documents(parse_array(json.dumps(all_of_them).encode())) == [(d, None) for d in all_of_them]
    with pytest.raises(TooLarge, match="at most 10000 elements"):
        parse_array(json.dumps([*all_of_them, ABC[0]], **COMPACT).encode())
    with pytest.raises(TooLarge, match="larger than 1048576"):
        parse_array(json.dumps(all_of_them).encode() + b" " * MAX_ARRAY)


A, B = ABC[:2]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "is an array of SHA-256 digests"),
        ("{}", "is an array of SHA-256 digests"),
        (f'"{A}"', "is an array of SHA-256 digests"),
        (f'\ufeff["{A}"]', "is an array of SHA-256 digests"),
        ("[]", "element 1 is not"),
        ('[""]', "element 1 is not"),
        (f'["{A}"', "element 1 is not"),
        (f'["{A}",]', "element 2 is not"),
        (f'["{A}",,"{B}"]', "element 2 is not"),
        (f'["{A}" "{B}"]', "element 1 is not"),
        (f'["{A}";"{B}"]', "element 1 is not"),
        (f'["{A}","{B.upper()}"]', "element 2 is not"),
        (f'["{A}","{B[:-1]}g"]', "element 2 is not"),
        (f'["{A}","{B[:-1]}"]', "element 2 is not"),
        (f'["{A}","{B}0"]', "element 2 is not"),
        (f'["{A}"," {B}"]', "element 2 is not"),
        (f'["{A}","{B[:-2]}  "]', "element 2 is not"),
        (f'["{A}",["{B}"]]', "element 2 is not"),
        (f'["{A}",null]', "element 2 is not"),
        (f'["{A}",\f"{B}"]', "element 2 is not"),
        (f'["\\u0061{A[1:]}"]', "element 1 is not"),
        (f'["{A}"]]', "something follows the array of 1"),
        (f'["{A}"]["{B}"]', "something follows the array of 1"),
        (f'["{A}"]\0', "something follows the array of 1"),
        ("[" * 100_000, "element 1 is not"),
    ],
)
def test_what_is_no_array_of_digests_is_refused_by_element(body, message):
    with pytest.raises(RequestError, match=message):
        parse_array(body.encode())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 67 * 3), st.binary(min_size=1, max_size=2), st.integers(0, 2))
def test_an_array_with_a_changed_byte_is_refused_or_still_json_of_digests(at, put, removed):
    body = json.dumps(ABC[:3], **COMPACT).encode()
    changed = body[:at] + put + body[at + removed :]
    try:
        found = documents(parse_array(changed))
    except RequestError:
        return
    assert [digest for digest, _ in found] == json.loads(changed)
    assert all(set(digest) <= set("0123456789abcdef") and len(digest) == 64 for digest, _ in found)


def test_the_digest_of_no_bytes_is_refused():
    for how in ({}, COMPACT, {"indent": 1}):
        with pytest.raises(EmptyDocument, match="element 3 is the SHA-256 of no bytes"):
            parse_array(json.dumps([A, B, NOTHING], **how).encode())
    with pytest.raises(EmptyDocument, match="line 3: this is the SHA-256 of no bytes"):
        parse_lines(lines_of({"sha-256": d} for d in (A, B, NOTHING, "x")), 1, LIMIT)


def test_the_digest_of_no_bytes_is_not_found_across_two_digests():
    nothing = bytes.fromhex(NOTHING)
    assert first_empty(nothing[16:] + nothing + nothing[:16]) is None
    assert first_empty(nothing[16:] + nothing + nothing[:16] + nothing) == 2
    assert first_empty(bytes(64)) is None


# --- lines ---

sizes = st.none() | st.integers(1, 2**50) | st.integers(1, 10_000)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(digests, sizes, st.sampled_from([COMPACT, {}, {"separators": (" ,", " : ")}])), min_size=1),
    st.booleans(),
)  # fmt: skip
def test_lines_are_read_in_any_form_and_order(wanted, ended):
    body = b"".join(
        lines_of([{"sha-256": digest} | ({} if size is None else {"size": size})], **how)
        for digest, size, how in wanted
    )
    bulk = parse_lines(body if ended else body[:-1], 1, LIMIT)
    assert documents(bulk) == [(digest, size) for digest, size, _ in wanted]


def test_lines_of_digest_and_size_are_read_together():
    values = [{"sha-256": digest, "size": 10**at} for at, digest in enumerate(ABC)]
    for how in (COMPACT, {}):
        bulk = parse_lines(lines_of(values, **how), 1, LIMIT)
        assert len(bulk.plain) == 12
        assert not bulk.others
    bulk = parse_lines(lines_of([*values, {"sha-256": A, "title": "a"}]), 1, LIMIT)
    assert list(bulk.others) == [12]
    assert bulk.others[12] == parse_line(f'{{"sha-256":"{A}","title":"a"}}'.encode(), 1, 13)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 180), st.binary(min_size=1, max_size=2), st.integers(0, 2))
def test_a_changed_byte_gives_what_the_reader_of_lines_gives(at, put, removed):
    body = lines_of([{"sha-256": A, "size": 1234}, {"sha-256": B, "size": 5678}], **COMPACT)
    changed = body[:at] + put + body[at + removed :]
    lines = changed.removesuffix(b"\n").split(b"\n")
    alone, refusal = outcome(lambda: [parse_line(line, 1, number) for number, line in enumerate(lines, 1)])
    together, other_refusal = outcome(lambda: parse_lines(changed, 1, LIMIT))
    assert refusal == other_refusal
    if refusal is None and all(one.kind == "document" for one in alone):
        assert documents(together) == [(one.digests["sha-256"], one.size) for one in alone]


@pytest.mark.parametrize("how", [COMPACT, {}])
@pytest.mark.parametrize("value", [{"sha-256": A}, {"sha-256": A, "size": 1204}])
def test_any_other_character_at_any_place_gives_what_the_reader_of_lines_gives(value, how):
    good = json.dumps(value, **how).encode()
    for at in range(len(good)):
        for other in b'0g"},A:/;\xff':
            line = good[:at] + bytes([other]) + good[at + 1 :]
            alone, refusal = outcome(lambda line=line: parse_line(line, 1, 2))
            together, other_refusal = outcome(
                lambda line=line: parse_lines(b"\n".join((good, line, good)), 1, LIMIT)
            )
            assert refusal == other_refusal
            if refusal is None:
                assert documents(together)[1] == (alone.digests["sha-256"], alone.size)


def outcome(call):
    """What the call gives, or the kind and message of what it refuses."""
    try:
        return call(), None
    except RequestError as error:
        return None, (type(error), str(error))


def test_ten_thousand_lines_are_read_and_one_more_is_refused():
    values = [{"sha-256": digest.hex(), "size": at + 1} for at, digest in enumerate(digests_of(MAX_LINES))]
    bulk = parse_lines(lines_of(values), 1, LIMIT)
    assert documents(bulk) == [(value["sha-256"], value["size"]) for value in values]
    with pytest.raises(TooLarge, match="at most 10000 lines, not 10001"):
        parse_lines(lines_of([*values, values[0]]), 1, LIMIT)


def test_a_body_is_bounded_before_it_is_read():
    body = lines_of([{"sha-256": A}])
    assert parse_lines(body, 1, len(body)).count == 1
    with pytest.raises(TooLarge, match=f"larger than {len(body) - 1}"):
        parse_lines(body, 1, len(body) - 1)
    with pytest.raises(RequestError, match="at least one line"):
        parse_lines(b"", 1, LIMIT)


@pytest.mark.parametrize(
    ("third", "kind", "message"),
    [
        (b"", RequestError, "line 3 is empty"),
        (b" \t\r", RequestError, "line 3 is empty"),
        (b"[]", RequestError, "line 3: not a JSON object"),
        (b'{"sha-256":"%b"} x' % A.encode(), RequestError, "line 3 is not usable JSON: not JSON"),
        (b'{"sha-256":"%b","size":0}' % A.encode(), RequestError, "line 3: size is a whole number"),
        (b'{"sha-256":"%b","size":05}' % A.encode(), RequestError, "line 3 is not usable JSON"),
        (
            b'{"sha-256":"%b","size":1e3}' % A.encode(),
            RequestError,
            "line 3 is not usable JSON: a JSON number",
        ),
        (b'{"sha-256":"%b"}' % A[1:].encode(), BadDigest, "line 3: a sha-256 digest is 64"),
        (
            b'{"sha-256":"%b"}{"sha-256":"%b"}' % (A.encode(), B.encode()),
            RequestError,
            "line 3 is not usable",
        ),
        (b"x" * (128 * 1024 + 1), TooLarge, "line 3 of 131073 bytes is larger than 131072"),
    ],
)
def test_the_first_bad_line_is_named(third, kind, message):
    good = lines_of([{"sha-256": A, "size": 5}] * 2, **COMPACT)
    with pytest.raises(kind, match=message):
        parse_lines(good + third + b"\n" + good + b"bad\n", 1, LIMIT)


def test_upper_case_is_read_as_in_a_single_submission():
    bulk = parse_lines(lines_of([{"sha-256": A}, {"sha-256": B.upper()}, {"sha-256": A}]), 1, LIMIT)
    assert documents(bulk) == [(A, None), (B, None), (A, None)]
    assert list(bulk.others) == [1]


def listed(count, text=""):
    """A line whose metadata is a list of so many values."""
    return lines_of([{"sha-256": A, "metadata": {"a": [text] * count}}], **COMPACT)


def test_so_many_values_a_line_and_all_together_and_no_more():
    # The line, its digest, the metadata and the list are counted, too: each but the first by the sign before it.
    assert len(parse_lines(listed(MAX_VALUES - 4), 1, LIMIT).others) == 1
    with pytest.raises(RequestError, match="line 2: it has more than 10,000 values"):
        parse_lines(listed(1) + listed(MAX_VALUES - 3), 1, LIMIT)
    many = listed(MAX_VALUES - 4) * (MAX_LINES_VALUES // MAX_VALUES) + listed(1) * 13
    with pytest.raises(
        TooLarge, match="the lines have more than 500,000 values together; send fewer at a time"
    ):
        parse_lines(many, 1, LIMIT)
    assert len(parse_lines(many[len(listed(MAX_VALUES - 4)) :], 1, LIMIT).others) == 62


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (b"1", 1), (b'"a,[{"', 1), (rb'"a\",[\\"', 1), (b"[]", 2), (b"[1,2]", 3), (b'{"a":{"b":1},"c":[2]}', 5),
        (b'[",",1]', 3), (b'["', 2), (b'["\\', 2), (b'"\\",[,,,', 1),
    ],
)  # fmt: skip
def test_values_are_counted_outside_of_strings(text, values):
    assert has_few(text, values)
    assert not has_few(text, values - 1)


def test_counting_looks_at_no_byte_twice():
    assert not has_few(b'["' + b'\\"' * 10**6 + b'"' + b",1" * MAX_VALUES)
    assert has_few(b'["' + b'\\",' * 10**6)  # not closed: all of it is one string


@pytest.mark.parametrize(
    ("body", "light"),
    [(b"x" * 4096, True), (b"x" * 4097, False), (b"[" + b"1," * 98, True), (b"[" + b"1," * 99, False)],
)  # fmt: skip
def test_what_is_light_is_short_and_has_few_values(body, light):
    assert is_light(body) is light
