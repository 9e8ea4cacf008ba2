// A chain of one contract for the tests: tries, headers, seals and anchor.json, by noble's hashes and signatures.

import { secp256k1 } from "@noble/curves/secp256k1";
import { keccak_256 } from "@noble/hashes/sha3";

const u8 = (bytes) => new Uint8Array(bytes);
export const keccak = (...parts) => keccak_256(u8(Buffer.concat(parts)));
export const hexOf = (bytes) => Buffer.from(bytes).toString("hex");
export const text = (words) => keccak(Buffer.from(words));

function lengthOf(length, offset) {
  if (length < 56) return Buffer.of(offset + length);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.of(offset + 55 + bytes.length), bytes]);
}

export function rlp(value) {
  if (Array.isArray(value)) {
    const body = Buffer.concat(value.map(rlp));
    return Buffer.concat([lengthOf(body.length, 0xc0), body]);
  }
  const bytes = typeof value === "number" || typeof value === "bigint" ? numberBytes(BigInt(value)) : Buffer.from(value);
  return bytes.length === 1 && bytes[0] < 0x80 ? bytes : Buffer.concat([lengthOf(bytes.length, 0x80), bytes]);
}

function numberBytes(value) {
  if (value === 0n) return Buffer.alloc(0);
  const digits = value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
}
export const word = (value) => Buffer.from(BigInt(value).toString(16).padStart(64, "0"), "hex");

const nibblesOf = (bytes) => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
function pathBytes(nibbles, leaf) {
  const flag = (leaf ? 2 : 0) + (nibbles.length % 2);
  const all = nibbles.length % 2 ? [flag, ...nibbles] : [flag, 0, ...nibbles];
  return Buffer.from(all.filter((_, at) => at % 2 === 0).map((nibble, at) => nibble * 16 + all[2 * at + 1]));
}

// A Merkle Patricia trie of [key, value] pairs: its root, and the proof for a key.
export class Trie {
  constructor(pairs) {
    this.pairs = pairs.map(([key, value]) => [nibblesOf(key), value]);
  }

  #reference(node) {
    const raw = rlp(node);
    return raw.length < 32 ? node : keccak(raw);
  }

  #node(pairs, depth) {
    if (pairs.length === 1) return [pathBytes(pairs[0][0].slice(depth), true), pairs[0][1]];
    let shared = depth;
    while (pairs.every(([key]) => key.length > shared && key[shared] === pairs[0][0][shared])) shared++;
    if (shared > depth) return [pathBytes(pairs[0][0].slice(depth, shared), false), this.#reference(this.#node(pairs, shared))];
    const branch = Array.from({ length: 17 }, (_, nibble) => {
      const under = pairs.filter(([key]) => key[depth] === nibble);
      return under.length > 0 ? this.#reference(this.#node(under, depth + 1)) : Buffer.alloc(0);
    });
    branch[16] = pairs.find(([key]) => key.length === depth)?.[1] ?? Buffer.alloc(0);
    return branch;
  }

  get root() {
    return this.pairs.length === 0 ? keccak(Buffer.of(0x80)) : keccak(rlp(this.#node(this.pairs, 0)));
  }

  proof(key) {
    const nodes = [];
    const wanted = nibblesOf(key);
    let pairs = this.pairs;
    for (let depth = 0; pairs.length > 0; ) {
      const node = this.#node(pairs, depth);
      const raw = rlp(node);
      if (nodes.length === 0 || raw.length >= 32) nodes.push(raw);
      if (pairs.length === 1) break;
      let shared = depth;
      while (pairs.every(([each]) => each.length > shared && each[shared] === pairs[0][0][shared])) shared++;
      if (shared > depth) {
        if (!pairs[0][0].slice(depth, shared).every((nibble, at) => nibble === wanted[depth + at])) break;
        depth = shared;
        continue;
      }
      pairs = pairs.filter(([each]) => each.length > depth && each[depth] === wanted[depth]);
      depth++;
    }
    return nodes;
  }
}

export const CONTRACT = Buffer.alloc(20, 0x11);
export const LOG_ID = Buffer.alloc(32, 0x22);
export const CODE_HASH = text("code");
export const HEAD_KEY = Buffer.alloc(20, 0x33);
const HISTORY = Buffer.from("0000f90827f1c53a10cb7a02335b175320002935", "hex");
const EMPTY = keccak(Buffer.of(0x80));
const SEALED = Buffer.from("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365", "hex");

export function headerFields({ number, time, state = EMPTY, receipts = EMPTY }) {
  const numbers = [0, number, 30_000_000, 0, time];
  return [text("parent"), keccak(Buffer.of(0xc0)), Buffer.alloc(20), state, EMPTY, receipts, Buffer.alloc(256), ...numbers.map((each) => numberBytes(BigInt(each))), Buffer.alloc(0), text("mix"), Buffer.alloc(8), numberBytes(7n)];
}

export const SECRETS = [1, 2, 3, 4].map((n) => u8(Buffer.alloc(32, n)));
export const addressOf = (secret) => Buffer.from(keccak(secp256k1.getPublicKey(secret, false).subarray(1)).slice(12));

export function sealOf(digest, secret) {
  const made = secp256k1.sign(u8(digest), secret);
  return Buffer.concat([made.toCompactRawBytes(), Buffer.of(made.recovery)]);
}

// A header sealed by `signers`, and its block hash. `changed` alters the seals; `listed` are the validators in it.
export function seal(fields, profile, { signers = SECRETS.slice(0, 3), listed = SECRETS.map(addressOf), changed = (seals) => seals, round = 0, stated = round } = {}) {
  const with_ = (items) => rlp([...fields.slice(0, 7), Buffer.of(1), ...fields.slice(8, 12), rlp(items), SEALED, ...fields.slice(14)]);
  const begin = [Buffer.alloc(32), listed, profile === "qbft" ? [] : Buffer.alloc(0)];
  const number = (value) => (profile === "qbft" ? numberBytes(BigInt(value)) : word(value).subarray(28));
  const tail = (value) => (profile === "qbft" ? [number(value), []] : [number(value)]);
  const seals = changed(signers.map((secret) => sealOf(keccak(with_([...begin, ...tail(round)])), secret)));
  const hash = keccak(with_(profile === "qbft" ? [...begin, number(0), []] : begin));
  return { raw: with_([...begin, number(stated), seals]), hash };
}

const anchored = text("Anchored(bytes32,uint64,uint64,bytes32)");
export const eventOf = (size, root, { contract = CONTRACT, kind = anchored, logId = LOG_ID } = {}) => [contract, [kind, logId], Buffer.concat([word(3), word(size), root])];
export const receiptOf = (logs, status = 1) => Buffer.concat([Buffer.of(2), rlp([status, 21000, Buffer.alloc(256), logs])]);

// anchor.json of a head, with everything proved; `made` changes what is proved, `fields` what stands in the file.
export function anchorOf({ size = 7, root = text("root"), profile = "ethereum", made = {}, fields = {} } = {}) {
  const finish = (each) => (profile === "qbft" || profile === "ibft2" ? seal(each, profile, made.seals) : { raw: rlp(each), hash: keccak(rlp(each)) });
  const before = finish(headerFields({ number: made.beforeNumber ?? 100, time: 1_700_000_000 }));
  const receipts = new Trie([0, 1, 2].map((index) => [rlp(index), index === 1 ? (made.receipt ?? receiptOf([eventOf(size, root)])) : receiptOf([])]));
  const history = new Trie([[keccak(word((made.beforeNumber ?? 100) % 8191)), rlp(made.history ?? before.hash)]]);
  const base = BigInt(`0x${hexOf(keccak(LOG_ID, Buffer.alloc(32)))}`);
  const [stored, key] = [made.stored ?? { size, root }, made.key ?? HEAD_KEY];
  const packed = (9n << 224n) | (BigInt(stored.size) << 160n) | BigInt(`0x${hexOf(key)}`);
  const slots = new Trie([[keccak(word(base)), rlp(packed)], [keccak(word(base + 1n)), rlp(BigInt(`0x${hexOf(stored.root)}`))]]);
  const state = new Trie([[keccak(CONTRACT), rlp([1, 0, slots.root, made.code ?? CODE_HASH])], [keccak(HISTORY), rlp([1, 0, history.root, text("2935")])]]);
  const block = finish(headerFields({ number: made.number ?? 200, time: 1_700_001_000, state: state.root, receipts: receipts.root }));
  const nodes = (trie, each) => trie.proof(each).map(hexOf);
  const value = {
    version: 2, chain_id: 31337, contract: hexOf(CONTRACT), log_id: hexOf(LOG_ID), profile, header: hexOf(block.raw), transaction: null, transaction_index: 1, log_index: 0,
    receipt_proof: nodes(receipts, rlp(1)), account_proof: nodes(state, keccak(CONTRACT)), history_proof: nodes(state, keccak(HISTORY)),
    head_slots: [nodes(slots, keccak(word(base))), nodes(slots, keccak(word(base + 1n)))],
    not_before: [{ header: hexOf(before.raw), storage_proof: nodes(history, keccak(word((made.beforeNumber ?? 100) % 8191))) }],
    ...fields,
  };
  return { value, block, before };
}

export function encode(value) {
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${encode(value[key])}`).join(",")}}`;
}
