// Verification of Ed25519 (RFC 8032 §5.1.7), without the cofactor: the encoding of [S]B - [k]A must be R.
//
// Our own, since browsers have no WebCrypto on plain http and older ones no Ed25519. It only verifies: nothing here
// is secret, so how long it takes tells nobody anything.

import { equal } from "./bytes.js";
import { sha512 } from "./sha512.js";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n; // order of the base point

const mod = (value) => {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
};

function power(base, exponent) {
  let result = 1n;
  for (let square = base; exponent > 0n; exponent >>= 1n, square = (square * square) % P) if (exponent & 1n) result = (result * square) % P;
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT = power(2n, (P - 1n) / 4n); // of -1
const ZERO = { x: 0n, y: 1n, z: 1n, t: 0n };

function little(bytes) {
  let value = 0n;
  for (let at = bytes.length - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[at]);
  return value;
}

// The point of 32 bytes (§5.1.3), in extended coordinates; null where they encode none.
function decode(bytes) {
  const odd = bytes[31] >> 7;
  const y = little(bytes) & (2n ** 255n - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const v3 = mod(v * v * v);
  let x = mod(u * v3 * power(mod(u * v3 * v3 * v), (P - 5n) / 8n));
  if (mod(v * x * x) !== u) x = mod(x * ROOT);
  if (mod(v * x * x) !== u || (x === 0n && odd)) return null;
  if (Number(x & 1n) !== odd) x = P - x;
  return { x, y, z: 1n, t: mod(x * y) };
}

function encode({ x, y, z }) {
  const inverse = power(z, P - 2n);
  let value = mod(y * inverse) | ((mod(x * inverse) & 1n) << 255n);
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(value & 255n);
    value >>= 8n;
    return byte;
  });
}

// §5.1.4; complete, so it also doubles.
function add(p, q) {
  const a = ((p.y - p.x) * (q.y - q.x)) % P;
  const b = ((p.y + p.x) * (q.y + q.x)) % P;
  const c = (2n * p.t * D * q.t) % P;
  const d = (2n * p.z * q.z) % P;
  const e = b - a;
  const f = d - c;
  const g = d + c;
  const h = b + a;
  return { x: (e * f) % P, y: (g * h) % P, t: (e * h) % P, z: (f * g) % P };
}

function double({ x, y, z }) {
  const a = (x * x) % P;
  const b = (y * y) % P;
  const h = a + b;
  const e = h - (x + y) ** 2n;
  const g = a - b;
  const f = ((2n * z * z) % P) + g;
  return { x: (e * f) % P, y: (g * h) % P, t: (e * h) % P, z: (f * g) % P };
}

const BASE = decode(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 0x58 : 0x66))); // y = 4/5

// [s]B + [k]Q, both bit by bit at once.
function combine(s, k, q) {
  const table = [null, BASE, q, add(BASE, q)];
  let sum = ZERO;
  for (let bit = 252n; bit >= 0n; bit--) {
    sum = double(sum);
    const which = Number(((s >> bit) & 1n) | (((k >> bit) & 1n) << 1n));
    if (which) sum = add(sum, table[which]);
  }
  return sum;
}

// Args: publicKey of 32 bytes, message, signature of 64 bytes. What is of another length or no point is not verified.
export function verifyEd25519(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const a = decode(publicKey);
  const r = signature.subarray(0, 32);
  const s = little(signature.subarray(32));
  if (a === null || s >= L) return false;
  const k = little(sha512(r, publicKey, message)) % L;
  const minus = { x: P - a.x, y: a.y, z: 1n, t: P - a.t };
  return equal(encode(combine(s, k, minus)), r);
}
