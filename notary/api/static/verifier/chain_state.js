// What is proved under the roots of a header: receipts, accounts and their storage (docs/formats.md §10).

import { FormatError, bytesOf as utf8, concat, equal, unhex } from "./bytes.js";
import { proveValue } from "./mpt.js";
import { bigOf, bytesOfBig } from "./numbers.js";
import { bytesOf, decodeRlp, encodeNumber, listOf, numberOf } from "./rlp.js";
import { keccak256 } from "./sha3.js";

const MAX_VALUES = 65536;
const MAX_TYPE = 4;
const WORD = 32;
const ANCHORED = keccak256(utf8("Anchored(bytes32,uint64,uint64,bytes32)"));
const HISTORY = unhex("0000f90827f1c53a10cb7a02335b175320002935");
export const HISTORY_LENGTH = 8191n;

function need(value) {
  if (value === null) throw new FormatError("the trie has no such key");
  return value;
}

// A word of 32 bytes that holds a uint64.
function size(word) {
  const value = bigOf(word);
  if (value >= 1n << 64n) throw new FormatError("a size of more than 64 bits");
  return value;
}

// Old and new size and new root of the event that the receipt holds at `logIndex`.
export function provedEvent(root, { transactionIndex, receiptProof, logIndex, contract, logId }) {
  const raw = need(proveValue(root, encodeNumber(BigInt(transactionIndex)), receiptProof));
  const typed = raw[0] >= 1 && raw[0] <= MAX_TYPE;
  const [status, gas, bloom, logs] = listOf(decodeRlp(typed ? raw.subarray(1) : raw, MAX_VALUES), 4);
  [gas, bloom].forEach((field) => bytesOf(field));
  if (!equal(bytesOf(status), Uint8Array.of(1))) throw new FormatError("the transaction did not succeed");
  const log = listOf(logs)[logIndex];
  if (log === undefined) throw new FormatError("the receipt has no such event");
  const [address, topics, data] = listOf(log, 3);
  if (!equal(bytesOf(address), contract)) throw new FormatError("the event is of another contract");
  const [kind, id] = listOf(topics, 2);
  if (!equal(bytesOf(kind), ANCHORED)) throw new FormatError("another event");
  if (!equal(bytesOf(id), logId)) throw new FormatError("the event is of another log");
  bytesOf(data, 3 * WORD);
  return { oldSize: size(data.subarray(0, WORD)), newSize: size(data.subarray(WORD, 2 * WORD)), root: data.subarray(2 * WORD) };
}

// Storage root and code hash of an account, as they stand there: whoever uses one looks at its form. Its nonce and balance are nobody's business here.
export function provedAccount(root, address, nodes) {
  const raw = need(proveValue(root, keccak256(address), nodes));
  const [, , storage, codeHash] = listOf(decodeRlp(raw, MAX_VALUES), 4);
  return { storage, codeHash };
}

// The number in a slot; 0 where it is absent.
function provedSlot(root, slot, nodes) {
  const raw = proveValue(bytesOf(root, WORD), keccak256(bytesOfBig(slot, WORD)), nodes);
  return raw === null ? 0n : numberOf(decodeRlp(raw, 1));
}

// Size, root and head key that the contract holds for a log at the end of the block.
export function provedHead(storage, logId, [first, second]) {
  const base = bigOf(keccak256(concat(logId, new Uint8Array(WORD))));
  const packed = bytesOfBig(provedSlot(storage, base, first), WORD);
  const root = provedSlot(storage, (base + 1n) % (1n << 256n), second);
  return { size: bigOf(packed.subarray(4, 12)), key: packed.subarray(12), root: bytesOfBig(root, WORD) };
}

// The hash of block `number` that the EIP-2935 contract holds under this state root.
export function provedHistory(state, number, historyProof, storageProof) {
  const { storage } = provedAccount(state, HISTORY, historyProof);
  return bytesOfBig(provedSlot(storage, number % HISTORY_LENGTH, storageProof), WORD);
}
