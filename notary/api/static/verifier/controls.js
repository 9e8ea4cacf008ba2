// Negative controls: files of the package in which one thing is wrong, each with the check that it must fail
// (docs/formats.md §11.6). A verifier that says passed to everything shows nothing.

import { FormatError } from "./bytes.js";
import { parseCanonical } from "./canonical.js";
import { FAILED, PASSED, saying } from "./checks.js";
import { digestsOf } from "./digests.js";
import { exactKeys, list, matching } from "./fields.js";
import { CONTROL } from "./package_names.js";
import { sourceOf } from "./source.js";
import { judge, namesIn } from "./verify.js";

const EXPECTED = "controls/expected.json";
const MAX_FILE = 65536;
const MAX_CONTROLS = 16; // each is a whole verification
// What a check reads for itself.
const READ = /^(?:data\/(?:statement\.json|openings\.json|document\/.+)|(?:heads|inspection|incident|previous)\/.+|receipt\.txt|consistency\.json)$/u;

export const AS_STATED = "fails_as_stated";
export const NOT_AS_STATED = "does_not_fail_as_stated";
export const NOT_TRIED = "could_not_be_tried";

// {name, file, replaces, check} of each control that these files state.
export function parseExpected(bytes, isMember) {
  if (bytes.length > MAX_FILE) throw new FormatError("expected.json is too long");
  const file = exactKeys(parseCanonical(bytes), ["version", "controls"]);
  if (file.version !== 1) throw new FormatError("expected.json of another version");
  const controls = list(file.controls, 1, MAX_CONTROLS, (control) => {
    exactKeys(control, ["name", "file", "replaces", "check"]);
    matching(control.name, /^[a-z0-9][a-z0-9-]{0,63}$/);
    matching(control.check, /^[1-9]\.[1-9][0-9]?$/);
    const place = matching(control.file, CONTROL);
    if (place === EXPECTED || !isMember(place)) throw new FormatError("a control without its file");
    if (!READ.test(matching(control.replaces, /^.{1,255}$/u)) || !isMember(control.replaces)) throw new FormatError("a control that replaces no member");
    return control;
  });
  if (new Set(controls.map(({ name }) => name)).size < controls.length) throw new FormatError("two controls of one name");
  return controls;
}

// Tries each control of what `gather` gave. Gives null where the package has none, else {controls, error}: the list
// of {name, file, replaces, check, status}, or why expected.json cannot be read.
export async function tryControls(gathered, { checks }) {
  const evidence = gathered.opened.evidence;
  if (!evidence?.files.has(EXPECTED)) return null;
  const isMember = (name) => evidence.files.has(name) || evidence.document?.name === name;
  const tried = [];
  try {
    for (const control of parseExpected(evidence.files.get(EXPECTED), isMember)) {
      tried.push({ ...control, status: has(checks, control.check, PASSED) ? await statusOf(gathered, control) : NOT_TRIED });
    }
  } catch (error) {
    return { controls: [], error: saying(error) };
  }
  return { controls: tried, error: null };
}

const has = (checks, id, outcome) => checks.some((check) => check.id === id && check.outcome === outcome);

// Of a control whose check passed with the package as it is: one that failed already would fail with anything.
async function statusOf(gathered, control) {
  const evidence = await replaced(gathered.opened.evidence, control);
  const { result } = judge({ ...gathered, opened: { evidence, error: null } });
  return has(result.checks, control.check, FAILED) ? AS_STATED : NOT_AS_STATED;
}

// The evidence with the control's file in the place of another; the manifests, made anew, would list it.
async function replaced(evidence, { file, replaces }) {
  const bytes = evidence.files.get(file);
  if (evidence.document?.name === replaces) {
    const document = { name: replaces, ...(await digestsOf(sourceOf(bytes), ["sha-256", ...namesIn(evidence.files)])) };
    return { ...evidence, document };
  }
  return { ...evidence, files: new Map(evidence.files).set(replaces, bytes) };
}
