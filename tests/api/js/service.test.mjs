import assert from "node:assert/strict";
import test from "node:test";

import { readRecord } from "./static/service.js";

const number = "NA7W-Q3EU-N59P-CCZT";
const final = { anchor: "tsa", kind: "rfc3161", state: "final" };

// What the service answers stands in for the network.
async function stateOf(record) {
  globalThis.fetch = async (path) => new Response(path.endsWith(number.replaceAll("-", "")) || path.endsWith(number) ? JSON.stringify({ number, ...record }) : "x");
  return (await readRecord(number, "")).state;
}

test("a record is stamped when no stamp is due any more, and not by the first of several", async () => {
  assert.equal(await stateOf({ index: 1, attestations: [], due: ["stamp"] }), "closed");
  assert.equal(await stateOf({ index: 1, attestations: [final], due: ["stamp", "anchor"] }), "closed");
  assert.equal(await stateOf({ index: 1, attestations: [final], due: ["anchor"] }), "stamped");
  assert.equal(await stateOf({ index: 1, attestations: [], due: [] }), "closed");
  assert.equal(await stateOf({ index: 1, attestations: [{ kind: "evm", state: "mined" }], due: ["stamp"] }), "anchored");
});
