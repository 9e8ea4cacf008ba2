// Fields of parsed JSON: each is of its kind, or refused.

import { FormatError, unhex } from "./bytes.js";

export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;
export const MAX_SIZE = 2n ** 63n - 1n; // of a tree

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// `value`, an object of exactly these keys.
export function exactKeys(value, keys) {
  if (!isObject(value)) throw new FormatError("not an object");
  const found = Object.keys(value);
  if (found.length !== keys.length || !keys.every((key) => Object.hasOwn(value, key))) throw new FormatError("a key is missing or unknown");
  return value;
}

export function integer(value, low = 0, high = MAX_INTEGER) {
  if (!Number.isSafeInteger(value) || value < low || value > high) throw new FormatError("not an integer in its range");
  return value;
}

// The bytes of a hexadecimal text of that length.
export function hexBytes(value, length) {
  const bytes = unhex(value);
  if (bytes.length !== length) throw new FormatError(`not ${length} bytes`);
  return bytes;
}

export function matching(value, pattern) {
  if (typeof value !== "string" || !pattern.test(value)) throw new FormatError("not a text of its form");
  return value;
}

// A list of low to high items, each read by `item`.
export function list(value, low, high, item) {
  if (!Array.isArray(value) || value.length < low || value.length > high) throw new FormatError("not a list of its length");
  return value.map(item);
}

// A decimal number without leading zeros, below 2^63, as BigInt.
export function parseDecimal(text) {
  if (typeof text !== "string" || !/^(?:0|[1-9][0-9]{0,18})$/.test(text) || BigInt(text) > MAX_SIZE) throw new FormatError("not a decimal number");
  return BigInt(text);
}

const MOMENT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/;

// Seconds since 1970 of a moment (YYYY-MM-DDTHH:MM:SSZ, a date that exists).
export function parseMoment(text) {
  const parts = MOMENT.exec(matching(text, MOMENT)).slice(1).map(Number);
  return dateSeconds(...parts);
}

// Seconds since 1970 of a date in the years 1 to 9999, UTC; refused where there is no such date.
export function dateSeconds(year, month, day, hour, minute, second) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC would take the years below 100 for 1900 and later
  const exists = year >= 1 && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59) throw new FormatError("no such moment");
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

// The moment of seconds since 1970 (BigInt or Number).
export const showMoment = (seconds) => {
  const text = new Date(Number(seconds) * 1000).toISOString();
  return `${text.slice(0, 19)}Z`;
};
