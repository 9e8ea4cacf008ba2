// Statements (docs/formats.md §2).

import { FormatError } from "./bytes.js";
import { parseCanonical } from "./canonical.js";
import { exactKeys, hexBytes, integer, isObject, matching, parseMoment } from "./fields.js";
import { parseVkey } from "./note.js";
import { isNumber } from "./number.js";
import { sha256 } from "./sha256.js";

const MAX_STATEMENT = 8192;
const COMMON = ["version", "type", "log", "number", "time", "salt", "not_before", "previous", "commitments"];
const BODIES = { genesis: "genesis", document: "document", event: null, inspection: null, report: "document", key: "key", incident: "incident" };
export const DIGEST_LENGTHS = { "sha-256": 32, sm3: 32, "sha-384": 48, "sha-512": 64, "sha3-256": 32, "sha3-512": 64 };
export const ORIGIN = /^[a-zA-Z0-9._~/:-]{1,200}$/;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/;
const MAX_DOCUMENT = 2 ** 50;
const MAX_COMMITMENTS = 64;

export const entryOf = (bytes) => sha256(bytes);

// The statement in these bytes. One statement has one encoding: anything else is refused.
export function parseStatement(bytes) {
  if (bytes.length > MAX_STATEMENT) throw new FormatError("the statement is too long");
  const value = parseCanonical(bytes);
  if (!isObject(value) || value.version !== 1) throw new FormatError("a statement of another version");
  if (typeof value.type !== "string" || !Object.hasOwn(BODIES, value.type)) throw new FormatError("an unknown type of statement");
  const body = BODIES[value.type];
  exactKeys(value, body === null ? COMMON : [...COMMON, body]);
  checkCommon(value);
  if (body !== null) CHECKS[body](value[body]);
  return value;
}

function checkCommon(value) {
  matching(value.log, ORIGIN);
  if (!isNumber(value.number)) throw new FormatError("not a record number");
  parseMoment(value.time);
  hexBytes(value.salt, 32);
  if (value.not_before !== null) checkBlock(value.not_before);
  if (value.previous !== null) hexBytes(value.previous, 32);
  const { count, root } = exactKeys(value.commitments, ["count", "root"]);
  integer(count, 0, MAX_COMMITMENTS);
  hexBytes(root, 32);
}

function checkBlock(block) {
  exactKeys(block, ["chain_id", "number", "hash", "time"]);
  integer(block.chain_id);
  integer(block.number);
  hexBytes(block.hash, 32);
  integer(block.time, 0, 2 ** 40);
}

const CHECKS = { genesis: checkGenesis, document: checkDocument, key: checkKey, incident: checkIncident };
const ADDRESS = /^0x[0-9a-f]{40}$/;

function checkGenesis(body) {
  exactKeys(body, ["log_key", "receipt_key", "head_key", "contract", "chain_id", "log_id"]);
  checkVkey(body.log_key);
  checkVkey(body.receipt_key);
  matching(body.head_key, ADDRESS);
  matching(body.contract, ADDRESS);
  integer(body.chain_id);
  hexBytes(body.log_id, 32);
}

function checkVkey(value) {
  if (typeof value !== "string") throw new FormatError("not a vkey");
  parseVkey(value);
}

function checkDocument(body) {
  exactKeys(body, ["seen", "digests", "claimed", "size", "media_type"]);
  if (typeof body.seen !== "boolean") throw new FormatError("seen is neither true nor false");
  exactKeys(body.digests, body.seen ? ["sha-256", "sm3"] : ["sha-256"]);
  if (!isObject(body.claimed)) throw new FormatError("not an object of digests");
  for (const [name, value] of [...Object.entries(body.digests), ...Object.entries(body.claimed)]) {
    if (!Object.hasOwn(DIGEST_LENGTHS, name)) throw new FormatError("an unknown digest");
    hexBytes(value, DIGEST_LENGTHS[name]);
  }
  if (Object.keys(body.claimed).some((name) => name in body.digests)) throw new FormatError("a digest is stated twice");
  if (!(body.size === null && !body.seen)) integer(body.size, 0, MAX_DOCUMENT);
  if (body.media_type !== null) matching(body.media_type, MEDIA_TYPE);
}

function checkKey(body) {
  exactKeys(body, ["role", "action", "key", "size"]);
  matching(body.role, /^(?:log|receipt|head)$/);
  matching(body.action, /^(?:added|retired|compromised)$/);
  if (body.role === "head") matching(body.key, ADDRESS);
  else checkVkey(body.key);
  if (body.size !== null) integer(body.size);
}

function checkIncident(body) {
  exactKeys(body, ["kind", "subject"]);
  matching(body.kind, /^[a-z][a-z0-9_]{0,63}$/);
  if (body.subject !== null) hexBytes(body.subject, 32);
}

// Every digest that a statement states, by name; {} where it has no document.
export const statedDigests = (statement) => ({ ...statement?.document?.claimed, ...statement?.document?.digests });
