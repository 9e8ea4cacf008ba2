// Record numbers and look-up codes: 16 characters, the last one a check over GF(32) (docs/formats.md).

export const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

function times(a, b) {
  let product = 0;
  for (; b; b >>= 1) {
    if (b & 1) product ^= a;
    a <<= 1;
    if (a & 32) a ^= 0b100101;
  }
  return product;
}

// The 16 characters of what a person typed, or null where the check character shows a mistake.
export function parseNumber(text) {
  const compact = text.toUpperCase().replace(/[ -]/g, "");
  const values = Array.from(compact, (character) => ALPHABET.indexOf(character));
  if (values.length !== 16 || values.includes(-1)) return null;
  const check = values.pop();
  let total = 0;
  let weight = 1;
  for (const value of values.reverse()) {
    weight = times(weight, 2);
    total ^= times(weight, value);
  }
  return total === check ? compact : null;
}

export const showNumber = (number) => number.match(/.{4}/g).join("-");

// Whether this is a record number as statements have it: no dashes, upper case, the check character right.
export const isNumber = (text) => typeof text === "string" && /^[2-9A-HJ-NP-Z]{16}$/.test(text) && parseNumber(text) === text;
