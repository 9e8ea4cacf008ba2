// TOML 1.0, as far as a trust file can hold it: no floats, and no dates without a zone (docs/formats.md §8).
//
// Our own, since it must refuse what is no TOML at all: a misspelt restriction must not silently restrict nothing.

import { textOf } from "./bytes.js";
import { Cursor, bad } from "./toml_cursor.js";
import { parseScalar } from "./toml_scalar.js";
import { parseString } from "./toml_string.js";

const MAX_DEPTH = 16; // of arrays and inline tables
const BARE = /[A-Za-z0-9_-]+/y;

// What made a table: a header, a header of something in it, or dotted keys. A value in the file may not be added to.
const kinds = new WeakMap();

const table = (kind) => {
  const made = Object.create(null);
  kinds.set(made, kind);
  return made;
};

// Tables without a prototype, lists, texts, BigInt, true and false, and dates as {time: BigInt microseconds since 1970}.
export function parseToml(bytes) {
  const cursor = new Cursor(textOf(bytes).replace(/\r\n/g, "\n"));
  const root = table("header");
  let current = root;
  while (!cursor.atEnd()) {
    cursor.blank();
    if (cursor.take("[[")) current = openArray(root, headerKey(cursor, "]]"));
    else if (cursor.take("[")) current = openTable(root, headerKey(cursor, "]"));
    else if (!cursor.atLineEnd()) assign(current, cursor);
    cursor.endLine();
  }
  return root;
}

function headerKey(cursor, closing) {
  const key = parseKey(cursor);
  if (!cursor.take(closing)) bad("a header of a table that does not end");
  return key;
}

function parseKey(cursor) {
  const parts = [];
  do {
    cursor.blank();
    if (cursor.at('"') || cursor.at("'")) parts.push(parseString(cursor, false));
    else parts.push(cursor.match(BARE)?.[0] ?? bad("not a key"));
    cursor.blank();
  } while (cursor.take("."));
  return parts;
}

// The table that the parts of a header before its last lead to.
function parentOf(root, parts) {
  let here = root;
  for (const part of parts) {
    if (!(part in here)) here[part] = table("implicit");
    here = here[part];
    if (kinds.get(here) === "tables") here = here.at(-1);
    else if (!kinds.has(here) || kinds.get(here) === "value") bad(`${part} is no table`);
  }
  return here;
}

function openTable(root, key) {
  const name = key.pop();
  const parent = parentOf(root, key);
  if (!(name in parent)) parent[name] = table("header");
  else if (kinds.get(parent[name]) === "implicit") kinds.set(parent[name], "header");
  else bad(`${name} is there twice`);
  return parent[name];
}

function openArray(root, key) {
  const name = key.pop();
  const parent = parentOf(root, key);
  if (!(name in parent)) {
    parent[name] = [];
    kinds.set(parent[name], "tables");
  } else if (kinds.get(parent[name]) !== "tables") bad(`${name} is there twice`);
  parent[name].push(table("header"));
  return parent[name].at(-1);
}

function assign(current, cursor, depth = 0) {
  const key = parseKey(cursor);
  if (!cursor.take("=")) bad("a key without a value");
  const name = key.pop();
  let here = current;
  for (const part of key) {
    if (!(part in here)) here[part] = table("dotted");
    here = here[part];
    if (kinds.get(here) !== "dotted") bad(`${part} cannot be added to`);
  }
  if (name in here) bad(`${name} is there twice`);
  here[name] = parseValue(cursor, depth);
}

function parseValue(cursor, depth) {
  if (depth > MAX_DEPTH) bad("nested too deeply");
  cursor.blank();
  if (cursor.at('"') || cursor.at("'")) return parseString(cursor, true);
  if (cursor.take("[")) return parseArray(cursor, depth + 1);
  if (cursor.take("{")) return parseInline(cursor, depth + 1);
  return parseScalar(cursor);
}

function parseArray(cursor, depth) {
  const items = [];
  for (;;) {
    cursor.blankLines();
    if (cursor.take("]")) return items;
    items.push(parseValue(cursor, depth));
    cursor.blankLines();
    if (cursor.take("]")) return items;
    if (!cursor.take(",")) bad("a list that does not end");
  }
}

function parseInline(cursor, depth) {
  const made = table("value");
  cursor.blank();
  if (cursor.take("}")) return made;
  do {
    cursor.blank();
    assign(made, cursor, depth);
    cursor.blank();
  } while (cursor.take(","));
  if (!cursor.take("}")) bad("an inline table that does not end");
  close(made);
  return made;
}

// What dotted keys made inside an inline table is part of the value, too.
function close(made) {
  for (const inner of Object.values(made)) {
    if (kinds.get(inner) === "dotted") {
      kinds.set(inner, "value");
      close(inner);
    }
  }
}

export const isDate = (value) => value !== null && typeof value === "object" && typeof value.time === "bigint" && !kinds.has(value);
