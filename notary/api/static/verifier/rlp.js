// RLP (Ethereum yellow paper, appendix B), read strictly: one spelling for each value. A value is bytes or a list of values.

import { FormatError, concat } from "./bytes.js";
import { bigOf, bytesOfBig } from "./numbers.js";

const MAX_DEPTH = 16;

class Reader {
  constructor(bytes, limit) {
    this.bytes = bytes;
    this.left = limit;
  }

  // The value at `at`, which ends before `end`; and where it ends.
  value(at, end, depth) {
    if (this.left-- === 0) throw new FormatError("RLP: too many values");
    if (at >= end) throw new FormatError("RLP: cut off");
    const first = this.bytes[at];
    if (first < 0x80) return [this.bytes.subarray(at, at + 1), at + 1];
    const isList = first >= 0xc0;
    const [from, to] = this.#extent(at, end, first - (isList ? 0xc0 : 0x80));
    if (!isList) {
      if (to - from === 1 && this.bytes[from] < 0x80) throw new FormatError("RLP: a byte with a needless length");
      return [this.bytes.subarray(from, to), to];
    }
    if (depth === MAX_DEPTH) throw new FormatError("RLP: nested too deeply");
    const items = [];
    for (let next = from; next < to; ) {
      const [item, after] = this.value(next, to, depth + 1);
      items.push(item);
      next = after;
    }
    return [items, to];
  }

  #extent(at, end, short) {
    let from = at + 1;
    let length = short;
    if (short > 55) {
      const digits = this.bytes.subarray(from, from + short - 55);
      from += short - 55;
      length = Number(bigOf(digits));
      if (from > end || digits[0] === 0 || length <= 55) throw new FormatError("RLP: a length that is not in its shortest form");
    }
    if (from + length > end) throw new FormatError("RLP: cut off");
    return [from, from + length];
  }
}

// The one value in `bytes`, of at most `limit` values, lists counted too.
export function decodeRlp(bytes, limit) {
  const [value, end] = new Reader(bytes, limit).value(0, bytes.length, 0);
  if (end !== bytes.length) throw new FormatError("RLP: bytes behind the value");
  return value;
}

function withLength(offset, body) {
  if (body.length <= 55) return concat(Uint8Array.of(offset + body.length), body);
  const size = Math.ceil(body.length.toString(16).length / 2);
  return concat(Uint8Array.of(offset + 55 + size), bytesOfBig(BigInt(body.length), size), body);
}

export function encodeRlp(value) {
  if (Array.isArray(value)) return withLength(0xc0, concat(...value.map(encodeRlp)));
  return value.length === 1 && value[0] < 0x80 ? value : withLength(0x80, value);
}

// The list of exactly these many values.
export function listOf(value, length) {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw new FormatError("RLP: not a list of its length");
  return value;
}

export function bytesOf(value, length) {
  if (Array.isArray(value) || (length !== undefined && value.length !== length)) throw new FormatError("RLP: not bytes of their length");
  return value;
}

// A number without leading zeros, of at most `size` bytes.
export function numberOf(value, size = 32) {
  const bytes = bytesOf(value);
  if (bytes.length > size || bytes[0] === 0) throw new FormatError("RLP: not a number");
  return bigOf(bytes);
}

export const encodeNumber = (value) => encodeRlp(value === 0n ? new Uint8Array(0) : bytesOfBig(value, Math.ceil(value.toString(16).length / 2)));
