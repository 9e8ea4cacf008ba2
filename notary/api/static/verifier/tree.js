// Merkle trees of the log and of commitments (RFC 9162 §2.1; docs/formats.md §2, §7, §11.3). Sizes are BigInt.

import { FormatError, equal } from "./bytes.js";
import { sha256 } from "./sha256.js";

const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);

// The leaf hash of an entry; its prefix keeps leaves and nodes apart.
export const hashLeaf = (entry) => sha256(ZERO, entry);
export const hashNode = (left, right) => sha256(ONE, left, right);

// Leaves in the left subtree of a tree of `size` > 1 leaves: the largest power of two below it.
function split(size) {
  let power = 1n;
  while (power << 1n < size) power <<= 1n;
  return power;
}

// The siblings of a leaf, the lowest first: the ranges [low, high) of leaves that they stand over.
function siblings(index, size) {
  const found = [];
  let [low, high] = [0n, size];
  while (high - low > 1n) {
    const middle = low + split(high - low);
    if (index < middle) {
      found.push({ low: middle, high, left: false });
      high = middle;
    } else {
      found.push({ low, high: middle, left: true });
      low = middle;
    }
  }
  return found.reverse();
}

const isPowerOfTwo = (size) => (size & (size - 1n)) === 0n;

// The root that an inclusion path leads to, to be compared with the one in the checkpoint that `size` is from, and
// the complete subtrees on the way: a Map from "low-high" to their hashes.
export function climb(leafHash, index, size, path) {
  if (index >= size) throw new FormatError("the index is outside the tree");
  const way = siblings(index, size);
  if (way.length !== path.length) throw new FormatError("the path is not as long as the tree is high");
  const complete = new Map([[`${index}-${index + 1n}`, leafHash]]);
  const note = (low, high, hash) => isPowerOfTwo(high - low) && complete.set(`${low}-${high}`, hash);
  let root = leafHash;
  let [low, high] = [index, index + 1n];
  way.forEach((sibling, at) => {
    note(sibling.low, sibling.high, path[at]);
    root = sibling.left ? hashNode(path[at], root) : hashNode(root, path[at]);
    if (sibling.left) low = sibling.low;
    else high = sibling.high;
    note(low, high, root);
  });
  return { root, complete };
}

export const rootFromPath = (...inclusion) => climb(...inclusion).root;

// The root over leaf hashes in their order; of none, SHA-256 of nothing.
export function rootOf(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  const middle = Number(split(BigInt(leaves.length)));
  return hashNode(rootOf(leaves.slice(0, middle)), rootOf(leaves.slice(middle)));
}

// Refuses a consistency proof that does not hold between two roots, 1 <= oldSize < newSize (RFC 9162 §2.1.4.2).
export function checkConsistency(oldSize, oldRoot, newSize, newRoot, proof) {
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : [...proof];
  if (path.length === 0 || proof.length === 0) throw new FormatError("the consistency proof is empty");
  let [fn, sn] = [oldSize - 1n, newSize - 1n];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [older, newer] = [path[0], path[0]];
  for (const sibling of path.slice(1)) {
    if (sn === 0n) throw new FormatError("the consistency proof is too long");
    if (fn & 1n || fn === sn) {
      older = hashNode(sibling, older);
      newer = hashNode(sibling, newer);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      newer = hashNode(newer, sibling);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  if (sn !== 0n || !equal(older, oldRoot) || !equal(newer, newRoot)) throw new FormatError("the consistency proof does not hold");
}
