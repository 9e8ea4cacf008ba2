// Seals of validators: QBFT and IBFT 2.0 as Besu has them (docs/formats.md §10).

import { FormatError, equal, hex } from "./bytes.js";
import { recoverAddress } from "./ecdsa.js";
import { bytesOf, decodeRlp, encodeRlp, listOf, numberOf } from "./rlp.js";
import { keccak256 } from "./sha3.js";

const EXTRA = 12;
const MAX_VALUES = 512;
const MAX_VALIDATORS = 100;
const NOTHING = new Uint8Array(0);

const isAdd = (bytes) => equal(bytes, Uint8Array.of(0xff));
const isDrop = { qbft: (bytes) => bytes.length === 0, ibft2: (bytes) => equal(bytes, Uint8Array.of(0)) };

function checkVote(vote, profile) {
  const isNone = profile === "qbft" ? Array.isArray(vote) && vote.length === 0 : !Array.isArray(vote) && vote.length === 0;
  if (isNone) return;
  const [address, kind] = listOf(vote, 2);
  bytesOf(address, 20);
  if (!isAdd(bytesOf(kind)) && !isDrop[profile](kind)) throw new FormatError("not a vote on validators");
}

function checkRound(round, profile) {
  if (profile === "qbft") numberOf(round, 4);
  else bytesOf(round, 4);
}

// Block hash of a sealed header, and its seals: { digest, signatures, validators }.
export function sealedHash(fields, profile) {
  const [vanity, validators, vote, round, seals] = listOf(decodeRlp(fields[EXTRA], MAX_VALUES), 5);
  bytesOf(vanity, 32);
  listOf(validators).forEach((address) => bytesOf(address, 20));
  checkVote(vote, profile);
  checkRound(round, profile);
  listOf(seals).forEach((seal) => bytesOf(seal, 65));
  const hashWith = (...items) => keccak256(encodeRlp([...fields.slice(0, EXTRA), encodeRlp([vanity, validators, vote, ...items]), ...fields.slice(EXTRA + 1)]));
  const hash = profile === "qbft" ? hashWith(NOTHING, []) : hashWith();
  const digest = profile === "qbft" ? hashWith(round, []) : hashWith(round);
  return { hash, seals: { digest, signatures: seals, validators } };
}

// Recovered addresses, since the same blocks come again and again; see signature.js on what may be kept.
const MAX_KEPT = 4096;
const kept = new Map();

function signerOf(digest, signature) {
  const name = hex(digest) + hex(signature);
  let address = kept.get(name);
  if (address === undefined) {
    address = hex(recoverAddress(digest, signature));
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value);
    kept.set(name, address);
  }
  return address;
}

// Throws unless two thirds of `set` (addresses, 20 bytes each), different ones and nobody else, sealed the block.
export function checkSeals(seals, set) {
  const members = new Set(set.map(hex));
  if (seals === null) throw new FormatError("block 0 bears no seals");
  if (seals.signatures.length > MAX_VALIDATORS) throw new FormatError("more seals than validators");
  const signers = new Set();
  // Each takes milliseconds: the first that is not good is the last.
  for (const signature of seals.signatures) {
    const signer = signerOf(seals.digest, signature);
    if (!members.has(signer)) throw new FormatError("a seal of somebody who is no validator");
    if (signers.has(signer)) throw new FormatError("a validator sealed twice");
    signers.add(signer);
  }
  if (3 * signers.size < 2 * members.size) throw new FormatError(`${signers.size} of ${members.size} validators sealed the block`);
  const named = seals.validators.map(hex);
  const isSet = named.length === members.size && new Set(named).size === named.length && named.every((address) => members.has(address));
  if (named.length > 0 && !isSet) throw new FormatError("the header names other validators");
}

// The set that seals this block: of the last `fromBlock` at or below its number; undefined where there is none.
export const setAt = (validators, number) => validators.filter(({ fromBlock }) => BigInt(fromBlock) <= number).at(-1)?.addresses;
