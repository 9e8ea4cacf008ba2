// Checks 6.1 to 7.2 of one anchor, and its bound (docs/formats.md §10).

import { FormatError, equal, hex } from "./bytes.js";
import { readAnchorFile } from "./anchor_file.js";
import { HISTORY_LENGTH, provedAccount, provedEvent, provedHead, provedHistory } from "./chain_state.js";
import { isSealed, readHeader } from "./header.js";
import { checkSeals, setAt } from "./seals.js";
import { MICROSECOND, ofSeconds, show } from "./time.js";

const PASSED = "passed";
const FAILED = "failed";
const OPEN = "could_not_be_checked";
const MAX_OF_ONE_HASH = 8; // not-before headers, of which each has seals to be checked

// Thrown where something is missing, not wrong.
class Missing extends Error {}

class Checks {
  list = [];

  // Runs `step`, which returns a sentence or throws; gives the outcome.
  make(id, step) {
    let outcome = PASSED;
    let detail;
    try {
      detail = step();
    } catch (error) {
      outcome = error instanceof Missing ? OPEN : FAILED;
      detail = error.message;
    }
    this.list.push({ id, outcome, detail });
    return outcome;
  }

  of(id) {
    return this.list.find((check) => check.id === id)?.outcome ?? null;
  }
}

function demand(holds, message) {
  if (!holds) throw new FormatError(message);
}

// 6.1. Returns the evidence, its header and the [[chain]] that it is of.
function open({ anchor, header, chains }) {
  if (chains.length === 0) throw new Missing("the trust file names no chain");
  const evidence = readAnchorFile(anchor);
  if (!chains.some(({ chainId }) => chainId === evidence.chainId)) throw new Missing(`the trust file names no chain ${evidence.chainId}`);
  const trusted = chains.find(({ chainId, contract, logId }) => chainId === evidence.chainId && equal(contract, evidence.contract) && equal(logId, evidence.logId));
  demand(trusted, "chain, contract or log are not those of the trust file");
  demand(trusted.profile === evidence.profile, "the evidence is of another kind of chain than the trust file says");
  demand(header === null || equal(header, evidence.header), "header.rlp is not the header of anchor.json");
  return { evidence, trusted, block: readHeader(evidence.header, evidence.profile) };
}

// By whose word the block is of the chain: the trust file's, or of those who were asked for it. null where nobody names
// one of this number; throws where one of them names another.
function wordFor({ trusted: { blocks, answers = [] } }, { number, hash }) {
  const known = blocks.get(Number(number));
  demand(known === undefined || equal(known, hash), `block ${number} has another hash in the trust file`);
  const said = answers.filter((answer) => BigInt(answer.number) === number && answer.hash !== null);
  for (const answer of said) demand(answer.hash === hex(hash), `block ${number} has another hash, 0x${answer.hash}, by the word of ${answer.source}`);
  const names = [...(known === undefined ? [] : ["the trust file"]), ...said.map(({ source }) => source)];
  return names.length > 0 ? names.join(", ") : null;
}

// Who was asked and gave no answer, and why.
const silent = ({ trusted: { answers = [] } }, { number }) => answers.filter((answer) => BigInt(answer.number) === number && answer.hash === null).map(({ source, trouble }) => `; ${source}: ${trouble}`).join("");

function checkHash(opened) {
  const { block } = opened;
  const word = wordFor(opened, block);
  if (word === null) throw new Missing(`block ${block.number} has to be compared at a node: 0x${hex(block.hash)}, ${show(ofSeconds(block.time))}${silent(opened, block)}`);
  return `block ${block.number}, hash 0x${hex(block.hash)}, by the word of ${word}`;
}

function checkState({ evidence, trusted, block }) {
  if (evidence.accountProof === null) throw new Missing("the state of the block was not captured");
  const { codeHash } = provedAccount(block.state, evidence.contract, evidence.accountProof);
  demand(equal(codeHash, trusted.codeHash), "the contract has other code"); // a list is never equal
  return `code hash 0x${hex(codeHash)}`;
}

// A head key is dated by the block itself (§8). The size is that of the head that is checked, not of a later one.
function checkHeadKey(keys, key, size, time) {
  const known = keys.find(({ address }) => equal(address, key));
  const shown = `head key 0x${hex(key)}`;
  demand(known, `the ${shown} is not in the trust file`);
  const at = ofSeconds(time) / MICROSECOND;
  demand(known.since === null || at >= known.since, `the block is from before the period of ${shown}`);
  demand(known.until === null || at <= known.until, `the block is from after the period of ${shown}`);
  demand(known.lastGoodSize === null || size <= known.lastGoodSize, `${shown} was compromised: it is trusted up to size ${known.lastGoodSize}`);
}

// 6.6. A later head of the same block is no fault, but says nothing of this one.
function checkHead(opened, checkpoint) {
  const { evidence, trusted, block } = opened;
  if (evidence.accountProof === null || evidence.headSlots === null || evidence.headSlots.includes(null)) {
    throw new Missing("the head in the contract's storage was not captured");
  }
  const { storage } = provedAccount(block.state, evidence.contract, evidence.accountProof);
  const head = provedHead(storage, evidence.logId, evidence.headSlots);
  if (trusted.headKeys.length > 0) checkHeadKey(trusted.headKeys, head.key, checkpoint.size, block.time);
  opened.headKey = head.key;
  if (head.size > checkpoint.size) throw new Missing(`a later head, of size ${head.size}, was anchored in the same block`);
  demand(head.size === checkpoint.size && equal(head.root, checkpoint.root), "the contract holds another head");
  return `head key 0x${hex(head.key)}`;
}

function checkSealed({ trusted }, block) {
  const set = setAt(trusted.validators, block.number);
  if (set === undefined) throw new Missing(`the trust file names no validators for block ${block.number}`);
  checkSeals(block.seals, set);
  return `${block.seals.signatures.length} of ${set.length} validators sealed the block`;
}

// 7.1. Returns the headers that the statement names, each with its proof where there is one: one hash may have several,
// since it leaves seals out.
function findEarlier({ evidence }, notBefore) {
  const headers = evidence.notBefore.map((each) => ({ ...each, block: readHeader(each.header, evidence.profile) }));
  const named = headers.filter(({ block }) => hex(block.hash) === notBefore.hash);
  demand(named.length <= MAX_OF_ONE_HASH, "too many headers are of one block");
  if (named.length === 0) throw new Missing("the header of the block that the statement names is not in it");
  const { number, time } = named[0].block;
  demand(number === BigInt(notBefore.number) && time === BigInt(notBefore.time), "the statement gives that block another number or time");
  demand(evidence.chainId === notBefore.chain_id, "the statement names a block of another chain");
  return named;
}

// What `check` gives for the first of `items` that it holds of; throws what it threw first where there is none.
function anyOf(items, check) {
  let first = null;
  for (const item of items) {
    try {
      return check(item);
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

// 7.2.
function checkEarlier(opened, named, isGood) {
  const { evidence } = opened;
  const { block } = named[0];
  const word = wordFor(opened, block);
  if (word !== null) return `block ${block.number} is of the chain by the word of ${word}`;
  const distance = opened.block.number - block.number;
  const proofs = statedProofs(opened, named);
  if (proofs.length > 0 && isGood) {
    demand(distance >= 1n && distance <= HISTORY_LENGTH, `block ${block.number} is not among the ${HISTORY_LENGTH} before block ${opened.block.number}`);
    anyOf(proofs, (proof) => demand(equal(provedHistory(opened.block.state, block.number, evidence.historyProof, proof), block.hash), "the state of the anchoring block names another hash"));
    return `the state of block ${opened.block.number} names it (EIP-2935)`;
  }
  if (isSealed(evidence.profile) && block.number > 0n) return anyOf(named, (each) => checkSealed(opened, each.block)); // nobody seals the first
  throw new Missing(`block ${block.number} has to be compared at a node: 0x${hex(block.hash)}${silent(opened, block)}`);
}

// Proofs that the state of the anchoring block names this one (EIP-2935); none where they were not captured.
const statedProofs = ({ evidence }, named) => (evidence.historyProof === null ? [] : named.map(({ storageProof }) => storageProof).filter((proof) => proof !== null));

function isGood(checks) {
  const [named, sealed] = [checks.of("6.2"), checks.of("6.7")];
  return (named === PASSED && sealed !== FAILED) || (sealed === PASSED && named !== FAILED);
}

function boundOf(checks, { evidence, trusted, block, headKey = null }) {
  const holds = isGood(checks) && ["6.3", "6.4", "6.5"].every((id) => checks.of(id) === PASSED) && checks.of("6.6") !== FAILED;
  // Else whoever leaves the proof away would get past the head keys that are trusted.
  if (!holds || (trusted.headKeys.length > 0 && headKey === null)) return null;
  return { notAfter: ofSeconds(block.time), source: `chain ${evidence.chainId}` };
}

function checkAnchoring(checks, opened, checkpoint) {
  const { evidence, trusted, block } = opened;
  checks.make("6.2", () => checkHash(opened));
  let event;
  checks.make("6.3", () => {
    event = provedEvent(block.receipts, evidence);
    return `transaction ${evidence.transactionIndex} of block ${block.number} succeeded`;
  });
  if (event) {
    checks.make("6.4", () => {
      demand(event.newSize === checkpoint.size && equal(event.root, checkpoint.root), "size and root are not those of the checkpoint");
      return `size ${event.newSize}, after ${event.oldSize}`;
    });
  }
  checks.make("6.5", () => checkState(opened));
  if (evidence.headSlots !== null || trusted.headKeys.length > 0) checks.make("6.6", () => checkHead(opened, checkpoint));
  if (isSealed(evidence.profile)) checks.make("6.7", () => checkSealed(opened, block));
}

// Args: anchor, bytes of anchor.json; header, bytes of header.rlp or null; checkpoint of the head, size and root; chains of the
// trust file, each with `answers` of those who were asked for its blocks, or without; notBefore of the statement, or null.
// Returns the checks in their order, the bound or null, whether 7.2 passed, and once 6.1 passed the blocks that are to be
// compared: that of the header, and the not-before block where no proof was captured that its state names it. Never throws.
export function checkAnchor({ anchor, header, checkpoint, chains, notBefore }) {
  const checks = new Checks();
  let opened = null;
  checks.make("6.1", () => {
    opened = open({ anchor, header, chains });
    return `chain ${opened.evidence.chainId}, contract 0x${hex(opened.evidence.contract)}`;
  });
  if (opened === null) return { checks: checks.list, bound: null, madeAfter: false, headKey: null, blocks: [] };
  const { evidence, block } = opened;
  const wanted = [block];
  checkAnchoring(checks, opened, checkpoint);
  let earlier = null;
  if (notBefore !== null) {
    checks.make("7.1", () => {
      earlier = findEarlier(opened, notBefore);
      return `block ${notBefore.number} of chain ${evidence.chainId}`;
    });
  }
  if (earlier !== null) {
    checks.make("7.2", () => checkEarlier(opened, earlier, isGood(checks)));
    if (statedProofs(opened, earlier).length === 0) wanted.push(earlier[0].block);
  }
  return {
    checks: checks.list,
    bound: boundOf(checks, opened),
    madeAfter: checks.of("7.2") === PASSED,
    headKey: checks.of("6.6") === PASSED ? opened.headKey : null,
    blocks: wanted.map(({ number, hash, time }) => ({ chainId: evidence.chainId, number, hash: hex(hash), time })),
  };
}
