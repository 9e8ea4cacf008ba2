// Block headers of Bitcoin: 80 bytes that show their own work (docs/formats.md §9.1).

import { FormatError } from "./bytes.js";
import { bigOf } from "./numbers.js";
import { sha256 } from "./sha256.js";

const SIZE = 80;

// The largest hash that four bytes `bits` allow: a mantissa of 23 bits and its sign, times a power of 256.
function targetOf(bits) {
  const size = bits >>> 24;
  const mantissa = bits & 0x7fffff;
  if (bits & 0x800000 || mantissa === 0) throw new FormatError("a target that is negative or zero");
  const target = size <= 3 ? BigInt(mantissa) >> BigInt(8 * (3 - size)) : BigInt(mantissa) << BigInt(8 * (size - 3));
  if (target === 0n || target >= 1n << 256n) throw new FormatError("a target that is out of range");
  return target;
}

// Merkle root, in the order of the header, and time (seconds since 1970). Throws where the work is missing.
export function readBitcoinHeader(bytes) {
  if (bytes.length !== SIZE) throw new FormatError("a block header has 80 bytes");
  const view = new DataView(bytes.buffer, bytes.byteOffset, SIZE);
  const hash = bigOf(sha256(sha256(bytes)).reverse());
  if (hash > targetOf(view.getUint32(72, true))) throw new FormatError("the header does not show the work that it states");
  return { root: bytes.slice(36, 68), time: view.getUint32(68, true) };
}
