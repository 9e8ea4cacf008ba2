// Check 3.3: the heads are of one history (docs/formats.md §11.4, §12).

import { FormatError, equal } from "./bytes.js";
import { parseCanonical } from "./canonical.js";
import { FAILED, UNCHECKED, Unchecked } from "./checks.js";
import { exactKeys, hexBytes, list, parseDecimal } from "./fields.js";
import { checkConsistency } from "./tree.js";

const MAX_FILE = 262144;
const MAX_PROOFS = 64;
const MAX_PATH = 63;

// Proofs {older, newer (BigInt), path} of a consistency.json.
export function parseConsistency(bytes) {
  if (bytes.length > MAX_FILE) throw new FormatError("consistency.json is too long");
  const file = exactKeys(parseCanonical(bytes), ["version", "proofs"]);
  if (file.version !== 1) throw new FormatError("consistency.json of another version");
  return list(file.proofs, 1, MAX_PROOFS, (proof) => {
    exactKeys(proof, ["old", "new", "path"]);
    const [older, newer] = [parseDecimal(proof.old), parseDecimal(proof.new)];
    if (older < 1n || older >= newer) throw new FormatError("not from a smaller size to a larger one");
    return { older, newer, path: list(proof.path, 0, MAX_PATH, (hash) => hexBytes(hash, 32)) };
  });
}

// Args: sizes of all heads in the package; heads that count, ascending.
export function checkHistory(checks, file, sizes, heads) {
  const proofs = file === undefined ? [] : checkFile(checks, file, sizes, heads);
  const differing = forks(heads);
  for (const [one, other] of differing) checks.add("3.3", FAILED, "the log signed two histories", pair(one, other));
  if (proofs === null) return;
  const linked = new Set(proofs.map(({ older, newer }) => `${older} ${newer}`));
  heads.slice(1).forEach((newer, at) => {
    const older = heads[at];
    if (linked.has(`${older.size} ${newer.size}`) || differing.some(([one, other]) => one === older && other === newer)) return;
    checks.add("3.3", UNCHECKED, "no consistency proof links these heads", { ...pair(older, newer), claim: "not_covered" });
  });
}

const pair = (one, other) => ({ subject: `heads ${one.size} and ${other.size}` });

// The proofs that hold; null where the check failed.
function checkFile(checks, file, sizes, heads) {
  let proofs = [];
  checks.make("3.3", () => {
    proofs = null;
    const all = parseConsistency(file);
    const bySize = new Map(heads.map((head) => [head.size, head]));
    const holding = all.filter(({ older, newer, path }) => {
      for (const size of [older, newer]) if (!sizes.includes(size)) throw new FormatError(`no head of size ${size} is in the package`);
      const [one, other] = [bySize.get(older), bySize.get(newer)];
      if (!one || !other) return false;
      checkConsistency(older, one.root, newer, other.root, path);
      return true;
    });
    proofs = holding;
    if (holding.length < all.length) throw new Unchecked("a head that it names did not pass");
    return `${all.length} proofs hold`;
  });
  return proofs;
}

// Pairs of heads that differ in the hash of a complete subtree that both state or lead through.
function forks(heads) {
  const found = [];
  heads.forEach((one, at) => {
    for (const other of heads.slice(at + 1)) {
      if ([...one.complete].some(([range, hash]) => other.complete.has(range) && !equal(hash, other.complete.get(range)))) found.push([one, other]);
    }
  });
  return found;
}
