// Proofs in Merkle Patricia tries (Ethereum yellow paper, appendix D).

import { FormatError, equal } from "./bytes.js";
import { bytesOf, decodeRlp, encodeRlp, listOf } from "./rlp.js";
import { keccak256 } from "./sha3.js";

const MAX_NODES = 65;
const MAX_VALUES = 256;
const HASH = 32;

const nibblesOf = (bytes) => Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15]);

// Nibbles of a hex-prefix encoding, and whether the node is a leaf.
function readPath(bytes) {
  const [first, ...rest] = nibblesOf(bytesOf(bytes));
  if (first === undefined || first > 3) throw new FormatError("not a path of a trie");
  if (first & 1) return { isLeaf: first > 1, nibbles: rest };
  if (rest[0] !== 0) throw new FormatError("not a path of a trie");
  return { isLeaf: first > 1, nibbles: rest.slice(1) };
}

// One step down: { value } at the end of the way (null: the key is not in the trie), or { child, used } further down.
function step(node, key) {
  if (node.length === 17) {
    if (key.length === 0) return { value: end(node[16]) };
    return { child: node[key[0]], used: 1 };
  }
  const { isLeaf, nibbles } = readPath(listOf(node, 2)[0]);
  const fits = nibbles.length <= key.length && nibbles.every((nibble, at) => nibble === key[at]);
  if (isLeaf) return { value: fits && nibbles.length === key.length ? need(node[1]) : null };
  if (nibbles.length === 0) throw new FormatError("an extension of a trie that leads nowhere");
  return fits ? { child: node[1], used: nibbles.length, needed: true } : { value: null };
}

const end = (value) => (bytesOf(value).length === 0 ? null : value);

function need(value) {
  if (bytesOf(value).length === 0) throw new FormatError("an empty value in a trie");
  return value;
}

class Nodes {
  constructor(nodes) {
    this.nodes = nodes;
    this.at = 0;
  }

  hashed(hash) {
    const raw = this.nodes[this.at];
    if (raw === undefined) throw new FormatError("a node of the proof is missing");
    if (!equal(keccak256(raw), hash)) throw new FormatError("a node of the proof has another hash");
    if (raw.length < HASH && this.at > 0) throw new FormatError("a short node stands outside of its parent");
    this.at++;
    return decodeRlp(raw, MAX_VALUES);
  }

  child(reference) {
    if (!Array.isArray(reference)) return this.hashed(bytesOf(reference, HASH));
    if (encodeRlp(reference).length >= HASH) throw new FormatError("a long node stands inside its parent");
    return reference;
  }
}

// The value of `key` in the trie of this root, or null where the proof shows that there is none. Throws where the proof does not hold.
export function proveValue(root, key, nodes) {
  if (nodes.length > MAX_NODES) throw new FormatError("too many nodes in a proof");
  const given = new Nodes(nodes);
  let node = given.hashed(root);
  let rest = nibblesOf(key);
  let value = null;
  while (Array.isArray(node) || node.length > 0) {
    const next = step(listOf(node), rest);
    if (next.child === undefined) {
      value = next.value;
      break;
    }
    if (!Array.isArray(next.child) && next.child.length === 0) {
      if (next.needed) throw new FormatError("an extension of a trie that leads nowhere");
      break;
    }
    rest = rest.slice(next.used);
    node = given.child(next.child);
  }
  if (given.at !== nodes.length) throw new FormatError("a node of the proof is not on the way");
  return value;
}
