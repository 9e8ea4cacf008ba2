// The result as elements. Texts of the evidence become text nodes and nothing else, and hide no sign.

import { nameOf, sentenceOf } from "../catalogue.js";
import { NOT_AS_STATED } from "../controls.js";
import { plain } from "../plain.js";

export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null).map((child) => (typeof child === "string" ? plain(child) : child)));
  return element;
}

const mark = (outcome, words) => h("span", { class: `mark ${outcome}` }, { passed: "✓ ", failed: "✗ " }[outcome] ?? "? ", words);
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => String(facts[name]));
const table = (heads, rows) => h("div", { class: "wide", tabindex: "0" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, rows)));

// Args: {result, controls, signers, blocks, answers: of those who were asked for blocks}; t, the words; language.
export function resultView({ result, controls, signers, blocks, answers }, t, language) {
  const doubts = doubtsOf({ controls, blocks, answers }, t);
  const outcome = doubts.length > 0 ? "failed" : result.outcome;
  return [
    noticeView({ outcome, doubts, testOnly: result.test_only }, t),
    timesView({ time: result.time, outcome }, t),
    checksView({ checks: result.checks, outcome }, t, language),
    signers.length > 0 ? signersView(signers, t) : null,
    blocks.length > 0 ? chainView(blocks, answers, t) : null,
    openedView(result, t),
    controls === null ? null : controlsView(controls, t),
    result.statement === null ? null : h("details", {}, h("summary", {}, t.statement), h("pre", {}, linesOf(JSON.stringify(result.statement, null, 2)))),
  ].filter(Boolean);
}

// Why the result is not to be believed, whatever its checks say: it is then shown as failed.
export function doubtsOf({ controls, blocks, answers }, t) {
  return [
    controls !== null && controls.error !== null ? `${t.controls_broken}: ${controls.error}` : null,
    controls?.controls.some(({ status }) => status === NOT_AS_STATED) ? t.control_stands : null,
    blocks.some((block) => answers.some((answer) => saidOf(answer, block) === "other")) ? t.node_contradicts : null,
  ].filter((doubt) => doubt !== null);
}

// What an answer is to a block: null where it is of another.
function saidOf(answer, block) {
  if (answer.chainId !== block.chainId || answer.number !== block.number) return null;
  return answer.hash === null ? "trouble" : answer.hash === block.hash ? "same" : "other";
}

function noticeView({ outcome, doubts, testOnly }, t) {
  const words = doubts.length > 0 ? t.disbelieve : t[outcome];
  const means = doubts.length > 0 ? doubts : [t[`${outcome}_means`]];
  return h("section", { class: `notice ${outcome}`, "data-outcome": outcome }, h("h2", { tabindex: "-1" }, mark(outcome, words)), means.map((text) => h("p", {}, text)), testOnly ? h("p", { class: "warn" }, t.test_only) : null);
}

const linesOf = (text) => document.createTextNode(text.split("\n").map(plain).join("\n"));

function timesView({ time, outcome }, t) {
  if (outcome === "failed") return h("section", { class: "times" }, h("h3", {}, t.times), h("p", {}, t.no_times));
  const said = (value) => (value && outcome === "passed" ? value : value ? `(${value})` : t.none);
  const bounds = (time?.bounds ?? []).map(({ not_after, organisation, kind }) => h("li", {}, `${not_after} — ${organisation} (${kind})`));
  return h(
    "section",
    { class: "times" },
    h("h3", {}, t.times),
    outcome === "passed" ? null : h("p", {}, t.times_wait),
    h("dl", {}, h("dt", {}, t.made_after), h("dd", {}, said(time?.made_after), time?.made_after_block ? h("div", { class: "small mono" }, time.made_after_block) : null), h("dt", {}, t.existed_by), h("dd", {}, said(time?.existed_by))),
    bounds.length > 0 ? h("p", { class: "small" }, `${t.bounds}; ${t.needed}: ${time.sources_needed}`) : null,
    bounds.length > 0 ? h("ul", {}, bounds) : null,
    h("p", { class: "small" }, t.limits),
  );
}

// T stands in the detail of 8.1, and is shown of nothing that failed.
const detailOf = ({ id, outcome, detail }, whole, t) => (id === "8.1" && outcome === "passed" && whole === "failed" ? h("div", { class: "small" }, t.no_times) : h("div", { class: "small", lang: "en" }, detail));

function checksView({ checks, outcome }, t, language) {
  const rows = checks.map((check) =>
    h(
      "tr",
      { "data-check": check.id, "data-outcome": check.outcome, "data-subject": check.subject },
      h("td", {}, `${check.id} ${nameOf(check.id, language)}`, check.required ? h("span", { class: "small" }, ` · ${t.required}`) : null),
      h("td", {}, check.subject),
      h("td", {}, mark(check.outcome, t[check.outcome])),
      h("td", {}, h("div", {}, sentenceOf(check, language)), detailOf(check, outcome, t)),
      h("td", {}, t[check.claim]),
    ),
  );
  return h("section", {}, h("h3", {}, t.checks), table([t.check, t.subject, t.outcome, "", t.claim], rows));
}

function signersView(signers, t) {
  const rows = signers.map(({ role, size, key }) => h("tr", { "data-signer": role, "data-key": key }, h("td", {}, t[`signer_${role}`]), h("td", {}, size === null ? "" : String(size)), h("td", { class: "mono" }, key)));
  return h("section", { class: "signers" }, h("h3", {}, t.signers), h("p", { class: "small" }, t.signers_means), table([t.signer, t.signer_size, t.key], rows));
}

const NODE_COLOURS = { same: "passed", other: "failed", trouble: "could_not_be_checked" };

function chainView(blocks, answers, t) {
  const answerView = (answer, said) => h("p", { "data-node": said }, mark(NODE_COLOURS[said], `${answer.source}: ${t[`node_${said}`]} ${answer.trouble}`));
  const told = (block) => answers.map((answer) => [answer, saidOf(answer, block)]).filter(([, said]) => said !== null);
  return h(
    "section",
    { class: "blocks" },
    h("h3", {}, t.chain),
    blocks.map((block) =>
      h("div", { "data-block": String(block.number) }, h("p", {}, fill(t.compare, block)), h("p", { class: "mono" }, `0x${block.hash}`), told(block).map(([answer, said]) => answerView(answer, said))),
    ),
  );
}

function openedView({ openings, withheld }, t) {
  const rows = Object.entries(openings).flatMap(([name, value]) => [h("dt", {}, name), h("dd", { "data-opened": name }, typeof value === "string" ? value : JSON.stringify(value))]);
  if (rows.length === 0 && !withheld) return null;
  return h("section", {}, h("h3", {}, t.opened), h("dl", {}, rows), withheld > 0 ? h("p", { "data-withheld": String(withheld) }, mark("could_not_be_checked", t.withheld), " ", fill(t.withheld_means, { count: withheld })) : null);
}

const COLOURS = { fails_as_stated: "passed", does_not_fail_as_stated: "failed", could_not_be_tried: "could_not_be_checked" };

function controlsView({ controls, error }, t) {
  const rows = controls.map(({ name, replaces, check, status }) => h("tr", { "data-control": name, "data-status": status }, h("td", {}, name), h("td", {}, replaces), h("td", {}, check), h("td", {}, mark(COLOURS[status], t[status]))));
  return h("section", { class: "controls" }, h("h3", {}, t.controls), h("p", {}, t.controls_means), error === null ? table([t.control, t.replaces, t.must_fail, t.outcome], rows) : h("p", { "data-status": "does_not_fail_as_stated" }, mark("failed", `${t.controls_broken}: ${error}`)));
}
