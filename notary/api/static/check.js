// What this browser recomputes of one record. Four findings, each passed, failed or could_not_be_checked.

import { FormatError, bytesOf, equal, hex } from "./verifier/bytes.js";
import { parseCheckpoint } from "./verifier/checkpoint.js";
import { parseNote, parseVkey, verifyNote } from "./verifier/note.js";
import { parseNumber } from "./verifier/number.js";
import { parseProof } from "./verifier/proof.js";
import { sha256 } from "./verifier/sha256.js";
import { parseStatement, statedDigests } from "./verifier/statement.js";
import { hashLeaf, rootFromPath } from "./verifier/tree.js";

const finding = (id, outcome, reason = outcome, facts = {}) => ({ id, outcome, reason, facts });
const unchecked = (id, reason) => finding(id, "could_not_be_checked", reason);

// Args: record {number, entry, statement, proof or null} as the service sent it; file {size, digests by name} of the
// visitor, or null; log {origin, vkeys} as the page came with it.
export function checkRecord(record, file, log) {
  const { statement, check } = checkStatement(record, log);
  const tree = checkTree(record, statement, log);
  const findings = [checkDocument(statement, file), check, ...tree.findings];
  return { statement, findings, outcome: conclude(findings), size: tree.size, index: tree.index };
}

// Whoever makes up a document, a statement and a tree can make up their checkpoint too, but for its signature.
export function conclude(findings) {
  const outcomes = new Map(findings.map(({ id, outcome }) => [id, outcome]));
  if ([...outcomes.values()].includes("failed")) return "failed";
  // Without a document its finding is open, and the words of the result say so.
  const needed = ["statement", "tree", "signature"];
  return needed.every((id) => outcomes.get(id) === "passed") ? "passed" : "could_not_be_checked";
}

// Names of the digests that these records state: what a file must be hashed by, to be compared with them.
export function namesOf(records) {
  return [...new Set(records.flatMap((record) => Object.keys(statedDigests(readStatement(record)))))];
}

function readStatement(record) {
  try {
    return parseStatement(bytesOf(record.statement));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return null;
  }
}

function checkStatement(record, log) {
  const statement = readStatement(record);
  if (statement === null) return { statement, check: finding("statement", "failed") };
  const same = hex(sha256(bytesOf(record.statement))) === record.entry;
  const mine = statement.log === log.origin && statement.number === parseNumber(record.number);
  return { statement, check: finding("statement", same && mine ? "passed" : "failed", undefined, { entry: record.entry }) };
}

// Every digest must be the one stated, and the size too.
function checkDocument(statement, file) {
  if (file === null) return unchecked("document", "no_file");
  const stated = Object.entries(statedDigests(statement));
  if (stated.length === 0) return unchecked("document", "no_document");
  const digest = file.digests["sha-256"];
  const differs = stated.filter(([name, value]) => value !== file.digests[name]);
  if (differs.length > 0) return finding("document", "failed", undefined, { digest, differs: listed(differs) });
  const { size } = statement.document;
  if (size !== null && size !== file.size) {
    return finding("document", "failed", "size", { digest, bytes: String(file.size), stated: String(size) });
  }
  return finding("document", "passed", undefined, { digest, compared: listed(stated) });
}

const listed = (digests) => digests.map(([name]) => name.toUpperCase()).sort().join(", ");

function checkTree(record, statement, log) {
  if (record.proof === null) {
    return { findings: [unchecked("tree", "not_closed"), unchecked("signature", "not_closed")], size: null, index: null };
  }
  try {
    const proof = parseProof(bytesOf(record.proof));
    const note = parseNote(proof.note);
    const checkpoint = parseCheckpoint(note.text);
    const bytes = bytesOf(record.statement);
    const root = rootFromPath(hashLeaf(sha256(bytes)), proof.index, checkpoint.size, proof.path);
    const good = equal(root, checkpoint.root) && checkpoint.origin === statement?.log && (proof.extra === null || equal(proof.extra, bytes));
    const facts = { index: String(proof.index), size: String(checkpoint.size), root: hex(checkpoint.root) };
    const findings = [finding("tree", good ? "passed" : "failed", undefined, facts), signature(note, log)];
    return { findings, size: facts.size, index: facts.index };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { findings: [finding("tree", "failed"), unchecked("signature", "no_checkpoint")], size: null, index: null };
  }
}

// As docs/formats.md §4: another's lines are passed over, one bad line of a key of the log refuses the note.
function signature(note, log) {
  const keys = log.vkeys.map(parseVkey);
  const signed = keys.filter(({ name, keyId }) => note.signatures.some((line) => line.name === name && equal(line.keyId, keyId)));
  if (signed.length === 0) return finding("signature", "failed", "other");
  try {
    return finding("signature", "passed", undefined, { key: verifyNote(note, keys).vkey });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return finding("signature", "failed", undefined, { key: signed[0].vkey });
  }
}
