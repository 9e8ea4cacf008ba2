// COSE receipts of inclusion (RFC 9942; docs/formats.md §7.1): CBOR of exactly one shape, in core deterministic encoding.

import { FormatError, bytesOf, concat, equal, textOf } from "./bytes.js";
import { verifyEd25519 } from "./ed25519.js";
import { MAX_SIZE, matching, parseDecimal } from "./fields.js";
import { bigOf } from "./numbers.js";
import { ORIGIN } from "./statement.js";

const MAX_FILE = 8192;
const MAX_PATH = 63;
const [UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6];
const NULL = 0xf6;
const SIGN1 = 18;
const [ALG, KID, CLAIMS, VDS, VDP] = [1, 4, 15, 395, 396];
const [ISS, SUB] = [1, 2];
const [EDDSA, INCLUSION] = [7, 0]; // -8 and -1, as CBOR counts negative numbers
const RFC9162_SHA256 = 1;

function demand(holds, message = "not a COSE receipt of its shape") {
  if (!holds) throw new FormatError(message);
}

class Reader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  take(length) {
    demand(length <= this.#bytes.length - this.#at, "the COSE receipt ends too early");
    this.#at += Number(length);
    return this.#bytes.slice(this.#at - Number(length), this.#at);
  }

  // The argument of a head of this major type, in its shortest form (RFC 8949 §3, §4.2.1).
  argument(major) {
    const [first] = this.take(1);
    const short = first & 31;
    demand(first >> 5 === major && short < 28);
    if (short < 24) return BigInt(short);
    const length = 1 << (short - 24);
    const value = bigOf(this.take(length));
    demand(value >= (length === 1 ? 24n : 1n << BigInt(4 * length)), "a number of the COSE receipt is not in its shortest form");
    return value;
  }

  need(major, value) {
    demand(this.argument(major) === BigInt(value));
  }

  bytes() {
    return this.take(this.argument(BYTES));
  }

  hash() {
    const bytes = this.bytes();
    demand(bytes.length === 32);
    return bytes;
  }

  text() {
    return textOf(this.take(this.argument(TEXT)));
  }

  end() {
    demand(this.#at === this.#bytes.length, "bytes left over in the COSE receipt");
  }
}

// {origin, size, kid} of the protected header.
function readProtected(bytes) {
  const reader = new Reader(bytes);
  reader.need(MAP, 4);
  reader.need(UINT, ALG);
  reader.need(NEGATIVE, EDDSA);
  reader.need(UINT, KID);
  const kid = reader.bytes();
  demand(kid.length === 4);
  reader.need(UINT, CLAIMS);
  reader.need(MAP, 2);
  reader.need(UINT, ISS);
  const origin = matching(reader.text(), ORIGIN);
  reader.need(UINT, SUB);
  const size = parseDecimal(reader.text());
  reader.need(UINT, VDS);
  reader.need(UINT, RFC9162_SHA256);
  reader.end();
  return { origin, size, kid };
}

// {size, index, path} of the one inclusion proof.
function readInclusion(bytes) {
  const reader = new Reader(bytes);
  reader.need(ARRAY, 3);
  const [size, index] = [reader.argument(UINT), reader.argument(UINT)];
  demand(size <= MAX_SIZE && index <= MAX_SIZE);
  const length = reader.argument(ARRAY);
  demand(length >= 1n && length <= MAX_PATH);
  const path = Array.from({ length: Number(length) }, () => reader.hash());
  reader.end();
  return { size, index, path };
}

// Origin, size and index (BigInt), path, kid, signature and the protected header as it stands; verifies nothing.
export function parseCose(bytes) {
  demand(bytes.length <= MAX_FILE, "the COSE receipt is too long");
  const reader = new Reader(bytes);
  reader.need(TAG, SIGN1);
  reader.need(ARRAY, 4);
  const header = reader.bytes();
  reader.need(MAP, 1);
  reader.need(UINT, VDP);
  reader.need(MAP, 1);
  reader.need(NEGATIVE, INCLUSION);
  reader.need(ARRAY, 1);
  const inclusion = readInclusion(reader.bytes());
  demand(reader.take(1)[0] === NULL);
  const signature = reader.bytes();
  demand(signature.length === 64);
  reader.end();
  const named = readProtected(header);
  demand(named.size === inclusion.size, "the proof is of another size than the receipt says");
  return { ...named, ...inclusion, header, signature };
}

const headOf = (major, length) => (length < 24 ? Uint8Array.of((major << 5) | length) : length < 256 ? Uint8Array.of((major << 5) | 24, length) : Uint8Array.of((major << 5) | 25, length >> 8, length & 255));
const encoded = (major, bytes) => concat(headOf(major, bytes.length), bytes);

// The log key that signed this root as the receipt says (RFC 9052 §4.4).
export function verifyCose({ kid, header, signature }, root, keys) {
  const key = keys.find(({ keyId }) => equal(keyId, kid));
  demand(key, "signed by no key of the trust file");
  const signed = concat(headOf(ARRAY, 4), encoded(TEXT, bytesOf("Signature1")), encoded(BYTES, header), encoded(BYTES, new Uint8Array()), encoded(BYTES, root));
  demand(verifyEd25519(key.key, signed, signature), `the signature of ${key.vkey} does not verify`);
  return key;
}
