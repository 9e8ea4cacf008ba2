// Verification of ECDSA (FIPS 186-4 §6.4) with named curves (RFC 5480), and the key behind a signature on secp256k1.

import { FormatError } from "./bytes.js";
import { SECP256K1 } from "./curves.js";
import { parseDer } from "./der.js";
import { bigOf, bytesOfBig } from "./numbers.js";
import { keccak256 } from "./sha3.js";
import { combine, inverse, isOnCurve, liftX, mod } from "./weierstrass.js";

// The point in the bytes of SEC 1 §2.3.4, compressed or not; never infinity.
export function decodePoint(curve, bytes) {
  const size = curve.bytes;
  const x = bigOf(bytes.subarray(1, 1 + size));
  let point = null;
  if (bytes.length === 1 + 2 * size && bytes[0] === 4) {
    point = { x, y: bigOf(bytes.subarray(1 + size)) };
  } else if (bytes.length === 1 + size && (bytes[0] === 2 || bytes[0] === 3)) {
    point = liftX(curve, x, bytes[0] === 3);
  }
  if (point === null || !isOnCurve(curve, point)) throw new FormatError("not a point of the curve");
  return point;
}

// r and s of the DER form (RFC 3279 §2.2.3).
function readSignature(bytes) {
  const [r, s, ...more] = parseDer(bytes).sequence();
  if (more.length > 0) throw new FormatError("more than two numbers in a signature");
  return { r: r.integer(), s: s.integer() };
}

// The leftmost bits of the digest, as many as the order has.
function truncate(curve, digest) {
  const surplus = 8 * digest.length - curve.n.toString(2).length;
  const value = bigOf(digest);
  return surplus > 0 ? value >> BigInt(surplus) : value;
}

// Args: key, the bytes of the point; digest of the message; signature in DER. Throws where one cannot be read.
export function verifyEcdsa(curve, key, digest, signature) {
  const point = decodePoint(curve, key);
  const { r, s } = readSignature(signature);
  const { n } = curve;
  if (r <= 0n || r >= n || s <= 0n || s >= n) return false;
  const w = inverse(s, n);
  const sum = combine(curve, (truncate(curve, digest) * w) % n, curve.g, (r * w) % n, point);
  return sum !== null && mod(sum.x, n) === r;
}

// The address (20 bytes) of whoever signed `digest`. Signature: r ‖ s ‖ v, 65 bytes, s in the lower half (EIP-2), v 0 or 1.
export function recoverAddress(digest, signature) {
  const { n, g } = SECP256K1;
  if (signature.length !== 65 || signature[64] > 1) throw new FormatError("not a signature of 65 bytes with v 0 or 1");
  const r = bigOf(signature.subarray(0, 32));
  const s = bigOf(signature.subarray(32, 64));
  if (r === 0n || r >= n || s === 0n || s > n / 2n) throw new FormatError("r or s is out of range");
  // r + n as x belongs to v 2 and 3, which are refused.
  const point = liftX(SECP256K1, r, signature[64] === 1);
  if (point === null) throw new FormatError("no point has this r");
  const w = inverse(r, n);
  const key = combine(SECP256K1, mod(-bigOf(digest) * w, n), g, (s * w) % n, point);
  if (key === null) throw new FormatError("the key is infinity");
  return keccak256(bytesOfBig(key.x, 32), bytesOfBig(key.y, 32)).slice(12);
}
