import { hashBlob } from "./hashing.js";

self.onmessage = async ({ data: { file, names } }) => {
  try {
    self.postMessage({ digests: await hashBlob(file, names, (done) => self.postMessage({ done })) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
