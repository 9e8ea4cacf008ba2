import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

// As much of a page as the view needs: the words, and elements that keep their text.
class Element {
  children = [];
  append(...children) {
    this.children.push(...children);
  }
  setAttribute() {}
  get text() {
    return this.children.map((child) => child.text ?? child).join(" ");
  }
}
const words = JSON.parse(readFileSync("words.json", "utf8"));
const made = () => new Element();
globalThis.matchMedia = () => ({ matches: false });
globalThis.document = { documentElement: { lang: "en", dataset: { words: JSON.stringify(words), origin: "log.example.org", vkeys: "" } }, createElement: made, createElementNS: made };
const { reportView } = await import("./static/report_view.js");

const T = "2026-03-01T12:00:01Z";
const time = { made_after: "2026-03-01T11:00:00Z", made_after_block: "", existed_by: T, sources_needed: 1, bounds: [{ kind: "rfc3161", source: "a", organisation: "A Ltd", not_after: T, size: 4 }] };
const bounded = { id: "8.1", outcome: "passed", claim: "attested", subject: "", detail: `existed by ${T}`, required: true };
const textOf = (outcome, document, options) => {
  const compared = { id: "2.3", outcome: document, claim: "recomputed", subject: "given", detail: "", required: true };
  return reportView({ outcome, checks: [compared, bounded], time, withheld: 0 }, options).text;
};

test("of evidence that failed no time is shown", () => {
  const text = textOf("failed", "failed");
  assert.ok(text.includes("No times are shown, since a check failed."));
  assert.ok(!text.includes("2026-03-01"), text);
});

test("times that wait for a check are said to count only with it", () => {
  const wait = "The times below count only once the outcome is passed.";
  assert.ok(textOf("could_not_be_checked", "could_not_be_checked").includes(wait));
  // The document was compared in this browser: then nothing is missing.
  for (const text of [textOf("could_not_be_checked", "could_not_be_checked", { compared: true }), textOf("passed", "passed")]) {
    assert.ok(text.includes("2026-03-01 12:00:01 UTC") && !text.includes(wait), text);
  }
});
