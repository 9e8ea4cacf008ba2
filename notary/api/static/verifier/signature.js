// Signatures as certificates and CMS name them: which algorithms count, and whether one fits (docs/formats.md §9).

import { FormatError, hex } from "./bytes.js";
import { CURVES } from "./curves.js";
import { parseDer } from "./der.js";
import { verifyEcdsa } from "./ecdsa.js";
import { verifyEd25519 } from "./ed25519.js";
import { HASHES, SHA256, SHA384, SHA3_256, SHA3_384, SHA3_512, SHA512 } from "./hashes.js";
import { readRsaKey, verifyPkcs1, verifyPss } from "./rsa.js";
import { sha256 } from "./sha256.js";

const RSA = "1.2.840.113549.1.1.1";
const MGF1 = "1.2.840.113549.1.1.8";
const PSS = "1.2.840.113549.1.1.10";
const EC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";
const NIST = "2.16.840.1.101.3.4.3";
const MAX_SALT = 1024;

const PKCS1 = new Map([
  ["1.2.840.113549.1.1.11", SHA256],
  ["1.2.840.113549.1.1.12", SHA384],
  ["1.2.840.113549.1.1.13", SHA512],
  [`${NIST}.14`, SHA3_256],
  [`${NIST}.15`, SHA3_384],
  [`${NIST}.16`, SHA3_512],
]);
const ECDSA = new Map([
  ["1.2.840.10045.4.3.2", SHA256],
  ["1.2.840.10045.4.3.3", SHA384],
  ["1.2.840.10045.4.3.4", SHA512],
  [`${NIST}.10`, SHA3_256],
  [`${NIST}.11`, SHA3_384],
  [`${NIST}.12`, SHA3_512],
]);

// An AlgorithmIdentifier: object identifier and parameters, or null.
export function readAlgorithm(node) {
  const [oid, parameters = null, ...more] = node.sequence();
  if (more.length > 0) throw new FormatError("not an algorithm");
  return { oid: oid.oid(), parameters };
}

function allowedHash(node) {
  const { oid, parameters } = readAlgorithm(node);
  parameters?.null();
  const hash = HASHES.get(oid);
  if (!hash) throw new FormatError("a digest that is not allowed");
  return hash;
}

// RSASSA-PSS-params (RFC 8017 A.2.3). What is left out is SHA-1 there, which is not allowed.
function readPss(parameters) {
  const found = {};
  let last = -1;
  for (const field of parameters?.sequence() ?? []) {
    if (field.group !== 2 || field.tag <= last || field.tag > 3) throw new FormatError("not parameters of PSS");
    last = field.tag;
    found[last] = field.explicit();
  }
  if (!found[0] || !found[1]) throw new FormatError("PSS with SHA-1");
  const generator = readAlgorithm(found[1]);
  if (generator.oid !== MGF1 || generator.parameters === null) throw new FormatError("PSS with another mask than MGF1");
  const saltLength = found[2] ? found[2].integer() : 20n;
  if (saltLength < 0n || saltLength > MAX_SALT || (found[3] && found[3].integer() !== 1n)) throw new FormatError("not parameters of PSS");
  return { hash: allowedHash(found[0]), maskHash: allowedHash(generator.parameters), saltLength: Number(saltLength) };
}

// What a signature algorithm says: its kind, and the hash; null where it leaves that to others (rsaEncryption, Ed25519).
export function readScheme({ oid, parameters }) {
  if (oid === PSS) return { kind: "pss", ...readPss(parameters) };
  if (oid === ED25519 && parameters === null) return { kind: "ed25519", hash: null };
  parameters?.null();
  if (ECDSA.has(oid)) return { kind: "ecdsa", hash: ECDSA.get(oid) };
  if (oid !== RSA && !PKCS1.has(oid)) throw new FormatError(`the signature algorithm ${oid} is not allowed`);
  return { kind: "pkcs1", hash: PKCS1.get(oid) ?? null };
}

// Whether a signature by PSS keeps to what its key states (RFC 4055 §3.3).
const isWithin = (scheme, only) => scheme.hash === only.hash && scheme.maskHash === only.maskHash && scheme.saltLength >= only.saltLength;

// A function (scheme, message, its digest, signature) of a SubjectPublicKeyInfo; throws where the key is none that may sign.
function readKey(spki) {
  const [algorithm, bits, ...more] = parseDer(spki).sequence();
  if (more.length > 0) throw new FormatError("not a public key");
  const { oid, parameters } = readAlgorithm(algorithm);
  const key = bits.wholeBits();
  if (oid === EC) {
    const curve = CURVES.get(parameters?.oid());
    if (!curve) throw new FormatError("a curve that is not allowed");
    return { kinds: ["ecdsa"], fits: (scheme, message, digest, signature) => verifyEcdsa(curve, key, digest, signature) };
  }
  if (oid === ED25519 && parameters === null) return { kinds: ["ed25519"], fits: (_, message, digest, signature) => verifyEd25519(key, message, signature) };
  if (oid !== RSA && oid !== PSS) throw new FormatError("a public key of a kind that is not allowed");
  if (oid === RSA) parameters?.null();
  const only = oid === PSS && parameters !== null ? readPss(parameters) : null;
  const rsa = readRsaKey(parseDer(key));
  const fits = (scheme, _, digest, signature) => {
    if (only && !isWithin(scheme, only)) throw new FormatError("the key is for PSS with other parameters");
    return scheme.kind === "pss" ? verifyPss(rsa, scheme, digest, signature) : verifyPkcs1(rsa, scheme.hash, digest, signature);
  };
  return { kinds: oid === RSA ? ["pkcs1", "pss"] : ["pss"], fits };
}

// Whoever checks many packages meets the same certificates again and again. A result depends on nothing but these
// bytes, so it may be kept; the number is bounded, and the oldest goes first.
const MAX_KEPT = 4096;
const kept = new Map();

// Whether the signature fits. Args: spki, DER; scheme of readScheme with its hash; message; signature. Throws where key or scheme are not allowed.
export function verifySignature(spki, scheme, message, signature) {
  // What is signed may be a megabyte, so it is hashed once: for the signature, and to know it again.
  const digest = scheme.hash === null ? sha256(message) : scheme.hash.digest(message);
  const name = [scheme.kind, scheme.hash?.name, scheme.maskHash?.name, scheme.saltLength, hex(digest), ...[spki, signature].map((bytes) => hex(sha256(bytes)))].join();
  const known = kept.get(name);
  if (known !== undefined) return known;
  const key = readKey(spki);
  if (!key.kinds.includes(scheme.kind)) throw new FormatError("the signature is of another kind than the key");
  const fits = key.fits(scheme, message, digest, signature);
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value);
  kept.set(name, fits);
  return fits;
}

export { ED25519 };
