// SHA-1 (FIPS 180-4), for the names that older standards form with it: ESSCertID (RFC 2634) and CertID (RFC 6960). No signature counts with it.

import { BlockHash } from "./blocks.js";

const START = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
const K = Int32Array.of(0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6);

const left = (word, by) => (word << by) | (word >>> (32 - by));

function mix(round, x, y, z) {
  if (round === 0) return (x & y) ^ (~x & z);
  if (round === 2) return (x & y) ^ (x & z) ^ (y & z);
  return x ^ y ^ z;
}

class Sha1 extends BlockHash {
  #words = new Int32Array(80);

  constructor() {
    super(START);
  }

  compress(state, view, at) {
    const w = this.#words;
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 80; i++) w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    let [a, b, c, d, e] = state;
    for (let i = 0; i < 80; i++) {
      const round = Math.floor(i / 20);
      const next = (left(a, 5) + mix(round, b, c, d) + e + K[round] + w[i]) | 0;
      [a, b, c, d, e] = [next, a, left(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, i) => (state[i] += word));
  }
}

export function sha1(...parts) {
  const hash = new Sha1();
  for (const part of parts) hash.update(part);
  return hash.digest().slice(0, 20);
}
