import assert from "node:assert/strict";
import test from "node:test";

import { sentenceOf } from "../../notary/api/static/verifier/catalogue.js";
import { WORDS } from "../../notary/api/static/verifier/page/words.js";
import { verify } from "../../notary/api/static/verifier/verify.js";
import * as world from "./world.mjs";

// As much of a document as the view needs: elements with attributes, children and text.
class Element {
  children = [];
  attributes = {};
  constructor(tag) {
    this.tag = tag;
  }
  append(...children) {
    this.children.push(...children);
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  get text() {
    return this.children.map((child) => child.text ?? child).join(" ");
  }
  find(wanted) {
    return this.children.flatMap((child) => (child instanceof Element ? [...(wanted(child) ? [child] : []), ...child.find(wanted)] : []));
  }
}
globalThis.document = { createElement: (tag) => new Element(tag), createTextNode: (text) => ({ text }) };
const { resultView } = await import("../../notary/api/static/verifier/page/view.js");

const T = "2026-03-01T12:00:01Z";
const AFTER = "2026-03-01T11:00:00Z";
const time = { made_after: AFTER, made_after_block: "chain 1 block 5 0xab", existed_by: T, sources_needed: 1, bounds: [{ kind: "rfc3161", source: "a", organisation: "A Ltd", not_after: T, size: 4 }] };
const checks = [
  { id: "2.3", outcome: "passed", claim: "recomputed", subject: "given", detail: "equal", required: true },
  { id: "8.1", outcome: "passed", claim: "attested", subject: "", detail: `the content existed at ${T} at the latest`, required: true },
];

function viewOf(outcome, language, { controls = null } = {}) {
  const result = { outcome, test_only: false, checks, time, openings: {}, withheld: 0, statement: null };
  const all = new Element("main");
  all.append(...resultView({ result, controls, signers: [], blocks: [] }, WORDS[language], language));
  return all;
}
const timesOf = (view) => view.find(({ attributes }) => attributes.class === "times").map(({ text }) => text).join();

for (const [language, sentence, wait] of [["zh", "有检查未通过，不显示时间。", "结论为“通过”后方才成立"], ["en", "No times are shown, since a check failed.", "count only once the outcome is passed"]]) {
  test(`of what failed no time is shown, and it is said: ${language}`, () => {
    const disbelieved = { controls: { error: "x", controls: [] } };
    for (const view of [viewOf("failed", language), viewOf("passed", language, disbelieved)]) {
      assert.ok(!/20\d\d-/.test(view.text), view.text);
      assert.ok(!view.text.includes("chain 1 block 5"));
      assert.ok(timesOf(view).includes(sentence));
      assert.equal(view.text.split(sentence).length, 3); // in the row of 8.1 too
    }
  });

  test(`times that wait for a check stand in brackets, which are explained: ${language}`, () => {
    const waiting = timesOf(viewOf("could_not_be_checked", language));
    assert.ok(waiting.includes(`(${T})`) && waiting.includes(`(${AFTER})`) && waiting.includes(wait));
    const passed = timesOf(viewOf("passed", language));
    assert.ok(passed.includes(T) && !passed.includes(`(${T})`) && !passed.includes(wait));
  });
}

test("a key is said to be in its period only where something dates the head", () => {
  for (const [language, words] of [["zh", ["期限", "有效期"]], ["en", ["period"]]]) {
    const said = [WORDS[language].signers_means, sentenceOf({ id: "3.1", outcome: "passed" }, language)].join();
    for (const word of words) assert.ok(!said.includes(word), said);
  }
});

test("a revocation that came later for a mild reason is not denied, and older lists are not said to be missing", () => {
  assert.match(sentenceOf({ id: "5.2", outcome: "passed" }, "en"), /or only so late and for such a reason.*the root is not checked/);
  assert.match(sentenceOf({ id: "5.2", outcome: "passed" }, "zh"), /不影响该时间戳；根证书不核验/);
  assert.match(sentenceOf({ id: "5.2", outcome: "could_not_be_checked" }, "en"), /from the time of the token or later/);
  assert.match(sentenceOf({ id: "5.2", outcome: "could_not_be_checked" }, "zh"), /签发时间之后/);
});

test("a document beside a record of none fails in words that say so", async () => {
  const { files } = world.good();
  const other = { ...files, "data/document/合同.pdf": "other" };
  const found = async (given, document) => (await verify({ package: new Uint8Array(world.packageOf(given)), trust: world.trustOf(), document })).checks.find(({ id, outcome }) => id === "2.3" && outcome === "failed");
  assert.equal((await found(other, null)).detail, "sha-256 differs");
  assert.match(sentenceOf(await found(other, null), "en"), /or the record has none/);
  assert.match(sentenceOf(await found(other, null), "zh"), /或该记录没有文件/);
});
