// Signed notes (C2SP signed-note) with Ed25519, and the keys that sign them (docs/formats.md §4).

import { FormatError, base64, bytesOf, equal, hex, textOf, unbase64, unhex } from "./bytes.js";
import { verifyEd25519 } from "./ed25519.js";
import { sha256 } from "./sha256.js";

const MAX_NOTE = 65536;
const MAX_SIGNATURES = 64;
const ED25519 = 1;
const NAME = /^[^\p{White_Space}\x00-\x1f+]{1,255}$/u;
const ROW = /^\u2014 ([^ ]+) ([^ ]+)$/u;
const CONTROLS = /[\x00-\x09\x0b-\x1f]/;

// Text of the note, which ends in a newline, and its signature lines {name, keyId, value}.
export function parseNote(bytes) {
  if (bytes.length > MAX_NOTE) throw new FormatError("the note is too long");
  const data = textOf(bytes);
  const end = data.lastIndexOf("\n\n");
  if (end < 0 || !data.endsWith("\n") || CONTROLS.test(data)) throw new FormatError("not a signed note");
  if (data.lastIndexOf("\x7f", end) >= 0) throw new FormatError("a control character in the text of a note");
  const rows = data.slice(end + 2, -1).split("\n");
  if (rows.length > MAX_SIGNATURES) throw new FormatError("too many signatures on the note");
  return { text: data.slice(0, end + 1), signatures: rows.map(parseSignature) };
}

function parseSignature(row) {
  const [, name, encoded] = ROW.exec(row) ?? [];
  if (!name || !NAME.test(name)) throw new FormatError("not a signature line");
  const value = unbase64(encoded);
  if (value.length < 5) throw new FormatError("a signature line is too short");
  return { name, keyId: value.slice(0, 4), value: value.slice(4) };
}

// The first of `keys`, in their order, that signed the note. Lines of others are passed over; one bad line of a key
// in `keys` refuses the note.
export function verifyNote(note, keys) {
  const signed = keys.filter((key) => linesOf(note, key).length > 0);
  if (signed.length === 0) throw new FormatError("signed by no key of the trust file");
  const message = bytesOf(note.text);
  for (const key of signed) {
    for (const { value } of linesOf(note, key)) {
      if (!verified(key, message, value)) throw new FormatError(`a signature of ${key.vkey} does not verify`);
    }
  }
  return signed[0];
}

const linesOf = (note, key) => note.signatures.filter((line) => line.name === key.name && equal(line.keyId, key.keyId));

// The text with the first line of that key, and no other: what is stamped (§5).
export function stampedBytes(note, key) {
  const { keyId, value } = linesOf(note, key)[0];
  return bytesOf(`${note.text}\n\u2014 ${key.name} ${base64(Uint8Array.of(...keyId, ...value))}\n`);
}

// Verifying takes milliseconds; whoever verifies one package after another meets the same signatures again.
const known = new Map();
const MAX_KNOWN = 10000;

function verified(key, message, value) {
  const about = `${hex(key.key)} ${hex(value)} ${hex(sha256(message))}`;
  if (!known.has(about)) {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(about, verifyEd25519(key.key, message, value));
  }
  return known.get(about);
}

// Name, key id, type byte and the bytes of the key in a vkey of any type.
export function parseVkeyOfAnyType(text) {
  const [, name, id, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.+)$/su.exec(text) ?? [];
  if (!name || !NAME.test(name)) throw new FormatError("not a vkey");
  const key = unbase64(encoded);
  if (key.length < 2) throw new FormatError("a vkey without a key");
  const keyId = sha256(bytesOf(`${name}\n`), key).slice(0, 4);
  if (!equal(keyId, unhex(id))) throw new FormatError("the key id does not fit");
  return { vkey: text, name, keyId, type: key[0], key: key.slice(1) };
}

export function parseVkey(text) {
  const vkey = parseVkeyOfAnyType(text);
  if (vkey.type !== ED25519 || vkey.key.length !== 32) throw new FormatError("not an Ed25519 key");
  return vkey;
}
