// The heads of a package: checkpoints with an inclusion path, and what attests them (docs/formats.md §12, 3.1 to 7.2).

import { checkAnchor } from "./anchor.js";
import { FormatError, bytesOf, compare, equal } from "./bytes.js";
import { parseCheckpoint } from "./checkpoint.js";
import { FAILED, PASSED, UNCHECKED } from "./checks.js";
import { verifyCose } from "./cose.js";
import { parseNote, stampedBytes, verifyNote } from "./note.js";
import { checkOts } from "./ots.js";
import { parseProof } from "./proof.js";
import { MICROSECOND } from "./time.js";
import { earliestOfSources } from "./times.js";
import { Seen, checkToken } from "./timestamp.js";
import { climb, hashLeaf } from "./tree.js";

// Checks each head of `evidence` (files by name, sizes ascending). Gives those that passed 3.1 and 3.2:
// {size, root, key, index, complete (subtrees), stamped, bounds, undated, counts}. `undated`: of tokens that bound nothing
// the moment that they would bound with the largest accuracy. `counts` is false where the period of its
// key is not kept or left open: then the head shows nothing else.
export function checkHeads(checks, evidence, entry, notBefore, trust) {
  if (evidence.heads.length === 0) {
    for (const id of ["3.1", "3.2"]) checks.add(id, UNCHECKED, "no head is in it");
  }
  const found = [];
  const tokens = new Seen();
  for (const size of evidence.heads) {
    const head = evidence.cose ? checkCose(checks, evidence.cose, entry, trust) : checkHead(checks, evidence.files, size, entry, trust);
    if (head === null) continue;
    const first = found.find(({ counts }) => counts); // of the others somebody else may have the key
    if (first && first.index !== head.index) {
      checks.add("3.2", FAILED, `index ${head.index}, where head ${first.size} has ${first.index}`, about(head));
      continue;
    }
    found.push(head);
    attest(checks, evidence.files, head, { trust, notBefore, tokens });
    checkPeriod(checks, head, trust.k);
  }
  return found;
}

const about = ({ size }) => ({ subject: `head ${size}` });

function checkHead(checks, files, size, entry, trust) {
  const subject = { subject: `head ${size}` };
  const folder = `heads/${size}/`;
  const file = files.get(`${folder}inclusion.tlog-proof`);
  if (file === undefined) return checks.add("3.2", FAILED, "the inclusion proof is missing", subject) && null;
  let head;
  const signed = checks.make("3.1", () => {
    head = openHead(file, size, files.get(`${folder}checkpoint`), trust);
    return `size ${size}, key ${head.key.vkey}`;
  }, subject);
  if (!signed) return null;
  const included = checks.make("3.2", () => {
    const { root, complete } = climb(hashLeaf(entry), head.index, size, head.path);
    if (!equal(root, head.root)) throw new FormatError("the path leads to another root");
    head.complete = complete;
    return `entry ${head.index} of ${size}`;
  }, subject);
  return included ? head : null;
}

function openHead(file, size, stored, trust) {
  const { index, path, note: bytes } = parseProof(file);
  const note = parseNote(bytes);
  const checkpoint = parseCheckpoint(note.text);
  const key = verifyNote(note, trust.logKeys);
  if (checkpoint.origin !== trust.origin) throw new FormatError("the checkpoint is of another log");
  if (checkpoint.size !== size) throw new FormatError("the checkpoint has another size than its folder says");
  const stamped = stampedBytes(note, key);
  if (stored !== undefined && !equal(stored, stamped)) throw new FormatError("the file checkpoint is not what is stamped");
  checkLastGood(key, size);
  return { size, origin: checkpoint.origin, root: checkpoint.root, key, index, path, stamped, bounds: [], undated: [], madeAfter: false, counts: true };
}

function checkLastGood({ lastGoodSize }, size) {
  if (lastGoodSize !== null && size > lastGoodSize) throw new FormatError("the key was compromised below this size");
}

// A COSE receipt signs the root, which is in no file: the path leads to it, and so 3.2 comes before 3.1.
function checkCose(checks, receipt, entry, trust) {
  const { size, origin, index, path } = receipt;
  const head = { size, origin, index, path, stamped: null, bounds: [], undated: [], madeAfter: false, counts: true };
  const included = checks.make("3.2", () => {
    Object.assign(head, climb(hashLeaf(entry), index, size, path));
    return `entry ${index} of ${size}`;
  }, about(head));
  if (!included) return null;
  const signed = checks.make("3.1", () => {
    if (origin !== trust.origin) throw new FormatError("the receipt is of another log");
    head.key = verifyCose(receipt, head.root, trust.logKeys);
    checkLastGood(head.key, size);
    return `size ${size}, key ${head.key.vkey}`;
  }, about(head));
  return signed ? head : null;
}

// Files under a folder, ascending by name: [name without folder and ending, bytes].
function filesIn(files, folder, ending) {
  const names = [...files.keys()].filter((name) => name.startsWith(folder) && name.endsWith(ending));
  return names.sort((one, other) => compare(bytesOf(one), bytesOf(other))).map((name) => [name.slice(folder.length, -ending.length), files.get(name)]);
}

function attest(checks, files, head, { trust, notBefore, tokens }) {
  const folder = `heads/${head.size}/`;
  for (const [name, bytes] of filesIn(files, `${folder}tokens/`, ".tsr")) {
    stamp(checks, head, { name, bytes, authority: trust.authorities.get(name), revocation: revocationOf(files, folder, name), tokens });
  }
  for (const [name, bytes] of filesIn(files, `${folder}ots/`, ".ots")) {
    const subject = { subject: `${name}@${head.size}` };
    const { file, block, bound } = checkOts(bytes, head.stamped, trust.bitcoinBlocks);
    checks.add("5.3", file.outcome, file.detail, subject);
    if (block) checks.add("5.4", block.outcome, block.detail, subject);
    if (bound) head.bounds.push({ kind: "bitcoin", source: "bitcoin", organisation: "Bitcoin", notAfter: bound.notAfter, keys: [] });
  }
  const anchor = files.get(`${folder}anchor.json`);
  if (anchor === undefined) return;
  if (trust.chains.length === 0) {
    checks.add("6.1", UNCHECKED, "the trust file names no chain", about(head));
    return;
  }
  const found = checkAnchor({ anchor, header: files.get(`${folder}header.rlp`) ?? null, checkpoint: head, chains: trust.chains, notBefore });
  for (const { id, outcome, detail, claim = null } of found.checks) checks.add(id, outcome, detail, { ...about(head), claim });
  head.madeAfter = found.madeAfter;
  head.headKey = found.headKey;
  head.blocks = found.blocks;
  if (found.bound) head.bounds.push({ kind: "chain", source: found.bound.source, organisation: found.bound.source, notAfter: found.bound.notAfter, keys: [] });
}

function revocationOf(files, folder, token) {
  const place = `${folder}revocation/${token}/`;
  return [...files].filter(([name]) => name.startsWith(place)).map(([name, bytes]) => ({ name: name.slice(place.length), bytes }));
}

function stamp(checks, head, { name, bytes, authority, revocation, tokens }) {
  const subject = { subject: `${name}@${head.size}` };
  if (!authority) return checks.add("5.1", UNCHECKED, `the trust file has no authority ${name}`, subject);
  const found = checkToken(bytes, head.stamped, authority, revocation, tokens);
  checks.add("5.1", found.token.outcome, found.token.detail, subject);
  if (found.revocation) checks.add("5.2", found.revocation.outcome, found.revocation.detail, subject);
  if (found.bound) head.bounds.push({ kind: "rfc3161", source: name, organisation: authority.organisation, ...found.bound });
  if (found.undated !== null) head.undated.push({ source: name, notAfter: found.undated });
  return undefined;
}

// A head is attested within the period of its key, by the earliest of its bounds; where others had the key, by as many
// sources as T needs (§8): one that errs, or is one with the thief, is not enough there.
function checkPeriod(checks, head, k) {
  const { outcome, detail } = judgePeriod(head.key, head.bounds, k);
  if (outcome === PASSED) return;
  head.counts = false;
  head.bounds = [];
  checks.add("3.1", outcome, detail, { subject: `head ${head.size} key period` });
}

function judgePeriod({ since, until, lastGoodSize }, bounds, k) {
  const [from, to] = [since, until].map((end) => end && end * MICROSECOND);
  const moments = earliestOfSources(bounds);
  if (moments.length === 0) return to === null ? { outcome: PASSED } : { outcome: UNCHECKED, detail: "nothing dates the head, and its key has an end" };
  if ((to !== null && moments[0] > to) || (from !== null && moments[0] < from)) return { outcome: FAILED, detail: "the head is attested outside its key's period" };
  const dated = moments.filter((moment) => to === null || moment <= to).length;
  if (lastGoodSize !== null && dated < k) return { outcome: UNCHECKED, detail: `its key was compromised, and ${dated} of ${k} sources date the head before the key's end` };
  return { outcome: PASSED };
}
