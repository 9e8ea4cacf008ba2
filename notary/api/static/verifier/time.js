// Moments as BigInt of nanoseconds since 1970: exact, and ordered. Times of ASN.1 (RFC 5280 §4.1.2.5, RFC 3161 §2.4.2).

import { FormatError } from "./bytes.js";
import { TAG } from "./der.js";
import { dateSeconds } from "./fields.js";

export const SECOND = 10n ** 9n;
export const MILLISECOND = 10n ** 6n;
export const MICROSECOND = 10n ** 3n;

const UTC = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,12}))?Z$/;

export const ofSeconds = (seconds) => BigInt(seconds) * SECOND;

// A moment as text, parts of a second cut off.
export function show(moment) {
  const milliseconds = Number(moment / MILLISECOND);
  return Math.abs(milliseconds) < 8.64e15 ? `${new Date(milliseconds).toISOString().slice(0, -5)}Z` : "a time out of range";
}

function read(node, tag, pattern) {
  const bytes = node.need(tag, false).content;
  const text = bytes.length <= 32 ? String.fromCharCode(...bytes) : "";
  const parts = pattern.exec(text);
  if (!parts) throw new FormatError("not a UTC time");
  return parts.slice(1);
}

// A GeneralizedTime of whole seconds, as certificates, lists and OCSP have them.
export function readWhole(node) {
  if (read(node, TAG.generalized, GENERALIZED)[6] !== undefined) throw new FormatError("parts of a second where none may be");
  return readGeneralized(node);
}

// notBefore, thisUpdate and the like.
export function readTime(node) {
  if (!node.is(TAG.utc)) return readWhole(node);
  const [year, ...rest] = read(node, TAG.utc, UTC).map(Number);
  return ofSeconds(dateSeconds(year < 50 ? 2000 + year : 1900 + year, ...rest));
}

// A GeneralizedTime with parts of a second; what is below a microsecond is rounded up (docs/formats.md §9, no. 20).
export function readGeneralized(node) {
  const parts = read(node, TAG.generalized, GENERALIZED);
  const fraction = (parts[6] ?? "").padEnd(12, "0");
  const microseconds = BigInt(fraction.slice(0, 6)) + (Number(fraction.slice(6)) > 0 ? 1n : 0n);
  return ofSeconds(dateSeconds(...parts.slice(0, 6).map(Number))) + microseconds * MICROSECOND;
}
