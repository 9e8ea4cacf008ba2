import { hashBlob } from "./hashing.js";

self.onmessage = async ({ data: file }) => {
  try {
    self.postMessage({ digest: await hashBlob(file, (done) => self.postMessage({ done })) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
