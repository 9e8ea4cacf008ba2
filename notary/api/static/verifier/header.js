// Headers of blocks and what each kind of chain asks of them (docs/formats.md §10).

import { FormatError, equal, unhex } from "./bytes.js";
import { sealedHash } from "./seals.js";
import { bytesOf, decodeRlp, listOf, numberOf } from "./rlp.js";
import { keccak256 } from "./sha3.js";

const MAX_HEADER = 8192;
const MAX_VALUES = 64;
const MAX_NUMBER = 2n ** 53n - 1n;
const MAX_TIME = 253402300799n; // the last second of the year 9999
const [OMMERS, STATE, RECEIPTS, DIFFICULTY, NUMBER, TIME, MIX, NONCE, BASE_FEE] = [1, 3, 5, 7, 8, 11, 13, 14, 15];
const LENGTHS = [[0, 32], [1, 32], [2, 20], [3, 32], [4, 32], [5, 32], [6, 256], [13, 32], [14, 8]];

// Mix hash of a chain whose validators seal its blocks.
const SEALED = unhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365");
const NO_OMMERS = keccak256(Uint8Array.of(0xc0));

export const isSealed = (profile) => profile === "qbft" || profile === "ibft2";

const plainHash = (raw) => ({ hash: keccak256(raw), seals: null });

function checkProfile(fields, profile) {
  const sealed = equal(fields[MIX], SEALED);
  if (sealed !== isSealed(profile)) throw new FormatError("a header of another kind of chain");
  if (sealed && !equal(fields[DIFFICULTY], Uint8Array.of(1))) throw new FormatError("a sealed header of another difficulty than 1");
  if (profile !== "op") return;
  const holds = fields[DIFFICULTY].length === 0 && fields[NONCE].every((byte) => byte === 0) && equal(fields[OMMERS], NO_OMMERS) && fields.length > BASE_FEE;
  if (!holds) throw new FormatError("not a header of an OP Stack rollup");
}

// A header of this profile: hash, number and time (BigInt), state and receipts root; `seals` with what they are over, where it is sealed.
export function readHeader(raw, profile) {
  if (raw.length > MAX_HEADER) throw new FormatError("the header is too long");
  const fields = listOf(decodeRlp(raw, MAX_VALUES)).map((field) => bytesOf(field));
  if (fields.length < 15 || fields.length > 24) throw new FormatError("a header has 15 to 24 fields");
  for (const [at, length] of LENGTHS) bytesOf(fields[at], length);
  checkProfile(fields, profile);
  const number = numberOf(fields[NUMBER]);
  const time = numberOf(fields[TIME]);
  if (number > MAX_NUMBER || time > MAX_TIME) throw new FormatError("number or time of the header are out of range");
  const known = isSealed(profile) && number > 0n ? sealedHash(fields, profile) : plainHash(raw);
  return { number, time, state: fields[STATE], receipts: fields[RECEIPTS], ...known };
}
