// Bytes and their text forms. Everything that is not of the one right form is refused.

// What is not of its format. The check in which it is thrown has failed.
export class FormatError extends Error {}

const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const bytesOf = (text) => utf8.encode(text);

// The text in UTF-8; a byte order mark is a character like any other.
export function textOf(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    throw new FormatError("not UTF-8");
  }
}

const LONG = 256; // bytes
const CODES = bytesOf("0123456789abcdef");
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hex(bytes) {
  if (bytes.length > LONG) return hexOfLong(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at++) text += PAIRS[bytes[at]];
  return text;
}

// By the code of a digit its value; `NONE` for what is no digit. A megabyte of evidence is mostly such digits.
const NONE = 0x100;
const DIGITS = new Uint16Array(128).fill(NONE);
"0123456789abcdef".split("").forEach((digit, value) => (DIGITS[digit.charCodeAt(0)] = value));

// Of many bytes a text that grows by two characters takes a time that matters.
function hexOfLong(bytes) {
  const text = new Uint8Array(2 * bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    text[2 * at] = CODES[bytes[at] >> 4];
    text[2 * at + 1] = CODES[bytes[at] & 15];
  }
  return strict.decode(text);
}

export function unhex(text) {
  if (typeof text !== "string" || text.length % 2 !== 0) throw new FormatError("not lower-case hexadecimal");
  const bytes = new Uint8Array(text.length / 2);
  let wrong = 0;
  for (let at = 0; at < bytes.length; at++) {
    const high = text.charCodeAt(2 * at);
    const low = text.charCodeAt(2 * at + 1);
    wrong |= (high | low) >> 7;
    const value = (DIGITS[high & 127] << 4) | DIGITS[low & 127];
    wrong |= value >> 8;
    bytes[at] = value;
  }
  if (wrong !== 0) throw new FormatError("not lower-case hexadecimal");
  return bytes;
}

export function base64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

// Standard base64 with padding; atob also takes spaces and stray bits, so the result is encoded again and compared.
export function unbase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new FormatError("not base64");
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (base64(bytes) !== text) throw new FormatError("not the standard base64 form");
  return bytes;
}

// base64url without padding (RFC 4648 §5), in its one spelling.
export function unbase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new FormatError("not base64url");
  const standard = text.replace(/-/g, "+").replace(/_/g, "/");
  return unbase64(standard + "=".repeat((4 - (standard.length % 4)) % 4));
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(left, right) {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

// -1, 0 or 1: the order of the first byte that differs, and of the lengths where one begins the other.
export function compare(left, right) {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) if (left[at] !== right[at]) return left[at] < right[at] ? -1 : 1;
  return Math.sign(left.length - right.length);
}

export const COMMA = 0x2c;

// How often a byte stands there: with commas, a bound on the values of a JSON text before it is read.
export function countOf(bytes, wanted) {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === wanted) count++;
  return count;
}
