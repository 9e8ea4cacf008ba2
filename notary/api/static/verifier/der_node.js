// One value of ASN.1 (X.690), and what it says. Each way to read one throws where it is of another type or form.

import { FormatError, concat } from "./bytes.js";
import { bigOf } from "./numbers.js";

export const TAG = { boolean: 1, integer: 2, bits: 3, octets: 4, null: 5, oid: 6, enumerated: 10, utf8: 12, sequence: 16, set: 17, utc: 23, generalized: 24 };
const STRINGS = new Set([12, 18, 19, 20, 22, 28, 30]);

export function refuse(what) {
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

  enumerated() {
    return this.need(TAG.enumerated, false).as(TAG.integer).integer();
  }

  integer() {
    const bytes = this.need(TAG.integer, false).content;
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
    for (let at = 0; at < 8 * bytes.length; at++) if (bytes[at >> 3] & (0x80 >> (at & 7))) found.add(at);
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
