// Checks 5.1 and 5.2 of one token, and the bound that it gives (docs/formats.md §9, §12).

import { equal } from "./bytes.js";
import { judgeRevocation } from "./revocation.js";
import { MILLISECOND, SECOND, show } from "./time.js";
import { verifyToken } from "./token.js";
import { Tries } from "./tries.js";
import { sourceName } from "./trust.js";
import { TokenError } from "./tstinfo.js";

const LARGEST_ACCURACY = 3600n * SECOND; // that a trust file or a token may state

// What the tokens of one package have in common.
export class Seen {
  serials = new Map(); // what check 22 compares
  #tries = new Map(); // by the authority of the trust file: no token is to the harm of another's

  triesOf(authority) {
    if (!this.#tries.has(authority)) this.#tries.set(authority, new Tries());
    return this.#tries.get(authority);
  }
}

// 22. Two spellings of one name are one authority.
function checkSerial(token, { organisation }, { serials }) {
  const name = JSON.stringify([sourceName(organisation), token.certificate.subject.key, token.serial.toString()]);
  const known = serials.get(name);
  if (known && !equal(known, token.content)) throw new TokenError(22, `another token of this authority has the serial number ${token.serial}`);
  serials.set(name, token.content);
}

function boundOf(token, authority) {
  const stated = token.accuracy ?? (authority.accuracyMs === null ? null : BigInt(authority.accuracyMs) * MILLISECOND);
  if (stated === null) return null;
  return { notAfter: token.genTime + stated, keys: [...token.path, ...authority.roots].map((certificate) => certificate.keyName) };
}

// Args: response, bytes of the file; stamped, the stamped bytes of the checkpoint; authority of readAuthority;
// revocation, list of { name, bytes }; seen, a Seen for the package. Never throws.
export function checkToken(response, stamped, authority, revocation, seen, exchange = {}) {
  let token;
  try {
    token = verifyToken(response, stamped, authority, exchange, seen.triesOf(authority));
    checkSerial(token, authority, seen);
  } catch (error) {
    const check = error instanceof TokenError ? error.check : 4;
    return { token: { outcome: "failed", check, detail: `check ${check}: ${error.message}` }, revocation: null, bound: null, undated: null };
  }
  const bound = boundOf(token, authority);
  const warnings = [...token.warnings];
  if (token.accuracy === null) warnings.push(bound ? "no accuracy stated: that of the trust file" : "no accuracy stated: it bounds nothing");
  const detail = [`genTime ${show(token.genTime)}, serial ${token.serial}, by ${token.certificate.title}`, ...warnings].join("; ");
  const judged = judgeRevocation(token.path, token.genTime, revocation, authority.strict);
  const good = judged.outcome !== "failed";
  const undated = good && bound === null ? token.genTime + LARGEST_ACCURACY : null;
  return { token: { outcome: "passed", detail, warnings }, revocation: judged, bound: good ? bound : null, undated };
}
