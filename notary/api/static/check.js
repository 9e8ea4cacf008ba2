// What this browser recomputes of one record. Four findings, each passed, failed or could_not_be_checked.

import { FormatError, bytesOf, equal, hex } from "./bytes.js";
import { checkSignature, parseCheckpoint, parseNote, parseVkey } from "./note.js";
import { parseNumber } from "./number.js";
import { hashLeaf, parseProof, rootFromPath } from "./proof.js";
import { sha256 } from "./sha256.js";
import { parseStatement } from "./statement.js";

const finding = (id, outcome, reason = outcome, facts = {}) => ({ id, outcome, reason, facts });
const unchecked = (id, reason) => finding(id, "could_not_be_checked", reason);

// Args: record {number, entry, statement, proof or null} as the service sent it; digest: SHA-256 of the visitor's
// file in hexadecimal, or null; log {origin, vkeys} as the page came with it.
export async function checkRecord(record, digest, log) {
  const { statement, check } = checkStatement(record, log);
  const tree = await checkTree(record, statement, log);
  const findings = [checkDocument(statement, digest), check, ...tree.findings];
  return { statement, findings, outcome: conclude(findings), size: tree.size, index: tree.index };
}

export function conclude(findings) {
  const outcomes = new Map(findings.map(({ id, outcome }) => [id, outcome]));
  if ([...outcomes.values()].includes("failed")) return "failed";
  // Without a document its finding is open, and the words of the result say so.
  return outcomes.get("statement") === "passed" && outcomes.get("tree") === "passed" ? "passed" : "could_not_be_checked";
}

function checkStatement(record, log) {
  try {
    const statement = parseStatement(record.statement);
    const same = hex(sha256(bytesOf(record.statement))) === record.entry;
    const mine = statement.log === log.origin && statement.number === parseNumber(record.number);
    return { statement, check: finding("statement", same && mine ? "passed" : "failed", undefined, { entry: record.entry }) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { statement: null, check: finding("statement", "failed") };
  }
}

function checkDocument(statement, digest) {
  if (digest === null) return unchecked("document", "no_file");
  const recorded = statement?.document?.digests["sha-256"];
  if (recorded === undefined) return unchecked("document", "no_document");
  return finding("document", recorded === digest ? "passed" : "failed", undefined, { digest });
}

async function checkTree(record, statement, log) {
  if (record.proof === null) {
    return { findings: [unchecked("tree", "not_closed"), unchecked("signature", "not_closed")], size: null, index: null };
  }
  try {
    const proof = parseProof(record.proof);
    const note = parseNote(proof.note);
    const checkpoint = parseCheckpoint(note.text);
    const bytes = bytesOf(record.statement);
    const root = rootFromPath(hashLeaf(sha256(bytes)), proof.index, checkpoint.size, proof.path);
    const good = equal(root, checkpoint.root) && checkpoint.origin === statement?.log && (proof.extra === null || equal(proof.extra, bytes));
    const facts = { index: String(proof.index), size: String(checkpoint.size), root: hex(checkpoint.root) };
    const findings = [finding("tree", good ? "passed" : "failed", undefined, facts), await signature(note, log)];
    return { findings, size: facts.size, index: facts.index };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { findings: [finding("tree", "failed"), unchecked("signature", "no_checkpoint")], size: null, index: null };
  }
}

async function signature(note, log) {
  const keys = log.vkeys.map(parseVkey);
  const key = keys.find(({ name, keyId }) => note.signatures.some((line) => line.name === name && equal(line.keyId, keyId)));
  if (!key) return unchecked("signature", "other");
  const result = await checkSignature(note, key);
  return result === "unable" ? unchecked("signature", result) : finding("signature", result, undefined, { key: key.vkey });
}
