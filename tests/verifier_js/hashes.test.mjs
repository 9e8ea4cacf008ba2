import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import test from "node:test";

import { keccak_256 } from "@noble/hashes/sha3";

import { hex } from "../../notary/api/static/verifier/bytes.js";
import { ripemd160 } from "../../notary/api/static/verifier/ripemd160.js";
import { sha1 } from "../../notary/api/static/verifier/sha1.js";
import { Sha3_256, Sha3_384, Sha3_512, keccak256, sha3_256, sha3_384, sha3_512 } from "../../notary/api/static/verifier/sha3.js";
import { Sha384, Sha512, sha384, sha512 } from "../../notary/api/static/verifier/sha512.js";

const WHOLE = { sha1, ripemd160, sha384, sha512, "sha3-256": sha3_256, "sha3-384": sha3_384, "sha3-512": sha3_512 };
const STREAMS = { sha384: Sha384, sha512: Sha512, "sha3-256": Sha3_256, "sha3-384": Sha3_384, "sha3-512": Sha3_512 };
const reference = (name, bytes) => createHash(name).update(bytes).digest("hex");

for (const [name, hash] of Object.entries(WHOLE)) {
  test(`${name} of every length around the block borders is as node has it`, () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = randomBytes(length);
      assert.equal(hex(hash(bytes)), reference(name, bytes), `${length} bytes`);
    }
  });
}

for (const [name, Hash] of Object.entries(STREAMS)) {
  test(`${name} of pieces of any size is that of the whole`, () => {
    const bytes = randomBytes(5000);
    for (const piece of [1, 7, 71, 72, 73, 127, 128, 129, 136, 1000]) {
      const hash = new Hash();
      for (let at = 0; at < bytes.length; at += piece) hash.update(bytes.subarray(at, at + piece));
      assert.equal(hex(hash.digest()), reference(name, bytes), `pieces of ${piece}`);
    }
  });
}

test("a view into a larger buffer is hashed from its own beginning", () => {
  const bytes = randomBytes(700);
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset + 3, 500);
  for (const [name, hash] of Object.entries(WHOLE)) assert.equal(hex(hash(view)), reference(name, view), name);
});

test("Keccak-256 pads as Ethereum does, and not as SHA-3", () => {
  assert.equal(hex(keccak256(new Uint8Array(0))), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  for (let length = 0; length <= 300; length++) {
    const bytes = new Uint8Array(randomBytes(length));
    assert.equal(hex(keccak256(bytes)), hex(keccak_256(bytes)), `${length} bytes`);
  }
});

test("the lengths of a long message are counted in 64 bits", () => {
  const piece = Buffer.alloc(1 << 20, 5);
  const ours = new Sha512();
  const theirs = createHash("sha512");
  for (let n = 0; n < 20; n++) {
    ours.update(piece);
    theirs.update(piece);
  }
  assert.equal(hex(ours.digest()), theirs.digest("hex"));
});
