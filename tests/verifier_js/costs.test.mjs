// What hostile evidence can make this verifier do: counted, not timed.

import assert from "node:assert/strict";
import test from "node:test";

import { countOf, hex, unhex } from "../../notary/api/static/verifier/bytes.js";
import { extentOf, parseDer } from "../../notary/api/static/verifier/der.js";
import { proveValue } from "../../notary/api/static/verifier/mpt.js";
import { prepare } from "../../notary/api/static/verifier/names.js";
import { readEntries, readRest, readStart } from "../../notary/api/static/verifier/revocation_list.js";
import { encodeRlp } from "../../notary/api/static/verifier/rlp.js";
import { checkSeals } from "../../notary/api/static/verifier/seals.js";
import { keccak256 } from "../../notary/api/static/verifier/sha3.js";
import { Tries } from "../../notary/api/static/verifier/tries.js";
import { refused } from "./refused.mjs";

const der = (tag, ...parts) => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  return Uint8Array.from([tag, ...(length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]), ...content]);
};
const TIME = der(0x17, Buffer.from("260301123000Z"));
const REASON = der(0x30, [6, 3, 0x55, 0x1d, 0x15, 1, 1, 0xff, 4, 3, 0x0a, 1, 1]);
const SERIAL = [2, 1, 5];
const NUMBER = Uint8Array.of(5);
const PLAIN = der(0x30, [2, 1, 6], TIME);
const MARKED = der(0x30, [2, 1, 7], TIME, der(0x30, REASON));
const join = (...parts) => Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(part))));
const serials = (entries) => readEntries(entries, NUMBER).map(({ serial }) => Number(serial));

test("each signature is tried once, and the 65th not at all", () => {
  let tried = 0;
  const issuer = (n, key = "CA") => ({ subject: { key }, keyName: `k${n}` });
  const certificate = { issuer: { key: "CA" }, fingerprint: "f", isSignedBy: ({ keyName }) => (tried++, keyName === "k7") };
  const tries = new Tries();
  for (let again = 0; again < 3; again++) for (let n = 0; n < 64; n++) assert.equal(tries.issued(issuer(n), certificate), n === 7);
  assert.equal(tried, 64);
  assert.equal(tries.issued(issuer(65, "another name"), certificate), false);
  refused(() => tries.issued(issuer(65), certificate), /too many signatures/);
  assert.equal(tried, 64);
  assert.equal(new Tries().issued(issuer(65), certificate), false); // of another package
});

test("of the entries of a list those alone are read that may be about the certificate or have a critical extension", () => {
  const damaged = der(0x30, [4, 0]);
  assert.deepEqual(serials(join(PLAIN, damaged, [4, 0])), []); // nothing is looked for
  assert.deepEqual(serials(join(PLAIN, der(0x30, SERIAL, TIME), damaged)), [5]);
  assert.deepEqual(serials(join(PLAIN, MARKED, damaged, MARKED)), [7, 7]);
  assert.equal(serials(join(...Array(1024).fill(MARKED), damaged)).length, 1024);
  refused(() => serials(join(...Array(1025).fill(MARKED))), /too many entries/);
  refused(() => serials(join(MARKED, [5, 0])), /not an entry/);
  refused(() => serials(join(MARKED, [0x30, 5, 2])), /cut off/);
  refused(() => serials(der(0x30, SERIAL)), /not an entry/);
  refused(() => serials(der(0x30, SERIAL, TIME, der(0x30, REASON), [5, 0])), /not an entry/);
});

test("a serial number is found however it is spelt, and no other number is read", () => {
  const spelt = (...first) => der(0x30, first, TIME);
  const found = (entries, ...number) => readEntries(entries, Uint8Array.from(number)).map(({ serial }) => Number(serial));
  refused(() => found(join(PLAIN, spelt(2, 2, 0, 5)), 5), /shortest form/);
  refused(() => found(spelt(2, 0x81, 1, 5), 5), /not DER/);
  refused(() => found(spelt(2, 0x88, 0, 0, 0, 0, 0, 0, 0, 1, 5), 5), /cut off/);
  refused(() => found(spelt(0x0a, 1, 5), 5), /./);
  refused(() => found(der(0x30, [2, 2, 5]), 5), /cut off/);
  refused(() => found(join(PLAIN, spelt(2, 2, 0, 0)), 0), /shortest form/);
  refused(() => found(join(PLAIN, spelt(2, 0)), 0), /empty integer/);
  refused(() => found(join(PLAIN, spelt(2, 2, 0xff, 0xff)), 0xff), /shortest form/);
  assert.deepEqual(found(join(PLAIN, spelt(2, 2, 0, 200), spelt(2, 1, 56)), 0, 200), [200]);
  assert.deepEqual(found(join(PLAIN, spelt(2, 1, 0), PLAIN), 0), [0]);
  assert.deepEqual(found(join(PLAIN, spelt(2, 1, 0xff), PLAIN), 0xff), [-1]);
  const damaged = [der(0x30, [2, 1, 6], [4, 1, 5]), der(0x30, [2, 2, 5, 1]), der(0x30, [2, 2, 1, 5])];
  assert.deepEqual(found(join(...damaged), 5), []);
});

test("of a list whose issuer is nobody's no more is read, and what its start has no room for is refused", () => {
  const name = (...texts) => der(0x30, ...texts.map((text) => der(0x31, der(0x30, [6, 3, 0x55, 4, 3], der(12, Buffer.from(text))))));
  const algorithm = der(0x30, [6, 3, 0x2b, 0x65, 0x70]);
  const list = (issuer, rest = join(TIME), version = [2, 1, 1]) => der(0x30, der(0x30, version, algorithm, issuer, rest), algorithm, der(3, [0, 1, 2]));
  assert.equal(readStart(list(name("CA"), [5, 0])).issuer.attributes[0].text, "CA"); // damaged behind it
  refused(() => readRest(readStart(list(name("CA"), [5, 0]))), /without a time/);
  assert.equal(readRest(readStart(list(name("CA")))).entries.length, 0);
  readStart(list(name("x".repeat(2027))));
  refused(() => readStart(list(name("x".repeat(2028)))), /too long/);
  readStart(list(name(...Array(63).fill(""))));
  refused(() => readStart(list(name(...Array(64).fill("")))), /too many values/);
  refused(() => readStart(list(name("CA"), TIME, [2, 1, 2])), /another version/);
  refused(() => readStart(join(list(name("CA")), [0])), /not a list/);
  refused(() => readStart(der(0x31, [5, 0])), /not a list/);
  refused(() => readRest(readStart(list(name("CA"), join(TIME, [5, 0])))), /not a list/);
});

test("a value that is not looked into is one by its length in DER", () => {
  assert.deepEqual(extentOf(Uint8Array.of(5, 0x30, 1, 9), 1, 4), { first: 0x30, from: 3, to: 4 });
  refused(() => extentOf(Uint8Array.of(0x30, 2, 9), 0, 3), /cut off/);
  refused(() => extentOf(Uint8Array.of(0x30), 0, 1), /cut off/);
  refused(() => extentOf(Uint8Array.of(0x30, 0x80, 0, 0), 0, 4), /not DER/);
  refused(() => extentOf(Uint8Array.of(0x30, 0x81, 1, 9), 0, 4), /not DER/);
  refused(() => extentOf(Uint8Array.of(0x3f, 0x81, 1, 0), 0, 4), /several bytes/);
});

test("a value of more values than are read is refused, and so is a node of a trie", () => {
  const nulls = (count) => der(0x30, new Uint8Array(2 * count).map((_, at) => (at % 2 === 0 ? 5 : 0)));
  assert.equal(parseDer(nulls(4095)).children.length, 4095);
  refused(() => parseDer(nulls(4096)), /too many values/);
  assert.equal(parseDer(nulls(9), 10).children.length, 9);
  refused(() => parseDer(nulls(10), 10), /too many values/);
  const node = (count) => encodeRlp([Array(count).fill(new Uint8Array(0)), Uint8Array.of(1)]);
  refused(() => proveValue(keccak256(node(253)), new Uint8Array(0), [node(253)]), /not bytes/);
  refused(() => proveValue(keccak256(node(254)), new Uint8Array(0), [node(254)]), /too many values/);
});

test("the first seal that is not good is the last that is looked at", () => {
  let asked = 0;
  const signatures = [];
  const seal = () => (asked++, new Uint8Array(65).fill(1)); // it recovers to somebody, who is no validator
  for (let at = 0; at < 100; at++) Object.defineProperty(signatures, at, { get: seal });
  refused(() => checkSeals({ digest: new Uint8Array(32).fill(1), signatures, validators: [] }, [new Uint8Array(20)]), /a seal of somebody|no point/);
  assert.equal(asked, 1);
});

test("long texts come out as short ones do", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7) & 255);
  assert.equal(hex(bytes), Buffer.from(bytes).toString("hex"));
  assert.deepEqual(unhex(hex(bytes)), bytes);
  for (const wrong of ["0", "0g", "g0", "0A", "é0", "0\u0130", "\u01300", "00 0"]) refused(() => unhex(wrong), /hexadecimal/);
  assert.equal(countOf(Uint8Array.of(1, 2, 1), 1), 2);
  assert.equal(prepare("İıΣς ΑΣ ß"), [..."İıΣς ΑΣ ß"].map((each) => prepare(`x${each}x`).slice(1, -1) || " ").join(""));
});
