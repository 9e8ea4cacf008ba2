// The check result of the service, as it answers POST /v1/verify.

import { checks, claim, demo, h, language, mark, notice, t } from "./page.js";
import { timeline } from "./timeline.js";
import { plain } from "./verifier/plain.js";

const DOCUMENT = "2.3"; // the check that compares the document

// The result with its table of checks. `compared`: this browser has compared the document, which the service never had.
export function reportView(report, { compared = false } = {}) {
  const open = report.checks.filter((check) => check.required && check.outcome !== "passed");
  const missing = missingNames(report, open);
  const whole = compared && report.outcome === "could_not_be_checked" && missing.length === 1 && missing[0] === DOCUMENT;
  const [kind, words] = whole ? ["passed", "compared"] : [report.outcome, report.outcome];
  const list = missing.length > 0 && !whole ? h("ul", {}, missing.map((id) => h("li", {}, nameOf(id)))) : null;
  return h(
    "section",
    { class: "report", "data-outcome": report.outcome },
    notice(kind, t(`report.${words}`), t(`report.${words}_means`), list, h("p", { class: "small" }, claim("stated"), " ", t("report.whose_word")), demo && report.time ? h("p", {}, h("strong", {}, t("report.demo"))) : null),
    times(report, whole),
    report.withheld ? h("p", { class: "withheld" }, t("report.withheld", { count: report.withheld })) : null,
    h("details", { open: !whole }, h("summary", {}, t("report.table", { count: report.checks.length })), table(report)),
  );
}

const nameOf = (id) => `${id} ${checks[id]?.name ?? ""}`;

function missingNames(report, open) {
  if (report.outcome !== "could_not_be_checked") return [];
  const passed = new Set(report.checks.filter((check) => check.outcome === "passed").map((check) => check.id));
  return [...new Set(open.map((check) => check.id))].filter((id) => !passed.has(id));
}

// Of evidence that failed no time is shown; of evidence that waits for a check, times that count only with it.
function times({ outcome, time }, whole) {
  if (outcome === "failed") return time ? h("p", { class: "times" }, t("report.no_times")) : null;
  const figure = timeline(time);
  return figure && outcome !== "passed" && !whole ? h("div", { class: "times" }, h("p", {}, t("report.times_wait")), figure) : figure;
}

function table({ checks: list, outcome }) {
  const head = ["report.check", "report.outcome", "report.class"].map((key) => h("th", { scope: "col" }, t(key)));
  return h("table", { class: "checks" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, list.map((check) => row(check, outcome))));
}

// A digest that differs was recomputed too, but "recomputed" reads as "agrees"; what was not checked rests on nobody.
function restsOn({ outcome, claim: stated }) {
  if (outcome === "could_not_be_checked") return "not_covered";
  return outcome === "failed" && stated === "recomputed" ? "differs" : stated;
}

function row(check, whole) {
  const words = checks[check.id] ?? { name: check.id };
  // T stands in the detail of 8.1.
  const detail = check.id === "8.1" && check.outcome === "passed" && whole === "failed" ? "" : check.detail;
  return h(
    "tr",
    { "data-check": check.id, "data-outcome": check.outcome },
    h(
      "td",
      { "data-label": t("report.check") },
      h("strong", {}, h("span", { class: "id" }, check.id), words.name),
      check.subject ? h("code", { class: "subject" }, plain(check.subject)) : null,
      h("span", { class: "sentence" }, words[check.outcome] ?? ""),
      detail ? h("details", {}, h("summary", {}, t("report.detail")), h("p", { lang: language === "en" ? null : "en" }, plain(detail))) : null,
    ),
    h("td", { "data-label": t("report.outcome") }, mark(check.outcome)),
    h("td", { "data-label": t("report.class") }, claim(restsOn(check))),
  );
}
