// Numbers and the bytes that spell them, highest first.

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function bigOf(bytes) {
  let text = "0x0";
  for (const byte of bytes) text += DIGITS[byte];
  return BigInt(text);
}

// `length` bytes of a number that fits into them.
export function bytesOfBig(value, length) {
  const digits = value.toString(16).padStart(2 * length, "0");
  return Uint8Array.from({ length }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

export const bitLength = (value) => (value === 0n ? 0 : value.toString(2).length);
