// Canonical JSON: RFC 8785, narrowed; and the free JSON of disclosures (docs/formats.md §1).
//
// Our own reader: JSON.parse takes the last of two equal keys, rounds numbers, and gives `__proto__` a meaning.
// Objects have no prototype, so every key is only a key.

import { FormatError, textOf } from "./bytes.js";

const MAX_DEPTH = 10;
const KEY = /^[a-zA-Z0-9_.-]{1,64}$/;
const INTEGER = /-?(?:0|[1-9][0-9]*)/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = [["null", null], ["true", true], ["false", false]];

class Reader {
  constructor(text, isKey) {
    this.text = text;
    this.isKey = isKey;
    this.at = 0;
  }

  whole() {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) throw new FormatError("bytes behind the JSON value");
    return value;
  }

  space() {
    while (" \t\n\r".includes(this.text[this.at] ?? "-")) this.at++;
  }

  take(character) {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  need(character) {
    if (!this.take(character)) throw new FormatError("not JSON");
  }

  value(depth) {
    if (depth > MAX_DEPTH) throw new FormatError("the JSON is nested too deeply");
    if (this.take("{")) return this.object(depth);
    if (this.take("[")) return this.array(depth);
    if (this.text[this.at] === '"') return this.string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  object(depth) {
    const value = Object.create(null);
    if (this.take("}")) return value;
    do {
      this.space();
      const key = this.string();
      if (!this.isKey(key)) throw new FormatError("not a key");
      if (key in value) throw new FormatError("a key stands twice");
      this.need(":");
      value[key] = this.value(depth + 1);
    } while (this.take(","));
    this.need("}");
    return value;
  }

  array(depth) {
    const value = [];
    if (this.take("]")) return value;
    do value.push(this.value(depth + 1));
    while (this.take(","));
    this.need("]");
    return value;
  }

  string() {
    this.need('"');
    let value = "";
    for (;;) {
      PLAIN.lastIndex = this.at;
      const [plain] = PLAIN.exec(this.text);
      value += plain;
      this.at += plain.length;
      const end = this.text[this.at++];
      if (end === '"') break;
      if (end !== "\\") throw new FormatError("a string does not end, or has a control character");
      value += this.escape();
    }
    if (/[\ud800-\udfff]/u.test(value)) throw new FormatError("a lone surrogate");
    return value;
  }

  escape() {
    const kind = this.text[this.at++] ?? "";
    if (Object.hasOwn(ESCAPES, kind)) return ESCAPES[kind];
    const digits = this.text.slice(this.at, this.at + 4);
    if (kind !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) throw new FormatError("an unknown escape");
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  number() {
    INTEGER.lastIndex = this.at;
    const [digits] = INTEGER.exec(this.text) ?? [""];
    this.at += digits.length;
    const value = Number(digits) + 0; // -0 is 0
    if (digits === "" || !Number.isSafeInteger(value)) throw new FormatError("not JSON, or not an integer below 2^53");
    if (/[.eE0-9]/.test(this.text[this.at] ?? "")) throw new FormatError("not an integer in its shortest form");
    return value;
  }
}

// The value of these bytes, which must be its one encoding.
export function parseCanonical(bytes) {
  const text = textOf(bytes);
  const value = new Reader(text, (key) => KEY.test(key)).whole();
  if (encodeCanonical(value) !== text) throw new FormatError("not in canonical form");
  return value;
}

// The value of a free JSON text: any white space, escapes and order of keys.
export function parseFree(bytes) {
  return new Reader(textOf(bytes), (key) => key.length > 0 && key.length <= 128 && [...key].length <= 64).whole();
}

// JSON.stringify writes strings and integers as RFC 8785 does; the order of keys is left to us (UTF-16 code units).
export function encodeCanonical(value) {
  if (Array.isArray(value)) return `[${value.map(encodeCanonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${encodeCanonical(value[key])}`).join(",")}}`;
}
