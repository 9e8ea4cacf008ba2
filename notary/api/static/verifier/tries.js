// Signatures that are tried in search of the paths of tokens (docs/formats.md §9, check 14): of one authority in a
// package each once, and no more than 64, since a token may hold 32 certificates of one name, and each signature takes milliseconds.

import { FormatError } from "./bytes.js";

const MAX_TRIES = 64;

export class Tries {
  #known = new Map();

  // Whether `issuer` issued the certificate, by name and signature. Throws where too many were tried before.
  issued(issuer, certificate) {
    if (issuer.subject.key !== certificate.issuer.key) return false;
    const pair = `${issuer.keyName} ${certificate.fingerprint}`;
    if (!this.#known.has(pair)) {
      if (this.#known.size === MAX_TRIES) throw new FormatError("too many signatures of certificates would have to be tried");
      this.#known.set(pair, certificate.isSignedBy(issuer));
    }
    return this.#known.get(pair);
  }
}
