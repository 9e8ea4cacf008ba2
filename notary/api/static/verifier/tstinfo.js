// TSTInfo and the response that carries it (RFC 3161 §2.4.2). What is wrong here is named by the number of its check.

import { FormatError } from "./bytes.js";
import { TAG } from "./der.js";
import { readExtensions } from "./x509.js";
import { readGeneralName } from "./names.js";
import { readAlgorithm } from "./signature.js";
import { MILLISECOND, SECOND, readGeneralized } from "./time.js";

// A check of §9 that does not hold.
export class TokenError extends FormatError {
  constructor(check, message) {
    super(message);
    this.check = check;
  }
}

// Runs `step`; whatever it throws fails check `check`, unless it names another.
export function under(check, step) {
  try {
    return step();
  } catch (error) {
    throw error instanceof TokenError ? error : new TokenError(check, error.message);
  }
}

const GRANTED = [0n, 1n];
const REJECTION = 2n;

// The token (ContentInfo) in a response, and whether it was granted with modifications: checks 1 to 3.
export function readResponse(response) {
  const [status, token, ...more] = response.sequence();
  if (more.length > 0) throw new FormatError("not a time-stamp response");
  const [number, ...said] = status.sequence();
  const value = number.need(TAG.integer, false).integer();
  const reason = readReason(said);
  if (!GRANTED.includes(value)) {
    if (token !== undefined) throw new TokenError(2, "the status is not granted, and the response holds a token");
    if (value === REJECTION) throw new TokenError(3, `refused by the authority: ${reason || "no reason given"}`);
    throw new TokenError(1, `the status is ${value}, not granted`);
  }
  if (token === undefined) throw new TokenError(2, "the status is granted, and the response holds no token");
  return { token, modified: value !== GRANTED[0] };
}

function readReason(said) {
  const texts = said[0]?.is(TAG.sequence) ? said.shift().sequence() : [];
  const failure = said[0]?.is(TAG.bits) ? said.shift().flags() : new Set();
  if (said.length > 0 || !texts.every((text) => text.is(TAG.utf8))) throw new FormatError("not a status");
  return [...texts.map((text) => new TextDecoder().decode(text.content).replace(/[^ -~]/g, "?").slice(0, 200)), ...[...failure].map((bit) => `failure ${bit}`)].join("; ");
}

function readAccuracy(node) {
  const fields = [...node.sequence()];
  const found = { seconds: 0n, millis: null, micros: null };
  if (fields[0]?.is(TAG.integer)) found.seconds = fields.shift().integer();
  if (fields[0]?.is(0, 2)) found.millis = fields.shift().as(TAG.integer).integer();
  if (fields[0]?.is(1, 2)) found.micros = fields.shift().as(TAG.integer).integer();
  if (fields.length > 0) throw new FormatError("not an accuracy");
  return node.children.length === 0 ? null : found; // without any part it states nothing
}

// The accuracy in nanoseconds: check 21.
export function accuracyOf({ seconds, millis, micros }) {
  if ([millis, micros].some((part) => part !== null && (part < 1n || part > 999n))) throw new TokenError(21, "millis or micros are not between 1 and 999");
  if (seconds < 0n || seconds > 3600n) throw new TokenError(21, "the accuracy is not between 0 and one hour");
  return seconds * SECOND + (millis ?? 0n) * MILLISECOND + (micros ?? 0n) * 1000n;
}

export function readTstInfo(node) {
  const [version, policy, imprint, serial, time, ...rest] = node.sequence();
  const [algorithm, digest, ...more] = imprint.sequence();
  if (time === undefined || digest === undefined || more.length > 0) throw new FormatError("not TSTInfo");
  const info = {
    version: version.need(TAG.integer, false).integer(),
    policy: policy.oid(),
    imprint: { algorithm: readAlgorithm(algorithm).oid, digest: digest.octets() },
    serial: serial.need(TAG.integer, false).integer(),
    time: time.need(TAG.generalized, false),
    accuracy: rest[0]?.is(TAG.sequence) ? readAccuracy(rest.shift()) : null,
    nonce: null,
  };
  if (rest[0]?.is(TAG.boolean)) rest.shift().boolean(); // ordering
  if (rest[0]?.is(TAG.integer)) info.nonce = rest.shift().integer();
  info.tsa = rest[0]?.is(0, 2) ? readGeneralName(rest.shift().explicit()) : null;
  info.extensions = rest[0]?.is(1, 2) ? readExtensions(rest.shift().as(TAG.sequence), false) : new Map();
  if (rest.length > 0) throw new FormatError("not TSTInfo");
  return info;
}

const YEAR_9999 = "9999"; // which stands for no time at all (RFC 5280 §4.1.2.5), and after which there is none for a bound

export function genTimeOf({ time }) {
  if (String.fromCharCode(...time.content.subarray(0, 4)) === YEAR_9999) throw new TokenError(20, "genTime is in the year 9999");
  return under(20, () => readGeneralized(time));
}
