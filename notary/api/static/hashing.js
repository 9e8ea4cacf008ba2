// The SHA-256 of a file, read in pieces; the file goes nowhere.

import { hex } from "./bytes.js";
import { Sha256 } from "./sha256.js";

const PIECE = 4 << 20;

// Hash `blob`; `progress` is called with the bytes done so far.
export async function hashBlob(blob, progress) {
  const hash = new Sha256();
  for (let at = 0; at < blob.size; at += PIECE) {
    const piece = await blob.slice(at, at + PIECE).arrayBuffer();
    hash.update(new Uint8Array(piece));
    progress(Math.min(at + PIECE, blob.size));
  }
  return hex(hash.digest());
}

// The same in a worker, so that the page stays usable; in the page itself where a worker does not start.
export function hashFile(file, progress) {
  return new Promise((resolve, reject) => {
    let worker;
    let started = false;
    const here = () => hashBlob(file, progress).then(resolve, reject);
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
      return "digest" in data ? resolve(data.digest) : reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      if (started) reject(new Error(event.message));
      else here();
    };
    worker.postMessage(file);
  });
}
