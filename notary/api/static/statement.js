// Statements: canonical JSON (RFC 8785) with an exact set of keys (docs/formats.md §2).

import { FormatError, bytesOf } from "./bytes.js";

const MAX_STATEMENT = 8192;
const COMMON = ["version", "type", "log", "number", "time", "salt", "not_before", "previous", "commitments"];
const BODIES = { genesis: "genesis", document: "document", event: null, inspection: null, report: "document", key: "key", incident: "incident" };
const DOCUMENT = ["seen", "digests", "claimed", "size", "media_type"];

// JSON.stringify writes strings and whole numbers as RFC 8785 does; only the order of keys is left to us.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

function exactKeys(value, keys) {
  const found = value !== null && typeof value === "object" && !Array.isArray(value) ? Object.keys(value).sort() : null;
  if (found === null || found.join() !== [...keys].sort().join()) throw new FormatError("a key is missing or unknown");
}

// The statement in `text`. One text has one value and the other way round: anything else is refused.
export function parseStatement(text) {
  if (bytesOf(text).length > MAX_STATEMENT) throw new FormatError("the statement is too long");
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError("the statement is not JSON");
  }
  if (canonical(value) !== text) throw new FormatError("the statement is not in canonical form");
  if (value?.version !== 1 || !Object.hasOwn(BODIES, value.type)) throw new FormatError("an unknown kind of statement");
  const body = BODIES[value.type];
  exactKeys(value, body === null ? COMMON : [...COMMON, body]);
  if (body === "document") {
    exactKeys(value.document, DOCUMENT);
    exactKeys(value.document.digests, value.document.seen ? ["sha-256", "sm3"] : ["sha-256"]);
  }
  return value;
}
