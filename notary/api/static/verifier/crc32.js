// CRC-32 of ZIP (ISO 3309), fed piece by piece.

const TABLES = Array.from({ length: 8 }, () => new Uint32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  TABLES[0][byte] = value;
}
for (let n = 1; n < 8; n++) for (let byte = 0; byte < 256; byte++) TABLES[n][byte] = (TABLES[n - 1][byte] >>> 8) ^ TABLES[0][TABLES[n - 1][byte] & 255];
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES;

export class Crc32 {
  #value = -1;

  update(bytes) {
    let value = this.#value;
    let at = 0;
    for (const end = bytes.length - 7; at < end; at += 8) {
      value ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      value = T7[value & 255] ^ T6[(value >>> 8) & 255] ^ T5[(value >>> 16) & 255] ^ T4[value >>> 24] ^ T3[bytes[at + 4]] ^ T2[bytes[at + 5]] ^ T1[bytes[at + 6]] ^ T0[bytes[at + 7]];
    }
    for (; at < bytes.length; at++) value = T0[(value ^ bytes[at]) & 255] ^ (value >>> 8);
    this.#value = value;
    return this;
  }

  // 0 to 2^32 - 1.
  digest() {
    return (this.#value ^ -1) >>> 0;
  }
}
