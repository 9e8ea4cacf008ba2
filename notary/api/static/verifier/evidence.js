// What was given: a package, or a proof in one of its forms, which is checked like a package of its statement and its
// one head (docs/formats.md §12).

import { FormatError, bytesOf, equal } from "./bytes.js";
import { parseCheckpoint } from "./checkpoint.js";
import { Unreadable, saying } from "./checks.js";
import { parseCose } from "./cose.js";
import { parseJsonProof } from "./json_proof.js";
import { parseNote } from "./note.js";
import { MAGIC } from "./ots_file.js";
import { readPackage } from "./package.js";
import { TLOG_PROOF, parseProof } from "./proof.js";

// A file that is none of these: no damaged evidence but something else, without an outcome.
export class NoEvidence extends Error {}

// What is to lie beside the file was not given, or is something else: there is no outcome either.
export class BesideError extends Error {}

const [PACKAGE, PROOF, JSON_PROOF, COSE, OTS] = ["package", "proof", "json", "cose", "ots"];
const BEGINNINGS = [[PACKAGE, bytesOf("PK")], [PROOF, bytesOf(TLOG_PROOF)], [JSON_PROOF, bytesOf('{"checkpoint":')], [COSE, Uint8Array.of(0xd2, 0x84)], [OTS, MAGIC]];
const LONGEST = Math.max(...BEGINNINGS.map(([, bytes]) => bytes.length));
// One byte more than any is long: what is longer is refused for its length, and need not be read whole.
const MOST = { [PROOF]: 131072 + 1, [JSON_PROOF]: 1310720 + 1, [COSE]: 8192 + 1, [OTS]: 262144 + 1, statement: 8192 + 1 };

async function kindOf(source) {
  const start = await source.read(0, Math.min(source.size, LONGEST));
  return BEGINNINGS.find(([, bytes]) => equal(start.slice(0, bytes.length), bytes))?.[0] ?? null;
}

const read = (source, kind) => source.read(0, Math.min(source.size, MOST[kind]));

// Args: sources; of them `statement` lies beside a COSE receipt and `proof` beside an OpenTimestamps file, else null.
// {evidence: {files, heads, document, cose}, error: null}, or {evidence: null, error: why it cannot be read}.
// Throws NoEvidence, BesideError.
export async function openEvidence(source, { statement = null, proof = null }, names, progress) {
  const kind = await kindOf(source);
  if (kind === null) throw new NoEvidence("neither a package nor a proof");
  const beside = { [COSE]: statement, [OTS]: proof }[kind];
  if (beside === undefined && (statement ?? proof) !== null) throw new BesideError("nothing is to lie beside this file");
  if (beside === null) throw new BesideError(kind === COSE ? "a COSE receipt is checked with its statement" : "an OpenTimestamps file is checked with a proof");
  const under = kind === OTS ? await kindOf(beside) : null;
  if (kind === OTS && under !== PROOF && under !== JSON_PROOF) throw new BesideError("what lies beside the OpenTimestamps file is neither a .tlog-proof nor a JSON proof");
  try {
    if (kind === PACKAGE) return { evidence: await readPackage(source, names, (done) => progress(done, source.size)), error: null };
    const bytes = await read(source, kind);
    if (kind === COSE) return { evidence: ofCose(bytes, await read(beside, "statement")), error: null };
    if (kind === OTS) return { evidence: ofOts(bytes, ofProof(await read(beside, under), under)), error: null };
    return { evidence: ofProof(bytes, kind), error: null };
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    return { evidence: null, error: saying(error) };
  }
}

const ofProof = (bytes, kind) => (kind === PROOF ? ofTlogProof(bytes) : ofJsonProof(bytes));

function ofTlogProof(bytes) {
  const proof = parseProof(bytes);
  const { size } = parseCheckpoint(parseNote(proof.note).text);
  if (proof.extra === null) throw new FormatError("the proof carries no statement in its extra line");
  const files = new Map([[`heads/${size}/inclusion.tlog-proof`, bytes], ["data/statement.json", proof.extra]]);
  return { files, heads: [size], document: null };
}

function ofJsonProof(bytes) {
  const { size, statement, openings, proof } = parseJsonProof(bytes);
  const files = new Map([[`heads/${size}/inclusion.tlog-proof`, proof], ["data/statement.json", statement]]);
  if (openings !== null) files.set("data/openings.json", openings);
  return { files, heads: [size], document: null };
}

function ofCose(bytes, statement) {
  const cose = parseCose(bytes);
  return { files: new Map([["data/statement.json", statement]]), heads: [cose.size], document: null, cose };
}

function ofOts(bytes, proof) {
  if (bytes.length >= MOST[OTS]) throw new FormatError("the OpenTimestamps file is too long");
  proof.files.set(`heads/${proof.heads[0]}/ots/file.ots`, bytes);
  return proof;
}
