// Digests of documents by their names in statements, taken piece by piece.

import { hex } from "./bytes.js";
import { Sha256 } from "./sha256.js";
import { Sha3_256, Sha3_512 } from "./sha3.js";
import { Sha384, Sha512 } from "./sha512.js";
import { Sm3 } from "./sm3.js";
import { pour } from "./source.js";

const KINDS = { "sha-256": Sha256, sm3: Sm3, "sha-384": Sha384, "sha-512": Sha512, "sha3-256": Sha3_256, "sha3-512": Sha3_512 };

// A new hash by name for each of these.
export const hashesFor = (names) => new Map([...names].map((name) => [name, new KINDS[name]()]));

// {size, digests in hexadecimal by name} of a source.
export async function digestsOf(source, names, progress) {
  const hashes = hashesFor(names);
  if (hashes.size > 0) await pour(source, [...hashes.values()], progress);
  return { size: source.size, digests: Object.fromEntries([...hashes].map(([name, hash]) => [name, hex(hash.digest())])) };
}
