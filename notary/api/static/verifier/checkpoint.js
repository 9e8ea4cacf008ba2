// Checkpoints (C2SP tlog-checkpoint; docs/formats.md §5).

import { FormatError, unbase64 } from "./bytes.js";
import { parseDecimal } from "./fields.js";

// Origin, size (BigInt) and root of the text of a note.
export function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length !== 4 || lines[3] !== "" || lines[0] === "") throw new FormatError("not a checkpoint of three lines");
  return { origin: lines[0], size: parseDecimal(lines[1]), root: parseHash(lines[2]) };
}

// 32 bytes in base64.
export function parseHash(text) {
  const bytes = unbase64(text);
  if (bytes.length !== 32) throw new FormatError("not 32 bytes");
  return bytes;
}

