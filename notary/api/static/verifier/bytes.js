// Bytes and their text forms. Everything that is not of the one right form is refused.

// What is not of its format. The check in which it is thrown has failed.
export class FormatError extends Error {}

const HEX = /^(?:[0-9a-f]{2})*$/;
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

const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hex(bytes) {
  let text = "";
  for (const byte of bytes) text += PAIRS[byte];
  return text;
}

export function unhex(text) {
  if (typeof text !== "string" || !HEX.test(text)) throw new FormatError("not lower-case hexadecimal");
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
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
