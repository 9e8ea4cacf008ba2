import assert from "node:assert/strict";
import test from "node:test";

import { parseCheckpoint, parseHash } from "../../notary/api/static/verifier/checkpoint.js";
import { hex } from "../../notary/api/static/verifier/bytes.js";
import { checkConsistency, climb, hashLeaf, rootFromPath, rootOf } from "../../notary/api/static/verifier/tree.js";
import { refused } from "./refused.mjs";
import * as world from "./world.mjs";

const entries = Array.from({ length: 20 }, (_, n) => world.entryOf(`${n}`));
const flipped = (hash) => Uint8Array.from(hash, (byte, at) => (at === 5 ? byte ^ 1 : byte));

test("every leaf of every tree of up to 20 leaves leads to its root, and from no other place or size", () => {
  for (let size = 1; size <= entries.length; size++) {
    const some = entries.slice(0, size);
    const root = hex(world.rootOf(some));
    assert.equal(hex(rootOf(some.map(hashLeaf))), root);
    for (let index = 0; index < size; index++) {
      const path = world.pathOf(some, index);
      const lead = (at, of, by = path) => hex(rootFromPath(hashLeaf(some[index]), BigInt(at), BigInt(of), by));
      assert.equal(lead(index, size), root);
      path.forEach((hash, at) => assert.notEqual(lead(index, size, path.map((one, n) => (n === at ? flipped(hash) : one))), root));
      refused(() => lead(index, size, [...path, path[0] ?? some[0]]), /not as long/);
      if (path.length > 0) refused(() => lead(index, size, path.slice(1)), /not as long/);
      if (index !== size - 1 - index) {
        const other = size - 1 - index;
        const found = world.pathOf(some, other).length === path.length ? lead(other, size) : null;
        assert.notEqual(found, root);
      }
      refused(() => lead(size, size), /outside/);
    }
  }
});

test("every consistency proof between trees of up to 20 leaves holds, and no changed one", () => {
  for (let size = 2; size <= entries.length; size++) {
    for (let older = 1; older < size; older++) {
      const proof = world.consistencyOf(entries.slice(0, size), older);
      const [one, other] = [world.rootOf(entries.slice(0, older)), world.rootOf(entries.slice(0, size))];
      const check = (by, from = one, to = other) => checkConsistency(BigInt(older), from, BigInt(size), to, by);
      check(proof);
      for (let at = 0; at < proof.length; at++) refused(() => check(proof.map((one, n) => (n === at ? flipped(one) : one))), /not hold/);
      refused(() => check(proof, flipped(one)), /not hold/);
      refused(() => check(proof, one, flipped(other)), /not hold/);
      refused(() => check([...proof, one]), /too long|not hold/);
      refused(() => check(proof.slice(1)), /empty|not hold/);
      refused(() => check([]), /empty/);
    }
  }
});

test("complete subtrees on the way are those of the tree", () => {
  const { complete } = climb(hashLeaf(entries[2]), 2n, 7n, world.pathOf(entries.slice(0, 7), 2));
  assert.deepEqual([...complete.keys()].sort(), ["0-2", "0-4", "2-3", "2-4", "3-4"]);
  assert.deepEqual(hex(complete.get("0-4")), hex(world.rootOf(entries.slice(0, 4))));
});

test("a checkpoint has three lines", () => {
  const text = world.checkpointText(7, entries[0]);
  assert.equal(parseCheckpoint(text).size, 7n);
  for (const other of [`${text}x\n`, text.slice(0, -1), `\n${text}`, text.replace(/^[^\n]*/, "")]) refused(() => parseCheckpoint(other), /three lines/);
  refused(() => parseHash("AAAA"), /32 bytes/);
  refused(() => parseCheckpoint(text.replace("\n7", "\n07")), /decimal/);
});
