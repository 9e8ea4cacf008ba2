// Checks 5.3 and 5.4 of one OpenTimestamps file, and its bound (docs/formats.md §9.1).

import { FormatError, equal, hex } from "./bytes.js";
import { readBitcoinHeader } from "./bitcoin.js";
import { readOts } from "./ots_file.js";
import { sha256 } from "./sha256.js";
import { ofSeconds } from "./time.js";

const TWO_HOURS = 7200;

function readFile(bytes, stamped) {
  const { digest, attestations } = readOts(bytes);
  if (!equal(digest, sha256(stamped))) throw new FormatError("the file is over other bytes");
  return attestations;
}

function judgeBlocks(attested, blocks) {
  const known = attested.filter(({ height }) => blocks.has(height)).map(({ height, root }) => ({ height, root, header: readBitcoinHeader(blocks.get(height)) }));
  const proved = known.filter(({ root, header }) => equal(root, header.root));
  if (proved.length > 0) {
    const first = Math.min(...proved.map(({ header }) => header.time));
    const heights = proved.map(({ height }) => height).join(", ");
    return { block: { outcome: "passed", detail: `block ${heights} of Bitcoin` }, bound: { notAfter: ofSeconds(first + TWO_HOURS), keys: [] } };
  }
  if (known.length > 0) return { block: { outcome: "failed", detail: `block ${known[0].height} has another Merkle root` }, bound: null };
  const open = attested.map(({ height, root }) => `block ${height}, Merkle root ${hex(root.slice().reverse())}`).join("; ");
  return { block: { outcome: "could_not_be_checked", detail: `to be compared in an explorer: ${open}` }, bound: null };
}

// Args: bytes of the file; stamped, the stamped bytes of the checkpoint; blocks, Map of height (Number) to header of the trust file. Never throws.
export function checkOts(bytes, stamped, blocks) {
  let attestations;
  try {
    attestations = readFile(bytes, stamped);
  } catch (error) {
    return { file: { outcome: "failed", detail: error.message }, block: null, bound: null };
  }
  const attested = attestations.filter(({ kind }) => kind === "block");
  if (attested.length === 0) return { file: { outcome: "could_not_be_checked", detail: "pending: no Bitcoin block is in it" }, block: null, bound: null };
  const file = { outcome: "passed", detail: `leads to ${attested.length} block(s) of Bitcoin` };
  return { file, ...judgeBlocks(attested, blocks) };
}

export { readBitcoinHeader };
