// Two intervals, never mixed: when the record was made, and by when what it records existed. In order, not to scale.

import { h, moment, svg, t, terms } from "./page.js";
import { plain } from "./verifier/plain.js";

const HEIGHT = 136;
const AXIS = HEIGHT - 10;
const EXISTED = 54;
const MADE = 104;

// A figure, or null where no bound in time was found. `time` is that of a check result (docs/formats.md §13).
export function timeline(time) {
  if (!time || (!time.made_after && !time.existed_by && time.bounds.length === 0)) return null;
  const after = time.made_after ? moment(time.made_after) : t("time.no_after");
  const by = time.existed_by ? moment(time.existed_by) : t("time.no_by", { needed: time.sources_needed, found: organisations(time) });
  return h(
    "figure",
    { class: "timeline" },
    h("figcaption", {}, t("time.title")),
    drawing(time),
    terms([
      [t("time.existed"), by],
      [t("time.made"), after, time.made_after_block ? h("span", { class: "local" }, time.made_after_block) : null],
    ]),
    h("p", { class: "small" }, t("time.rule", { needed: time.sources_needed })),
    bounds(time.bounds),
  );
}

const organisations = (time) => new Set(time.bounds.map((bound) => bound.organisation)).size;

function drawing(time) {
  // Not scaled down on a phone: the words in it must stay readable.
  const width = matchMedia("(max-width: 34rem)").matches ? 330 : 640;
  const from = time.made_after ? width * 0.34 : 8;
  const to = width * 0.78;
  const label = [t("time.made"), time.made_after ?? t("time.unproved"), t("time.existed"), time.existed_by ?? t("time.unproved")].join(" ");
  const line = (x1, x2, y, kind) => svg("line", { x1, x2, y1: y, y2: y, class: kind });
  const tick = (x, text) => [
    svg("line", { x1: x, x2: x, y1: 22, y2: AXIS, class: "tick" }),
    svg("text", { x, y: 14, "text-anchor": "middle", class: "label" }, text),
  ];
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label },
    line(2, width - 8, AXIS, "axis"),
    svg("path", { d: `M${width} ${AXIS} l-8 -4 v8 z`, class: "arrow" }),
    time.made_after && tick(from, t("time.after_label")),
    time.existed_by && tick(to, "T"),
    svg("text", { x: 2, y: EXISTED - 10, class: "lane" }, t("time.lane_existed")),
    line(2, to, EXISTED, time.existed_by ? "unknown" : "nothing"),
    time.existed_by && line(to, width - 10, EXISTED, "certain"),
    svg("text", { x: 2, y: MADE - 10, class: "lane" }, t("time.lane_made")),
    line(from, to, MADE, time.made_after && time.existed_by ? "made" : "nothing"),
  );
}

function bounds(list) {
  if (list.length === 0) return null;
  const head = ["time.source", "time.kind", "time.not_after"].map((key) => h("th", { scope: "col" }, t(key)));
  const rows = list.map((bound) =>
    h(
      "tr",
      {},
      h("td", { "data-label": t("time.source") }, plain(bound.source), bound.organisation === bound.source ? null : h("span", { class: "local" }, plain(bound.organisation))),
      h("td", { "data-label": t("time.kind") }, t(`bound.${bound.kind}`)),
      h("td", { "data-label": t("time.not_after") }, moment(bound.not_after)),
    ),
  );
  return h("table", {}, h("caption", {}, t("time.bounds")), h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows));
}
