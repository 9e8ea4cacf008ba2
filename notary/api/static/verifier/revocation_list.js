// Revocation lists in DER (RFC 5280 §5), read no further than somebody rests on them (docs/formats.md §9): first the
// issuer, then all but the entries, and at last those entries that may be about a certificate.

import { FormatError, equal } from "./bytes.js";
import { TAG, extentOf, parseDer } from "./der.js";
import { OID, readAuthorityKey, readPointName, tagged } from "./extensions.js";
import { readName } from "./names.js";
import { readAlgorithm } from "./signature.js";
import { readTime } from "./time.js";
import { readExtensions } from "./x509.js";

const MAX_PART = 2048; // bytes of issuer, algorithm, extensions or a time
const MAX_VALUES = 256; // in each of these, and in an entry
const MAX_READ = 1024; // entries of one list that are read
const [INTEGER, SEQUENCE, EXTENSIONS] = [0x02, 0x30, 0xa0]; // first bytes
const TIMES = [0x17, 0x18];
const ISSUING_POINT = "2.5.29.28";

const parse = (bytes) => parseDer(bytes, MAX_VALUES);

// Steps through the values that stand one behind the other in bytes[at..end].
class Steps {
  constructor(bytes, at, end) {
    Object.assign(this, { bytes, at, end });
  }

  isNext(...first) {
    return this.at < this.end && first.includes(this.bytes[this.at]);
  }

  // The contents of the next value, a SEQUENCE.
  inside() {
    const { first, from, to } = extentOf(this.bytes, this.at, this.end);
    if (first !== SEQUENCE) throw new FormatError("not a list");
    this.at = to;
    return new Steps(this.bytes, from, to);
  }

  // The next value, parsed.
  next() {
    const { to } = extentOf(this.bytes, this.at, this.end);
    if (to - this.at > MAX_PART) throw new FormatError("a part of a list that is too long");
    const node = parse(this.bytes.subarray(this.at, to));
    this.at = to;
    return node;
  }

  finish() {
    if (this.at !== this.end) throw new FormatError("not a list");
  }
}

// A list as far as its issuer: its name, and what `readRest` goes on from.
export function readStart(bytes) {
  const whole = new Steps(bytes, 0, bytes.length);
  const outer = whole.inside();
  whole.finish();
  const begin = outer.at;
  const fields = outer.inside();
  if (fields.isNext(INTEGER) && fields.next().integer() !== 1n) throw new FormatError("a list of another version");
  const algorithm = fields.next();
  readAlgorithm(algorithm);
  return { tbs: bytes.subarray(begin, outer.at), algorithm, outer, fields, issuer: readName(fields.next()) };
}

function readPoint(extension) {
  const [where, users, authorities, reasons, indirect, attributes] = tagged(parse(extension.value).sequence(), 5);
  const flag = (node) => {
    if (node && !node.as(TAG.boolean).boolean()) throw new FormatError("a default value that is stated, which is not DER");
    return node !== undefined;
  };
  reasons?.as(TAG.bits).bits();
  return { ...readPointName(where), users: flag(users), authorities: flag(authorities), part: reasons !== undefined || flag(indirect) || flag(attributes) };
}

// What follows the issuer; of the entries only where they stand. Args: `start` of readStart, which it uses up.
export function readRest({ tbs, algorithm, outer, fields }) {
  if (!fields.isNext(...TIMES)) throw new FormatError("a list without a time");
  const thisUpdate = readTime(fields.next());
  if (fields.isNext(...TIMES)) readTime(fields.next()); // nextUpdate
  const entries = fields.isNext(SEQUENCE) ? fields.inside() : null;
  const extensions = fields.isNext(EXTENSIONS) ? readExtensions(fields.next().explicit()) : new Map();
  fields.finish();
  const again = outer.next();
  if (!equal(again.raw, algorithm.raw)) throw new FormatError("a list names two signature algorithms");
  const signature = parse(outer.bytes.subarray(outer.at, outer.end)).wholeBits();
  const [point, authority] = [ISSUING_POINT, OID.authorityKeyIdentifier].map((oid) => extensions.get(oid));
  return {
    tbs,
    algorithm: readAlgorithm(algorithm),
    signature,
    thisUpdate,
    extensions,
    entries: entries ? outer.bytes.subarray(entries.at, entries.end) : new Uint8Array(0),
    point: point ? readPoint(point) : null,
    keyIdentifier: authority ? readAuthorityKey(parse(authority.value)) : null,
  };
}

const startsAt = (bytes, at, wanted) => {
  for (let n = 0; n < wanted.length; n++) if (bytes[at + n] !== wanted[n]) return false;
  return true;
};

// Where `wanted` stands at `from` or later; beyond the end where it does not. What is empty stands everywhere.
function find(bytes, wanted, from) {
  if (wanted.length === 0) return from;
  for (let at = bytes.indexOf(wanted[0], from); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) if (startsAt(bytes, at, wanted)) return at;
  return Infinity;
}

const TRUE = Uint8Array.of(1, 1, 0xff); // stands in each entry with a critical extension

// The contents of an INTEGER without what may be padding.
function bareOf(content) {
  const from = content.findIndex((byte) => byte !== 0 && byte !== 0xff);
  return content.subarray(from < 0 ? content.length : from);
}

// Whether an entry begins with an INTEGER that is another one, however it is padded, and its length is one byte.
function isOfAnother(entry, bare) {
  const [tag, length] = entry;
  if (tag !== INTEGER || length === undefined || length >= 0x80 || 2 + length > entry.length) return false;
  return !equal(bareOf(entry.subarray(2, 2 + length)), bare);
}

// Each entry that may be about this serial number (contents of an INTEGER) or in which 01 01 ff begin: {serial, at,
// extensions}. Where neither stands in any, none is looked at. A number is found in other spellings than that of DER, too:
// a list with one is damaged, and some tools read it all the same.
export function readEntries(entries, serial) {
  const bare = bareOf(serial);
  let mark = find(entries, TRUE, 0);
  let held = find(entries, bare, 0);
  if (mark === Infinity && held === Infinity) return [];
  const found = [];
  for (let at = 0; at < entries.length; ) {
    const { first, from, to } = extentOf(entries, at, entries.length);
    if (first !== SEQUENCE) throw new FormatError("not an entry of a list");
    if (mark < to || (held < to && !isOfAnother(entries.subarray(from, to), bare))) {
      if (found.length === MAX_READ) throw new FormatError("too many entries of a list would have to be read");
      found.push(readEntry(parse(entries.subarray(at, to))));
    }
    if (mark < to) mark = find(entries, TRUE, to);
    if (held < to) held = find(entries, bare, to);
    at = to;
  }
  return found;
}

function readEntry(node) {
  const [serial, time, extensions, ...more] = node.sequence();
  if (time === undefined || more.length > 0) throw new FormatError("not an entry of a list");
  return { serial: serial.integer(), at: readTime(time), extensions: extensions ? readExtensions(extensions) : new Map() };
}
