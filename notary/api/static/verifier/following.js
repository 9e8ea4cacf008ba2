// Checks 9.1 to 9.3: other statements in the package, each proved under one of its checkpoints (docs/formats.md §12).

import { FormatError, equal, hex } from "./bytes.js";
import { parseCheckpoint } from "./checkpoint.js";
import { Unchecked } from "./checks.js";
import { checkOpenings } from "./commitments.js";
import { exactKeys, hexBytes, integer, parseMoment } from "./fields.js";
import { parseNote } from "./note.js";
import { parseProof } from "./proof.js";
import { entryOf, parseStatement } from "./statement.js";
import { hashLeaf, rootFromPath } from "./tree.js";

// What these checks rest on. Args: evidence; heads that count.
export class Following {
  constructor(evidence, heads) {
    this.files = evidence.files;
    this.sizes = evidence.heads;
    this.heads = heads;
  }

  has(folder) {
    return [...this.files.keys()].some((name) => name.startsWith(folder));
  }

  file(name) {
    if (!this.files.has(name)) throw new FormatError(`${name} is missing`);
    return this.files.get(name);
  }

  // The statement in a folder and its entry (hex), proved; the values that its openings open, or null.
  open(folder) {
    const bytes = this.file(`${folder}statement.json`);
    const statement = parseStatement(bytes);
    const openings = this.files.get(`${folder}openings.json`);
    const opened = openings === undefined ? null : checkOpenings(openings, statement.commitments);
    return { statement, entry: entryOf(bytes), proof: parseProof(this.file(`${folder}inclusion.tlog-proof`)), opened };
  }

  // Refuses an entry that is under no checkpoint of this package.
  prove({ entry, proof }) {
    if (this.heads.length === 0) throw new Unchecked("no head passed", "not_covered");
    const { origin, size, root } = parseCheckpoint(parseNote(proof.note).text);
    if (!this.sizes.includes(size)) throw new FormatError("its proof is under no checkpoint of this package");
    const head = this.heads.find((one) => one.size === size);
    if (!head) throw new Unchecked("the head that may include it did not pass");
    if (!equal(root, head.root) || origin !== head.origin) throw new FormatError("its proof is under another checkpoint of this size");
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

// Makes 9.2. Args: the receipt that covers this entry, or null.
export function checkIncident(checks, following, receipt) {
  if (!following.has("incident/")) return;
  checks.make("9.2", () => {
    const found = following.open("incident/");
    if (found.statement.type !== "incident" || found.statement.incident.kind !== "promise_broken") throw new FormatError("not an incident promise_broken");
    following.prove(found);
    if (found.opened === null || !("detail" in found.opened)) throw new Unchecked("detail is not opened");
    checkDetail(found.opened.detail, receipt);
    return "the operator says that the promise was broken";
  });
}

function checkDetail(detail, receipt) {
  exactKeys(detail, ["count", "root", "close_by", "size", "closed"]);
  if (receipt === null) throw new FormatError("no receipt covers this entry");
  integer(detail.size);
  parseMoment(detail.closed);
  const same = BigInt(integer(detail.count)) === receipt.count && equal(hexBytes(detail.root, 32), receipt.root) && parseMoment(detail.close_by) === receipt.closeBy;
  if (!same) throw new FormatError("it is about another promise");
}

// Makes 9.3: the chain of the statements that this one follows.
export function checkPrevious(checks, following, statement) {
  if (!following.has("previous/")) return;
  checks.make("9.3", () => {
    let last = statement;
    let count = 0;
    let open = null;
    while (following.has(`previous/${count + 1}/`)) {
      const found = following.open(`previous/${++count}/`);
      if (last.previous !== hex(found.entry) || found.statement.log !== statement.log) throw new FormatError(`previous/${count} is not the statement that is followed`);
      open = provedOrOpen(following, found) ?? open;
      last = found.statement;
    }
    const folders = new Set([...following.files.keys()].filter((name) => name.startsWith("previous/")).map((name) => name.split("/")[1]));
    if (folders.size !== count) throw new FormatError("a statement between two others is missing");
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
