// Proof files (C2SP tlog-proof) and inclusion in a Merkle tree (RFC 9162 §2.1.3.2).

import { FormatError, unbase64 } from "./bytes.js";
import { parseDecimal, parseHash } from "./note.js";
import { sha256 } from "./sha256.js";

const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_FILE = 128 * 1024;
const MAX_EXTRA = 8192;
const MAX_PATH = 63;

// Index (BigInt), path, note and extra (bytes or null) of a proof file; verifies nothing.
export function parseProof(text) {
  const at = text.indexOf("\n\n");
  if (text.length > MAX_FILE || at < 0 || at + 2 === text.length) throw new FormatError("not a proof file");
  const lines = text.slice(0, at).split("\n");
  if (lines.shift() !== HEADER) throw new FormatError("another kind of proof file");
  const extra = lines[0]?.startsWith("extra ") ? unbase64(lines.shift().slice(6)) : null;
  if (extra && extra.length > MAX_EXTRA) throw new FormatError("the extra line is too long");
  if (!lines[0]?.startsWith("index ")) throw new FormatError("no index line");
  const index = parseDecimal(lines.shift().slice(6));
  if (lines.length > MAX_PATH) throw new FormatError("the path is too long");
  return { index, path: lines.map(parseHash), note: text.slice(at + 2), extra };
}

// The leaf hash of an entry; its prefix keeps leaves and nodes apart.
export const hashLeaf = (entry) => sha256(Uint8Array.of(0), entry);

// The root that the path leads to, to be compared with the one in the checkpoint that `size` is from.
export function rootFromPath(leafHash, index, size, path) {
  if (index >= size) throw new FormatError("the index is outside the tree");
  let fn = index;
  let sn = size - 1n;
  let node = leafHash;
  for (const sibling of path) {
    if (sn === 0n) throw new FormatError("the path is longer than the tree is high");
    if (fn & 1n || fn === sn) {
      node = sha256(Uint8Array.of(1), sibling, node);
      while (!(fn & 1n) && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      node = sha256(Uint8Array.of(1), node, sibling);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  if (sn !== 0n) throw new FormatError("the path ends below the root");
  return node;
}
