import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { checkRecord } from "./static/check.js";

const vectors = JSON.parse(readFileSync("vectors.json", "utf8"));
const log = { origin: vectors.origin, vkeys: [vectors.other_vkey, vectors.vkey] };
const [record] = vectors.records.slice(1);
const { digest } = vectors;

async function outcomes(changed, file = digest, by = log) {
  const { findings, outcome } = await checkRecord({ ...record, ...changed }, file, by);
  return { outcome, ...Object.fromEntries(findings.map(({ id, outcome: found, reason }) => [id, found === "could_not_be_checked" ? reason : found])) };
}

test("good records of any place in the tree are consistent", async () => {
  for (const good of vectors.records) {
    assert.deepEqual(await outcomes(good), { outcome: "passed", document: "passed", statement: "passed", tree: "passed", signature: "passed" });
  }
});

test("another document fails, and alone its finding", async () => {
  assert.deepEqual(await outcomes({}, "0".repeat(64)), { outcome: "failed", document: "failed", statement: "passed", tree: "passed", signature: "passed" });
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
  assert.equal((await outcomes({}, digest, { ...log, origin: "another.example" })).statement, "failed");
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

test("a checkpoint of a key that the page does not name is not judged by its signature", async () => {
  assert.deepEqual(await outcomes({}, digest, { ...log, vkeys: [vectors.other_vkey] }), { outcome: "passed", document: "passed", statement: "passed", tree: "passed", signature: "other" });
});

test("a checkpoint of another log proves nothing, whatever its root", async () => {
  const found = await outcomes(vectors.foreign);
  assert.equal(found.statement, "passed");
  assert.equal(found.tree, "failed");
});
