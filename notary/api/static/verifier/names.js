// Names of X.500 and general names (RFC 5280 §4.1.2.4, §4.2.1.6), and when two are the same (§7).

import { FormatError, hex, textOf } from "./bytes.js";
import { TAG } from "./der.js";

// What RFC 4518 §2.2 maps to nothing: controls but white space, and characters that are not seen.
const UNSEEN = /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u06dd\u070f\u1806\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/gu;

const BMP = 30;
const UNIVERSAL = 28;
const UTF8 = 12;
const NUMERIC = 18;
const MAX_POINT = 0x10ffff;
const MAX_NAME = 2048; // bytes: to put the marks of a text into Unicode's order takes a time that grows with the square of its length
const UNIQUE_IDENTIFIER = "2.5.4.45"; // the one attribute that is a bit string (X.520)

function wide(bytes, size) {
  if (bytes.length % size !== 0) throw new FormatError("a text of half a character");
  let text = "";
  for (let at = 0; at < bytes.length; at += size) {
    let point = 0;
    for (let n = 0; n < size; n++) point = point * 256 + bytes[at + n];
    if (point > MAX_POINT) throw new FormatError("a text with no character");
    text += String.fromCodePoint(point);
  }
  return text;
}

function narrow(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function textOfString(node) {
  if (node.tag === BMP) return wide(node.content, 2);
  if (node.tag === UNIVERSAL) return wide(node.content, 4);
  if (node.tag === UTF8) return textOf(node.content);
  const text = narrow(node.content);
  if (node.tag === NUMERIC && !/^[0-9 ]*$/.test(text)) throw new FormatError("a number with other characters");
  return text;
}

// Unicode's full case folding, as far as two texts can differ by it: the dotless i folds to itself, and both forms of
// sigma, the one thing that depends on what stands around it, are one.
const foldPart = (text) => text.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
const foldCase = (text) => text.split("ı").map(foldPart).join("ı");

// Case, compatibility forms and the number of spaces make no difference (RFC 4518 in short).
export function prepare(text) {
  const folded = foldCase(text.replace(UNSEEN, "").normalize("NFKC")).normalize("NFKC");
  return folded.split(/[\s\u0085]/u).filter((word) => word !== "").join(" ");
}

function readAttribute(node) {
  const [type, value, ...more] = node.sequence();
  if (value === undefined || more.length > 0) throw new FormatError("not an attribute of a name");
  if (!value.isString && !value.is(TAG.bits)) throw new FormatError("a name of a type that names do not have");
  if (!value.isString && type.oid() !== UNIQUE_IDENTIFIER) throw new FormatError("a name that is a bit string");
  const text = value.isString ? textOfString(value) : null;
  return { type: type.oid(), text, raw: value.raw };
}

const keyOf = ({ type, text, raw }) => JSON.stringify([type, text === null ? hex(raw) : prepare(text), text === null]);

// A name that was read; what is compared of it is worked out when somebody asks, since of most names nobody does.
class Name {
  #sets;
  #rdns = null;
  #key = null;

  constructor(sets) {
    this.#sets = sets;
    this.attributes = sets.flat(); // for people and for addresses
    this.isEmpty = sets.length === 0;
  }

  // The RDNs, each as one text that equal ones share.
  get rdns() {
    this.#rdns ??= this.#sets.map((set) => set.map(keyOf).sort().join());
    return this.#rdns;
  }

  // The same of the whole.
  get key() {
    this.#key ??= JSON.stringify(this.rdns);
    return this.#key;
  }
}

export function readName(node) {
  if (node.raw.length > MAX_NAME) throw new FormatError("a name that is too long");
  const sets = node.sequence().map((set) => set.set().map(readAttribute));
  if (sets.some((set) => set.length === 0)) throw new FormatError("a part of a name that is empty");
  if (sets.some((set) => new Set(set.map(({ type }) => type)).size !== set.length)) throw new FormatError("a part of a name states one thing twice");
  return new Name(sets);
}

const COMMON_NAME = "2.5.4.3";

export function showName({ attributes }) {
  const chosen = attributes.find(({ type }) => type === COMMON_NAME) ?? attributes[attributes.length - 1];
  return chosen?.text ?? "a certificate without a name";
}

const KINDS = ["other", "email", "dns", "x400", "directory", "edi", "uri", "ip", "rid"];

function address(bytes) {
  if (bytes.some((byte) => byte > 0x7f)) throw new FormatError("an address with a character that addresses do not have");
  return narrow(bytes);
}

function readOther(node) {
  const [type, value, ...more] = node.children;
  if (value === undefined || more.length > 0 || !value.is(0, 2)) throw new FormatError("not a general name");
  type.oid();
  value.explicit();
}

const ADDRESS = [4, 16]; // bytes of an IP address
export const MASKED_ADDRESS = [8, 32]; // of one with a mask behind it, as name constraints have it

// A GeneralName: kind, and its text, name, address bytes or raw bytes.
export function readGeneralName(node, sizes = ADDRESS) {
  const kind = KINDS[node.tag];
  if (node.group !== 2 || kind === undefined) throw new FormatError("not a general name");
  const structured = kind === "other" || kind === "x400" || kind === "directory" || kind === "edi";
  if (structured !== (node.children !== null)) throw new FormatError("not a general name");
  if (kind === "rid") node.as(TAG.oid).oid();
  if (kind === "other") readOther(node);
  if (kind === "directory") return { kind, name: readName(node.explicit()) };
  if (kind === "ip" && !sizes.includes(node.content.length)) throw new FormatError("an IP address of another length");
  if (kind === "ip") return { kind, bytes: node.content };
  if (kind === "email" || kind === "dns" || kind === "uri") return { kind, text: address(node.content) };
  return { kind, raw: node.raw };
}

export function sameGeneralName(one, two) {
  if (one.kind !== two.kind) return false;
  if (one.name) return one.name.key === two.name.key;
  if (one.text !== undefined) return one.text === two.text;
  return hex(one.bytes ?? one.raw) === hex(two.bytes ?? two.raw);
}
