// What every script of a page needs: its words, its elements, and what the page says of the service.

import { plain } from "./verifier/plain.js";

const data = document.documentElement.dataset;
const words = JSON.parse(data.words);

export const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
export const log = { origin: data.origin, vkeys: data.vkeys.split(" ") };
export const demo = "demo" in data;
export const checks = words.checks;

// The words of that key, with {name} filled in.
export function t(key, facts = {}) {
  if (!(key in words)) throw new Error(`no words for ${key}`);
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

// An element; attributes that are null, false or undefined are left out. Text is never read as markup.
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

// Terms and values, two columns; values may be elements.
export function terms(pairs) {
  return h("dl", { class: "terms" }, pairs.map(([term, ...value]) => h("div", {}, h("dt", {}, term), h("dd", {}, ...value))));
}

// A value, in which no sign is hidden.
export const mono = (text) => h("code", {}, plain(text));

// Whose word something is: recomputed, attested, stated or not_covered.
export const claim = (name) => h("span", { class: `claim ${name}` }, t(`claim.${name}`));

// The mark of an outcome: a sign, never colour alone, and its word.
export function mark(outcome) {
  return h("span", { class: `mark ${outcome}` }, h("span", { class: "sign", "aria-hidden": "true" }), t(`mark.${outcome}`));
}

// A moment in UTC, and in the zone of this browser where that is another.
export function moment(text) {
  const date = new Date(text);
  const utc = `${text.replace("T", " ").replace("Z", "")} UTC`;
  const shown = h("time", { datetime: text }, utc);
  if (Number.isNaN(date.getTime()) || date.getTimezoneOffset() === 0) return shown;
  const local = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium", timeStyle: "long" });
  return h("span", {}, shown, h("span", { class: "local" }, local.format(date)));
}

export function size(bytes) {
  const exact = t("bytes", { count: bytes.toLocaleString("en").replaceAll(",", "\u2009") });
  const unit = [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]].find(([, scale]) => bytes >= scale);
  return unit ? `${(bytes / unit[1]).toFixed(1)} ${unit[0]} (${exact})` : exact;
}

// Put a result into its place, and bring eyes, keyboard and screen reader there.
export function show(place, ...content) {
  place.replaceChildren(...content);
  place.hidden = false;
  const heading = place.querySelector("h2, h3");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
}

// A box with a heading and sentences, for what is neither good nor bad evidence.
export function notice(kind, title, ...content) {
  const heading = h("h3", {}, h("span", { class: "sign", "aria-hidden": "true" }), title);
  return h("section", { class: `notice ${kind}` }, heading, content.filter(Boolean).map((item) => (typeof item === "string" ? h("p", {}, item) : item)));
}
