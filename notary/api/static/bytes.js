// Bytes and their text forms. Everything that is not of the one right form is refused.

export class FormatError extends Error {}

const HEX = /^(?:[0-9a-f]{2})*$/;
const utf8 = new TextEncoder();

export const bytesOf = (text) => utf8.encode(text);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function unhex(text) {
  if (!HEX.test(text)) throw new FormatError("not lower-case hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
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

export function equal(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
