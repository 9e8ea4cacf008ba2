// The whole verification of one package or proof: the result of docs/formats.md §13.

import { FormatError, bytesOf, hex, textOf } from "./bytes.js";
import { Checks, FAILED, PASSED, UNCHECKED } from "./checks.js";
import { checkOpenings } from "./commitments.js";
import { checkHistory } from "./consistency.js";
import { digestsOf } from "./digests.js";
import { openEvidence } from "./evidence.js";
import { Following, checkIncident, checkInspection, checkPrevious } from "./following.js";
import { checkHeads } from "./heads.js";
import { unread } from "./package_names.js";
import { checkPromise } from "./promise.js";
import { exact } from "./result_text.js";
import { sourceOf } from "./source.js";
import { entryOf, parseStatement, statedDigests } from "./statement.js";
import { checkTimes } from "./times.js";
import { readTrust, withAnswers } from "./trust.js";

// Args: package: Uint8Array, Blob or {size, read}; trust: text or bytes of the trust file, or null; as package, or
// null: document; statement, of a COSE receipt; proof, of an OpenTimestamps file; answers, of those who were asked for blocks
// (withAnswers), and progress(bytes done, of how many), both optional.
// Throws TrustError for a trust file with errors, NoEvidence for what is neither package nor proof, BesideError where
// statement or proof is missing or not wanted, Unreadable.
export async function verify(given) {
  return judge(await gather(given)).result;
}

// All that is read: {trust, opened: {evidence, error}, given}, where `given` has size and digests of the document.
export async function gather({ package: file, trust = null, document = null, statement = null, proof = null, answers = [], progress = () => {} }) {
  const known = trust === null ? null : readTrust(typeof trust === "string" ? bytesOf(trust) : trust);
  const beside = { statement: statement && sourceOf(statement), proof: proof && sourceOf(proof) };
  const opened = await openEvidence(sourceOf(file), beside, namesIn, progress);
  const source = document && sourceOf(document);
  const wanted = source && opened.evidence ? namesIn(opened.evidence.files) : [];
  return { trust: known && withAnswers(known, answers), opened, given: source && (await digestsOf(source, wanted, (done) => progress(done, source.size))) };
}

// The result; the blocks on which it rests (§10), for whoever has a node to ask; and the keys that signed: {role: "log",
// "receipt" or "head", size of the head or null, key}. Reads nothing more.
export function judge({ trust, opened: { evidence, error }, given }) {
  const checks = new Checks();
  const result = { version: 1, outcome: FAILED, test_only: false, checks: checks.list, statement: null, entry: "", index: null, openings: {}, withheld: null, time: null };
  if (evidence === null) {
    checks.add("1.1", FAILED, error);
    return { result, blocks: [], signers: [] };
  }
  checks.add("1.1", PASSED, `${evidence.files.size} files${unread([...evidence.files.keys()])}`);
  result.test_only = trust?.testOnly ?? false;
  if (trust) checks.add("1.2", PASSED, `trust file for log ${trust.origin}`);
  else checks.add("1.2", UNCHECKED, "no trust file was given");
  return { result, ...examine(checks, result, { evidence, given, trust }) };
}

// Digests that the statement among these files states, so that the document is read once.
export function namesIn(files) {
  try {
    return Object.keys(statedDigests(parseStatement(files.get("data/statement.json"))));
  } catch {
    return []; // check 2.1 says why
  }
}

// Everything after 1.2. Gives the anchoring blocks and the keys that signed.
function examine(checks, result, { evidence, given, trust }) {
  let statement = null;
  const bytes = evidence.files.get("data/statement.json");
  const read = checks.make("2.1", () => {
    statement = parseStatement(bytes);
    return `a ${statement.type} statement`;
  });
  if (!read) return { blocks: [], signers: [] };
  const entry = entryOf(bytes);
  Object.assign(result, { statement: JSON.parse(textOf(bytes)), entry: hex(entry) });
  const opened = checkOwnOpenings(checks, evidence.files, statement);
  checkDocuments(checks, statement, { given, packaged: evidence.document });
  const heads = trust === null ? withoutTrust(checks) : withTrust(checks, result, { evidence, statement, entry, trust });
  const following = new Following(evidence, heads.counting, trust);
  const inspection = checkInspection(checks, following, hex(entry), Object.keys(opened));
  checkIncident(checks, following, entry);
  checkPrevious(checks, following, statement);
  Object.assign(result, { openings: { ...opened, ...inspection }, withheld: statement.commitments.count - Object.keys(opened).length });
  result.outcome = checks.outcome(requiredOf(statement));
  return { blocks: heads.blocks, signers: heads.signers };
}

const requiredOf = (statement) => ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "8.1", ...("document" in statement ? ["2.3"] : [])];

function checkOwnOpenings(checks, files, statement) {
  if (!files.has("data/openings.json")) return {};
  let opened = {};
  checks.make("2.4", () => {
    opened = checkOpenings(files.get("data/openings.json"), statement.commitments);
    return `opened: ${Object.keys(opened).join(", ")}`;
  });
  return opened;
}

function checkDocuments(checks, statement, documents) {
  const required = "document" in statement;
  const there = Object.entries(documents).filter(([, document]) => document !== null);
  if (there.length === 0 && required) checks.add("2.3", UNCHECKED, "there is no document", { required });
  for (const [subject, { size, digests }] of there) {
    checks.make("2.3", () => compareDocument(statement, size, digests), { subject, required });
  }
}

function compareDocument(statement, size, digests) {
  const stated = Object.entries(statedDigests(statement));
  if (stated.length === 0) throw new FormatError("the statement is about no document");
  for (const [name, digest] of stated) if (digests[name] !== digest) throw new FormatError(`${name} differs`);
  if (statement.document.size !== null && statement.document.size !== size) throw new FormatError("the size differs");
  return `all ${stated.length} digests are equal; ${size} bytes`;
}

function withoutTrust(checks) {
  for (const id of ["2.2", "3.1", "3.2", "8.1"]) checks.add(id, UNCHECKED, "no trust file was given");
  return { counting: [], blocks: [], signers: [] };
}

function withTrust(checks, result, { evidence, statement, entry, trust }) {
  const mine = statement.log === trust.origin;
  checks.add("2.2", mine ? PASSED : FAILED, mine ? trust.origin : `the statement is of log ${statement.log}`);
  const heads = checkHeads(checks, evidence, entry, statement.not_before, trust);
  const counting = heads.filter(({ counts }) => counts);
  checkHistory(checks, evidence.files.get("consistency.json"), evidence.heads, counting);
  const receiptKey = checkPromise(checks, evidence.files.get("receipt.txt"), entry, counting, trust);
  result.index = counting.length > 0 ? exact(counting[0].index) : null;
  result.time = checkTimes(checks, counting, statement.not_before, trust);
  return { counting, blocks: eachOnce(heads.flatMap(({ blocks = [] }) => blocks)), signers: signersOf(counting, receiptKey) };
}

// Two heads may be anchored in one block, and rest on one not-before block.
const eachOnce = (blocks) => blocks.filter((block, at) => blocks.findIndex((other) => other.chainId === block.chainId && other.number === block.number && other.hash === block.hash) === at);

function signersOf(heads, receiptKey) {
  const found = heads.flatMap(({ size, key, headKey = null }) => [{ role: "log", size, key: key.vkey }, ...(headKey === null ? [] : [{ role: "head", size, key: `0x${hex(headKey)}` }])]);
  return receiptKey === null ? found : [...found, { role: "receipt", size: null, key: receiptKey.vkey }];
}
