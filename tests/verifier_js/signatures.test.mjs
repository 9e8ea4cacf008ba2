import assert from "node:assert/strict";
import { constants, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import test from "node:test";

import { secp256k1 } from "@noble/curves/secp256k1";
import { keccak_256 } from "@noble/hashes/sha3";

import { hex, unhex } from "../../notary/api/static/verifier/bytes.js";
import { CURVES, SECP256K1 } from "../../notary/api/static/verifier/curves.js";
import { encodeDer, parseDer } from "../../notary/api/static/verifier/der.js";
import { decodePoint, recoverAddress, verifyEcdsa } from "../../notary/api/static/verifier/ecdsa.js";
import { HASHES, SHA256, SHA512 } from "../../notary/api/static/verifier/hashes.js";
import { bytesOfBig } from "../../notary/api/static/verifier/numbers.js";
import { readScheme, verifySignature } from "../../notary/api/static/verifier/signature.js";
import { combine, isOnCurve } from "../../notary/api/static/verifier/weierstrass.js";
import { refused } from "./refused.mjs";

const NODE_CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" };
const NODE_HASHES = { "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", "SHA3-256": "sha3-256", "SHA3-384": "sha3-384", "SHA3-512": "sha3-512" };
const spkiOf = (key) => new Uint8Array(key.export({ type: "spki", format: "der" }));
const changed = (bytes, at = 0) => {
  const other = Uint8Array.from(bytes);
  other[at] ^= 1;
  return other;
};

test("each curve has its base point, of its order, and nothing else than prime order 3 modulo 4", () => {
  assert.equal(CURVES.size, 7);
  for (const curve of CURVES.values()) {
    assert.ok(isOnCurve(curve, curve.g), curve.name);
    assert.equal(combine(curve, curve.n - 1n, curve.g, 1n, curve.g), null, curve.name);
    assert.deepEqual(combine(curve, curve.n + 0n, curve.g, 1n, curve.g), curve.g, curve.name);
    assert.equal(curve.p % 4n, 3n, curve.name);
  }
});

for (const curve of CURVES.values()) {
  test(`ECDSA on ${curve.name} with every digest: what node signs verifies, and nothing changed does`, () => {
    const pair = generateKeyPairSync("ec", { namedCurve: NODE_CURVES[curve.name] ?? curve.name });
    const spki = spkiOf(pair.publicKey);
    for (const hash of HASHES.values()) {
      const message = randomBytes(60);
      const signature = sign(NODE_HASHES[hash.name], message, pair.privateKey);
      const scheme = { kind: "ecdsa", hash };
      assert.ok(verifySignature(spki, scheme, message, signature), hash.name);
      assert.ok(!verifySignature(spki, scheme, changed(message), signature), hash.name);
      assert.ok(!verifySignature(spki, scheme, message, changed(signature, signature.length - 1)), hash.name);
    }
  });
}

test("the example of RFC 6979 A.2.5 verifies", () => {
  const curve = [...CURVES.values()].find(({ name }) => name === "P-256");
  const key = unhex(`0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299`);
  const numbers = ["efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716", "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"];
  const signature = encodeDer(0x30, Buffer.concat(numbers.map((number) => encodeDer(2, unhex(`00${number}`)))));
  const digest = SHA256.digest(Buffer.from("sample"));
  assert.ok(verifyEcdsa(curve, key, digest, signature));
  assert.ok(!verifyEcdsa(curve, key, SHA256.digest(Buffer.from("test")), signature));
});

test("numbers of a signature out of range are no signature, and other encodings are refused", () => {
  const curve = SECP256K1;
  const key = secp256k1.getPublicKey(randomBytes(32), false);
  const number = (value) => encodeDer(2, unhex(value === 0n ? "00" : `00${hex(bytesOfBig(value, 32))}`));
  const signature = (r, s) => encodeDer(0x30, Buffer.concat([number(r), number(s)]));
  const digest = randomBytes(32);
  const high = curve.n - 5n; // has its highest bit set, so the zero before it is needed
  for (const [r, s] of [[0n, high], [high, 0n], [curve.n, high], [high, curve.n]]) assert.equal(verifyEcdsa(curve, key, digest, signature(r, s)), false);
  refused(() => verifyEcdsa(curve, key, digest, Buffer.concat([signature(high, high), Buffer.of(0)])), /bytes behind/);
  refused(() => verifyEcdsa(curve, key, digest, encodeDer(0x30, Buffer.concat([number(high), number(high), number(high)]))), /more than two/);
  refused(() => decodePoint(curve, changed(key, 40)), /not a point/);
  refused(() => decodePoint(curve, key.subarray(0, 64)), /not a point/);
  refused(() => decodePoint(curve, Uint8Array.of(0)), /not a point/);
  assert.deepEqual(decodePoint(curve, secp256k1.ProjectivePoint.fromHex(key).toRawBytes(true)), decodePoint(curve, key));
});

test("the address behind a signature on secp256k1 is that which noble finds", () => {
  for (let n = 0; n < 20; n++) {
    const secret = secp256k1.utils.randomPrivateKey();
    const digest = randomBytes(32);
    const made = secp256k1.sign(digest, secret);
    const signature = Uint8Array.of(...made.toCompactRawBytes(), made.recovery);
    const address = keccak_256(secp256k1.getPublicKey(secret, false).subarray(1)).slice(12);
    assert.equal(hex(recoverAddress(digest, signature)), hex(address));
    assert.notEqual(hex(recoverAddress(changed(digest), signature)), hex(address));
    const twin = Uint8Array.of(...bytesOfBig(made.r, 32), ...bytesOfBig(SECP256K1.n - made.s, 32), 1 - made.recovery);
    refused(() => recoverAddress(digest, twin), /out of range/);
    refused(() => recoverAddress(digest, Uint8Array.of(...signature.subarray(0, 64), 2)), /v 0 or 1/);
    refused(() => recoverAddress(digest, Uint8Array.of(...signature.subarray(0, 64), made.recovery + 27)), /v 0 or 1/);
  }
  refused(() => recoverAddress(new Uint8Array(32), Uint8Array.of(...bytesOfBig(5n, 32), ...bytesOfBig(1n, 32), 0)), /no point/);
  refused(() => recoverAddress(new Uint8Array(32), new Uint8Array(65)), /out of range/);
});

for (const bits of [2048, 2049, 3072]) {
  test(`RSA of ${bits} bits: PKCS #1 v1.5 and PSS as node makes them`, () => {
    const pair = generateKeyPairSync("rsa", { modulusLength: bits });
    const spki = spkiOf(pair.publicKey);
    for (const hash of HASHES.values()) {
      const name = NODE_HASHES[hash.name];
      const message = randomBytes(60);
      const old = sign(name, message, pair.privateKey);
      assert.ok(verifySignature(spki, { kind: "pkcs1", hash }, message, old), name);
      assert.ok(!verifySignature(spki, { kind: "pkcs1", hash }, changed(message), old), name);
      assert.ok(!verifySignature(spki, { kind: "pkcs1", hash }, message, old.subarray(1)), name);
      for (const saltLength of [0, hash.size]) {
        const signature = sign(name, message, { key: pair.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
        const scheme = { kind: "pss", hash, maskHash: hash, saltLength };
        assert.ok(verifySignature(spki, scheme, message, signature), name);
        assert.ok(!verifySignature(spki, { ...scheme, saltLength: saltLength + 1 }, message, signature), name);
        assert.ok(!verifySignature(spki, scheme, message, changed(signature, 90)), name);
        assert.ok(!verifySignature(spki, { kind: "pkcs1", hash }, message, signature), name);
      }
    }
  });
}

test("a PKCS #1 signature with bytes behind the digest, or with less padding, does not verify", () => {
  // With exponent 3 anybody can make a cube that begins as a padded digest does: that is why nothing of it is parsed.
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
  const info = Buffer.concat([unhex("3031300d060960864801650304020105000420"), SHA256.digest(Buffer.from("m"))]);
  const wanted = BigInt(`0x0001ffffffffffffffffffff00${info.toString("hex")}`.slice(0)) << (8n * BigInt(256 - 13 - info.length));
  let low = 0n;
  let high = 1n << 700n;
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (middle ** 3n < wanted) low = middle + 1n;
    else high = middle;
  }
  const forged = bytesOfBig(low, 256);
  assert.ok(bytesOfBig(low ** 3n, 256).subarray(0, 13 + info.length).every((byte, at) => byte === bytesOfBig(wanted, 256)[at]));
  assert.ok(!verifySignature(spkiOf(pair.publicKey), { kind: "pkcs1", hash: SHA256 }, Buffer.from("m"), forged));
});

test("keys that may not sign are refused", () => {
  const scheme = { kind: "pkcs1", hash: SHA256 };
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  refused(() => verifySignature(spkiOf(small.publicKey), scheme, Buffer.of(1), new Uint8Array(128)), /size that is not allowed/);
  const short = generateKeyPairSync("ec", { namedCurve: "secp224r1" });
  refused(() => verifySignature(spkiOf(short.publicKey), { kind: "ecdsa", hash: SHA256 }, Buffer.of(1), new Uint8Array(8)), /curve that is not allowed/);
  const spelled = generateKeyPairSync("ec", { namedCurve: "prime256v1", paramEncoding: "explicit" });
  refused(() => verifySignature(spkiOf(spelled.publicKey), { kind: "ecdsa", hash: SHA256 }, Buffer.of(2), new Uint8Array(8)), /another type/);
  const edwards = generateKeyPairSync("ed25519");
  refused(() => verifySignature(spkiOf(edwards.publicKey), scheme, Buffer.of(1), new Uint8Array(64)), /another kind than the key/);
  const other = generateKeyPairSync("x25519");
  refused(() => verifySignature(spkiOf(other.publicKey), scheme, Buffer.of(1), new Uint8Array(64)), /kind that is not allowed/);
  const made = encodeDer(0x30, Buffer.concat([unhex(`300d06092a864886f70d0101010500`), encodeDer(3, Buffer.concat([Buffer.of(0), rsaKey(1n << 2047n, 1n)]))]));
  refused(() => verifySignature(made, scheme, Buffer.of(1), new Uint8Array(256)), /not an RSA key/);
  const slow = encodeDer(0x30, Buffer.concat([unhex(`300d06092a864886f70d0101010500`), encodeDer(3, Buffer.concat([Buffer.of(0), rsaKey((1n << 4095n) + 1n, (1n << 70n) + 1n)]))]));
  refused(() => verifySignature(slow, scheme, Buffer.of(1), new Uint8Array(512)), /exponent of an RSA key is too long/);
});

function rsaKey(n, e) {
  const number = (value) => encodeDer(2, unhex(`00${value.toString(16).padStart(2 * Math.ceil(value.toString(16).length / 2), "0")}`).subarray(value >> BigInt(8 * Math.ceil(value.toString(16).length / 2) - 1) ? 0 : 1));
  return encodeDer(0x30, Buffer.concat([number(n), number(e)]));
}

test("an algorithm says its digest, and those that are not on the list are refused", () => {
  const algorithm = (oid, parameters = null) => ({ oid, parameters });
  assert.equal(readScheme(algorithm("1.2.840.10045.4.3.4")).hash, SHA512);
  assert.equal(readScheme(algorithm("1.2.840.113549.1.1.1")).hash, null);
  refused(() => readScheme(algorithm("1.2.840.113549.1.1.5")), /is not allowed/);
  refused(() => readScheme(algorithm("1.2.840.10045.4.1")), /is not allowed/);
  refused(() => readScheme(algorithm("1.2.840.113549.1.1.10")), /PSS with SHA-1/);
  refused(() => readScheme(algorithm("1.2.840.113549.1.1.11", parseDer(unhex("020100")))), /another type/);
  refused(() => readScheme(algorithm("1.3.101.112", parseDer(unhex("0500")))), /is not allowed/);
});
