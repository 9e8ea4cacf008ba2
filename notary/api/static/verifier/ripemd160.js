// RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996), of a whole message: OpenTimestamps hashes at most a few thousand bytes.

const START = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
const K_LEFT = Int32Array.of(0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e);
const K_RIGHT = Int32Array.of(0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0);

// Order of the words: rho permutes from round to round; the right line begins with pi(i) = 9i + 5 mod 16.
const RHO = [7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8];
function orders(first) {
  const rows = [first];
  for (let round = 1; round < 5; round++) rows.push(rows[round - 1].map((word) => RHO[word]));
  return rows.flat();
}
const COUNT = Array.from({ length: 16 }, (_, i) => i);
const R_LEFT = orders(COUNT);
const R_RIGHT = orders(COUNT.map((i) => (9 * i + 5) % 16));

// Turns belong to round and word, the same in both lines.
const TURNS = [
  [11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
  [12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7],
  [13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9],
  [14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6],
  [15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5],
];

const left = (word, by) => (word << by) | (word >>> (32 - by));

function mix(round, x, y, z) {
  if (round === 0) return x ^ y ^ z;
  if (round === 1) return (x & y) | (~x & z);
  if (round === 2) return (x | ~y) ^ z;
  if (round === 3) return (x & z) | (y & ~z);
  return x ^ (y | ~z);
}

function line(state, words, order, constants, reversed) {
  let [a, b, c, d, e] = state;
  for (let j = 0; j < 80; j++) {
    const round = j >> 4;
    const sum = a + mix(reversed ? 4 - round : round, b, c, d) + words[order[j]] + constants[round];
    const turned = (left(sum | 0, TURNS[round][order[j]]) + e) | 0;
    [a, b, c, d, e] = [e, turned, b, left(c, 10), d];
  }
  return [a, b, c, d, e];
}

export function ripemd160(message) {
  const padded = new Uint8Array((Math.floor((message.length + 8) / 64) + 1) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true);
  const state = START.slice();
  const words = new Int32Array(16);
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + 4 * i, true);
    const one = line(state, words, R_LEFT, K_LEFT, false);
    const two = line(state, words, R_RIGHT, K_RIGHT, true);
    const next = [1, 2, 3, 4, 0].map((i) => state[i] + one[(i + 1) % 5] + two[(i + 2) % 5]);
    state.set(next);
  }
  const out = new DataView(new ArrayBuffer(20));
  state.forEach((word, i) => out.setInt32(4 * i, word, true));
  return new Uint8Array(out.buffer);
}
