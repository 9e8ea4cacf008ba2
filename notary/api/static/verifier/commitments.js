// Openings of commitments (docs/formats.md §3).

import { COMMA, FormatError, bytesOf, countOf, equal, unbase64url } from "./bytes.js";
import { encodeCanonical, parseCanonical, parseFree } from "./canonical.js";
import { exactKeys, hexBytes, integer, list, matching } from "./fields.js";
import { sha256 } from "./sha256.js";
import { hashLeaf, rootFromPath } from "./tree.js";

export const NAMES = ["matter", "phase", "sequence", "actor", "holder", "source", "reference", "title", "metadata", "inspection", "detail"];
const MAX_FILE = 1048576;
const MAX_VALUES = 1024; // in the file; no text in it has a comma
const MAX_OPENINGS = 64;
const MAX_DISCLOSURE = 131072;
const MAX_PATH = 6;
const DISCLOSURE = /^[A-Za-z0-9_-]{1,131072}$/;

// Name and value of a disclosure.
export function parseDisclosure(text) {
  if (typeof text !== "string" || text.length > MAX_DISCLOSURE) throw new FormatError("not a disclosure, or too long");
  const parts = parseFree(unbase64url(text));
  if (!Array.isArray(parts) || parts.length !== 3) throw new FormatError("a disclosure is a list of three");
  const [salt, name, value] = parts;
  if (typeof salt !== "string" || !/^[A-Za-z0-9_-]{22}$/.test(salt)) throw new FormatError("the salt is not of 22 characters");
  if (!NAMES.includes(name)) throw new FormatError("an unknown name of a disclosure");
  return { name, value };
}

// Values by name that an openings.json opens, each committed to by {count, root} of the statement.
export function checkOpenings(bytes, commitments) {
  if (bytes.length > MAX_FILE) throw new FormatError("the openings are too long");
  if (countOf(bytes, COMMA) >= MAX_VALUES) throw new FormatError("too many values in the openings");
  const file = exactKeys(parseCanonical(bytes), ["version", "openings"]);
  if (file.version !== 1) throw new FormatError("openings of another version");
  const values = Object.create(null);
  for (const { name, value } of list(file.openings, 0, MAX_OPENINGS, (one) => checkOpening(one, commitments))) {
    if (name in values) throw new FormatError(`${name} is opened twice`);
    values[name] = value;
  }
  return values;
}

// The list of openings of a JSON proof as openings.json: refused where it is not of its form. What its disclosures hold
// is not looked at.
export function openingsFile(openings) {
  list(openings, 0, MAX_OPENINGS, (opening) => matching(readOpening(opening).disclosure, DISCLOSURE));
  const bytes = bytesOf(encodeCanonical({ version: 1, openings }));
  if (bytes.length > MAX_FILE) throw new FormatError("the openings are too long");
  return bytes;
}

function readOpening(opening) {
  exactKeys(opening, ["disclosure", "index", "path"]);
  const index = integer(opening.index, 0, MAX_OPENINGS - 1);
  return { index, path: list(opening.path, 0, MAX_PATH, (hash) => hexBytes(hash, 32)), disclosure: opening.disclosure };
}

function checkOpening(opening, commitments) {
  const { index, path } = readOpening(opening);
  const found = parseDisclosure(opening.disclosure);
  const leaf = hashLeaf(sha256(bytesOf(opening.disclosure)));
  const root = rootFromPath(leaf, BigInt(index), BigInt(commitments.count), path);
  if (!equal(root, hexBytes(commitments.root, 32))) throw new FormatError(`the statement does not commit to this ${found.name}`);
  return found;
}
