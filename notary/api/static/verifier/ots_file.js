// Files of OpenTimestamps, read strictly (docs/formats.md §9.1).

import { FormatError, concat, equal, hex, textOf, unhex } from "./bytes.js";
import { ripemd160 } from "./ripemd160.js";
import { sha256 } from "./sha256.js";

const MAX_FILE = 262144;
const MAX_OPERATIONS = 2048;
const MAX_IN_A_ROW = 256;
const MAX_ATTESTATIONS = 64;
const MAX_MESSAGE = 4096;
const MAX_PAYLOAD = 8192;
const MAX_ADDRESS = 1000;
const MAX_NUMBER_BYTES = 5;
const MAX_HEIGHT = 2 ** 31 - 1;

export const MAGIC = unhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294");
const BEGINNING = concat(MAGIC, Uint8Array.of(0x01, 0x08)); // version 1 and SHA-256
const PENDING = "83dfe30d2ef90c8e";
const IN_BLOCK = "0588960d73d71901";
const ADDRESS = /^[A-Za-z0-9\-._/:]+$/;

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new FormatError("the file is cut off");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  // Unsigned LEB128 in its shortest form; below 2^35, so exact.
  number() {
    let value = 0;
    for (let count = 0; count < MAX_NUMBER_BYTES; count++) {
      const [byte] = this.take(1);
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (byte < 0x80) {
        if (byte === 0 && count > 0) throw new FormatError("a number that is not in its shortest form");
        return value;
      }
    }
    throw new FormatError("a number of too many bytes");
  }

  sized(limit) {
    const length = this.number();
    if (length > limit) throw new FormatError("a piece of the file is too long");
    return this.take(length);
  }

  end() {
    if (this.at !== this.bytes.length) throw new FormatError("bytes left over");
  }
}

function bounded(message) {
  if (message.length > MAX_MESSAGE) throw new FormatError("a message is too long");
  return message;
}

function operand(reader) {
  const bytes = reader.sized(MAX_MESSAGE);
  if (bytes.length === 0) throw new FormatError("an empty operand");
  return bytes;
}

function apply(operation, message, reader) {
  if (operation === 0x08) return sha256(message);
  if (operation === 0x03) return ripemd160(message);
  if (operation === 0xf0) return bounded(concat(message, operand(reader)));
  if (operation === 0xf1) return bounded(concat(operand(reader), message));
  throw new FormatError("an operation that is not known");
}

function readAttestation(reader, message) {
  const tag = hex(reader.take(8));
  const payload = new Reader(reader.sized(MAX_PAYLOAD));
  if (tag === PENDING) {
    const address = textOf(payload.sized(MAX_ADDRESS));
    if (!ADDRESS.test(address)) throw new FormatError("a calendar's address is empty or has other characters");
    payload.end();
    return { kind: "pending", address };
  }
  if (tag !== IN_BLOCK) return { kind: "other", tag };
  const height = payload.number();
  if (height > MAX_HEIGHT) throw new FormatError("a height that no block has");
  payload.end();
  if (message.length !== 32) throw new FormatError("a Merkle root that has not 32 bytes");
  return { kind: "block", height, root: message };
}

class Tree {
  constructor(reader) {
    this.reader = reader;
    this.operations = 0;
    this.attestations = [];
  }

  read(message, depth) {
    for (;;) {
      const [mark] = this.reader.take(1);
      const more = mark === 0xff;
      this.branch(more ? this.reader.take(1)[0] : mark, message, depth);
      if (!more) return;
    }
  }

  branch(mark, message, depth) {
    if (mark === 0) {
      if (this.attestations.length === MAX_ATTESTATIONS) throw new FormatError("too many attestations");
      this.attestations.push(readAttestation(this.reader, message));
      return;
    }
    if (++this.operations > MAX_OPERATIONS || depth === MAX_IN_A_ROW) throw new FormatError("too many operations");
    this.read(apply(mark, message, this.reader), depth + 1);
  }
}

// The digest that the file is over, and its attestations: pending with address, block with height and root, other with tag.
export function readOts(bytes) {
  if (bytes.length > MAX_FILE) throw new FormatError("the file is too long");
  const reader = new Reader(bytes);
  if (!equal(reader.take(BEGINNING.length), BEGINNING)) throw new FormatError("not an OpenTimestamps file over a SHA-256");
  const digest = reader.take(32);
  const tree = new Tree(reader);
  tree.read(digest, 0);
  reader.end();
  return { digest, attestations: tree.attestations };
}
