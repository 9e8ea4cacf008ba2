// SHA-3 (FIPS 202) and the Keccak-256 of Ethereum, which pads with 0x01 in place of 0x06. Lanes of 64 bits are two Int32.

import { Buffered } from "./buffered.js";

const ROUNDS = 24;
const LANES = 25;

// Round constants from the shift register of FIPS 202 §3.2.5: low half, high half.
const CONSTANTS = new Int32Array(2 * ROUNDS);
for (let round = 0, register = 1; round < ROUNDS; round++) {
  for (let j = 0; j < 7; j++) {
    const bit = 2 ** j - 1;
    if (register & 1) CONSTANTS[2 * round + (bit > 31 ? 1 : 0)] ^= 1 << (bit % 32);
    register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
  }
}

// rho and pi (§3.2.2, §3.2.3): where each lane goes, and by how much it is turned. Of the words of a lane, `FROM` is the
// one that becomes the low one: the high one where it is turned by 32 or more.
const TARGET = new Uint8Array(LANES);
const TURN = new Uint8Array(LANES);
const FROM = new Uint8Array(LANES);
for (let t = 0, x = 1, y = 0; t < 24; t++) {
  const by = (((t + 1) * (t + 2)) / 2) % 64;
  TURN[x + 5 * y] = by & 31;
  FROM[x + 5 * y] = 2 * (x + 5 * y) + (by >> 5);
  [x, y] = [y, (2 * x + 3 * y) % 5];
}
for (let x = 0; x < 5; x++) for (let y = 0; y < 5; y++) TARGET[x + 5 * y] = 2 * (y + 5 * ((2 * x + 3 * y) % 5));

const columns = new Int32Array(10);
const moved = new Int32Array(2 * LANES);

function theta(s) {
  for (let i = 0; i < 10; i++) columns[i] = s[i] ^ s[i + 10] ^ s[i + 20] ^ s[i + 30] ^ s[i + 40];
  for (let x = 0; x < 10; x += 2) {
    const before = x === 0 ? 8 : x - 2;
    const after = x === 8 ? 0 : x + 2;
    const low = columns[before] ^ ((columns[after] << 1) | (columns[after + 1] >>> 31));
    const high = columns[before + 1] ^ ((columns[after + 1] << 1) | (columns[after] >>> 31));
    s[x] ^= low;
    s[x + 1] ^= high;
    s[x + 10] ^= low;
    s[x + 11] ^= high;
    s[x + 20] ^= low;
    s[x + 21] ^= high;
    s[x + 30] ^= low;
    s[x + 31] ^= high;
    s[x + 40] ^= low;
    s[x + 41] ^= high;
  }
}

// The one lane that stays where it is, is not turned; no other is by 0 or 32, where a shift by 32 would be one by 0.
function turn(s) {
  moved[0] = s[0];
  moved[1] = s[1];
  for (let lane = 1; lane < LANES; lane++) {
    const by = TURN[lane];
    const low = s[FROM[lane]];
    const high = s[FROM[lane] ^ 1];
    const to = TARGET[lane];
    moved[to] = (low << by) | (high >>> (32 - by));
    moved[to + 1] = (high << by) | (low >>> (32 - by));
  }
}

function chi(s, at) {
  const m = moved;
  for (let i = at; i < at + 2; i++) {
    const a = m[i];
    const b = m[i + 2];
    const c = m[i + 4];
    const d = m[i + 6];
    const e = m[i + 8];
    s[i] = a ^ (~b & c);
    s[i + 2] = b ^ (~c & d);
    s[i + 4] = c ^ (~d & e);
    s[i + 6] = d ^ (~e & a);
    s[i + 8] = e ^ (~a & b);
  }
}

function permute(s) {
  for (let round = 0; round < ROUNDS; round++) {
    theta(s);
    turn(s);
    for (let row = 0; row < 50; row += 10) chi(s, row);
    s[0] ^= CONSTANTS[2 * round];
    s[1] ^= CONSTANTS[2 * round + 1];
  }
}

class Sponge extends Buffered {
  #state = new Int32Array(2 * LANES);
  #rate;
  #size;
  #suffix;

  constructor(size, suffix) {
    super(200 - 2 * size);
    this.#rate = 200 - 2 * size;
    this.#size = size;
    this.#suffix = suffix;
  }

  take(view, at) {
    for (let i = 0; i < this.#rate / 4; i++) this.#state[i] ^= view.getInt32(at + 4 * i, true);
    permute(this.#state);
  }

  // Ends the use of this object.
  digest() {
    const tail = new Uint8Array(this.#rate - (this.length % this.#rate));
    tail[0] = this.#suffix;
    tail[tail.length - 1] |= 0x80;
    this.update(tail);
    const out = new DataView(new ArrayBuffer(200));
    this.#state.forEach((word, at) => out.setInt32(4 * at, word, true));
    return new Uint8Array(out.buffer, 0, this.#size).slice();
  }
}

const SHA3 = 0x06;
const KECCAK = 0x01;

export class Sha3_256 extends Sponge {
  constructor() {
    super(32, SHA3);
  }
}

export class Sha3_384 extends Sponge {
  constructor() {
    super(48, SHA3);
  }
}

export class Sha3_512 extends Sponge {
  constructor() {
    super(64, SHA3);
  }
}

function whole(hash, parts) {
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export const sha3_256 = (...parts) => whole(new Sha3_256(), parts);
export const sha3_384 = (...parts) => whole(new Sha3_384(), parts);
export const sha3_512 = (...parts) => whole(new Sha3_512(), parts);
export const keccak256 = (...parts) => whole(new Sponge(32, KECCAK), parts);
