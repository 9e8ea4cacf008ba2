// Checks 9.1 to 9.3: other statements in the package, each proved under one of its checkpoints (docs/formats.md §12).

import { FormatError, equal, hex } from "./bytes.js";
import { parseCheckpoint } from "./checkpoint.js";
import { Unchecked } from "./checks.js";
import { checkOpenings } from "./commitments.js";
import { exactKeys, hexBytes, integer } from "./fields.js";
import { parseNote, verifyNote } from "./note.js";
import { parseProof } from "./proof.js";
import { covers, parseReceipt } from "./receipt.js";
import { entryOf, parseStatement } from "./statement.js";
import { hashLeaf, rootFromPath } from "./tree.js";

// What these checks rest on. Args: evidence; heads that count; trust, or null.
export class Following {
  constructor(evidence, heads, trust) {
    this.files = evidence.files;
    this.sizes = evidence.heads;
    this.heads = heads;
    this.trust = trust;
  }

  has(folder) {
    return this.files.has(`${folder}statement.json`);
  }

  file(name) {
    if (!this.files.has(name)) throw new FormatError(`${name} is missing`);
    return this.files.get(name);
  }

  // The statement in a folder and its entry, proof, and the values that its openings open, or null.
  open(folder) {
    if (this.heads.length === 0) throw new Unchecked("no head passed", "not_covered");
    const bytes = this.file(`${folder}statement.json`);
    const statement = parseStatement(bytes);
    const openings = this.files.get(`${folder}openings.json`);
    const opened = openings === undefined ? null : checkOpenings(openings, statement.commitments);
    return { statement, entry: entryOf(bytes), proof: parseProof(this.file(`${folder}inclusion.tlog-proof`)), opened };
  }

  // Refuses an entry that is under no checkpoint of this package.
  prove({ entry, proof }) {
    const note = parseNote(proof.note);
    const { origin, size, root } = parseCheckpoint(note.text);
    verifyNote(note, this.trust.logKeys);
    if (origin !== this.trust.origin) throw new FormatError("its checkpoint is of another log");
    const head = this.heads.find((one) => one.size === size);
    if (!head && this.heads.length < this.sizes.length) throw new Unchecked("the head that may include it did not pass");
    if (!head) throw new FormatError("its proof is under no checkpoint of this package");
    if (!equal(root, head.root)) throw new FormatError("its proof is under another checkpoint of this size: the log signed two histories");
    if (!equal(rootFromPath(hashLeaf(entry), proof.index, size, proof.path), root)) throw new FormatError("its path leads to another root");
  }
}

// Makes 9.1, and gives the values opened. Args: entry (hex) of the record; names that 2.4 opened.
export function checkInspection(checks, following, entry, names) {
  if (!following.has("inspection/")) return {};
  let values = {};
  checks.make("9.1", () => {
    const found = following.open("inspection/");
    if (found.statement.type !== "inspection" || found.statement.previous !== entry) throw new FormatError("not an inspection of this record");
    const opened = Object.keys(found.opened ?? {});
    if (opened.some((name) => name !== "inspection" || names.includes(name))) throw new FormatError("it opens what is not its own");
    following.prove(found);
    values = found.opened ?? {};
    return "the inspection is in the log";
  });
  return values;
}

// Makes 9.2. Args: entry of the record.
export function checkIncident(checks, following, entry) {
  if (!following.has("incident/")) return;
  checks.make("9.2", () => {
    const found = following.open("incident/");
    if (found.statement.type !== "incident" || found.statement.incident.kind !== "promise_broken") throw new FormatError("not an incident promise_broken");
    following.prove(found);
    if (found.opened === null || !("detail" in found.opened)) throw new Unchecked("detail is not opened");
    checkDetail(found.opened.detail, parseReceipt(following.file("receipt.txt")), entry);
    return "the operator says that the promise was broken";
  });
}

// `size` and `closed` are the operator's word on when it was kept after all; nothing is compared with them.
function checkDetail(detail, receipt, entry) {
  exactKeys(detail, ["count", "root", "close_by", "size", "closed"]);
  if (!covers(receipt, entry)) throw new FormatError("the receipt does not cover this entry");
  const same = BigInt(integer(detail.count)) === receipt.count && equal(hexBytes(detail.root, 32), receipt.root) && detail.close_by === receipt.closeByText;
  if (!same) throw new FormatError("it is about another promise");
}

// Makes 9.3: the chain of the statements that this one follows.
export function checkPrevious(checks, following, statement) {
  const folders = new Set([...following.files.keys()].filter((name) => name.startsWith("previous/")).map((name) => name.split("/")[1]));
  if (folders.size === 0) return;
  checks.make("9.3", () => {
    let last = statement;
    let count = 0;
    let open = null;
    while (count < folders.size) {
      const found = following.open(`previous/${++count}/`);
      if (last.previous !== hex(found.entry) || found.statement.log !== statement.log) throw new FormatError(`previous/${count} is not the statement that is followed`);
      open = provedOrOpen(following, found) ?? open;
      last = found.statement;
    }
    if (open) throw open;
    if (last.previous !== null) throw new Unchecked(`the chain is cut at entry ${last.previous}`);
    return `complete: ${count} statements before this one`;
  });
}

// An Unchecked where a head leaves the proof open; what fails later in the chain counts more.
function provedOrOpen(following, found) {
  try {
    following.prove(found);
    return null;
  } catch (error) {
    if (error instanceof Unchecked) return error;
    throw error;
  }
}
