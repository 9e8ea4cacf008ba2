// The page /verify, and the form of /e/{number}: a file is hashed here, looked up there, and checked here.

import { namesOf } from "./check.js";
import { hashFile } from "./hashing.js";
import { parseNumber } from "./verifier/number.js";
import { plain } from "./verifier/plain.js";
import { byId, h, mono, notice, show, size, t, terms } from "./page.js";
import { recordView, trouble } from "./record_view.js";
import { lookUp, readRecord } from "./service.js";

const form = byId("lookup");
const input = byId("file");
const code = byId("code");
const result = byId("lookup-result");
const progress = byId("progress");
const only = form.dataset.number ?? null; // the one record that /e/{number} is about
let turn = 0; // a newer choice makes an older answer void

async function start(file) {
  const mine = ++turn;
  const typed = typedCode();
  if (typed === null) return;
  if (file.size === 0) return show(result, notice("could_not_be_checked", t("file.empty"), t("file.empty_means")));
  let content;
  try {
    const digests = await hash(file, ["sha-256"], mine);
    if (mine !== turn) return;
    result.replaceChildren(h("p", { class: "busy" }, t("working")));
    content = await lookedUp(file, digests, typed, mine);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    content = [notice("could_not_be_checked", t("file.unreadable"), t("file.unreadable_means"))];
  }
  if (mine === turn) show(result, ...content);
}

class Unreadable extends Error {}

// Digests of the file by name; {} where none is wanted, or a newer choice was made.
async function hash(file, names, mine) {
  if (names.length === 0 || mine !== turn) return {};
  const bar = progress.querySelector("progress");
  const label = progress.querySelector("span");
  bar.max = file.size;
  bar.value = 0;
  progress.hidden = false;
  result.replaceChildren();
  try {
    return await hashFile(file, names, (done) => {
      if (mine !== turn) return;
      bar.value = done;
      label.textContent = `${Math.floor((100 * done) / file.size)} %`;
    });
  } catch (error) {
    throw new Unreadable(String(error));
  } finally {
    if (mine === turn) progress.hidden = true;
  }
}

async function lookedUp(file, { "sha-256": digest }, typed, mine) {
  const yours = h(
    "section",
    { class: "file" },
    h("h2", {}, t("result.title")),
    terms([[t("file.name"), plain(file.name)], [t("file.size"), size(file.size)], [t("file.digest"), mono(digest)]]),
    h("p", { class: "small" }, t("file.stayed")),
  );
  try {
    const wanted = (record) => only === null || parseNumber(record.number) === only;
    const { records, earlier } = await lookUp(digest, typed);
    const found = records.filter(wanted);
    const grown = earlier.filter(wanted).map(grownInto);
    if (found.length === 0) return [yours, ...(grown.length > 0 ? [...grown, again(file)] : [notFound(typed)])];
    // Only now it is known which other digests the records state, and only they are taken.
    const others = await hash(file, namesOf(found).filter((name) => name !== "sha-256"), mine);
    const shown = { size: file.size, digests: { ...others, "sha-256": digest } };
    const views = await Promise.all(found.map((record) => recordView(record, shown, typed)));
    const heading = found.length > 1 ? h("p", { class: "count" }, t("result.count", { count: found.length })) : null;
    return [yours, heading, again(file), ...views, ...grown].filter(Boolean);
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    return [yours, trouble(error), again(file)];
  }
}

// What was chosen is no recorded document, but the beginning of one: by the service's word, which is said.
function grownInto({ number, revision, revisions, length }) {
  const means = t("earlier.means", { revision: String(revision), revisions: String(revisions), length: String(length) });
  return notice("could_not_be_checked", t("earlier.title"), means, h("p", {}, t("earlier.number"), " ", mono(String(number))));
}

function notFound(typed) {
  const hints = ["hint_byte", "hint_code", "hint_where"].map((key) => h("li", {}, t(`not_found.${key}`)));
  const box = notice("not_found", t("not_found.title"), t("not_found.means"), h("ul", {}, hints));
  if (typed) box.append(h("p", {}, t("not_found.with_code")));
  return box;
}

const again = (file) => h("p", { class: "actions" }, h("button", { type: "button", class: "plain", onclick: () => start(file) }, t("again")));

// What stands in the field of the look-up code; null where it cannot be a code, which is then said.
function typedCode() {
  const text = code.value.trim();
  const known = text === "" ? "" : parseNumber(text);
  const wrong = known === null;
  code.setAttribute("aria-invalid", String(wrong));
  byId("code-error").hidden = !wrong;
  if (wrong) code.focus();
  return known;
}

async function startWithCode({ quietly = false } = {}) {
  const typed = typedCode();
  if (typed === null) return;
  const mine = ++turn;
  result.replaceChildren(h("p", { class: "busy" }, t("working")));
  let content;
  try {
    const record = await readRecord(only, typed);
    content = record ? await recordView(record, null, typed) : notFound(typed);
  } catch (error) {
    content = trouble(error);
  }
  if (mine !== turn) return;
  const all = [h("h2", {}, t("result.title_record")), content];
  if (quietly) result.replaceChildren(...all);
  else show(result, ...all);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length > 0) start(input.files[0]);
  else if (only !== null && (code.value.trim() !== "" || "visible" in form.dataset)) startWithCode();
  else {
    input.focus();
    show(result, notice("could_not_be_checked", t("file.missing"), t("file.missing_means")));
  }
});

input.addEventListener("change", () => {
  if (input.files.length > 0) start(input.files[0]);
});

const drop = byId("drop");
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (!file) return;
  input.value = "";
  start(file);
});
// A file dropped beside the field would replace the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());

// A code may come with a link, behind "#", which no server sees; it does not stay in the address.
const carried = new URLSearchParams(location.hash.slice(1)).get("code") ?? new URLSearchParams(location.search).get("code");
if (carried !== null) {
  code.value = carried;
  const rest = new URLSearchParams(location.search);
  rest.delete("code");
  history.replaceState(null, "", location.pathname + (String(rest) ? `?${rest}` : ""));
}
form.querySelector("fieldset").disabled = false;
if (only !== null && (carried || "visible" in form.dataset)) startWithCode({ quietly: true });
