import assert from "node:assert/strict";
import { createHash, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { CHECKS, nameOf, sentenceOf } from "../../notary/api/static/verifier/catalogue.js";
import { Checks, Unreadable } from "../../notary/api/static/verifier/checks.js";
import { tryControls } from "../../notary/api/static/verifier/controls.js";
import { BesideError, NoEvidence } from "../../notary/api/static/verifier/evidence.js";
import { exact, textOfResult } from "../../notary/api/static/verifier/result_text.js";
import { checkTimes, earliestOfSources } from "../../notary/api/static/verifier/times.js";
import { TrustError } from "../../notary/api/static/verifier/trust.js";
import { gather, judge, verify } from "../../notary/api/static/verifier/verify.js";
import * as world from "./world.mjs";

const V1 = new URL("../testdata/v1/", import.meta.url);
const v1 = (name) => new Uint8Array(readFileSync(new URL(name, V1)));
const made = world.good();
const run = (files, trust = world.trustOf(), document = null) => verify({ package: new Uint8Array(Buffer.isBuffer(files) ? files : world.packageOf(files)), trust, document });
const changed = (change) => {
  const files = { ...made.files };
  change(files);
  return files;
};
// What a good package without attestation leaves open.
const OPEN = ["4.3 could_not_be_checked", "8.1 could_not_be_checked"];
const differing = async (files, ...more) => world.vectorOf(await run(files, ...more)).filter((line) => !OPEN.includes(line));

test("the recorded example of the formats gives its result", async () => {
  const result = await verify({ package: v1("package.zip"), trust: v1("trust.toml") });
  const wanted = JSON.parse(readFileSync(new URL("result.json", V1)));
  const plain = result.checks.filter(({ id }) => id !== "5.2").map(({ detail, sentence, ...check }) => check);
  assert.deepEqual(plain, wanted.checks.filter(({ id }) => id !== "5.2").map(({ detail, sentence, ...check }) => check));
  for (const key of ["version", "outcome", "test_only", "statement", "entry", "index", "time", "openings"]) assert.deepEqual(JSON.parse(JSON.stringify(result[key])), wanted[key], key);
  assert.equal(result.withheld, 2);
});

test("a good package: the checks in their order, what is opened, and what is withheld", async () => {
  const result = await run(made.files);
  assert.deepEqual(world.vectorOf(result, true).map((line) => line.replace(" passed", "")), ["1.1", "1.2", "2.1", "2.4", "2.3 packaged", "2.2", "3.1 head 4", "3.2 head 4", "3.1 head 7", "3.2 head 7", "3.3", "4.1", "4.2", ...OPEN, "9.1"]);
  assert.deepEqual(JSON.parse(JSON.stringify(result.openings)), { holder: "乙方", phase: "signed", inspection: { signatures: 2 } });
  assert.deepEqual([result.withheld, result.index, result.entry, result.outcome, result.test_only], [1, 2, world.hexOf(made.entry), "could_not_be_checked", true]);
});

test("it says what of the package no check reads", async () => {
  const said = async (files) => (await run(files)).checks[0].detail;
  assert.doesNotMatch(await said(made.files), /no check reads/);
  for (const [name, place] of [["data/report.pdf", "data/report.pdf"], ["META-INF/signature001.p7s", "META-INF/"]]) {
    assert.match(await said({ ...made.files, [name]: "forged" }), new RegExp(`; no check reads ${place}: nothing here vouches for what is in it$`));
  }
});

const path = "heads/7/inclusion.tlog-proof";
const other = world.keyOf(9, world.ORIGIN);
for (const [name, change, wanted] of [
  ["another document", (f) => (f["data/document/合同.pdf"] = "other"), ["2.3 failed packaged"]],
  ["no document", (f) => delete f["data/document/合同.pdf"], ["2.3 could_not_be_checked"]],
  ["an opening that is not committed to", (f) => (f["data/openings.json"] = f["inspection/openings.json"]), ["2.4 failed"]],
  ["a wrong sibling", (f) => (f[path] = f[path].replace(/(index 2\n)[^\n]*/, `$1${"A".repeat(43)}=`)), ["3.2 failed head 7", "3.3 could_not_be_checked", "9.1 could_not_be_checked"]],
  ["a missing proof", (f) => delete f[path], ["3.2 failed head 7", "3.3 could_not_be_checked", "9.1 could_not_be_checked"]],
  ["a checkpoint by another key", (f) => { f[path] = world.proofOf(made.entries, 2, { keys: [other] }); delete f["heads/7/checkpoint"]; }, ["3.1 failed head 7", "3.3 could_not_be_checked", "9.1 could_not_be_checked"]],
  ["a checkpoint file that is not stamped", (f) => (f["heads/7/checkpoint"] = f["heads/4/checkpoint"]), ["3.1 failed head 7", "3.3 could_not_be_checked", "9.1 could_not_be_checked"]],
  ["no consistency proof", (f) => delete f["consistency.json"], ["3.3 could_not_be_checked heads 4 and 7"]],
  ["a consistency proof that does not hold", (f) => (f["consistency.json"] = f["consistency.json"].replace(/"path":\["..../, '"path":["0000')), ["3.3 failed"]],
  ["a receipt by the log key", (f) => (f["receipt.txt"] = world.receiptOf([made.entry], 0, { key: world.LOG_KEY })), ["4.1 failed"]],
  ["a receipt of another log", (f) => (f["receipt.txt"] = world.receiptOf([made.entry], 0, { origin: "x" })), ["4.1 failed"]],
  ["a receipt of other entries", (f) => (f["receipt.txt"] = world.receiptOf([world.entryOf("x")], 0)), ["4.2 failed"]],
  ["a receipt for what was there", (f) => (f["receipt.txt"] = world.receiptOf([made.entry], 0, { size: 3 })), ["4.3 failed"]],
  ["an inspection of another record", (f) => (f["inspection/statement.json"] = world.canonical(world.statementOf("inspection"))), ["9.1 failed"]],
  ["an inspection with another proof", (f) => (f["inspection/inclusion.tlog-proof"] = f[path]), ["9.1 failed"]],
  ["an inspection under an unsigned checkpoint", (f) => (f["inspection/inclusion.tlog-proof"] = world.proofOf(made.entries, 4, { keys: [other] })), ["9.1 failed"]],
  ["an inspection that opens what is not its own", (f) => (f["inspection/openings.json"] = f["data/openings.json"]), ["9.1 failed"]],
  ["a token of nobody known", (f) => (f["heads/7/tokens/nobody.tsr"] = "x"), ["5.1 could_not_be_checked nobody@7"]],
  ["an anchor without a chain to compare", (f) => (f["heads/7/anchor.json"] = "x"), ["6.1 could_not_be_checked head 7"]],
  ["an OpenTimestamps file that is none", (f) => (f["heads/7/ots/a.ots"] = "x"), ["5.3 failed a@7"]],
]) {
  test(`one thing is wrong: ${name}`, async () => assert.deepEqual(await differing(changed(change)), wanted));
}

test("what cannot be read, or has no statement, ends there", async () => {
  assert.deepEqual(world.vectorOf(await run(Buffer.from("PK")), true), ["1.1 failed"]);
  const none = await run(changed((f) => delete f["data/statement.json"]));
  assert.deepEqual(world.vectorOf(none, true), ["1.1 passed", "1.2 passed", "2.1 failed"]);
  assert.deepEqual([none.statement, none.entry, none.time, none.withheld], [null, "", null, null]);
  const bad = await run(changed((f) => (f["data/statement.json"] += " ")));
  assert.equal(world.vectorOf(bad, true).at(-1), "2.1 failed");
  await assert.rejects(run(Buffer.from("hello")), NoEvidence);
  await assert.rejects(run(Buffer.alloc(0)), NoEvidence);
  await assert.rejects(run(made.files, "version = 2"), TrustError);
});

test("without a trust file nothing of signatures and times is said", async () => {
  const result = await run(made.files, null);
  assert.deepEqual(world.vectorOf(result).map((line) => line.split(" ")[0]), ["1.2", "2.2", "3.1", "3.2", "8.1", "9.1"]);
  assert.deepEqual([result.outcome, result.time, result.test_only], ["could_not_be_checked", null, false]);
  assert.ok(result.checks.filter(({ outcome }) => outcome !== "passed").every(({ claim }) => claim === "not_covered"));
});

test("a given document is compared beside the packaged one, by every digest and the size", async () => {
  assert.deepEqual(await differing(made.files, world.trustOf(), world.DOCUMENT), []);
  assert.deepEqual(await differing(made.files, world.trustOf(), new Blob(["other"])), ["2.3 failed given"]);
  const digests = Object.fromEntries([["sha-384", "sha384"], ["sha-512", "sha512"], ["sha3-256", "sha3-256"], ["sha3-512", "sha3-512"]].map(([name, node]) => [name, createHash(node).update(world.DOCUMENT).digest("hex")]));
  const withDocument = (more) => changed((f) => { f["data/statement.json"] = world.canonical(world.statementOf("document", { document: world.documentOf(world.DOCUMENT, more) })); });
  const about = async (more) => (await differing(withDocument(more))).filter((line) => line.startsWith("2.3"));
  assert.deepEqual(await about({ claimed: digests }), []);
  for (const name of Object.keys(digests)) assert.deepEqual(await about({ claimed: { ...digests, [name]: digests[name].replace(/^../, (two) => (two === "00" ? "01" : "00")) } }), ["2.3 failed packaged"]);
  assert.deepEqual(await about({ size: 1 }), ["2.3 failed packaged"]);
  assert.deepEqual(await differing({ ...made.files, "data/statement.json": world.canonical(world.statementOf("event")) }).then((found) => found.filter((line) => line.startsWith("2.3"))), ["2.3 failed packaged"]);
});

test("two heads of two histories fail, with or without a proof", async () => {
  const forked = made.entries.map((entry, at) => (at === 3 ? world.entryOf("forked") : entry));
  const files = changed((f) => { f[path] = world.proofOf(forked, 2); delete f["heads/7/checkpoint"]; delete f["inspection/statement.json"]; });
  assert.deepEqual(await differing(files), ["3.3 failed", "3.3 failed heads 4 and 7"]);
  delete files["consistency.json"];
  assert.deepEqual(await differing(files), ["3.3 failed heads 4 and 7"]);
});

test("a head that names another index fails", async () => {
  const twice = made.entries.map((entry, at) => (at === 3 ? made.entry : entry));
  const files = changed((f) => { f[path] = world.proofOf(twice, 3); delete f["heads/7/checkpoint"]; });
  assert.deepEqual((await differing(files)).slice(0, 1), ["3.2 failed head 7"]);
});

test("the period of a key: attested outside it, or not at all", async () => {
  const trust = readFileSync(new URL("trust.toml", V1), "utf8");
  const period = (more) => trust.replace(/(\[\[log_key\]\]\nvkey = .*\n)/, `$1${more}\n`);
  const about = async (more) => world.vectorOf(await verify({ package: v1("package.zip"), trust: period(more) })).filter((line) => line.includes("key period"));
  assert.deepEqual(await about("until = 2026-03-01T12:10:00Z"), []);
  assert.deepEqual(await about("until = 2026-03-01T12:09:59Z"), ["3.1 failed head 7 key period"]);
  assert.deepEqual(await about("since = 2026-03-01T12:00:01Z"), []);
  assert.deepEqual(await about("since = 2026-03-01T12:00:02Z"), ["3.1 failed head 4 key period"]);
  assert.deepEqual((await differing(made.files, world.trustOf("", { log: "until = 2027-01-01T00:00:00Z" }))).slice(0, 2), ["3.1 could_not_be_checked head 4 key period", "3.1 could_not_be_checked head 7 key period"]);
  assert.deepEqual((await differing(made.files, world.trustOf("", { log: "until = 2027-01-01T00:00:00Z\nlast_good_size = 6" })))[1], "3.1 failed head 7");
  for (const [receipt, wanted] of [["until = 2027-01-01T00:00:00Z", ["4.1 could_not_be_checked"]], ["since = 2026-03-01T13:00:01Z", ["4.1 could_not_be_checked"]], ["since = 2026-03-01T13:00:00Z", []]]) assert.deepEqual((await differing(made.files, world.trustOf("", { receipt }))).filter((line) => line.startsWith("4.1")), wanted);
});

test("a bare proof is a package of one head", async () => {
  const statement = world.canonical(world.statementOf("event"));
  const entries = [world.entryOf("g"), world.entryOf(statement)];
  const about = async (text) => world.vectorOf(await run(Buffer.from(text)), true);
  assert.deepEqual(await about(world.proofOf(entries, 1, { extra: statement })), ["1.1 passed", "1.2 passed", "2.1 passed", "2.2 passed", "3.1 passed head 2", "3.2 passed head 2", "8.1 could_not_be_checked"]);
  assert.deepEqual(await about(world.proofOf(entries, 1)), ["1.1 failed"]);
  assert.deepEqual(await about(`${world.proofOf(entries, 1, { extra: statement })}x`), ["1.1 failed"]);
  assert.deepEqual((await about(world.proofOf(entries, 1, { extra: statement, note: world.noteOf(world.checkpointText(2, world.rootOf(entries)), other) })))[4], "3.1 failed head 2");
});

// CBOR of the items that a COSE receipt has (RFC 8949 §3).
const cbor = (major, n) => (n < 24 ? Buffer.of((major << 5) | n) : n < 256 ? Buffer.of((major << 5) | 24, n) : Buffer.of((major << 5) | 25, n >> 8, n & 255));
const cborBytes = (bytes) => Buffer.concat([cbor(2, bytes.length), bytes]);
const cborText = (text) => Buffer.concat([cbor(3, Buffer.byteLength(text)), Buffer.from(text)]);

// The COSE receipt of an entry among these, with parts of another making.
function coseOf(entries, index, { key = world.LOG_KEY, alg = cbor(1, 7), sub = `${entries.length}`, payload = Buffer.of(0xf6), path = world.pathOf(entries, index), kid = key.id, at = cbor(0, index), tail = Buffer.alloc(0) } = {}) {
  const header = Buffer.concat([cbor(5, 4), cbor(0, 1), alg, cbor(0, 4), cborBytes(kid), cbor(0, 15), cbor(5, 2), cbor(0, 1), cborText(world.ORIGIN), cbor(0, 2), cborText(sub), cbor(0, 395), cbor(0, 1)]);
  const inclusion = Buffer.concat([cbor(4, 3), cbor(0, entries.length), at, cbor(4, path.length), ...path.map(cborBytes)]);
  const signed = Buffer.concat([cbor(4, 4), cborText("Signature1"), cborBytes(header), cbor(2, 0), cborBytes(world.rootOf(entries))]);
  return Buffer.concat([cbor(6, 18), cbor(4, 4), cborBytes(header), cbor(5, 1), cbor(0, 396), cbor(5, 1), cbor(1, 0), cbor(4, 1), cborBytes(inclusion), payload, cborBytes(sign(null, signed, key.secret)), tail]);
}

test("a COSE receipt is checked with its statement: the path first, then the signature over the root", async () => {
  const statement = world.canonical(world.statementOf("event"));
  const entries = [world.entryOf("g"), world.entryOf(statement), world.entryOf("h")];
  const about = async (cose, { beside = statement, trust = world.trustOf() } = {}) => world.vectorOf(await verify({ package: cose, trust, statement: Buffer.from(beside) }), true);
  const good = ["1.1 passed", "1.2 passed", "2.1 passed", "2.2 passed", "3.2 passed head 3", "3.1 passed head 3", "8.1 could_not_be_checked"];
  assert.deepEqual(await about(coseOf(entries, 1)), good);
  const last = async (...made) => (await about(...made)).slice(4, -1);
  assert.deepEqual(await last(coseOf(entries, 1), { beside: world.canonical(world.statementOf("event", { salt: "08".repeat(32) })) }), ["3.2 passed head 3", "3.1 failed head 3"]);
  assert.deepEqual(await last(coseOf(entries, 1, { key: other })), ["3.2 passed head 3", "3.1 failed head 3"]);
  assert.deepEqual(await last(coseOf(entries, 1, { kid: Buffer.alloc(4) })), ["3.2 passed head 3", "3.1 failed head 3"]);
  assert.deepEqual(await last(coseOf(entries, 1, { path: world.pathOf(entries, 1).slice(1) })), ["3.2 failed head 3"]);
  assert.deepEqual(await last(coseOf(entries, 1, { at: Buffer.from("1b7fffffffffffffff", "hex") })), ["3.2 failed head 3"]);
  assert.deepEqual(await last(coseOf(entries, 1), { trust: world.trustOf("", { log: "until = 2027-01-01T00:00:00Z\nlast_good_size = 2" }) }), ["3.2 passed head 3", "3.1 failed head 3"]);
  assert.deepEqual(await last(coseOf(entries, 1), { trust: world.trustOf("", { log: "until = 2027-01-01T00:00:00Z" }) }), ["3.2 passed head 3", "3.1 passed head 3", "3.1 could_not_be_checked head 3 key period"]);
  const shapes = [{ alg: Buffer.of(0x38, 7) }, { alg: cbor(1, 6) }, { sub: "4" }, { sub: "03" }, { payload: cborBytes(Buffer.alloc(32)) }, { path: [] }, { path: [Buffer.alloc(31)] }, { kid: Buffer.alloc(5) }, { at: Buffer.from("1b8000000000000000", "hex") }, { tail: Buffer.of(0) }, { tail: Buffer.alloc(8192) }];
  for (const shape of shapes) assert.deepEqual(await about(coseOf(entries, 1, shape)), ["1.1 failed"], JSON.stringify(shape));
  assert.deepEqual(await about(coseOf(entries, 1).subarray(0, -1)), ["1.1 failed"]);
  await assert.rejects(verify({ package: coseOf(entries, 1) }), BesideError);
});

test("a JSON proof is a package of its statement, its openings and one head; whoever signed is told", async () => {
  const { commitments, open } = world.commit({ phase: "signed", holder: "乙方" });
  const statement = world.statementOf("event", { commitments });
  const entry = world.entryOf(world.canonical(statement));
  const entries = [world.entryOf("g"), entry];
  const made = { version: 1, statement, openings: JSON.parse(open("holder")).openings, entry: world.hexOf(entry), index: "1", size: "2", path: world.pathOf(entries, 1).map(world.hexOf), checkpoint: world.noteOf(world.checkpointText(2, world.rootOf(entries)), world.LOG_KEY) };
  const about = async (changes) => verify({ package: Buffer.from(world.canonical({ ...made, ...changes })), trust: world.trustOf() });
  const good = await about({});
  assert.deepEqual(world.vectorOf(good), ["8.1 could_not_be_checked"]);
  assert.deepEqual([{ ...good.openings }, good.withheld], [{ holder: "乙方" }, 1]);
  for (const changes of [{ entry: "00".repeat(32) }, { size: "3" }, { index: 1 }, { path: ["00"] }, { version: 2 }, { more: 1 }, { checkpoint: "x" }, { openings: [{}] }, { openings: Array(65).fill(made.openings[0]) }]) assert.deepEqual(world.vectorOf(await about(changes)), ["1.1 failed"], JSON.stringify(changes).slice(0, 60));
  assert.deepEqual(world.vectorOf(await about({ openings: [{ ...made.openings[0], disclosure: "AA" }] })), ["2.4 failed", "8.1 could_not_be_checked"]);
  assert.equal((await about({ openings: [] })).withheld, 2);
  const ofCommas = (count) => {
    const list = Array(count + 1).fill(0);
    return about({ statement: list, entry: world.hexOf(world.entryOf(world.canonical(list))) });
  };
  assert.deepEqual([world.vectorOf(await ofCommas(1000)), world.vectorOf(await ofCommas(131072))], [["2.1 failed"], ["1.1 failed"]]);
  await assert.rejects(verify({ package: Buffer.from(world.canonical(made)), proof: Buffer.from("x") }), BesideError);
  const { signers } = judge(await gather({ package: Buffer.from(world.canonical(made)), trust: world.trustOf() }));
  assert.deepEqual(signers, [{ role: "log", size: 2n, key: world.LOG_KEY.vkey }]);
  const whole = judge(await gather({ package: world.packageOf(world.good().files), trust: world.trustOf() })).signers;
  assert.deepEqual(whole.map(({ role }) => role), ["log", "log", "receipt"]);
  const ended = world.trustOf("", { log: "until = 2027-01-01T00:00:00Z", receipt: "until = 2027-01-01T00:00:00Z" });
  assert.deepEqual(judge(await gather({ package: world.packageOf(world.good().files), trust: ended })).signers, []);
});

// Files of a package whose statement follows two others, and one that says that the first was late.
function following(change = () => {}) {
  const first = world.canonical(world.statementOf("event", { salt: "01".repeat(32) }));
  const second = world.canonical(world.statementOf("event", { previous: world.hexOf(world.entryOf(first)) }));
  const third = world.canonical(world.statementOf("event", { salt: "05".repeat(32), previous: world.hexOf(world.entryOf(second)) }));
  const entry = world.entryOf(third);
  const group = [entry, world.entryOf("x")];
  const late = world.commit({ detail: { count: 2, root: world.hexOf(world.rootOf(group)), close_by: "2026-03-01T13:00:00Z", size: 4, closed: "2026-03-01T14:00:00Z" } });
  const incident = world.canonical(world.statementOf("incident", { previous: world.hexOf(entry), incident: { kind: "promise_broken", subject: world.hexOf(entry) }, commitments: late.commitments }));
  const entries = [first, second, third, incident].map((one) => world.entryOf(one));
  const files = {
    "data/statement.json": third,
    "heads/4/inclusion.tlog-proof": world.proofOf(entries, 2),
    "receipt.txt": world.receiptOf(group, 0),
    "previous/1/statement.json": second,
    "previous/1/inclusion.tlog-proof": world.proofOf(entries, 1),
    "previous/2/statement.json": first,
    "previous/2/inclusion.tlog-proof": world.proofOf(entries, 0),
    "incident/statement.json": incident,
    "incident/inclusion.tlog-proof": world.proofOf(entries, 3),
    "incident/openings.json": late.open("detail"),
  };
  change(files, entries);
  return files;
}

test("a chain of statements is complete, cut, or broken", async () => {
  const about = async (change) => (await differing(following(change))).filter((line) => !line.startsWith("9.2"));
  const cut = (f) => { delete f["previous/2/statement.json"]; delete f["previous/2/inclusion.tlog-proof"]; };
  assert.deepEqual(await about(), []);
  assert.deepEqual(await about(cut), ["9.3 could_not_be_checked"]);
  const none = (f) => { for (const name of Object.keys(f)) if (name.startsWith("previous/")) delete f[name]; };
  assert.deepEqual(await about(none), ["9.3 could_not_be_checked"]);
  const blind = await run(following(none), null);
  assert.equal(blind.checks.find(({ id }) => id === "9.3").claim, "not_covered");
  assert.deepEqual(await about((f) => { cut(f); f["previous/3/statement.json"] = "{}"; }), ["9.3 failed"]);
  assert.deepEqual(await about((f) => (f["previous/2/statement.json"] = f["previous/1/statement.json"])), ["9.3 failed"]);
  assert.deepEqual(await about((f) => (f["previous/2/inclusion.tlog-proof"] = f["previous/1/inclusion.tlog-proof"])), ["9.3 failed"]);
  assert.deepEqual(await about((f) => delete f["previous/1/inclusion.tlog-proof"]), ["9.3 failed"]);
  assert.deepEqual(await about((f) => (f["previous/1/openings.json"] = "{}")), ["9.3 failed"]);
  assert.deepEqual(await about((f, entries) => (f["previous/2/inclusion.tlog-proof"] = world.proofOf(entries.slice(0, 2), 0))), ["9.3 failed"]);
  assert.deepEqual(await about((f) => (f["heads/5/header.rlp"] = "x") && (f["previous/2/inclusion.tlog-proof"] = world.proofOf([...Array(5)].map((_, n) => world.entryOf(`${n}`)), 0))), ["3.2 failed head 5", "9.3 could_not_be_checked"]);
});

test("an incident is about the promise of the receipt, or fails", async () => {
  const about = async (change) => (await differing(following(change))).filter((line) => line.startsWith("9.2"));
  assert.deepEqual(await about(), []);
  assert.deepEqual(await about((f) => delete f["incident/openings.json"]), ["9.2 could_not_be_checked"]);
  assert.deepEqual(await about((f) => delete f["receipt.txt"]), ["9.2 failed"]);
  assert.deepEqual(await about((f) => (f["receipt.txt"] = world.receiptOf([world.entryOf("y")], 0))), ["9.2 failed"]);
  assert.deepEqual(await about((f) => (f["receipt.txt"] = world.receiptOf([world.entryOf(f["data/statement.json"]), world.entryOf("y")], 0))), ["9.2 failed"]);
  assert.deepEqual(await about((f) => (f["incident/statement.json"] = f["data/statement.json"])), ["9.2 failed"]);
  assert.deepEqual(await about((f) => (f["incident/inclusion.tlog-proof"] = f["heads/4/inclusion.tlog-proof"])), ["9.2 failed"]);
});

const bound = (organisation, second, ...keys) => ({ kind: "rfc3161", source: "s", organisation, notAfter: BigInt(second) * 1000000000n, keys });

test("sources count once: by name, and by any key that tokens share", () => {
  const earliest = (...bounds) => earliestOfSources(bounds).map((time) => Number(time / 1000000000n));
  assert.deepEqual(earliest(bound("A", 5), bound("a.", 3), bound("B", 4)), [3, 4]);
  assert.deepEqual(earliest(bound("A", 5, "k"), bound("B", 3, "k"), bound("C", 4, "m")), [3, 4]);
  assert.deepEqual(earliest(bound("A", 5, "k"), bound("B", 3, "m"), bound("C", 4, "k", "m")), [3]);
});

test("T is the k-th earliest, rounded up, and no bound is before the block", () => {
  const times = (bounds, k, after = null) => {
    const checks = new Checks();
    const time = checkTimes(checks, [{ size: 4n, bounds, undated: [], madeAfter: after !== null }], { chain_id: 1, number: 2, hash: "00", time: after }, { k });
    return [checks.list[0].outcome, time.existed_by, time.made_after];
  };
  const late = { ...bound("B", 7), notAfter: 7000000001n };
  assert.deepEqual(times([bound("A", 5), late], 2), ["passed", "1970-01-01T00:00:08Z", null]);
  assert.deepEqual(times([bound("A", 5), late], 3), ["could_not_be_checked", null, null]);
  assert.deepEqual(times([bound("A", 5)], 1, 5), ["passed", "1970-01-01T00:00:05Z", "1970-01-01T00:00:05Z"]);
  assert.deepEqual(times([bound("A", 5)], 1, 6), ["failed", "1970-01-01T00:00:05Z", "1970-01-01T00:00:06Z"]);
});

test("bounds stand in the order of what is written of them", () => {
  const at = (source, nanoseconds, kind = "rfc3161") => ({ kind, source, organisation: source, notAfter: nanoseconds, keys: [] });
  const heads = [
    { size: 10n, bounds: [at("b", 5000000000n), at("bitcoin", 5000000000n), at("bitcoin", 5000000000n, "bitcoin"), at("c", 4000000001n), at("a", 4500000000n), at("d", 3000000000n)] },
    { size: 9n, bounds: [at("a", 5000000000n)] },
  ];
  const { bounds } = checkTimes(new Checks(), heads.map((head) => ({ ...head, undated: [], madeAfter: false })), null, { k: 1 });
  assert.deepEqual(bounds.map(({ not_after, source, size, kind }) => [not_after.slice(17, 19), source, size, kind]), [
    ["03", "d", 10, "rfc3161"], ["05", "a", 9, "rfc3161"], ["05", "a", 10, "rfc3161"], ["05", "b", 10, "rfc3161"], ["05", "bitcoin", 10, "bitcoin"], ["05", "bitcoin", 10, "rfc3161"], ["05", "c", 10, "rfc3161"],
  ]);
});

test("whatever is thrown inside a check fails it, but for a fault of the machine", () => {
  const checks = new Checks();
  checks.make("3.2", () => null.x);
  checks.make("3.2", () => { throw new RangeError("deep"); });
  assert.deepEqual(checks.list.map(({ outcome }) => outcome), ["failed", "failed"]);
  assert.throws(() => checks.make("3.2", () => { throw new Unreadable("disk"); }), Unreadable);
});

test("a file that cannot be read gives no result", async () => {
  const broken = { size: 1000, read: () => { throw new Unreadable("disk"); } };
  await assert.rejects(verify({ package: broken }), Unreadable);
  const blob = new Blob([world.packageOf(made.files)]);
  blob.slice = () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) });
  await assert.rejects(verify({ package: blob }), Unreadable);
});

test("controls fail as stated, or that is said", async () => {
  const controls = [
    { name: "sibling", file: "controls/sibling", replaces: path, check: "3.2" },
    { name: "document", file: "controls/document", replaces: "data/document/合同.pdf", check: "2.3" },
    { name: "nothing", file: "controls/nothing", replaces: "consistency.json", check: "3.1" },
    { name: "token", file: "controls/nothing", replaces: "receipt.txt", check: "5.1" },
  ];
  const files = { ...made.files, "controls/expected.json": world.canonical({ version: 1, controls }), "controls/nothing": "x", "controls/document": "y", "controls/sibling": made.files[path].replace(/(index 2\n)[^\n]*/, `$1${"A".repeat(43)}=`) };
  const about = async (these) => {
    const gathered = await gather({ package: new Uint8Array(world.packageOf(these)), trust: world.trustOf() });
    return tryControls(gathered, judge(gathered).result);
  };
  const found = await about(files);
  assert.deepEqual(found.controls.map(({ name, status }) => [name, status]), [["sibling", "fails_as_stated"], ["document", "fails_as_stated"], ["nothing", "does_not_fail_as_stated"], ["token", "could_not_be_tried"]]);
  assert.match((await about({ ...files, "controls/expected.json": "{}" })).error, /key/);
  assert.equal(await about(made.files), null);
});

test("a control that no check can tell, or more than 16, are no list of controls", async () => {
  const error = async (controls) => {
    const gathered = await gather({ package: new Uint8Array(world.packageOf({ ...made.files, "controls/x": "x", "controls/expected.json": world.canonical({ version: 1, controls }) })), trust: world.trustOf() });
    return (await tryControls(gathered, judge(gathered).result)).error;
  };
  const control = (name, replaces = "receipt.txt") => ({ name, file: "controls/x", replaces, check: "4.1" });
  const many = Array.from({ length: 17 }, (_, at) => control(`c${at}`));
  assert.equal(await error(many.slice(1)), null);
  assert.match(await error(many), /length/);
  assert.match(await error([control("x", "README.en.txt")]), /replaces no member/);
});

test("the result is written with all digits, and else as JSON.stringify writes it", async () => {
  const result = await run(made.files);
  for (const indent of [0, 2]) assert.equal(textOfResult(result, indent), JSON.stringify(result, null, indent));
  assert.equal(textOfResult({ size: exact(2n ** 53n + 3n), none: [], small: exact(4n) }), '{"size":9007199254740995,"none":[],"small":4}');
});

test("each check has a name and a sentence for each outcome, in both languages", () => {
  for (const id of Object.keys(CHECKS)) {
    for (const language of ["zh", "en"]) {
      const said = [nameOf(id, language), ...["passed", "failed", "could_not_be_checked"].map((outcome) => sentenceOf({ id, outcome }, language))];
      assert.equal(new Set(said).size, 4, id);
      for (const one of said) assert.equal(/[\u4e00-\u9fff]/.test(one), language === "zh", one);
    }
  }
});
