// SHA-512 and SHA-384 (FIPS 180-4), fed piece by piece. Words of 64 bits are two Int32: BigInt would be a hundred times slower.

import { Buffered } from "./buffered.js";

const ROUNDS = 80;

function primes(count) {
  const found = [];
  for (let n = 2n; found.length < count; n++) if (found.every((prime) => n % prime !== 0n)) found.push(n);
  return found;
}

// The largest whole number whose `power` is not above `value`.
function root(value, power) {
  let low = 0n;
  let high = 1n << 80n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** power <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}

// The first 64 bits of the fractions of roots of primes, as the standard derives them; each in two halves.
function fractions(numbers, power) {
  const words = new Int32Array(2 * numbers.length);
  numbers.forEach((prime, at) => {
    const fraction = root(prime << (64n * power), power);
    words[2 * at] = Number((fraction >> 32n) & 0xffffffffn);
    words[2 * at + 1] = Number(fraction & 0xffffffffn);
  });
  return words;
}

const PRIMES = primes(ROUNDS);
const K = fractions(PRIMES, 3n);
const START_512 = fractions(PRIMES.slice(0, 8), 2n);
const START_384 = fractions(PRIMES.slice(8, 16), 2n);

class Wide extends Buffered {
  #state;
  #size;
  #w = new Int32Array(2 * ROUNDS);

  constructor(start, size) {
    super(128);
    this.#state = start.slice();
    this.#size = size;
  }

  take(view, at) {
    const w = this.#w;
    for (let i = 0; i < 32; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 32; i < 2 * ROUNDS; i += 2) schedule(w, i);
    compress(this.#state, w);
  }

  // Ends the use of this object.
  digest() {
    const length = BigInt(this.length) * 8n;
    const zeros = (239 - (this.length % 128)) % 128;
    const tail = new Uint8Array(1 + zeros + 16);
    tail[0] = 0x80;
    new DataView(tail.buffer).setBigUint64(1 + zeros + 8, length);
    this.update(tail);
    const out = new DataView(new ArrayBuffer(64));
    this.#state.forEach((word, at) => out.setInt32(4 * at, word));
    return new Uint8Array(out.buffer, 0, this.#size).slice();
  }
}

// w[i] = s1(w[i - 2]) + w[i - 7] + s0(w[i - 15]) + w[i - 16]; high half at i, low half at i + 1.
function schedule(w, i) {
  const xh = w[i - 30];
  const xl = w[i - 29];
  const yh = w[i - 4];
  const yl = w[i - 3];
  const s0h = ((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7);
  const s0l = ((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25));
  const s1h = ((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6);
  const s1l = ((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26));
  const low = (s0l >>> 0) + (s1l >>> 0) + (w[i - 13] >>> 0) + (w[i - 31] >>> 0);
  w[i + 1] = low;
  w[i] = s0h + s1h + w[i - 14] + w[i - 32] + Math.floor(low / 2 ** 32);
}

function compress(state, w) {
  let [ah, al, bh, bl, ch, cl, dh, dl, eh, el, fh, fl, gh, gl, hh, hl] = state;
  for (let i = 0; i < 2 * ROUNDS; i += 2) {
    const s1h = ((eh >>> 14) | (el << 18)) ^ ((eh >>> 18) | (el << 14)) ^ ((el >>> 9) | (eh << 23));
    const s1l = ((el >>> 14) | (eh << 18)) ^ ((el >>> 18) | (eh << 14)) ^ ((eh >>> 9) | (el << 23));
    const chosenH = (eh & fh) ^ (~eh & gh);
    const chosenL = (el & fl) ^ (~el & gl);
    const oneL = (hl >>> 0) + (s1l >>> 0) + (chosenL >>> 0) + (K[i + 1] >>> 0) + (w[i + 1] >>> 0);
    const oneH = (hh + s1h + chosenH + K[i] + w[i] + Math.floor(oneL / 2 ** 32)) | 0;
    const s0h = ((ah >>> 28) | (al << 4)) ^ ((al >>> 2) | (ah << 30)) ^ ((al >>> 7) | (ah << 25));
    const s0l = ((al >>> 28) | (ah << 4)) ^ ((ah >>> 2) | (al << 30)) ^ ((ah >>> 7) | (al << 25));
    const mostH = (ah & bh) ^ (ah & ch) ^ (bh & ch);
    const mostL = (al & bl) ^ (al & cl) ^ (bl & cl);
    [hh, hl, gh, gl, fh, fl] = [gh, gl, fh, fl, eh, el];
    const el2 = (dl >>> 0) + (oneL >>> 0);
    eh = (dh + oneH + Math.floor(el2 / 2 ** 32)) | 0;
    el = el2 | 0;
    [dh, dl, ch, cl, bh, bl] = [ch, cl, bh, bl, ah, al];
    const al2 = (oneL >>> 0) + (s0l >>> 0) + (mostL >>> 0);
    ah = (oneH + s0h + mostH + Math.floor(al2 / 2 ** 32)) | 0;
    al = al2 | 0;
  }
  [ah, al, bh, bl, ch, cl, dh, dl, eh, el, fh, fl, gh, gl, hh, hl].forEach((word, at) => {
    if (at % 2 === 1) return;
    const low = [al, bl, cl, dl, el, fl, gl, hl][at / 2];
    const sum = (state[at + 1] >>> 0) + (low >>> 0);
    state[at + 1] = sum;
    state[at] = state[at] + word + (sum >= 2 ** 32 ? 1 : 0);
  });
}

export class Sha512 extends Wide {
  constructor() {
    super(START_512, 64);
  }
}

export class Sha384 extends Wide {
  constructor() {
    super(START_384, 48);
  }
}

function whole(hash, parts) {
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export const sha512 = (...parts) => whole(new Sha512(), parts);
export const sha384 = (...parts) => whole(new Sha384(), parts);
