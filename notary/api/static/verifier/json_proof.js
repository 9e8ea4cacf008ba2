// JSON proofs (docs/formats.md §7.2): a statement, its inclusion, and what was chosen to be opened.

import { COMMA, FormatError, base64, bytesOf, countOf, equal } from "./bytes.js";
import { encodeCanonical, parseCanonical } from "./canonical.js";
import { parseCheckpoint } from "./checkpoint.js";
import { openingsFile } from "./commitments.js";
import { exactKeys, hexBytes, list, matching, parseDecimal } from "./fields.js";
import { parseNote } from "./note.js";
import { TLOG_PROOF } from "./proof.js";
import { entryOf } from "./statement.js";

const MAX_FILE = 1310720;
const MAX_COMMAS = 131072; // in the file, in its texts too
const MAX_PATH = 63;
const KEYS = ["version", "statement", "openings", "entry", "index", "size", "path", "checkpoint"];

// Statement, openings.json (null where nothing is opened) and tlog-proof as files, and the size; verifies nothing.
export function parseJsonProof(bytes) {
  if (bytes.length > MAX_FILE) throw new FormatError("the JSON proof is too long");
  if (countOf(bytes, COMMA) >= MAX_COMMAS) throw new FormatError("too many values in the JSON proof");
  const file = exactKeys(parseCanonical(bytes), KEYS);
  if (file.version !== 1) throw new FormatError("a JSON proof of another version");
  const statement = bytesOf(encodeCanonical(file.statement));
  if (!equal(hexBytes(file.entry, 32), entryOf(statement))) throw new FormatError("the entry is of another statement");
  const [index, size] = [parseDecimal(file.index), parseDecimal(file.size)];
  const path = list(file.path, 0, MAX_PATH, (hash) => `${base64(hexBytes(hash, 32))}\n`);
  const note = matching(file.checkpoint, /^/);
  if (parseCheckpoint(parseNote(bytesOf(note)).text).size !== size) throw new FormatError("the checkpoint is of another size");
  const openings = openingsFile(file.openings);
  return {
    size,
    statement,
    openings: file.openings.length > 0 ? openings : null,
    proof: bytesOf(`${TLOG_PROOF}\nindex ${index}\n${path.join("")}\n${note}`),
  };
}
