// Hashing in blocks of 64 bytes, fed piece by piece: what SHA-256 and SM3 have in common.
//
// Our own, and not WebCrypto's: `crypto.subtle.digest` wants the whole message at once, so a file of some
// gigabytes would have to fit into memory; and browsers offer it on https and localhost alone, while this page
// must also take digests on the plain http address of an office network. No browser has SM3.

// A subclass has `compress(state, view, at)`: take the 64 bytes of `view` from `at` into the eight words of `state`.
export class BlockHash {
  #state;
  #block = new Uint8Array(64);
  #view = new DataView(this.#block.buffer);
  #filled = 0;
  #length = 0; // bytes; exact up to 2^53

  constructor(start) {
    this.#state = start.slice();
  }

  update(bytes) {
    this.#length += bytes.length;
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(64 - this.#filled, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < 64) return this;
      this.compress(this.#state, this.#view, 0);
      this.#filled = 0;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + 64 <= bytes.length; at += 64) this.compress(this.#state, view, at);
    this.#block.set(bytes.subarray(at));
    this.#filled = bytes.length - at;
    return this;
  }

  // The 32 bytes. Ends the use of this object.
  digest() {
    const length = this.#length;
    const zeros = (119 - (length % 64)) % 64;
    const tail = new Uint8Array(1 + zeros + 8);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(1 + zeros, Math.floor(length / 2 ** 29));
    view.setUint32(5 + zeros, length * 8); // setUint32 takes it modulo 2^32
    this.update(tail);
    const out = new DataView(new ArrayBuffer(32));
    this.#state.forEach((word, at) => out.setInt32(4 * at, word));
    return new Uint8Array(out.buffer);
  }
}
