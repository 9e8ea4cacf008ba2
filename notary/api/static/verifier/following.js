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

  // The statement in a folder and its entry; refused where `belongs` does not hold of it, or where it is under no
  // checkpoint of this package.
  prove(folder, belongs = () => true) {
    if (this.heads.length === 0) throw new Unchecked("no head passed", "not_covered");
    const bytes = this.file(`${folder}statement.json`);
    const statement = parseStatement(bytes);
    if (!belongs(statement)) throw new FormatError("the statement is not about this record");
    const proof = parseProof(this.file(`${folder}inclusion.tlog-proof`));
    const note = parseNote(proof.note);
    const head = this.heads.find(({ origin, size }) => note.text.startsWith(`${origin}\n${size}\n`));
    if (!head && this.heads.length < this.sizes.length) throw new Unchecked("the head that may include it did not pass");
    if (!head) throw new FormatError("its proof is under no checkpoint of this package");
    verifyNote(note, this.trust.logKeys);
    const { size, root } = parseCheckpoint(note.text);
    if (!equal(root, head.root)) throw new FormatError("its proof is under another checkpoint of this size: the log signed two histories");
    const entry = entryOf(bytes);
    if (!equal(rootFromPath(hashLeaf(entry), proof.index, size, proof.path), root)) throw new FormatError("its path leads to another root");
    return { statement, entry };
  }

  // The values that the openings in a folder open, each committed to by the statement; null where there are none.
  opened(folder, { commitments }) {
    const openings = this.files.get(`${folder}openings.json`);
    return openings === undefined ? null : checkOpenings(openings, commitments);
  }
}

// Makes 9.1, and gives the values opened. Args: entry (hex) of the record; names that 2.4 opened.
export function checkInspection(checks, following, entry, names) {
  if (!following.has("inspection/")) return {};
  let values = {};
  checks.make("9.1", () => {
    const { statement } = following.prove("inspection/", ({ type, previous }) => type === "inspection" && previous === entry);
    const opened = following.opened("inspection/", statement) ?? {};
    if (Object.keys(opened).some((name) => name !== "inspection" || names.includes(name))) throw new FormatError("it opens what is not its own");
    values = opened;
    return "the inspection is in the log";
  });
  return values;
}

// Makes 9.2. Args: entry of the record.
export function checkIncident(checks, following, entry) {
  if (!following.has("incident/")) return;
  checks.make("9.2", () => {
    const { statement } = following.prove("incident/", ({ type, incident }) => type === "incident" && incident.kind === "promise_broken");
    const opened = following.opened("incident/", statement);
    if (opened === null || !("detail" in opened)) throw new Unchecked("detail is not opened");
    checkDetail(opened.detail, parseReceipt(following.file("receipt.txt")), entry);
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
  if (folders.size === 0 && statement.previous === null) return;
  checks.make("9.3", () => {
    if (following.heads.length === 0) throw new Unchecked("no head passed", "not_covered");
    let last = statement;
    let open = null;
    for (let n = 1; n <= folders.size; n++) {
      const found = proveOrOpen(following, `previous/${n}/`);
      open ??= found.open;
      if (last.previous !== hex(found.entry) || found.statement.log !== statement.log) throw new FormatError(`previous/${n} is not the statement that is followed`);
      following.opened(`previous/${n}/`, found.statement);
      last = found.statement;
    }
    if (open) throw open;
    if (last.previous !== null) throw new Unchecked(`the chain is cut at entry ${last.previous}`);
    return `complete: ${folders.size} statements before this one`;
  });
}

// As `prove`; where a head leaves the proof open, `open` is that, since what fails later in the chain counts more.
function proveOrOpen(following, folder) {
  try {
    return { ...following.prove(folder), open: null };
  } catch (error) {
    if (!(error instanceof Unchecked) || following.heads.length === 0) throw error;
    const bytes = following.file(`${folder}statement.json`);
    return { statement: parseStatement(bytes), entry: entryOf(bytes), open: error };
  }
}
