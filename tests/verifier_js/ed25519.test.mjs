import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import test from "node:test";

import { ed25519 } from "@noble/curves/ed25519";

import { unhex } from "../../notary/api/static/verifier/bytes.js";
import { verifyEd25519 } from "../../notary/api/static/verifier/ed25519.js";

const L = 2n ** 252n + 27742317777372353535851937790883648493n;

// RFC 8032 §7.1, tests 1 to 3.
const RFC = [
  ["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"],
  ["3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"],
  ["fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82", "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"],
];

const keyPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { privateKey, raw: new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(-32)) };
};

test("the vectors of RFC 8032 verify", () => {
  for (const [key, message, signature] of RFC) {
    assert.ok(verifyEd25519(unhex(key), unhex(message), unhex(signature)));
    assert.ok(!verifyEd25519(unhex(key), unhex(`${message}00`), unhex(signature)));
  }
});

test("signatures of two other implementations verify, and no changed bit of them", () => {
  for (let n = 0; n < 20; n++) {
    const { privateKey, raw } = keyPair();
    const message = randomBytes(n * 13);
    const signature = new Uint8Array(sign(null, message, privateKey));
    assert.ok(verifyEd25519(raw, message, signature));
    const bit = 1 << (n % 8);
    for (const [place, at] of [[raw, n], [signature, n], [signature, 32 + n], [signature, 63]]) {
      place[at] ^= bit;
      assert.equal(verifyEd25519(raw, message, signature), ed25519.verify(signature, message, raw, { zip215: false }));
      place[at] ^= bit;
    }
    const secret = randomBytes(32);
    assert.ok(verifyEd25519(ed25519.getPublicKey(secret), message, ed25519.sign(message, secret)));
  }
});

test("a signature has one form: S is below the order, R and A are encoded as the standard says", () => {
  const { privateKey, raw } = keyPair();
  const message = Buffer.from("x");
  const signature = new Uint8Array(sign(null, message, privateKey));
  const s = BigInt(`0x${Buffer.from(signature.slice(32)).reverse().toString("hex")}`);
  const higher = Buffer.from((s + L).toString(16).padStart(64, "0"), "hex").reverse();
  assert.ok(!verifyEd25519(raw, message, Uint8Array.from([...signature.slice(0, 32), ...higher])));
  assert.ok(!verifyEd25519(raw, message, signature.slice(0, 63)));
  assert.ok(!verifyEd25519(raw.slice(0, 31), message, signature));
  // y = p + 1 is another spelling of the neutral element, and y = 2 is on no point.
  const notCanonical = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 0xee : at === 31 ? 0x7f : 0xff));
  assert.ok(!verifyEd25519(notCanonical, message, Uint8Array.from([...notCanonical, ...new Uint8Array(32)])));
  assert.ok(!verifyEd25519(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 2 : 0)), message, signature));
  // x = 0 with the sign of an odd x.
  const minusZero = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : at === 31 ? 0x80 : 0));
  assert.ok(!verifyEd25519(minusZero, message, signature));
});
