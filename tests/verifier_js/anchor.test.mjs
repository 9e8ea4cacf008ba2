import assert from "node:assert/strict";
import test from "node:test";

import { checkAnchor } from "../../notary/api/static/verifier/anchor.js";
import { bytesOf } from "../../notary/api/static/verifier/bytes.js";
import { readHeader } from "../../notary/api/static/verifier/header.js";
import { proveValue } from "../../notary/api/static/verifier/mpt.js";
import { decodeRlp, encodeRlp } from "../../notary/api/static/verifier/rlp.js";
import { CODE_HASH, CONTRACT, HEAD_KEY, LOG_ID, SECRETS, Trie, addressOf, anchorOf, encode, eventOf, headerFields, hexOf, keccak, receiptOf, rlp, seal, text, word } from "./chain_world.mjs";
import { refused } from "./refused.mjs";

const u8 = (bytes) => new Uint8Array(bytes);
const ROOT = text("root");
const P = "passed";
const F = "failed";
const U = "could_not_be_checked";

function trusting({ profile = "ethereum", blocks = [], headKeys = [], validators = [] } = {}) {
  return [{ chainId: 31337, contract: u8(CONTRACT), logId: u8(LOG_ID), codeHash: u8(CODE_HASH), profile, headKeys: headKeys.map((key) => (Buffer.isBuffer(key) ? { address: u8(key), since: null, until: null, lastGoodSize: null } : { ...key, address: u8(key.address) })), blocks: new Map(blocks.map(([number, hash]) => [number, u8(hash)])), validators }];
}

// The outcomes by id, and the rest of what checkAnchor says. By default the trust file names the anchoring block.
function judge(made, { chains, header = null, notBefore, size = 7n } = {}) {
  const named = { chain_id: 31337, number: 100, hash: hexOf(made.before.hash), time: 1_700_000_000 };
  const found = checkAnchor({
    anchor: bytesOf(encode(made.value)),
    header,
    checkpoint: { size, root: ROOT },
    chains: chains ?? trusting({ blocks: [[200, made.block.hash]] }),
    notBefore: notBefore === undefined ? named : notBefore,
  });
  return { ...found, outcomes: Object.fromEntries(found.checks.map(({ id, outcome }) => [id, outcome])) };
}

test("evidence in which all is right passes, and bounds the time", () => {
  const found = judge(anchorOf());
  assert.deepEqual(found.outcomes, { 6.1: P, 6.2: P, 6.3: P, 6.4: P, 6.5: P, 6.6: P, 7.1: P, 7.2: P });
  assert.deepEqual(found.bound, { notAfter: 1_700_001_000n * 10n ** 9n, source: "chain 31337" });
  assert.equal(found.madeAfter, true);
  assert.deepEqual(found.blocks, [{ chainId: 31337, number: 200n, hash: hexOf(anchorOf().block.hash), time: 1_700_001_000n }]);
});

// What is wrong, which checks then do not pass, and whether it still bounds the time.
const WRONG = {
  "another block hash": [{}, { 6.2: F, 7.2: U }, { blocks: [[200, text("other")]] }],
  "a block that nobody names": [{}, { 6.2: U, 7.2: U }, { blocks: [] }],
  "another code": [{ made: { code: text("other") } }, { 6.5: F }],
  "a failed transaction": [{ made: { receipt: receiptOf([eventOf(7, ROOT)], 0) } }, { 6.3: F }],
  "an event of another contract": [{ made: { receipt: receiptOf([eventOf(7, ROOT, { contract: Buffer.alloc(20, 1) })]) } }, { 6.3: F }],
  "another event": [{ made: { receipt: receiptOf([eventOf(7, ROOT, { kind: text("Other()") })]) } }, { 6.3: F }],
  "an event of another log": [{ made: { receipt: receiptOf([eventOf(7, ROOT, { logId: Buffer.alloc(32, 9) })]) } }, { 6.3: F }],
  "a receipt of another form": [{ made: { receipt: Buffer.concat([Buffer.of(2), rlp([1, [21000], Buffer.alloc(256), [eventOf(7, ROOT)]])]) } }, { 6.3: F }],
  "a receipt of another type": [{ made: { receipt: Buffer.concat([Buffer.of(5), receiptOf([eventOf(7, ROOT)]).subarray(1)]) } }, { 6.3: F }],
  "no such event": [{ fields: { log_index: 1 } }, { 6.3: F }],
  "another transaction": [{ fields: { transaction_index: 2 } }, { 6.3: F }],
  "another size in the event": [{ made: { receipt: receiptOf([eventOf(8, ROOT)]) } }, { 6.4: F }],
  "another root in the event": [{ made: { receipt: receiptOf([eventOf(7, text("other"))]) } }, { 6.4: F }],
  "another head in the contract": [{ made: { stored: { size: 7, root: text("other") } } }, { 6.6: F }],
  "an earlier head in the contract": [{ made: { stored: { size: 6, root: ROOT } } }, { 6.6: F }],
  "another head key": [{ made: { key: Buffer.alloc(20, 5) } }, { 6.6: F }, { headKeys: [HEAD_KEY] }],
  "state that was not captured": [{ fields: { account_proof: null } }, { 6.5: U, 6.6: U }],
  "a head key that nothing shows": [{ fields: { head_slots: [null, null] } }, { 6.6: U }, { headKeys: [HEAD_KEY] }],
};

for (const [name, [made, wanted, trusted = {}]] of Object.entries(WRONG)) {
  test(`${name}: ${Object.keys(wanted).join(", ")} does not pass, and nothing is bounded`, () => {
    const evidence = anchorOf(made);
    const found = judge(evidence, { chains: trusting({ blocks: [[200, evidence.block.hash]], ...trusted }) });
    const open = Object.fromEntries(Object.entries(found.outcomes).filter(([, outcome]) => outcome !== P));
    assert.deepEqual(open, wanted);
    assert.equal(found.bound, null);
  });
}

test("a later head in the same block, and slots that were not captured, leave 6.6 open and the bound stands", () => {
  for (const made of [{ made: { stored: { size: 8, root: text("later") } } }, { fields: { head_slots: [null, []] } }]) {
    const found = judge(anchorOf(made));
    assert.equal(found.outcomes["6.6"], U);
    assert.ok(found.bound);
  }
  const later = anchorOf({ made: { stored: { size: 8, root: ROOT } } });
  assert.ok(judge(later, { chains: trusting({ blocks: [[200, later.block.hash]], headKeys: [HEAD_KEY] }) }).bound);
});

test("a head key is dated by the block, and its last good size is that of the head that is checked", () => {
  const made = anchorOf();
  const at = 1_700_001_000n * 1_000_000n; // the anchoring block, in microseconds
  const about = (period, evidence = made) => {
    const { outcomes, bound, headKey } = judge(evidence, { chains: trusting({ blocks: [[200, evidence.block.hash]], headKeys: [{ address: HEAD_KEY, since: null, until: null, lastGoodSize: null, ...period }] }) });
    return [outcomes["6.6"], bound !== null, headKey !== null];
  };
  for (const period of [{}, { since: at, until: at, lastGoodSize: 7n }]) assert.deepEqual(about(period), [P, true, true]);
  for (const period of [{ since: at + 1n }, { until: at - 1n }, { until: at, lastGoodSize: 6n }]) assert.deepEqual(about(period), [F, false, false]);
  const later = anchorOf({ made: { stored: { size: 8, root: ROOT } } });
  assert.deepEqual(about({ until: at, lastGoodSize: 7n }, later), [U, true, false]);
  assert.deepEqual(about({ until: at, lastGoodSize: 6n }, later), [F, false, false]);
});

test("what is not of the form, or of another chain, fails 6.1 and nothing follows", () => {
  const good = anchorOf().value;
  const { version, ...without } = good;
  const bad = [without, { ...good, extra: 1 }, { ...good, version: 3 }, { ...good, version: 1 }, { ...good, contract: "22".repeat(20) }, { ...good, log_id: "33".repeat(32) }, { ...good, profile: "op" }];
  bad.push({ ...good, profile: "clique" }, { ...good, header: "" }, { ...good, header: good.header.toUpperCase() }, { ...good, receipt_proof: [""] }, { ...good, receipt_proof: Array(66).fill("00") });
  bad.push({ ...good, header: hexOf(rlp(headerFields({ number: 1, time: 253402300800 }))) }, { ...good, header: "00".repeat(8193) }, { ...good, not_before: Array(257).fill(good.not_before[0]) });
  for (const value of bad) assert.deepEqual(judge({ ...anchorOf(), value }).outcomes, { 6.1: F });
  assert.deepEqual(judge(anchorOf(), { header: u8([1]) }).outcomes, { 6.1: F });
  assert.deepEqual(judge(anchorOf(), { chains: [] }).outcomes, { 6.1: U });
  assert.deepEqual(judge({ ...anchorOf(), value: { ...good, chain_id: 1 } }).outcomes, { 6.1: U });
  for (const [profile, outcome] of [["clique", U], ["op-stack", U], ["x".repeat(32), U], ["x".repeat(33), F], ["Clique", F], ["op\n", F], ["", F], [1, F], [null, F]]) {
    assert.deepEqual(judge({ ...anchorOf(), value: { ...good, chain_id: 1, profile } }).outcomes, { 6.1: outcome }, `${profile}`);
  }
  assert.equal(version, 2);
});

test("evidence of version 1 knows no slots: open where head keys are trusted, else not asked", () => {
  const made = anchorOf();
  const { head_slots: _, ...value } = { ...made.value, version: 1 };
  assert.equal("6.6" in judge({ ...made, value }).outcomes, false);
  const keys = judge({ ...made, value }, { chains: trusting({ blocks: [[200, made.block.hash]], headKeys: [HEAD_KEY] }) });
  assert.equal(keys.outcomes["6.6"], U);
  assert.equal(keys.bound, null);
});

test("the not-before block is that of the statement, and the state or the trust file vouches for it", () => {
  const made = anchorOf();
  const named = { chain_id: 31337, number: 100, hash: hexOf(made.before.hash), time: 1_700_000_000 };
  const with_ = (change) => judge(made, { notBefore: { ...named, ...change } }).outcomes;
  assert.deepEqual([with_({ hash: hexOf(text("x")) })["7.1"], with_({ number: 101 })["7.1"], with_({ time: 1 })["7.1"], with_({ chain_id: 1 })["7.1"]], [U, F, F, F]);
  assert.equal("7.1" in judge(made, { notBefore: null }).outcomes, false);
  assert.equal(judge(anchorOf({ made: { history: text("other") } })).outcomes["7.2"], F);
  assert.equal(judge(anchorOf({ fields: { history_proof: null } })).outcomes["7.2"], U);
  const far = anchorOf({ made: { number: 8292 } });
  assert.equal(judge(far, { chains: trusting({ blocks: [[8292, far.block.hash]] }) }).outcomes["7.2"], F);
  const near = anchorOf({ made: { number: 8291 } });
  assert.equal(judge(near, { chains: trusting({ blocks: [[8291, near.block.hash]] }) }).outcomes["7.2"], P);
  assert.equal(judge(made, { chains: trusting({ blocks: [[100, made.before.hash]] }) }).outcomes["7.2"], P);
  assert.equal(judge(made, { chains: trusting({ blocks: [[100, text("x")]] }) }).outcomes["7.2"], F);
});

test("what others say of a block counts as the trust file's word, and another hash fails whoever confirms it", () => {
  const made = anchorOf();
  const bare = anchorOf({ fields: { history_proof: null } });
  const said = (number, block, change = {}) => ({ chainId: 31337, number, hash: hexOf(block.hash), source: "node a", trouble: "", ...change });
  const asked = (answers, evidence = made, blocks = []) => {
    const found = judge(evidence, { chains: trusting({ blocks }).map((chain) => ({ ...chain, answers })) });
    return [found.outcomes["6.2"], found.outcomes["7.2"], found.bound !== null];
  };
  const detailOf = (answers, id, evidence = made) => judge(evidence, { chains: trusting().map((chain) => ({ ...chain, answers })) }).checks.find((check) => check.id === id).detail;
  const [good, earlier] = [said(200, made.block), said(100, made.before)];
  const other = { hash: "00".repeat(32) };
  assert.deepEqual(asked([]), [U, U, false]);
  assert.deepEqual(asked([good]), [P, P, true]);
  assert.deepEqual(asked([{ ...good, number: 200n }]), [P, P, true]);
  assert.deepEqual(asked([good], bare), [P, U, true]);
  assert.deepEqual(asked([good, earlier], bare), [P, P, true]);
  assert.deepEqual(asked([{ ...good, ...other }]), [F, U, false]);
  assert.deepEqual(asked([good, { ...good, ...other }]), [F, U, false]);
  assert.deepEqual(asked([{ ...good, ...other }], made, [[200, made.block.hash]]), [F, U, false]);
  assert.deepEqual(asked([good, { ...earlier, ...other }]), [P, F, true]);
  const silent = { ...good, hash: null, trouble: "gone" };
  assert.deepEqual(asked([silent]), [U, U, false]);
  assert.deepEqual(asked([silent, good]), [P, P, true]);
  assert.match(detailOf([silent], "6.2"), /; node a: gone$/);
  assert.match(detailOf([{ ...silent, number: 100 }], "7.2"), /0x[0-9a-f]{64}; node a: gone$/);
  assert.match(detailOf([good], "6.2"), /by the word of node a$/);
  assert.deepEqual(judge(bare).blocks.map(({ number }) => number), [200n, 100n]);
  const { not_before: [first] } = made.value;
  assert.deepEqual(judge(anchorOf({ fields: { not_before: [{ ...first, storage_proof: null }] } })).blocks.map(({ number }) => number), [200n, 100n]);
});

const VALIDATORS = SECRETS.map((secret) => u8(addressOf(secret)));
const sets = (addresses = VALIDATORS, fromBlock = 0) => [{ fromBlock, addresses }];

for (const profile of ["qbft", "ibft2"]) {
  test(`${profile}: two thirds of the validators make a block good, and nobody else does`, () => {
    const sealed = (seals, validators = sets()) => judge(anchorOf({ profile, made: { seals } }), { chains: trusting({ profile, validators }) });
    const good = sealed({});
    assert.deepEqual([good.outcomes["6.2"], good.outcomes["6.7"], good.outcomes["7.2"]], [U, P, P]);
    assert.ok(good.bound);
    const stranger = u8(Buffer.alloc(32, 9));
    const bad = [{ signers: SECRETS.slice(0, 2) }, { signers: [SECRETS[0], SECRETS[1], SECRETS[1]] }, { signers: [SECRETS[0], SECRETS[1], stranger] }, { signers: [...SECRETS, stranger] }, { listed: VALIDATORS.slice(0, 3) }, { listed: [...VALIDATORS, VALIDATORS[0]] }, { round: 1, stated: 2 }];
    for (const seals of bad) {
      const found = sealed(seals);
      assert.equal(found.outcomes["6.7"], F);
      assert.equal(found.bound, null);
    }
    assert.equal(sealed({ listed: [], round: 3 }).outcomes["6.7"], P);
    assert.equal(sealed({ listed: [...VALIDATORS].reverse() }).outcomes["6.7"], P);
    assert.equal(sealed({}, sets(VALIDATORS, 201)).outcomes["6.7"], U);
    assert.equal(sealed({}, [...sets(), ...sets(VALIDATORS.slice(0, 3), 150)]).outcomes["6.7"], F);
    assert.deepEqual(sealed({ changed: (seals) => [...seals.slice(1), seals[0].subarray(1)] }).outcomes, { 6.1: F });
  });
}

test("a sealed not-before block without a proof is good by its own seals", () => {
  const made = anchorOf({ profile: "qbft", fields: { history_proof: null } });
  assert.equal(judge(made, { chains: trusting({ profile: "qbft", validators: sets() }) }).outcomes["7.2"], P);
  assert.equal(judge(made, { chains: trusting({ profile: "qbft", validators: sets(VALIDATORS.slice(0, 3)) }) }).outcomes["7.2"], F);
});

test("a header is of its own kind of chain, and of no other", () => {
  const fields = headerFields({ number: 5, time: 9 });
  const plain = u8(rlp(fields));
  const sealed = u8(seal(fields, "qbft").raw);
  assert.equal(hexOf(readHeader(plain, "ethereum").hash), hexOf(keccak(plain)));
  assert.equal(readHeader(plain, "op").number, 5n);
  assert.equal(hexOf(readHeader(sealed, "qbft").hash), hexOf(seal(fields, "qbft").hash));
  refused(() => readHeader(plain, "qbft"), /another kind/);
  refused(() => readHeader(sealed, "ethereum"), /another kind/);
  refused(() => readHeader(sealed, "ibft2"), /RLP/);
  const changes = { 1: text("x"), 7: Buffer.of(2), 14: Buffer.alloc(8, 1) };
  for (const [at, value] of Object.entries(changes)) refused(() => readHeader(u8(rlp(fields.map((field, n) => (n === Number(at) ? value : field)))), "op"), /OP Stack/);
  refused(() => readHeader(u8(rlp(fields.slice(0, 15))), "op"), /OP Stack/);
  refused(() => readHeader(u8(rlp(fields.slice(0, 14))), "ethereum"), /15 to 24/);
  refused(() => readHeader(u8(rlp([...fields, ...Array(9).fill(Buffer.alloc(0))])), "ethereum"), /15 to 24/);
  for (const [at, length] of [[0, 31], [2, 21], [6, 255], [13, 33], [14, 7]]) refused(() => readHeader(u8(rlp(fields.map((field, n) => (n === at ? Buffer.alloc(length, 1) : field)))), "ethereum"), /not bytes of their length/);
  refused(() => readHeader(u8(rlp(fields.map((field, n) => (n === 8 ? Buffer.of(0, 1) : field)))), "ethereum"), /not a number/);
});

test("RLP has one spelling for each value", () => {
  const bad = [["8100", /needless/], ["b80100", /shortest/], ["b9000100", /shortest/], ["f80180", /shortest/], ["83aabb", /cut off/], ["c2808080", /behind/], ["", /cut off/], ["c3830102", /cut off/], ["bf" + "ff".repeat(8), /cut off/]];
  for (const [digits, words] of bad) refused(() => decodeRlp(u8(Buffer.from(digits, "hex")), 10), words);
  refused(() => decodeRlp(u8(rlp([1, 2, 3])), 3), /too many/);
  let nested = [];
  for (let n = 0; n < 15; n++) nested = [nested];
  assert.deepEqual(encodeRlp(decodeRlp(u8(rlp(nested)), 100)), u8(rlp(nested)));
  refused(() => decodeRlp(u8(rlp([nested])), 100), /nested too deeply/);
  for (const value of [Buffer.alloc(0), Buffer.of(5), Buffer.alloc(55, 1), Buffer.alloc(56, 1), Buffer.alloc(300, 1), [Buffer.alloc(60, 2), []]]) assert.deepEqual(encodeRlp(decodeRlp(u8(rlp(value)), 10)), u8(rlp(value)));
});

test("tries of every size prove what is in them and what is not, and no node may be changed, missing or added", () => {
  for (const count of [1, 2, 3, 17, 100]) {
    for (const short of [false, true]) {
      const key = (n) => (short ? u8(word(n).subarray(30)) : keccak(word(n)));
      const trie = new Trie(Array.from({ length: count }, (_, n) => [key(n), rlp(short ? n + 1 : keccak(word(n)))]));
      for (const n of [0, count - 1, count, count + 7]) {
        const nodes = trie.proof(key(n)).map(u8);
        const value = proveValue(u8(trie.root), key(n), nodes);
        if (n < count) assert.deepEqual(value, u8(rlp(short ? n + 1 : keccak(word(n)))));
        else assert.equal(value, null);
        refused(() => proveValue(u8(trie.root), key(n), [...nodes, u8(rlp([1, 2]))]), /not on the way/);
        refused(() => proveValue(u8(trie.root), key(n), nodes.slice(0, -1)), /missing/);
        const last = Uint8Array.from(nodes[nodes.length - 1]);
        last[last.length - 1] ^= 1;
        refused(() => proveValue(u8(trie.root), key(n), [...nodes.slice(0, -1), last]), /another hash/);
      }
    }
  }
  assert.equal(proveValue(u8(new Trie([]).root), keccak(word(1)), [u8([0x80])]), null);
  refused(() => proveValue(u8(new Trie([]).root), keccak(word(1)), []), /missing/);
  refused(() => proveValue(text("x"), keccak(word(1)), Array(66).fill(u8([0x80]))), /too many nodes/);
});
