// ASN.1 in BER, with a mark on what is DER (X.690). The whole value is walked when it is parsed, so nothing is left unread.

import { concat } from "./bytes.js";
import { Node, TAG, refuse } from "./der_node.js";
import { bytesOfBig } from "./numbers.js";

const MAX_DEPTH = 32;
const MAX_VALUES = 4096; // in what is parsed at once
const MAX_LENGTH_BYTES = 4;
const END = 0;

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

function readNode(bytes, start, limit, depth, budget) {
  if (depth > MAX_DEPTH) refuse("nested too deeply");
  if (budget.left-- === 0) refuse("too many values");
  if (start >= limit) refuse("cut off");
  const node = new Node(bytes, start);
  const constructed = (bytes[start] & 0x20) !== 0;
  const [length, from] = readLength(node, bytes, readTag(node, bytes, start));
  node.from = from;
  if (length === undefined && !constructed) refuse("an indefinite length of a primitive value");
  const to = length === undefined ? limit : from + length;
  if (to > limit || from > limit) refuse("cut off");
  node.end = node.to = to;
  if (constructed) readChildren(node, to, length === undefined, depth, budget);
  if (node.is(TAG.set) && constructed && !isOrdered(node.children)) node.der = false;
  if (node.group === 0 && constructed !== (node.tag === TAG.sequence || node.tag === TAG.set)) {
    if (!constructed || node.tag !== TAG.octets) refuse("constructed where it may not be, or the reverse");
    node.der = false;
  }
  return node;
}

// Ascending, the shorter one filled with zeros (X.690 §11.6).
function isBefore(one, two) {
  for (let at = 0; at < Math.max(one.length, two.length); at++) {
    const difference = (one[at] ?? 0) - (two[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

export const isOrdered = (nodes) => nodes.every((node, at) => at === 0 || isBefore(nodes[at - 1].raw, node.raw));

function readChildren(node, to, indefinite, depth, budget) {
  node.children = [];
  let at = node.from;
  while (at < to) {
    if (indefinite && node.bytes[at] === END && node.bytes[at + 1] === END) {
      if (at + 2 > to) refuse("cut off");
      node.to = at;
      node.end = at + 2;
      return;
    }
    const child = readNode(node.bytes, at, to, depth + 1, budget);
    if (child.group === 0 && child.tag === END) refuse("an end without a beginning");
    node.der &&= child.der;
    node.children.push(child);
    at = child.end;
  }
  if (indefinite) refuse("cut off");
}

// The one value in `bytes`, to the last byte; `most` values may be in it, itself counted.
export function parseBer(bytes, most = MAX_VALUES) {
  const node = readNode(bytes, 0, bytes.length, 0, { left: most });
  if (node.end !== bytes.length) refuse("bytes behind the value");
  return node;
}

// The same, in DER as to tags and lengths.
export function parseDer(bytes, most = MAX_VALUES) {
  const node = parseBer(bytes, most);
  if (!node.der) refuse("not DER");
  return node;
}

// The value at `at`, which ends before `limit` and is not looked into: its first byte, and where its contents begin and end.
export function extentOf(bytes, at, limit) {
  const mark = { der: true };
  if (at + 1 >= limit || (bytes[at] & 31) === 31) refuse("cut off, or a tag of several bytes");
  const [length, from] = readLength(mark, bytes, at + 1);
  if (!mark.der || from + length > limit) refuse("not DER, or cut off");
  return { first: bytes[at], from, to: from + length };
}

// Tag (one byte), length in its shortest form, contents.
export function encodeDer(tag, content) {
  const { length } = content;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content);
  const size = Math.ceil(length.toString(16).length / 2);
  return concat(Uint8Array.of(tag, 0x80 | size), bytesOfBig(BigInt(length), size), content);
}

export { TAG };
