// The page verify.html: one file, opened from a disk, that verifies a package without any network.

import { Unreadable } from "../checks.js";
import { tryControls } from "../controls.js";
import { BesideError, NoEvidence } from "../evidence.js";
import { textOfResult } from "../result_text.js";
import { TrustError, withAnswers } from "../trust.js";
import { gather, judge } from "../verify.js";
import { askAll } from "./node.js";
import { doubtsOf, h, resultView } from "./view.js";
import { WORDS } from "./words.js";

const body = document.body;
let language = navigator.language.startsWith("zh") ? "zh" : "en";
let shown = null; // {answer} or {error, message} of the last verification
const fields = {};

function field(name, type) {
  fields[name] ??= h("input", { type, id: name, name, "aria-describedby": `${name}-means`, autocomplete: "off", spellcheck: "false" });
  const means = WORDS[language][`${name}_means`];
  return h("div", { class: "field" }, h("label", { for: name }, WORDS[language][name]), fields[name], h("p", { class: "small", id: `${name}-means` }, means ?? ""));
}

const progress = h("progress", { hidden: true, max: "1" });
const output = h("main", { "aria-live": "polite" });
const top = h("header", {});
const form = h("form", { onsubmit: start });
body.append(top, form, output);

function render() {
  const t = WORDS[language];
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = t.title;
  const choose = (name, words) => h("button", { type: "button", lang: name, "aria-pressed": String(language === name), onclick: () => switchTo(name) }, words);
  top.replaceChildren(h("nav", {}, choose("zh", "简体中文"), choose("en", "English")), h("h1", {}, t.title), h("p", {}, t.lead));
  form.replaceChildren(field("package", "file"), field("trust", "file"), field("document", "file"), field("beside", "file"), field("node", "url"), field("explorer", "url"), h("button", { type: "submit", class: "main" }, t.verify), progress);
  output.replaceChildren(...view(t));
}

function switchTo(name) {
  language = name;
  render();
  top.querySelector(`[lang=${name}]`).focus();
}

function view(t) {
  if (shown === null) return [];
  if (shown.error) return [h("section", { class: "notice could_not_be_checked", "data-error": shown.error }, h("h2", { tabindex: "-1" }, t[shown.error]), h("p", { lang: "en" }, shown.message))];
  return [...resultView(shown, t, language), downloadView(t)];
}

// A file is kept and read without this page: where the headline says "do not believe", it must not say "passed".
function downloadView(t) {
  const told = shown.result.outcome === "failed" || doubtsOf(shown, t).length === 0;
  return told ? h("button", { type: "button", class: "download", onclick: download }, t.download) : h("p", { class: "no-download" }, t.no_download);
}

async function start(event) {
  event.preventDefault();
  const [file, trust, given, beside] = ["package", "trust", "document", "beside"].map((name) => fields[name].files[0] ?? null);
  const [node, explorer] = ["node", "explorer"].map((name) => fields[name].value.trim());
  form.querySelector(".main").disabled = true;
  try {
    shown = file === null ? { error: "no_package", message: "" } : await run({ file, trust, given, beside, node, explorer });
  } catch (error) {
    shown = { error: keyOf(error), message: String(error?.message ?? error) };
  }
  progress.hidden = true;
  render();
  form.querySelector(".main").disabled = false;
  output.querySelector("h2")?.focus();
}

const keyOf = (error) => (error instanceof TrustError ? "trust_error" : error instanceof NoEvidence ? "no_evidence" : error instanceof BesideError ? "beside_error" : error instanceof Unreadable ? "unreadable" : "trouble");

async function run({ file, trust, given, beside, node, explorer }) {
  const bytes = trust && (await readSmall(trust));
  progress.hidden = false;
  progress.setAttribute("aria-label", WORDS[language].working);
  const advance = (done, whole) => (progress.value = whole > 0 ? done / whole : 1);
  const gathered = await gather({ package: file, trust: bytes, document: given, statement: beside, proof: beside, progress: (done) => advance(done, (given ?? file).size) });
  const first = judge(gathered);
  const answers = await askAll({ node, explorer }, first.blocks);
  if (answers.length > 0) gathered.trust = withAnswers(gathered.trust, answers);
  const { result, signers } = answers.length > 0 ? judge(gathered) : first;
  return { result, signers, controls: await tryControls(gathered, result), blocks: first.blocks, answers };
}

async function readSmall(file) {
  if (file.size > 2 << 20) throw new TrustError("the file is too long");
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new Unreadable(String(error));
  }
}

function download() {
  const text = textOfResult(shown.result, 2);
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: address, download: "result.json" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// A file dropped beside a field would replace the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.target?.type === "file" || event.preventDefault());
render();
