// Verification of RSA signatures (RFC 8017 §8.1.2, §8.2.2). Plain BigInt: nothing here is secret (see weierstrass.js).

import { FormatError, concat, equal } from "./bytes.js";
import { bigOf, bitLength, bytesOfBig } from "./numbers.js";
import { power } from "./weierstrass.js";

const MIN_BITS = 2048;
const MAX_BITS = 8192;
// A larger exponent would only cost time; OpenSSL has the same limit for moduli of more than 3072 bits.
const MAX_EXPONENT_BITS = 64;

// DER of SEQUENCE { AlgorithmIdentifier { hash, NULL }, OCTET STRING } up to the digest: what PKCS #1 v1.5 pads.
function digestInfo(hash, digest) {
  const algorithm = concat(Uint8Array.of(6, hash.oidBytes.length), hash.oidBytes, Uint8Array.of(5, 0));
  const body = concat(Uint8Array.of(0x30, algorithm.length), algorithm, Uint8Array.of(4, digest.length), digest);
  return concat(Uint8Array.of(0x30, body.length), body);
}

// The modulus and exponent of an RSAPublicKey (RFC 8017 A.1.1), of a size that may sign.
export function readRsaKey(node) {
  const [modulus, exponent, ...more] = node.sequence();
  if (more.length > 0) throw new FormatError("more than two numbers in an RSA key");
  const n = modulus.integer();
  const e = exponent.integer();
  const bits = bitLength(n);
  if (n <= 0n || bits < MIN_BITS || bits > MAX_BITS) throw new FormatError("an RSA key of a size that is not allowed");
  if (!(n & 1n) || e < 3n || !(e & 1n) || e >= n) throw new FormatError("not an RSA key");
  if (bitLength(e) > MAX_EXPONENT_BITS) throw new FormatError("the exponent of an RSA key is too long");
  return { n, e, bits };
}

// The encoded message that the signature is of, `length` bytes; null where it is none.
function open(key, signature, length) {
  const value = bigOf(signature);
  if (signature.length !== Math.ceil(key.bits / 8) || value >= key.n) return null;
  const message = power(value, key.e, key.n);
  return bitLength(message) > 8 * length ? null : bytesOfBig(message, length);
}

// The padding is made again and compared whole, so nothing in it can be read in two ways.
export function verifyPkcs1(key, hash, digest, signature) {
  const length = Math.ceil(key.bits / 8);
  const encoded = open(key, signature, length);
  const info = digestInfo(hash, digest);
  const padding = new Uint8Array(length - info.length - 3).fill(0xff);
  return encoded !== null && equal(encoded, concat(Uint8Array.of(0, 1), padding, Uint8Array.of(0), info));
}

function mask(hash, seed, length) {
  const blocks = [];
  for (let count = 0; count * hash.size < length; count++) blocks.push(hash.digest(seed, bytesOfBig(BigInt(count), 4)));
  return concat(...blocks).subarray(0, length);
}

// EMSA-PSS (§9.1.2). Args: hash of the message; maskHash of MGF1; saltLength in bytes.
export function verifyPss(key, { hash, maskHash, saltLength }, digest, signature) {
  const bits = key.bits - 1;
  const length = Math.ceil(bits / 8);
  const encoded = open(key, signature, length);
  const rest = length - hash.size - 1; // bytes of the masked block
  if (encoded === null || rest < saltLength + 1 || encoded[length - 1] !== 0xbc) return false;
  const spare = 8 * length - bits;
  if (spare > 0 && encoded[0] >> (8 - spare) !== 0) return false;
  const expected = encoded.subarray(rest, length - 1);
  const masked = mask(maskHash, expected, rest);
  const block = encoded.subarray(0, rest).map((byte, at) => byte ^ masked[at]);
  block[0] &= 0xff >> spare;
  const zeros = rest - saltLength - 1;
  if (block[zeros] !== 1 || block.subarray(0, zeros).some((byte) => byte !== 0)) return false;
  return equal(hash.digest(new Uint8Array(8), digest, block.subarray(zeros + 1)), expected);
}
