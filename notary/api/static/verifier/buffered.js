// Cuts what comes in pieces into blocks of one size. A subclass has `take(view, at)`: the block that begins at `at` of `view`.

export class Buffered {
  #block;
  #view;
  #filled = 0;
  length = 0; // bytes so far; exact up to 2^53

  constructor(size) {
    this.#block = new Uint8Array(size);
    this.#view = new DataView(this.#block.buffer);
  }

  update(bytes) {
    const size = this.#block.length;
    this.length += bytes.length;
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(size - this.#filled, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < size) return this;
      this.take(this.#view, 0);
      this.#filled = 0;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + size <= bytes.length; at += size) this.take(view, at);
    this.#block.set(bytes.subarray(at));
    this.#filled = bytes.length - at;
    return this;
  }
}
