import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { readBitcoinHeader } from "../../notary/api/static/verifier/bitcoin.js";
import { unhex } from "../../notary/api/static/verifier/bytes.js";
import { checkOts } from "../../notary/api/static/verifier/ots.js";
import { readOts } from "../../notary/api/static/verifier/ots_file.js";
import { refused } from "./refused.mjs";

const hash = (name, ...parts) => createHash(name).update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();
const STAMPED = new Uint8Array(Buffer.from("a note\n"));
const DIGEST = hash("sha256", STAMPED);
const MAGIC = Buffer.from("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e892940108", "hex");
const BLOCK = Buffer.from("0588960d73d71901", "hex");
const PENDING = Buffer.from("83dfe30d2ef90c8e", "hex");

function number(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
const sized = (bytes) => Buffer.concat([number(bytes.length), bytes]);
const attest = (tag, payload) => Buffer.concat([Buffer.of(0), tag, sized(payload)]);
const inBlock = (height) => attest(BLOCK, number(height));
const pending = (address) => attest(PENDING, sized(Buffer.from(address)));
const fork = (...branches) => Buffer.concat(branches.flatMap((branch, at) => (at < branches.length - 1 ? [Buffer.of(0xff), branch] : [branch])));
const append = (bytes, rest) => Buffer.concat([Buffer.of(0xf0), sized(bytes), rest]);
const prepend = (bytes, rest) => Buffer.concat([Buffer.of(0xf1), sized(bytes), rest]);
const sha = (rest) => Buffer.concat([Buffer.of(8), rest]);
const file = (tree, digest = DIGEST) => new Uint8Array(Buffer.concat([MAGIC, digest, tree]));

// The first block of Bitcoin, as every node has it; and a header of any root and time with work as easy as it gets.
const GENESIS = unhex(`0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c`);
function header(root, time) {
  const raw = Buffer.alloc(80);
  root.copy(raw, 36);
  raw.writeUInt32LE(time, 68);
  raw.writeUInt32LE(0x207fffff, 72);
  while (hash("sha256", hash("sha256", raw))[31] > 0x7e) raw.writeUInt32LE(raw.readUInt32LE(76) + 1, 76);
  return new Uint8Array(raw);
}

const ROOT = hash("sha256", "left", DIGEST, "right");
const proof = (height) => prepend(Buffer.from("left"), append(Buffer.from("right"), sha(inBlock(height))));
const judge = (bytes, blocks = []) => checkOts(bytes, STAMPED, new Map(blocks));
const shown = ({ file: one, block, bound }) => [one.outcome, block?.outcome ?? null, bound?.notAfter ?? null];
const ns = (seconds) => BigInt(seconds) * 10n ** 9n;

test("a file that leads to a block of the trust file bounds the time, two hours after the header's", () => {
  assert.deepEqual(shown(judge(file(proof(700_000)), [[700_000, header(ROOT, 1_700_000_000)]])), ["passed", "passed", ns(1_700_007_200)]);
  const two = file(fork(proof(700_000), proof(700_001), pending("https://a.example")));
  assert.deepEqual(shown(judge(two, [[700_000, header(ROOT, 1_700_000_000)], [700_001, header(ROOT, 1_600_000_000)]])), ["passed", "passed", ns(1_600_007_200)]);
  assert.deepEqual(shown(judge(two, [[700_000, header(Buffer.alloc(32), 5)], [700_001, header(ROOT, 9)]])), ["passed", "passed", ns(7209)]);
});

test("without a block it is pending, without the block's header it is open, and with another root it fails", () => {
  assert.deepEqual(shown(judge(file(pending("https://a.example/x-y_z:1")))), ["could_not_be_checked", null, null]);
  assert.deepEqual(shown(judge(file(attest(Buffer.alloc(8, 1), Buffer.from("anything"))))), ["could_not_be_checked", null, null]);
  assert.deepEqual(shown(judge(file(proof(7)))), ["passed", "could_not_be_checked", null]);
  assert.deepEqual(shown(judge(file(proof(7)), [[7, header(Buffer.alloc(32), 5)]])), ["passed", "failed", null]);
  assert.deepEqual(shown(judge(file(proof(7), hash("sha256", "other")))), ["failed", null, null]);
});

test("the operations are those of the format, and RIPEMD-160 is one", () => {
  const made = readOts(file(Buffer.concat([Buffer.of(3), append(Buffer.alloc(12, 7), inBlock(5))])));
  assert.deepEqual(Buffer.from(made.attestations[0].root), Buffer.concat([hash("ripemd160", DIGEST), Buffer.alloc(12, 7)]));
  for (const operation of [0x02, 0x67, 0xf2, 0xf3, 0x01]) refused(() => readOts(file(Buffer.concat([Buffer.of(operation), inBlock(5)]))), /not known/);
});

test("what is not of the form is refused", () => {
  const bad = [
    [Buffer.concat([proof(5), Buffer.of(0)]), /left over/],
    [Buffer.alloc(0), /cut off/],
    [append(Buffer.alloc(0), inBlock(5)), /empty operand/],
    [attest(BLOCK, Buffer.of(5, 0)), /left over/],
    [attest(BLOCK, Buffer.of(0x85, 0)), /shortest form/],
    [attest(BLOCK, Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80, 1)), /too many bytes/],
    [append(Buffer.of(1), inBlock(5)), /not 32 bytes/],
    [attest(PENDING, Buffer.concat([sized(Buffer.from("a")), Buffer.of(1)])), /left over/],
    [pending("https://a.example/?q"), /other characters/],
    [pending("x".repeat(1001)), /too long/],
    [attest(Buffer.alloc(8, 1), Buffer.alloc(8193)), /too long/],
    [append(Buffer.alloc(4090), inBlock(5)), /message is too long/],
    [append(Buffer.alloc(5000), inBlock(5)), /too long/],
    [fork(...Array(65).fill(pending("a"))), /too many attestations/],
  ];
  for (const [tree, words] of bad) refused(() => readOts(file(tree)), words);
  for (const at of [0, 5, 31, 32]) refused(() => readOts(file(proof(5)).map((byte, n) => (n === at ? byte ^ 1 : byte))), /not an OpenTimestamps/);
  refused(() => readOts(new Uint8Array(262145)), /too long/);
});

test("operations are bounded in a row and in all", () => {
  let row = inBlock(5);
  for (let n = 0; n < 256; n++) row = sha(row);
  assert.equal(readOts(file(row)).attestations.length, 1);
  refused(() => readOts(file(sha(row))), /too many operations/);
  let part = pending("a");
  for (let n = 0; n < 200; n++) part = sha(part);
  assert.equal(readOts(file(fork(...Array(10).fill(part)))).attestations.length, 10);
  refused(() => readOts(file(fork(...Array(11).fill(part)))), /too many operations/);
});

test("a header of Bitcoin shows its work, or is refused", () => {
  assert.equal(readBitcoinHeader(GENESIS).time, 1231006505);
  const bits = (text) => GENESIS.map((byte, at) => (at >= 72 && at < 76 ? unhex(text)[at - 72] : byte));
  refused(() => readBitcoinHeader(GENESIS.map((byte, at) => (at === 40 ? byte ^ 1 : byte))), / work/);
  refused(() => readBitcoinHeader(GENESIS.subarray(1)), /80 bytes/);
  for (const text of ["0000801d", "0000001d", "ffff00ff", "01000001"]) refused(() => readBitcoinHeader(bits(text)), /target/);
});
