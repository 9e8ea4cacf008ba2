// Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), Ed25519 signatures.

import { FormatError, bytesOf, equal, unbase64, unhex } from "./bytes.js";
import { sha256 } from "./sha256.js";

const MAX_NOTE = 64 * 1024;
const MAX_SIGNATURES = 64;
const ED25519 = 1;
const MAX_SIZE = 2n ** 63n - 1n;

// Text of the note, which ends in a newline, and its signature lines.
export function parseNote(data) {
  const end = data.lastIndexOf("\n\n");
  if (data.length > MAX_NOTE || end < 0 || !data.endsWith("\n")) throw new FormatError("not a signed note");
  const text = data.slice(0, end + 1);
  const rows = data.slice(end + 2, -1).split("\n");
  if (/[\x00-\x09\x0b-\x1f\x7f]/.test(text) || rows.length > MAX_SIGNATURES) throw new FormatError("not a signed note");
  return { text, signatures: rows.map(parseSignature) };
}

function parseSignature(row) {
  const parts = /^\u2014 ([^\s+]{1,255}) (\S+)$/u.exec(row);
  if (!parts) throw new FormatError("not a signature line");
  const value = unbase64(parts[2]);
  if (value.length < 5) throw new FormatError("a signature line is too short");
  return { name: parts[1], keyId: value.slice(0, 4), value: value.slice(4) };
}

// Origin, size (BigInt) and root of the text of a checkpoint.
export function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length !== 4 || lines[3] !== "" || lines[0] === "") throw new FormatError("not a checkpoint of three lines");
  return { origin: lines[0], size: parseDecimal(lines[1]), root: parseHash(lines[2]) };
}

export function parseDecimal(text) {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) > MAX_SIZE) throw new FormatError("not a decimal number");
  return BigInt(text);
}

export function parseHash(text) {
  const bytes = unbase64(text);
  if (bytes.length !== 32) throw new FormatError("not 32 bytes");
  return bytes;
}

// Name, key id and the 32 bytes of the key in a vkey.
export function parseVkey(text) {
  const [, name, id, encoded] = /^([^\s+]{1,255})\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  if (!name) throw new FormatError("not a vkey");
  const key = unbase64(encoded);
  const keyId = sha256(bytesOf(`${name}\n`), key).slice(0, 4);
  if (key.length !== 33 || key[0] !== ED25519) throw new FormatError("not an Ed25519 key");
  if (!equal(keyId, unhex(id))) throw new FormatError("the key id does not fit");
  return { vkey: text, name, keyId, key: key.slice(1) };
}

// "passed" or "failed" for the signature of a key that signed; "unable" where this browser cannot tell.
export async function checkSignature(note, key) {
  const mine = note.signatures.filter((line) => line.name === key.name && equal(line.keyId, key.keyId));
  let imported;
  try {
    imported = await globalThis.crypto.subtle.importKey("raw", key.key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return "unable"; // an older browser, or a plain http address, where there is no crypto.subtle
  }
  for (const line of mine) {
    if (!(await globalThis.crypto.subtle.verify("Ed25519", imported, line.value, bytesOf(note.text)))) return "failed";
  }
  return "passed";
}
