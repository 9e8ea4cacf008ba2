// The check result of the service, as it answers POST /v1/verify.

import { checks, claim, h, language, mark, notice, t } from "./page.js";
import { timeline } from "./timeline.js";

// The result with its table of checks.
export function reportView(report) {
  const title = t(`report.${report.outcome}`);
  return h(
    "section",
    { class: "report" },
    notice(report.outcome, title, t(`report.${report.outcome}_means`), h("p", { class: "small" }, claim("stated"), " ", t("report.whose_word"))),
    timeline(report.time),
    table(report.checks),
  );
}

function table(list) {
  const head = ["report.check", "report.outcome", "report.class"].map((key) => h("th", { scope: "col" }, t(key)));
  const body = h("tbody", {}, list.map(row));
  return h("table", { class: "checks" }, h("caption", {}, t("report.table", { count: list.length })), h("thead", {}, h("tr", {}, head)), body);
}

function row(check) {
  const words = checks[check.id] ?? { name: check.id };
  return h(
    "tr",
    { "data-check": check.id, "data-outcome": check.outcome },
    h(
      "td",
      { "data-label": t("report.check") },
      h("strong", {}, h("span", { class: "id" }, check.id), words.name),
      check.subject ? h("code", { class: "subject" }, check.subject) : null,
      h("span", { class: "sentence" }, words[check.outcome] ?? ""),
      check.detail ? h("details", {}, h("summary", {}, t("report.detail")), h("p", { lang: language === "en" ? null : "en" }, check.detail)) : null,
    ),
    h("td", { "data-label": t("report.outcome") }, mark(check.outcome)),
    h("td", { "data-label": t("report.class") }, claim(check.claim)),
  );
}
