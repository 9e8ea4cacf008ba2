// Integers, booleans and dates with a zone (TOML 1.0; RFC 3339).

import { dateSeconds } from "./fields.js";
import { bad } from "./toml_cursor.js";

const FIRST = dateSeconds(1, 1, 1, 0, 0, 0);
const LAST = dateSeconds(9999, 12, 31, 23, 59, 59);
const DATE = /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))/y;
const DECIMAL = /[+-]?(?:0|[1-9](?:_?[0-9])*)/y;
const OTHER = /0x[0-9a-fA-F](?:_?[0-9a-fA-F])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*/y;
const MORE = /[A-Za-z0-9_.:+-]/y;

export function parseScalar(cursor) {
  const value = scalar(cursor);
  if (cursor.match(MORE)) bad("a value of another kind");
  return value;
}

function scalar(cursor) {
  if (cursor.take("true")) return true;
  if (cursor.take("false")) return false;
  const date = cursor.match(DATE);
  if (date) return { time: microseconds(date) };
  const other = cursor.match(OTHER);
  if (other) return BigInt(other[0].replaceAll("_", ""));
  const decimal = cursor.match(DECIMAL);
  if (decimal) return BigInt(decimal[0].replaceAll("_", "").replace(/^\+/, ""));
  return bad("a value of another kind");
}

// Since 1970; finer parts of a second are cut off.
function microseconds([, year, month, day, hour, minute, second, fraction = "", sign, hours = 0, minutes = 0]) {
  if (hours > 23 || minutes > 59) bad("no such zone");
  const local = dateSeconds(+year, +month, +day, +hour, +minute, +second);
  const offset = (sign === "-" ? -1 : 1) * (hours * 3600 + minutes * 60);
  if (local - offset < FIRST || local - offset > LAST) bad("a time not within the years 1 to 9999");
  return BigInt(local - offset) * 1000000n + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
}
