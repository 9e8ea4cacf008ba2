// Calls to this service. A code or a file's digest never stands in an address that a browser keeps.

import { parseNumber } from "./verifier/number.js";

const PATIENCE = 30_000;
const UPLOAD_PATIENCE = 300_000;

// Nobody answered, or not now: says nothing about the evidence.
export class Unreachable extends Error {}

// The service answered with a problem (RFC 9457); `code` is stable.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? "");
    this.status = status;
    this.code = problem.code ?? "";
  }
}

async function ask(path, { code = "", body = null } = {}) {
  const headers = code ? { "Notary-Lookup-Code": code } : {};
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), body ? UPLOAD_PATIENCE : PATIENCE);
  try {
    const answer = await fetch(path, {
      method: body ? "POST" : "GET", body, headers, signal: stop.signal, cache: "no-store", credentials: "omit",
    });
    const data = new Uint8Array(await answer.arrayBuffer());
    if (answer.ok) return data;
    if (answer.status >= 500 || answer.status === 429) throw new Unreachable(`status ${answer.status}`);
    throw new Refused(answer.status, problem(data));
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Unreachable(String(error));
  } finally {
    clearTimeout(timer);
  }
}

const textOf = (data) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);

function problem(data) {
  try {
    return JSON.parse(textOf(data));
  } catch {
    return {};
  }
}

// An answer that is not what it must be is no answer.
function json(data) {
  try {
    return JSON.parse(textOf(data));
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

// All records of a document that may be seen, earliest first; apart from them, of documents that it grew into.
export async function lookUp(digest, code) {
  const { records, earlier_revisions: earlier = [] } = json(await ask(`/v1/lookup/sha-256/${digest}`, { code }));
  if (!Array.isArray(records) || !Array.isArray(earlier)) throw new Unreachable("no list of records");
  return { records, earlier };
}

// One record by its number, in the same shape; null where there is none, or it may not be seen.
export async function readRecord(number, code) {
  const path = `/v1/evidence/${parseNumber(number)}`;
  try {
    const state = json(await ask(path, { code }));
    const statement = textOf(await ask(`${path}/statement`, { code }));
    const proof = state.index === null ? null : textOf(await ask(`${path}/proof`, { code }));
    return { number: state.number, entry: state.entry, statement, received: state.received, state: stage(state), proof };
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

function stage({ index, attestations, due }) {
  const has = (kind, state) => attestations.some((one) => one.kind === kind && one.state === state);
  if (index === null) return "received";
  if (has("evm", "final")) return "final";
  if (has("evm", "mined")) return "anchored";
  return has("rfc3161", "final") && !due.includes("stamp") ? "stamped" : "closed"; // one of several is not enough
}

// The evidence package of a record, as a file.
export async function packageOf(number, digest, code) {
  const shown = digest ? `?digest=sha-256:${digest}` : "";
  const data = await ask(`/v1/evidence/${parseNumber(number)}/package${shown}`, { code });
  return new File([data], `${number}.zip`, { type: "application/zip" });
}

// The check result of an uploaded package, proof or report: the word of this service.
export async function verifyThere(file) {
  const body = new FormData();
  body.append("file", file, file.name);
  return json(await ask("/v1/verify", { body }));
}
