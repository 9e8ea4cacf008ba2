// Digests of a file, by their names in statements; the file goes nowhere.

import { digestsOf } from "./verifier/digests.js";
import { sourceOf } from "./verifier/source.js";

// Digests of `blob` in hexadecimal by name. `progress` is called with the bytes done so far.
export async function hashBlob(blob, names, progress) {
  return (await digestsOf(sourceOf(blob), names, progress)).digests;
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
