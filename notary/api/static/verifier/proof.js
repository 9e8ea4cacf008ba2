// Proof files (C2SP tlog-proof; docs/formats.md §7), and receipts, which begin in the same way (§6).

import { FormatError, bytesOf, textOf, unbase64 } from "./bytes.js";
import { parseHash } from "./checkpoint.js";
import { parseDecimal } from "./fields.js";

export const TLOG_PROOF = "c2sp.org/tlog-proof@v1";
const MAX_FILE = 131072;
const MAX_EXTRA = 8192;
const MAX_PATH = 63;

// Index (BigInt), path, note (bytes) and extra (bytes or null) of a file with that first line; verifies nothing.
export function parseProof(bytes, header = TLOG_PROOF) {
  if (bytes.length > MAX_FILE) throw new FormatError("the proof file is too long");
  const text = textOf(bytes);
  const at = text.indexOf("\n\n");
  if (at < 0) throw new FormatError("not a proof file");
  const lines = text.slice(0, at).split("\n");
  if (lines.shift() !== header) throw new FormatError("another kind of proof file");
  const extra = lines[0]?.startsWith("extra ") ? unbase64(lines.shift().slice(6)) : null;
  if (extra && extra.length > MAX_EXTRA) throw new FormatError("the extra line is too long");
  if (!lines[0]?.startsWith("index ")) throw new FormatError("no index line");
  const index = parseDecimal(lines.shift().slice(6));
  if (lines.length > MAX_PATH) throw new FormatError("the path is too long");
  return { index, path: lines.map(parseHash), note: bytesOf(text.slice(at + 2)), extra };
}
