// Digests of a file, by their names in statements; the file goes nowhere.

import { hex } from "./verifier/bytes.js";
import { Sha256 } from "./verifier/sha256.js";
import { Sm3 } from "./verifier/sm3.js";

const PIECE = 4 << 20;
const IN_PIECES = { "sha-256": Sha256, sm3: Sm3 };
const AT_ONCE = { "sha-384": "SHA-384", "sha-512": "SHA-512" }; // only WebCrypto has them, and it wants all bytes at once
export const MAX_AT_ONCE = 256 << 20; // what a phone has memory for, too

// Digests of `blob` in hexadecimal by name; one that cannot be taken here is left out. `progress` is called with the
// bytes done so far.
export async function hashBlob(blob, names, progress) {
  const found = {};
  for (const name of names.filter((one) => one in AT_ONCE)) {
    const digest = await atOnce(blob, AT_ONCE[name]);
    if (digest) found[name] = digest;
  }
  const hashes = names.filter((one) => one in IN_PIECES).map((name) => [name, new IN_PIECES[name]()]);
  for (let at = 0; hashes.length > 0 && at < blob.size; at += PIECE) {
    const piece = new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
    for (const [, hash] of hashes) hash.update(piece);
    progress(Math.min(at + PIECE, blob.size));
  }
  for (const [name, hash] of hashes) found[name] = hex(hash.digest());
  return found;
}

// Null on a plain http address, which has no crypto.subtle, and where memory does not suffice.
async function atOnce(blob, algorithm) {
  if (blob.size > MAX_AT_ONCE) return null;
  try {
    return hex(new Uint8Array(await globalThis.crypto.subtle.digest(algorithm, await blob.arrayBuffer())));
  } catch {
    return null;
  }
}

// The same in a worker, so that the page stays usable; in the page itself where a worker does not start.
export function hashFile(file, names, progress) {
  return new Promise((resolve, reject) => {
    let worker;
    let started = false;
    const here = () => hashBlob(file, names, progress).then(resolve, reject);
    try {
      worker = new Worker(new URL("./hash_worker.js", import.meta.url), { type: "module" });
    } catch {
      here();
      return;
    }
    worker.onmessage = ({ data }) => {
      started = true;
      if ("done" in data) return progress(data.done);
      worker.terminate();
      return "digests" in data ? resolve(data.digests) : reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      if (started) reject(new Error(event.message));
      else here();
    };
    worker.postMessage({ file, names });
  });
}
