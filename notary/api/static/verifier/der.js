// ASN.1 in BER, with a mark on what is DER (X.690). The whole value is walked when it is parsed, so nothing is left unread.

import { FormatError, concat } from "./bytes.js";
import { bigOf, bytesOfBig } from "./numbers.js";

const MAX_DEPTH = 32;
const MAX_LENGTH_BYTES = 4;
const END = 0;

export const TAG = { boolean: 1, integer: 2, bits: 3, octets: 4, null: 5, oid: 6, enumerated: 10, utf8: 12, sequence: 16, set: 17, utc: 23, generalized: 24 };
const STRINGS = new Set([12, 18, 19, 20, 22, 28, 30]);

function refuse(what) {
  throw new FormatError(`ASN.1: ${what}`);
}

// One value: its class (0 universal to 3 private), tag number, and where it stands in `bytes`.
export class Node {
  constructor(bytes, start) {
    this.bytes = bytes;
    this.start = start;
    this.children = null; // of a constructed value
    this.der = true; // itself and all in it, as to tags and lengths; contents are looked at as they are read
  }

  get raw() {
    return this.bytes.subarray(this.start, this.end);
  }

  get content() {
    return this.bytes.subarray(this.from, this.to);
  }

  is(tag, group = 0) {
    return this.tag === tag && this.group === group;
  }

  need(tag, constructed) {
    if (!this.is(tag) || (this.children !== null) !== constructed) refuse(`another type than ${tag}`);
    return this;
  }

  sequence() {
    return this.need(TAG.sequence, true).children;
  }

  set() {
    return this.need(TAG.set, true).children;
  }

  // The one value in an explicit tag.
  explicit() {
    if (this.children?.length !== 1) refuse("an explicit tag without one value");
    return this.children[0];
  }

  // An implicit tag read as what it stands for.
  as(tag) {
    const node = Object.assign(new Node(this.bytes, this.start), this);
    node.tag = tag;
    node.group = 0;
    return node;
  }

  integer() {
    const bytes = this.need(this.is(TAG.enumerated) ? TAG.enumerated : TAG.integer, false).content;
    if (bytes.length === 0) refuse("an empty integer");
    if (bytes.length > 1 && (bytes[0] === 0 || bytes[0] === 0xff) && bytes[0] >> 7 === bytes[1] >> 7) refuse("an integer that is not in its shortest form");
    const value = bigOf(bytes);
    return bytes[0] & 0x80 ? value - (1n << BigInt(8 * bytes.length)) : value;
  }

  boolean() {
    const bytes = this.need(TAG.boolean, false).content;
    if (bytes.length !== 1 || (bytes[0] !== 0 && bytes[0] !== 0xff)) refuse("not a boolean");
    return bytes[0] !== 0;
  }

  null() {
    if (this.need(TAG.null, false).content.length !== 0) refuse("null with contents");
  }

  oid() {
    return readOid(this.need(TAG.oid, false).content);
  }

  octets() {
    return this.need(TAG.octets, false).content;
  }

  // The same of a string that may stand in pieces, as BER allows.
  pieces() {
    if (!this.is(TAG.octets)) refuse("not an octet string");
    return this.children === null ? this.content : concat(...this.children.map((child) => child.pieces()));
  }

  // Unused bits and the bytes of a bit string.
  bits() {
    const bytes = this.need(TAG.bits, false).content;
    const unused = bytes[0];
    const last = bytes[bytes.length - 1];
    if (!(unused <= 7) || (bytes.length === 1 && unused > 0) || (unused > 0 && last & ((1 << unused) - 1))) refuse("not a bit string");
    return { unused, bytes: bytes.subarray(1) };
  }

  // The bytes of a bit string of whole bytes.
  wholeBits() {
    const { unused, bytes } = this.bits();
    if (unused !== 0) refuse("a bit string that is not of whole bytes");
    return bytes;
  }

  // The numbers of the named bits that are set.
  flags() {
    const { bytes } = this.bits();
    const found = new Set();
    for (let at = 0; at < 8 * Math.min(bytes.length, 4); at++) if (bytes[at >> 3] & (0x80 >> (at & 7))) found.add(at);
    return found;
  }

  get isString() {
    return this.group === 0 && STRINGS.has(this.tag) && this.children === null;
  }
}

// The arcs of an object identifier, with dots.
function readOid(bytes) {
  if (bytes.length === 0 || bytes.length > 64 || bytes[bytes.length - 1] & 0x80) refuse("not an object identifier");
  const arcs = [];
  let arc = 0n;
  let fresh = true;
  for (const byte of bytes) {
    if (fresh && byte === 0x80) refuse("an object identifier that is not in its shortest form");
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    fresh = (byte & 0x80) === 0;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first, ...rest] = arcs;
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - 40n * top, ...rest].join(".");
}

function readTag(node, bytes, at) {
  const first = bytes[at++];
  node.group = first >> 6;
  node.tag = first & 31;
  if (node.tag !== 31) return at;
  node.tag = 0;
  for (let count = 0; ; count++) {
    const byte = bytes[at++];
    if (byte === undefined || count === 3 || (count === 0 && byte === 0x80)) refuse("not a tag");
    node.tag = (node.tag << 7) | (byte & 0x7f);
    if (byte < 0x80) break;
  }
  if (node.tag < 31) refuse("a tag that is not in its shortest form");
  return at;
}

// The length at `at`: undefined where it is indefinite; and where the contents begin.
function readLength(node, bytes, at) {
  const first = bytes[at++];
  if (first === undefined) refuse("cut off");
  if (first < 0x80) return [first, at];
  if (first === 0x80) {
    node.der = false;
    return [undefined, at];
  }
  const count = first & 0x7f;
  if (count > MAX_LENGTH_BYTES || at + count > bytes.length) refuse("cut off");
  let length = 0;
  for (let n = 0; n < count; n++) length = length * 256 + bytes[at++];
  if (length < 0x80 || length < 256 ** (count - 1)) node.der = false;
  return [length, at];
}

function readNode(bytes, start, limit, depth) {
  if (depth > MAX_DEPTH) refuse("nested too deeply");
  if (start >= limit) refuse("cut off");
  const node = new Node(bytes, start);
  const constructed = (bytes[start] & 0x20) !== 0;
  const [length, from] = readLength(node, bytes, readTag(node, bytes, start));
  node.from = from;
  if (length === undefined && !constructed) refuse("an indefinite length of a primitive value");
  const to = length === undefined ? limit : from + length;
  if (to > limit || from > limit) refuse("cut off");
  node.end = node.to = to;
  if (constructed) readChildren(node, to, length === undefined, depth);
  if (node.group === 0 && constructed !== (node.tag === TAG.sequence || node.tag === TAG.set)) {
    if (!constructed || node.tag !== TAG.octets) refuse("constructed where it may not be, or the reverse");
    node.der = false;
  }
  return node;
}

function readChildren(node, to, indefinite, depth) {
  node.children = [];
  let at = node.from;
  while (at < to) {
    if (indefinite && node.bytes[at] === END && node.bytes[at + 1] === END) {
      node.to = at;
      node.end = at + 2;
      return;
    }
    const child = readNode(node.bytes, at, to, depth + 1);
    if (child.group === 0 && child.tag === END) refuse("an end without a beginning");
    node.der &&= child.der;
    node.children.push(child);
    at = child.end;
  }
  if (indefinite) refuse("cut off");
}

// The one value in `bytes`, to the last byte.
export function parseBer(bytes) {
  const node = readNode(bytes, 0, bytes.length, 0);
  if (node.end !== bytes.length) refuse("bytes behind the value");
  return node;
}

// The same, in DER as to tags and lengths.
export function parseDer(bytes) {
  const node = parseBer(bytes);
  if (!node.der) refuse("not DER");
  return node;
}

// Tag (one byte), length in its shortest form, contents.
export function encodeDer(tag, content) {
  const { length } = content;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content);
  const size = Math.ceil(length.toString(16).length / 2);
  return concat(Uint8Array.of(tag, 0x80 | size), bytesOfBig(BigInt(length), size), content);
}
