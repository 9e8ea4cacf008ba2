// Checks 4.1 to 4.3: the receipt, and whether its promise was kept (docs/formats.md §6, §12).

import { FormatError } from "./bytes.js";
import { Unchecked } from "./checks.js";
import { verifyNote } from "./note.js";
import { covers, parseReceipt } from "./receipt.js";

// Args: the file receipt.txt, or undefined; entry of the record; heads that count. Gives the key of a receipt that passed 4.1.
export function checkPromise(checks, file, entry, heads, trust) {
  if (file === undefined) return null;
  let receipt = null;
  let key = null;
  const signed = checks.make("4.1", () => {
    if (trust.receiptKeys.length === 0) throw new Unchecked("the trust file names no receipt key", "not_covered");
    receipt = parseReceipt(file);
    key = verifyNote(receipt.note, trust.receiptKeys);
    if (receipt.origin !== trust.origin) throw new FormatError("the receipt is of another log");
    checkPeriod(key, receipt);
    return `signed by ${key.vkey}`;
  });
  if (!signed) return null;
  const covered = checks.make("4.2", () => {
    if (!covers(receipt, entry)) throw new FormatError("the path leads to another root");
    return `entry ${receipt.index} of ${receipt.count} in its group`;
  });
  // Of a promise about other entries nothing follows for this one, and nobody broke it.
  if (covered && heads.length > 0) checks.make("4.3", () => kept(receipt, heads));
  return key;
}

// A receipt is dated by its own key's word alone, so a period turns no evidence bad: it leaves it open.
function checkPeriod({ since, until, lastGoodSize }, { closeBy, size }) {
  if (until !== null) throw new Unchecked("the receipt's key has an end, and nothing dates the receipt");
  if (since !== null && BigInt(closeBy) * 1000000n < since) throw new Unchecked("close_by is before the period of the receipt's key");
  if (lastGoodSize !== null && size > lastGoodSize) throw new Unchecked("the receipt's key was compromised below this size");
}

function kept(receipt, heads) {
  if (heads.some(({ index }) => index < receipt.size)) throw new FormatError("the entry was there before it was promised");
  const limit = BigInt(receipt.closeBy) * 1000000000n;
  const head = heads.find(({ bounds }) => bounds.some(({ notAfter }) => notAfter <= limit));
  if (!head) throw new Unchecked("no head is attested by then");
  return `head ${head.size} is attested by ${receipt.closeByText}`;
}
