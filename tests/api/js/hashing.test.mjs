import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { hex } from "./static/verifier/bytes.js";
import { hashBlob } from "./static/hashing.js";
import { Sm3 } from "./static/verifier/sm3.js";

const vectors = JSON.parse(readFileSync("vectors.json", "utf8"));
const NAMES = ["sha-256", "sm3", "sha-384", "sha-512", "sha3-256", "sha3-512"];
const reference = (bytes) => Object.fromEntries(NAMES.map((name) => [name, createHash(name.replace(/^sha-/, "sha")).update(bytes).digest("hex")]));

test("SM3 of every length around the block borders is that of another implementation", () => {
  assert.equal(vectors.lengths.length, 200);
  for (const { bytes, sm3 } of vectors.lengths) assert.equal(hex(new Sm3().update(Buffer.from(bytes, "hex")).digest()), sm3);
});

test("the examples of GB/T 32905-2016", () => {
  const sm3 = (text) => hex(new Sm3().update(Buffer.from(text)).digest());
  assert.equal(sm3("abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
  assert.equal(sm3("abcd".repeat(16)), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
});

test("a file is read in pieces, and progress ends at its size", async () => {
  const bytes = randomBytes(9 << 20);
  const steps = [];
  assert.deepEqual(await hashBlob(new Blob([bytes]), NAMES, (done) => steps.push(done)), reference(bytes));
  assert.deepEqual(steps, [4 << 20, 8 << 20, 9 << 20]);
});

test("without crypto.subtle, as on a plain http address, every digest is taken", async () => {
  const { subtle } = crypto;
  Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
  try {
    assert.deepEqual(await hashBlob(new Blob(["x"]), NAMES, () => {}), reference("x"));
  } finally {
    Object.defineProperty(crypto, "subtle", { value: subtle, configurable: true });
  }
});

test("a file that cannot be read is said to be so", async () => {
  const gone = new Blob(["x"]);
  gone.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) });
  await assert.rejects(hashBlob(gone, ["sha-256"], () => {}), /gone/);
});
