// The digests that count (docs/formats.md §9), by object identifier; and SM3, for imprints alone.

import { sha256 } from "./sha256.js";
import { sha3_256, sha3_384, sha3_512 } from "./sha3.js";
import { sha384, sha512 } from "./sha512.js";
import { Sm3 } from "./sm3.js";

// All lie under 2.16.840.1.101.3.4.2.
const nist = (last, name, size, digest) => ({ name, size, digest, oid: `2.16.840.1.101.3.4.2.${last}`, oidBytes: Uint8Array.of(0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 2, last) });

export const SHA256 = nist(1, "SHA-256", 32, sha256);
export const SHA384 = nist(2, "SHA-384", 48, sha384);
export const SHA512 = nist(3, "SHA-512", 64, sha512);
export const SHA3_256 = nist(8, "SHA3-256", 32, sha3_256);
export const SHA3_384 = nist(9, "SHA3-384", 48, sha3_384);
export const SHA3_512 = nist(10, "SHA3-512", 64, sha3_512);
const SM3 = { name: "SM3", size: 32, digest: (message) => new Sm3().update(message).digest(), oid: "1.2.156.10197.1.401" };

const byOid = (...hashes) => new Map(hashes.map((hash) => [hash.oid, hash]));

export const HASHES = byOid(SHA256, SHA384, SHA512, SHA3_256, SHA3_384, SHA3_512);
export const IMPRINT_HASHES = byOid(...HASHES.values(), SM3);
