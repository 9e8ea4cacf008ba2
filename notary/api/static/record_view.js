// One record: where it stands, what this browser recomputed, and what its statement says.

import { checkRecord } from "./check.js";
import { claim, h, log, mark, moment, mono, notice, size, t, terms } from "./page.js";
import { reportView } from "./report_view.js";
import { plain } from "./verifier/plain.js";
import { Refused, Unreachable, packageOf, verifyThere } from "./service.js";

const STATES = ["received", "closed", "stamped", "anchored", "final"];
const CLAIMS = { passed: "recomputed", failed: "differs", could_not_be_checked: "not_covered" };

// Args: record as the service sent it; the visitor's file {size, digests}, or null; code that he typed, or "".
export async function recordView(record, file, code) {
  const checked = checkRecord(record, file, log);
  const { outcome } = checked;
  const words = headline(checked);
  return h(
    "article",
    { class: "record", "data-outcome": outcome, "data-number": record.number },
    h("header", {}, h("p", { class: "label" }, t("record.number")), h("p", { class: "number" }, record.number)),
    notice(outcome, t(words), t(`${words}_means`, checked.findings[0].facts)),
    states(record.state),
    h("h4", {}, t("record.recomputed")),
    h("ul", { class: "findings" }, checked.findings.map(finding)),
    h("p", { class: "small" }, t("record.limits")),
    checked.statement ? ownWords(checked.statement, record) : null,
    record.proof === null ? null : further(record, file?.digests["sha-256"], code, words === "record.passed"),
  );
}

function headline({ outcome, findings }) {
  const [document, ...others] = findings;
  if (outcome === "failed") return others.some((one) => one.outcome === "failed") ? "record.failed" : "record.differs";
  if (outcome === "could_not_be_checked") return "record.waiting";
  return document.outcome === "passed" ? "record.passed" : "record.passed_alone";
}

function states(state) {
  const reached = STATES.indexOf(state);
  const steps = STATES.map((name, at) =>
    h(
      "li",
      { class: at <= reached ? "reached" : null, "aria-current": at === reached ? "step" : null, "data-state": name },
      h("span", { class: "dot", "aria-hidden": "true" }),
      h("span", {}, t(`state.${name}`), h("span", { class: "hidden" }, t(at <= reached ? "state.reached" : "state.to_come"))),
    ),
  );
  return h("section", {}, h("h4", {}, t("record.state"), " ", claim("stated")), h("ol", { class: "states" }, steps), h("p", { class: "small" }, t(`state.${state}_means`)));
}

function finding({ id, outcome, reason, facts }) {
  const values = Object.entries(facts).filter(([, value]) => value !== undefined);
  return h(
    "li",
    { "data-check": id, "data-outcome": outcome },
    mark(outcome),
    h("strong", {}, t(`check.${id}`)),
    claim(CLAIMS[outcome]),
    h("p", {}, t(`check.${id}.${reason}`, facts)),
    values.length === 0 ? null : h("details", {}, h("summary", {}, t("record.values")), terms(values.map(([name, value]) => [t(`fact.${name}`), mono(value)]))),
  );
}

function ownWords(statement, record) {
  const body = statement.document;
  const block = statement.not_before;
  const pairs = [
    [t("statement.type"), t(`type.${statement.type}`)],
    [t("statement.time"), moment(statement.time)],
    [t("statement.received"), moment(record.received)],
  ];
  if (body) {
    pairs.push([t("statement.seen"), t(body.seen ? "statement.seen_yes" : "statement.seen_no")]);
    if (body.size !== null) pairs.push([t("statement.size"), size(body.size)]);
    if (body.media_type !== null) pairs.push([t("statement.media_type"), mono(body.media_type)]);
    for (const [name, value] of Object.entries(body.digests)) pairs.push([name.toUpperCase(), mono(value)]);
    for (const [name, value] of Object.entries(body.claimed)) pairs.push([t("statement.claimed", { name: name.toUpperCase() }), mono(value)]);
  }
  if (block) pairs.push([t("statement.not_before"), t("statement.block", { number: block.number, chain: block.chain_id })]);
  pairs.push([t("statement.log"), mono(statement.log)]);
  return h(
    "section",
    {},
    h("h4", {}, t("record.statement"), " ", claim("stated")),
    h("p", { class: "small" }, t("record.statement_means")),
    terms(pairs),
    h("details", {}, h("summary", {}, t("record.raw")), h("pre", {}, plain(record.statement))),
  );
}

function further(record, digest, code, compared) {
  const result = h("div", { class: "result", "aria-live": "polite" });
  const run = (work) => async ({ currentTarget: button }) => {
    button.disabled = true;
    result.replaceChildren(h("p", { class: "busy" }, t("working")));
    try {
      result.replaceChildren(await work(await packageOf(record.number, digest, code)));
    } catch (error) {
      result.replaceChildren(trouble(error));
    }
    button.disabled = false;
  };
  return h(
    "section",
    {},
    h("h4", {}, t("record.time")),
    h("p", {}, t("record.time_means")),
    h(
      "p",
      { class: "actions" },
      h("button", { type: "button", class: "plain", "data-action": "time", onclick: run(async (file) => reportView(await verifyThere(file), { compared })) }, t("record.ask")),
      h("button", { type: "button", class: "plain", "data-action": "package", onclick: run(save) }, t("record.download")),
    ),
    result,
  );
}

function save(file) {
  const address = URL.createObjectURL(file);
  const link = h("a", { href: address, download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return h("p", {}, t("record.saved", { name: plain(file.name) }));
}

// What went wrong, in words that say nothing about the evidence.
export function trouble(error) {
  if (error instanceof Refused) {
    const key = error.status === 404 ? "trouble.not_found" : error.status === 413 ? "trouble.too_large" : "trouble.refused";
    return notice("could_not_be_checked", t(key), t(`${key}_means`), error.message ? h("p", { lang: "en", class: "small" }, error.message) : null);
  }
  if (!(error instanceof Unreachable)) reportError(error); // a fault of these scripts: for whoever looks at the console
  return notice("could_not_be_checked", t("trouble.unreachable"), t("trouble.unreachable_means"));
}
