// What was given: a package, or a bare proof, which is checked like a package of its statement and its one head.

import { FormatError, bytesOf, equal } from "./bytes.js";
import { parseCheckpoint } from "./checkpoint.js";
import { Unreadable, saying } from "./checks.js";
import { parseNote } from "./note.js";
import { readPackage } from "./package.js";
import { TLOG_PROOF, parseProof } from "./proof.js";

// A file that is neither: no damaged evidence but something else, without an outcome.
export class NoEvidence extends Error {}

const MAX_PROOF = 131072;
const BEGINNING = bytesOf(TLOG_PROOF);

// {evidence: {files, heads, document}, error: null}, or {evidence: null, error: why it cannot be read}.
export async function openEvidence(source, names, progress) {
  const start = await source.read(0, Math.min(source.size, BEGINNING.length));
  const zip = start[0] === 0x50 && start[1] === 0x4b;
  if (!zip && !equal(start, BEGINNING)) throw new NoEvidence("neither a package nor a proof");
  try {
    return { evidence: zip ? await readPackage(source, names, (done) => progress(done, source.size)) : await readProof(source), error: null };
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    return { evidence: null, error: saying(error) };
  }
}

async function readProof(source) {
  if (source.size > MAX_PROOF) throw new FormatError("the proof is too long");
  const bytes = await source.read(0, source.size);
  const proof = parseProof(bytes);
  const { size } = parseCheckpoint(parseNote(proof.note).text);
  if (proof.extra === null) throw new FormatError("the proof carries no statement in its extra line");
  const files = new Map([[`heads/${size}/inclusion.tlog-proof`, bytes], ["data/statement.json", proof.extra]]);
  return { files, heads: [size], document: null };
}
