// Where bytes come from: an array, or a Blob that is read piece by piece, so that a document may be larger than memory.

import { Unreadable } from "./checks.js";

const PIECE = 4 << 20;

// {size, read(start, end)}: the bytes, or a promise of them.
export function sourceOf(data) {
  if (data instanceof Uint8Array) return { size: data.length, read: (start, end) => data.subarray(start, end) };
  if (typeof Blob !== "undefined" && data instanceof Blob) return { size: data.size, read: (start, end) => readBlob(data, start, end) };
  return data;
}

async function readBlob(blob, start, end) {
  try {
    return new Uint8Array(await blob.slice(start, end).arrayBuffer());
  } catch (error) {
    throw new Unreadable(String(error));
  }
}

export const part = (source, start, size) => ({ size, read: (from, to) => source.read(start + from, start + to) });

// Feeds all bytes of a source to each of `takers` (objects with `update`), and tells `progress` how many are done.
export async function pour(source, takers, progress = () => {}) {
  for (let at = 0; at < source.size; at += PIECE) {
    const piece = await source.read(at, Math.min(at + PIECE, source.size));
    for (const taker of takers) taker.update(piece);
    progress(at + piece.length);
  }
}
