// The four kinds of strings of TOML 1.0.

import { bad } from "./toml_cursor.js";

const ESCAPES = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\" };
const DIGITS = { u: /[0-9a-fA-F]{4}/y, U: /[0-9a-fA-F]{8}/y };
const LITERAL = /'([^'\n]*)'/y;
const LITERAL_LINES = /'''\n?([^]*?)'''('{0,2})/y;
const BASIC = /[^"\\\n]*/y;
const BASIC_LINES = /[^"\\]*/y;
const FOLD = /[ \t]*\n[ \t\n]*/y;

// Args: lines, whether a string over several lines may stand here (a key has none).
export function parseString(cursor, lines) {
  if (lines && cursor.take('"""')) return manyLines(cursor);
  if (lines && cursor.at("'''")) {
    const found = cursor.match(LITERAL_LINES) ?? bad("a string that does not end");
    return found[1] + found[2];
  }
  if (cursor.at("'")) return (cursor.match(LITERAL) ?? bad("a string that does not end"))[1];
  cursor.take('"');
  let value = "";
  for (;;) {
    value += cursor.match(BASIC)[0];
    if (cursor.take('"')) return value;
    if (!cursor.take("\\")) bad("a string that does not end");
    value += escape(cursor);
  }
}

function manyLines(cursor) {
  cursor.take("\n");
  let value = "";
  for (;;) {
    value += cursor.match(BASIC_LINES)[0];
    if (cursor.take('"""')) {
      // One or two quotes before the three that end it are part of the string.
      for (let more = 0; more < 2 && cursor.take('"'); more++) value += '"';
      return value;
    }
    if (cursor.take('"')) value += '"';
    else if (!cursor.take("\\")) bad("a string that does not end");
    else if (!cursor.match(FOLD)) value += escape(cursor);
  }
}

function escape(cursor) {
  const kind = cursor.text[cursor.place++] ?? "";
  if (Object.hasOwn(ESCAPES, kind)) return ESCAPES[kind];
  const digits = Object.hasOwn(DIGITS, kind) ? cursor.match(DIGITS[kind]) : null;
  const code = digits === null ? NaN : parseInt(digits[0], 16);
  if (!(code <= 0x10ffff) || (code >= 0xd800 && code < 0xe000)) bad("an unknown escape");
  return String.fromCodePoint(code);
}
