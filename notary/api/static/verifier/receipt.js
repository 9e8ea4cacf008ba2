// Receipts: the promise that an entry will be closed by a certain time (docs/formats.md §6).

import { FormatError, equal } from "./bytes.js";
import { parseHash } from "./checkpoint.js";
import { parseDecimal, parseMoment } from "./fields.js";
import { parseNote } from "./note.js";
import { parseProof } from "./proof.js";
import { hashLeaf, rootFromPath } from "./tree.js";

// A dot would leave out U+2028 and U+2029, which are no ends of a line here.
const LINES = [/^notary receipt v1$/, /^([^]+)$/, /^count (.+)$/, /^root (.+)$/, /^checkpoint ([^ ]+) ([^ ]+)$/, /^close_by (.+)$/, /^stamp_target (.+)$/, /^final_target (.+)$/];

// Index, path, note and what is promised: origin, count, root, size and head of the newest checkpoint, closeBy
// (seconds since 1970) and its text.
export function parseReceipt(bytes) {
  const { index, path, note: signed } = parseProof(bytes, "notary-receipt@v1");
  const note = parseNote(signed);
  const lines = note.text.split("\n");
  if (lines.length !== LINES.length + 1 || lines.pop() !== "") throw new FormatError("not a receipt of its lines");
  const said = lines.map((line, at) => LINES[at].exec(line));
  if (said.includes(null)) throw new FormatError("a line of the receipt is of another form");
  const [, [, origin], [, count], [, root], [, size, head], [, closeBy], ...targets] = said;
  for (const [, target] of targets) parseMoment(target);
  const promise = { origin, count: parseDecimal(count), root: parseHash(root), size: parseDecimal(size), head: parseHash(head), closeBy: parseMoment(closeBy), closeByText: closeBy };
  return { index, path, note, ...promise };
}

// Whether the entry is in the receipt's group.
export function covers(receipt, entry) {
  return equal(rootFromPath(hashLeaf(entry), receipt.index, receipt.count, receipt.path), receipt.root);
}
