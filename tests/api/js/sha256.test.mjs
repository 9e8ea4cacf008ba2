import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import test from "node:test";

import { hex } from "./static/verifier/bytes.js";
import { Sha256, sha256 } from "./static/verifier/sha256.js";

const reference = (bytes) => createHash("sha256").update(bytes).digest("hex");

test("every length around the block borders is hashed as node does it", () => {
  for (let length = 0; length <= 200; length++) {
    const bytes = randomBytes(length);
    assert.equal(hex(sha256(bytes)), reference(bytes), `${length} bytes`);
  }
});

test("pieces of any size give the digest of the whole", () => {
  const bytes = randomBytes(10_000);
  for (const piece of [1, 3, 55, 63, 64, 65, 127, 1000, 9999]) {
    const hash = new Sha256();
    for (let at = 0; at < bytes.length; at += piece) hash.update(bytes.subarray(at, at + piece));
    assert.equal(hex(hash.digest()), reference(bytes), `pieces of ${piece}`);
  }
});

test("the example of FIPS 180-4 with a million times a", () => {
  const hash = new Sha256();
  const piece = new Uint8Array(1000).fill(0x61);
  for (let n = 0; n < 1000; n++) hash.update(piece);
  assert.equal(hex(hash.digest()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
});

test("a length of more than 2^32 bits is counted whole", () => {
  const piece = Buffer.alloc(1 << 24, 7);
  const ours = new Sha256();
  const theirs = createHash("sha256");
  for (let n = 0; n < 33; n++) {
    ours.update(piece);
    theirs.update(piece);
  }
  assert.equal(hex(ours.digest()), theirs.digest("hex"));
});

test("a view into a larger buffer is hashed from its own beginning", () => {
  const bytes = randomBytes(500);
  assert.equal(hex(sha256(new Uint8Array(bytes.buffer, bytes.byteOffset + 7, 300))), reference(bytes.subarray(7, 307)));
});
