// Fields of the tables of a trust file. An unknown key anywhere is an error.

import { FormatError, unhex } from "./bytes.js";
import { MAX_INTEGER } from "./fields.js";
import { isDate } from "./toml.js";

export const reader = (table, name) => new Table(table, name);

class Table {
  #left;

  constructor(values, name) {
    if (values === null || typeof values !== "object" || Array.isArray(values) || isDate(values)) throw new FormatError(`${name} is no table`);
    this.values = values;
    this.name = name;
    this.#left = new Set(Object.keys(values));
  }

  // The value of a key, or `absent`; without that, the key is needed.
  take(key, absent) {
    this.#left.delete(key);
    if (key in this.values) return this.values[key];
    if (absent === undefined) throw new FormatError(`${this.name} has no ${key}`);
    return absent;
  }

  bad(key, what) {
    throw new FormatError(`${key} of ${this.name} is not ${what}`);
  }

  text(key, pattern = /^/) {
    const value = this.take(key);
    if (typeof value !== "string" || !pattern.test(value)) this.bad(key, "a text of its form");
    return value;
  }

  choice(key, [usual, ...others]) {
    const value = this.take(key, usual);
    if (value !== usual && !others.includes(value)) this.bad(key, "one of its values");
    return value;
  }

  boolean(key, absent) {
    const value = this.take(key, absent);
    if (typeof value !== "boolean") this.bad(key, "true or false");
    return value;
  }

  // BigInt from low to high.
  integer(key, low, high, absent) {
    const value = this.take(key, absent);
    if (value === null) return value;
    if (typeof value !== "bigint" || value < low || value > high) this.bad(key, "an integer in its range");
    return value;
  }

  // Microseconds since 1970, or null.
  date(key) {
    const value = this.take(key, null);
    if (value !== null && !isDate(value)) this.bad(key, "a time with a zone");
    return value && value.time;
  }

  // The bytes of a text that begins with 0x.
  hex(key, length) {
    return readHex(this.text(key), length);
  }

  // The period of a key, {since, until, lastGoodSize}: each null where nothing is said (docs/formats.md §8).
  period() {
    const [since, until] = [this.date("since"), this.date("until")];
    const lastGoodSize = this.integer("last_good_size", 0n, BigInt(MAX_INTEGER), null);
    if (since !== null && until !== null && until < since) throw new FormatError("until is before since");
    if (lastGoodSize !== null && until === null) throw new FormatError("last_good_size needs an until");
    return { since, until, lastGoodSize };
  }

  list(key, absent) {
    const value = this.take(key, absent);
    if (!Array.isArray(value)) this.bad(key, "a list");
    return value;
  }

  texts(key, absent) {
    const value = this.list(key, absent);
    if (value.some((item) => typeof item !== "string")) this.bad(key, "a list of texts");
    return value;
  }

  tables(key) {
    return this.list(key, []).map((value) => new Table(value, `a [[${key}]]`));
  }

  // Ends the reading: nothing may be left.
  end() {
    for (const key of this.#left) throw new FormatError(`${this.name} has an unknown key ${key}`);
  }
}

export function readHex(text, length) {
  if (typeof text !== "string" || !text.startsWith("0x")) throw new FormatError("not hexadecimal with 0x");
  const bytes = unhex(text.slice(2));
  if (bytes.length !== length) throw new FormatError(`not ${length} bytes`);
  return bytes;
}
