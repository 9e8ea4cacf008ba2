// Statements: canonical JSON (RFC 8785) with an exact set of keys (docs/formats.md §2).

import { FormatError, bytesOf, unhex } from "./bytes.js";

const MAX_STATEMENT = 8192;
const COMMON = ["version", "type", "log", "number", "time", "salt", "not_before", "previous", "commitments"];
const BODIES = { genesis: "genesis", document: "document", event: null, inspection: null, report: "document", key: "key", incident: "incident" };
const LENGTHS = { "sha-256": 32, sm3: 32, "sha-384": 48, "sha-512": 64, "sha3-256": 32, "sha3-512": 64 };
const MAX_DOCUMENT = 2 ** 50;
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
    checkBody(value.document);
  }
  return value;
}

function checkBody(body) {
  exactKeys(body, DOCUMENT);
  if (typeof body.seen !== "boolean") throw new FormatError("seen is neither true nor false");
  exactKeys(body.digests, body.seen ? ["sha-256", "sm3"] : ["sha-256"]);
  const claimed = body.claimed ?? {};
  exactKeys(body.claimed, Object.keys(LENGTHS).filter((name) => Object.hasOwn(claimed, name) && !Object.hasOwn(body.digests, name)));
  for (const [name, value] of [...Object.entries(body.digests), ...Object.entries(body.claimed)]) {
    if (typeof value !== "string" || unhex(value).length !== LENGTHS[name]) throw new FormatError("a digest of another length");
  }
  const sized = Number.isInteger(body.size) && body.size >= 0 && body.size <= MAX_DOCUMENT;
  if (!(sized || (body.size === null && !body.seen))) throw new FormatError("the size is not one of a document");
}
