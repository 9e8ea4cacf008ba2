import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { checkRecord, namesOf } from "./static/check.js";
import { hashBlob } from "./static/hashing.js";
import { bytesOf } from "./static/verifier/bytes.js";
import { encodeCanonical as canonical } from "./static/verifier/canonical.js";
import { parseStatement as parse } from "./static/verifier/statement.js";

const parseStatement = (text) => parse(bytesOf(text));

const vectors = JSON.parse(readFileSync("vectors.json", "utf8"));
const log = { origin: vectors.origin, vkeys: [vectors.other_vkey, vectors.vkey] };
const [record] = vectors.records.slice(1);
const good = { outcome: "passed", document: "passed", statement: "passed", tree: "passed", signature: "passed" };
const document = { size: vectors.document.length, digests: { "sha-256": vectors.digests["sha-256"], sm3: vectors.digests.sm3 } };

async function outcomes(changed, file = document, by = log) {
  const { findings, outcome } = await checkRecord({ ...record, ...changed }, file, by);
  return { outcome, ...Object.fromEntries(findings.map(({ id, outcome: found, reason }) => [id, found === "could_not_be_checked" ? reason : found])) };
}

test("good records of any place in the tree are consistent", async () => {
  for (const one of vectors.records) assert.deepEqual(await outcomes(one), good);
});

test("another document fails, and alone its finding", async () => {
  for (const name of ["sha-256", "sm3"]) {
    const other = { ...document, digests: { ...document.digests, [name]: "0".repeat(64) } };
    assert.deepEqual(await outcomes({}, other), { ...good, outcome: "failed", document: "failed" });
    const [{ facts }] = (await checkRecord(record, other, log)).findings;
    assert.equal(facts.differs, name.toUpperCase());
  }
});

test("a document of another length fails, even with the digests of the record", async () => {
  const [{ outcome, reason, facts }] = (await checkRecord(record, { ...document, size: document.size + 1 }, log)).findings;
  assert.deepEqual([outcome, reason], ["failed", "size"]);
  assert.deepEqual([facts.bytes, facts.stated], [String(document.size + 1), String(document.size)]);
  assert.equal((await outcomes(vectors.claims.size)).document, "failed");
  assert.equal((await outcomes(vectors.claims.no_size)).document, "passed");
});

test("every claimed digest is compared", async () => {
  for (const claims of [vectors.claims.web, vectors.claims.all]) {
    const names = namesOf([claims]);
    const digests = await hashBlob(new Blob([vectors.document]), ["sha-256", ...names], () => {});
    assert.deepEqual(await outcomes(claims, { ...document, digests }), good);
    for (const name of names) {
      const other = { ...document, digests: { ...digests, [name]: digests[name].replace(/^../, (two) => (two === "00" ? "01" : "00")) } };
      assert.deepEqual(await outcomes(claims, other), { ...good, outcome: "failed", document: "failed" });
      const { [name]: _, ...fewer } = digests;
      assert.equal((await outcomes(claims, { ...document, digests: fewer })).document, "failed");
    }
  }
  assert.deepEqual(namesOf([vectors.claims.all]).sort(), ["sha-256", "sha-384", "sha-512", "sha3-256", "sha3-512", "sm3"]);
  const digests = await hashBlob(new Blob([vectors.document]), namesOf([vectors.claims.wrong]), () => {});
  assert.deepEqual(await outcomes(vectors.claims.wrong, { ...document, digests }), { ...good, outcome: "failed", document: "failed" });
});

test("a record that cannot be read states no digests", () => {
  assert.deepEqual(namesOf([{ statement: "{}" }]), []);
});

test("without a document the record stands by itself and says so", async () => {
  assert.deepEqual(await outcomes({}, null), { outcome: "passed", document: "no_file", statement: "passed", tree: "passed", signature: "passed" });
});

test("a record that is in no checkpoint yet is neither good nor bad", async () => {
  assert.deepEqual(await outcomes({ proof: null }), { outcome: "could_not_be_checked", document: "passed", statement: "passed", tree: "not_closed", signature: "not_closed" });
});

test("a statement that was changed fails at the entry and at the tree", async () => {
  const found = await outcomes({ statement: record.statement.replace("application/pdf", "application/pdg") });
  assert.equal(found.statement, "failed");
  assert.equal(found.tree, "failed");
  assert.equal(found.outcome, "failed");
});

test("a whole other statement with its own entry still fails at the tree", async () => {
  const [other] = vectors.records;
  const changed = { statement: other.statement.replace("application/pdf", "application/pdg"), proof: record.proof };
  assert.equal((await outcomes(changed)).tree, "failed");
});

test("a statement that cannot be read fails, and nothing is compared with it", async () => {
  assert.deepEqual(await outcomes({ statement: "{}" }), { outcome: "failed", document: "no_document", statement: "failed", tree: "failed", signature: "passed" });
});

test("a number or log that is not the statement's fails", async () => {
  assert.equal((await outcomes({ number: vectors.numbers[0] })).statement, "failed");
  assert.equal((await outcomes({}, document, { ...log, origin: "another.example" })).statement, "failed");
  assert.equal((await outcomes({ entry: "0".repeat(64) })).statement, "failed");
});

test("a proof with another root, another extra line or none at all fails", async () => {
  const flip = (line) => (line[0] === "A" ? "B" : "A") + line.slice(1);
  const path = record.proof.replace(/(index 3\n)([^\n]*)/, (_, index, line) => index + flip(line));
  assert.equal((await outcomes({ proof: path })).tree, "failed");
  const extra = record.proof.replace(/(extra )([^\n]*)/, (_, word, line) => word + flip(line));
  assert.equal((await outcomes({ proof: extra })).tree, "failed");
  assert.deepEqual(await outcomes({ proof: "" }), { outcome: "failed", document: "passed", statement: "passed", tree: "failed", signature: "no_checkpoint" });
});

test("a checkpoint whose signature does not fit fails", async () => {
  const proof = record.proof.replace(/( )(\S+)(\n)$/, (_, space, value, end) => `${space}${value.slice(0, 20)}${value[20] === "A" ? "B" : "A"}${value.slice(21)}${end}`);
  assert.deepEqual(await outcomes({ proof }), { outcome: "failed", document: "passed", statement: "passed", tree: "passed", signature: "failed" });
});

test("what somebody made up fails, however well it fits together: no key of the log signed it", async () => {
  const found = await checkRecord(record, document, { ...log, vkeys: [vectors.other_vkey] });
  assert.deepEqual(found.findings.map(({ outcome }) => outcome), ["passed", "passed", "passed", "failed"]);
  assert.equal(found.findings[3].reason, "other");
  assert.equal(found.outcome, "failed");
});

test("a bad signature of one key of the log fails, even beside a good one of another", async () => {
  const key = vectors.other_vkey;
  const line = (signature) => `\u2014 ${vectors.origin} ${signature}\n`;
  const bytes = Buffer.alloc(68, 1);
  Buffer.from(key.split("+")[1], "hex").copy(bytes);
  assert.deepEqual(await outcomes({ proof: record.proof + line(bytes.toString("base64")) }), { ...good, outcome: "failed", signature: "failed" });
  bytes[0] ^= 1; // now of a key that is not the log's
  assert.deepEqual(await outcomes({ proof: record.proof + line(bytes.toString("base64")) }), good);
});

test("a signature is checked without WebCrypto, too, as on a plain http address", async () => {
  const { subtle } = crypto;
  Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
  try {
    assert.deepEqual(await outcomes({}), good);
    assert.equal((await outcomes({}, document, { ...log, vkeys: [vectors.other_vkey] })).outcome, "failed");
  } finally {
    Object.defineProperty(crypto, "subtle", { value: subtle, configurable: true });
  }
});

test("a checkpoint of another log proves nothing, whatever its root", async () => {
  const found = await outcomes(vectors.foreign);
  assert.equal(found.statement, "passed");
  assert.equal(found.tree, "failed");
});

const hash = "0".repeat(64);
for (const [what, body] of Object.entries({
  "seen that is no truth": { seen: "true" },
  "digests that are none": { digests: null },
  "a digest of another length": { digests: { "sha-256": "00", sm3: hash } },
  "a digest in upper case": { digests: { "sha-256": "A".repeat(64), sm3: hash } },
  "a digest that is no text": { digests: { "sha-256": 7, sm3: hash } },
  "SM3 of bytes that nobody saw": { seen: false },
  "claims that are none": { claimed: null },
  "a claim of an unknown algorithm": { claimed: { md5: hash } },
  "a claim beside the same digest": { claimed: { sm3: hash } },
  "a claim of another length": { claimed: { "sha-512": hash } },
  "a size of bytes that were seen, left out": { size: null },
  "a size below nothing": { size: -1 },
  "a size past all documents": { size: 2 ** 50 + 1 },
  "a size that is no number": { size: "37" },
})) {
  test(`a statement with ${what} is refused`, () => {
    const value = JSON.parse(record.statement);
    assert.equal(parseStatement(canonical(value)).type, "document");
    Object.assign(value.document, body);
    assert.throws(() => parseStatement(canonical(value)), { name: "Error", message: /key is missing|seen|bytes|hexadecimal|integer|object|digest/ });
  });
}

test("keys of any script are sorted as Python sorts them", () => {
  assert.ok(vectors.free.length > 3);
  for (const text of vectors.free) assert.equal(canonical(JSON.parse(text)), text);
});
