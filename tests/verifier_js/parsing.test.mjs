import assert from "node:assert/strict";
import test from "node:test";

import { base64, bytesOf, compare, concat, equal, hex, textOf, unbase64, unbase64url, unhex } from "../../notary/api/static/verifier/bytes.js";
import { encodeCanonical, parseCanonical, parseFree } from "../../notary/api/static/verifier/canonical.js";
import { parseDisclosure } from "../../notary/api/static/verifier/commitments.js";
import { dateSeconds, parseDecimal, parseMoment, showMoment } from "../../notary/api/static/verifier/fields.js";
import { isDate, parseToml } from "../../notary/api/static/verifier/toml.js";
import { refused } from "./refused.mjs";

const canonical = (text) => parseCanonical(bytesOf(text));
const free = (text) => parseFree(bytesOf(text));

test("bytes have one text form each, and what is none is refused", () => {
  for (const bytes of [[], [0], [255, 254], [1, 2, 3, 4]].map((list) => Uint8Array.from(list))) {
    assert.deepEqual(unhex(hex(bytes)), bytes);
    assert.deepEqual(unbase64(base64(bytes)), bytes);
    assert.deepEqual(unbase64url(Buffer.from(bytes).toString("base64url")), bytes);
  }
  for (const text of ["0", "AB", "0x", "zz", 7, null]) refused(() => unhex(text), /hexadecimal/);
  for (const text of ["A", "AA", "AA=", "AB==", "AA==\n", " AAA", "A-__"]) refused(() => unbase64(text), /base64/);
  for (const text of ["AA==", "AB", "A+AA", "A"]) refused(() => unbase64url(text), /base64/);
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80]]) refused(() => textOf(Uint8Array.from(bytes)), /UTF-8/);
  assert.equal(textOf(bytesOf("\ufeffa")), "\ufeffa");
  assert.deepEqual([compare([1], [1, 0]), compare([2], [1, 9]), compare([1], [1])], [-1, 1, 0]);
  assert.ok(!equal([1], [1, 2]) && !equal([1], [2]) && equal([1], [1]));
  assert.deepEqual(concat(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2)), Uint8Array.of(1, 2));
});

test("canonical JSON is its one encoding", () => {
  for (const text of ['{"a":1,"b":[true,false,null,"x"]}', "[]", "-9007199254740991", '"\\u0000\\t\\n\u007f\u2028"', '{"__proto__":1,"constructor":2}', "[".repeat(11) + "]".repeat(11)]) {
    assert.equal(encodeCanonical(canonical(text)), text);
  }
  for (const text of ['{"b":1,"a":2}', '{"a": 1}', "1 ", " 1", '"\\u0041"', '"\\/"', "-0", '{"a":1}\n']) refused(() => canonical(text), /canonical/);
  for (const text of ['{"a":1,"a":1}', '{"a":1,"\\u0061":1}']) refused(() => canonical(text), /twice/);
  for (const text of ["1.0", "1e0", "01", "1.", "-01"]) refused(() => canonical(text), /shortest/);
  for (const text of ["NaN", "Infinity", "9007199254740992", "-9007199254740992", "", "-", "+1", "'a'", "[1,]", "undefined"]) refused(() => canonical(text), /JSON|integer/);
  for (const text of ['"\\ud800"', '"\\udc00\\ud800"']) refused(() => canonical(text), /surrogate|canonical/);
  refused(() => canonical('"\t"'), /control/);
  refused(() => canonical('"a'), /does not end/);
  refused(() => canonical('"\\x"'), /escape/);
  refused(() => canonical('"\\u12"'), /escape/);
  refused(() => canonical('{"é":1}'), /not a key/);
  refused(() => canonical(`{"${"a".repeat(65)}":1}`), /not a key/);
  for (const text of ["1 2", "0x1"]) refused(() => canonical(text), /behind/);
  refused(() => canonical("[1 2]"), /not JSON/);
  refused(() => canonical("[".repeat(12) + "]".repeat(12)), /deeply/);
  refused(() => canonical("[".repeat(100_000)), /deeply/);
  refused(() => parseCanonical(Uint8Array.of(0xff)), /UTF-8/);
});

test("free JSON takes any white space, escapes and order, and nothing more", () => {
  assert.deepEqual(free(' [1,\n"\\u00e9"\t] '), [1, "é"]);
  assert.ok(Object.is(free("-0"), 0));
  assert.deepEqual(Object.keys(free('{"b":1,"\\u0061":2,"\\u00e9":3,"e\\u0301":4}')), ["b", "a", "\u00e9", "e\u0301"]);
  assert.equal(free('{"__proto__":5}')["__proto__"], 5);
  for (const text of ['{"":1}', `{"${"一".repeat(65)}":1}`]) refused(() => free(text), /not a key/);
  assert.equal(Object.keys(free(`{"${"😀".repeat(64)}":1}`)).length, 1);
  for (const text of ["\f1", "\u00a01", "\ufeff1"]) refused(() => free(text), /JSON/);
  const disclosure = (text) => parseDisclosure(Buffer.from(text).toString("base64url"));
  const salt = "A".repeat(22);
  assert.deepEqual(disclosure(`["${salt}", "title", [1]]`), { name: "title", value: [1] });
  refused(() => disclosure(`["${salt}","title"]`), /list of three/);
  refused(() => disclosure("{}"), /list of three/);
  refused(() => disclosure(`["${salt}A","title",1]`), /salt/);
  refused(() => disclosure(`["${salt}","other",1]`), /unknown name/);
  refused(() => parseDisclosure("A".repeat(131_073)), /too long/);
  refused(() => parseDisclosure(7), /not a disclosure/);
});

test("decimals, dates and moments exist, or are refused", () => {
  assert.equal(parseDecimal("9223372036854775807"), 2n ** 63n - 1n);
  for (const text of ["", "01", "-1", "1.0", "9223372036854775808", "１", 1]) refused(() => parseDecimal(text), /decimal/);
  for (const text of ["2026-03-01T11:30:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T00:00:00Z", "0099-01-01T00:00:00Z"]) {
    assert.equal(parseMoment(text), Date.parse(text) / 1000);
    assert.equal(showMoment(parseMoment(text)), text);
  }
  for (const text of ["2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z"]) refused(() => parseMoment(text), /no such moment/);
  for (const text of ["2026-01-01T00:00:00z", "2026-01-01T00:00:00Z\n", "2026-01-01 00:00:00Z", 1]) refused(() => parseMoment(text), /form/);
  assert.equal(dateSeconds(1970, 1, 2, 0, 0, 1), 86_401);
});

const toml = (text) => parseToml(bytesOf(text));

test("TOML is read as its standard says", () => {
  const found = toml('a = 1 # one\r\n"b c" = \'x\\y\'\n[t]\nx.y = 0x_f'.replace("0x_f", "0xf") + '\n[[l]]\nk = [1, [2,],\n# c\n3]\n[[l]]\ni = {a = true, b.c = -1_0}\n[t.u]\nd = 2026-01-01 02:00:00.1234567+02:00\n');
  assert.equal(found.a, 1n);
  assert.equal(found["b c"], "x\\y");
  assert.equal(found.t.x.y, 15n);
  assert.deepEqual(found.l[0].k, [1n, [2n], 3n]);
  assert.deepEqual([found.l[1].i.a, found.l[1].i.b.c], [true, -10n]);
  assert.ok(isDate(found.t.u.d) && !isDate(found.t));
  assert.equal(found.t.u.d.time, BigInt(Date.parse("2026-01-01T00:00:00Z")) * 1000n + 123456n);
  assert.equal(toml('a = """\nx\\\n   y""z"""""').a, 'xy""z""');
  assert.equal(toml("a = '''\n'x'''''").a, "'x''");
  assert.equal(toml('a = "\\b\\t\\n\\f\\r\\"\\\\\\u00e9\\U0001F600"').a, '\b\t\n\f\r"\\é😀');
  assert.deepEqual([toml("a = +0").a, toml("a = 0b11").a, toml("a = 0o17").a], [0n, 3n, 15n]);
  assert.equal(toml("").a, undefined);
});

test("what is no TOML, or a value that no trust file has, is refused", () => {
  for (const text of ["a = 1.0", "a = 1e0", "a = nan", "a = 2026-01-01", "a = 07:00:00", "a = 2026-01-01T00:00:00", "a = 01", "a = 1__0", "a = _1", "a = -0x1", "a = True", "a = 1_", "a = 0X1", "a = "]) refused(() => toml(text), /another kind/);
  for (const text of ["a = 1\na = 2", "[a]\n[a]", "[[a]]\n[a]", "a = []\n[[a]]", "[a]\nb.c = 1\nb.c = 2"]) refused(() => toml(text), /twice/);
  for (const text of ["a = {b = 1}\na.c = 2", "[a]\n[b]\na = 1\n[a.c]\nx = 1\n[a]\n", "a = {b.c = 1}\n[a.b]", "[a.b]\n[a]\nb.c = 1\n", "a = 1\n[a.b]"]) refused(() => toml(text), /added to|no table|twice/);
  for (const text of ['a = "x', 'a = "x\ny"', "a = 'x", "a = '''x", 'a = """x']) refused(() => toml(text), /does not end/);
  for (const text of ['a = "\\e"', 'a = "\\x41"', 'a = "\\ud800"', 'a = "\\U00110000"', 'a = "\\u12"']) refused(() => toml(text), /escape/);
  for (const text of ["a = 1 b = 2", "[a] b = 1", "a = [1] x"]) refused(() => toml(text), /behind/);
  for (const text of ["a = [1 2]", "a = [1"]) refused(() => toml(text), /list|another kind/);
  for (const text of ["a = {b = 1", "a = {b = 1,}", "a = {\nb = 1}"]) refused(() => toml(text), /inline|key/);
  for (const text of ["= 1", "é = 1", "\ufeffa = 1", "[]", "[[a]\n", "[a"]) refused(() => toml(text), /key|header/);
  refused(() => toml("a"), /without a value/);
  for (const text of ["a = 1\r", "# \u0001", 'a = "\u007f"']) refused(() => toml(text), /control/);
  refused(() => toml(`a = ${"[".repeat(100)}`), /deeply/);
  refused(() => toml("a = 2026-01-01T00:00:00+24:00"), /zone/);
  refused(() => toml("a = 0001-01-01T00:00:00+01:00"), /years/);
  refused(() => toml("a = 2026-02-30T00:00:00Z"), /moment/);
  refused(() => parseToml(Uint8Array.of(0xff)), /UTF-8/);
});
