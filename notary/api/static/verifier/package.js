// The package: one ZIP that is ASiC-E, a BagIt bag once unpacked, and plain files (docs/formats.md §11).

import { FormatError, bytesOf, compare, equal, hex } from "./bytes.js";
import { Crc32 } from "./crc32.js";
import { hashesFor } from "./digests.js";
import { DOCUMENT, checkName, headSizes } from "./package_names.js";
import { sha256 } from "./sha256.js";
import { pour } from "./source.js";
import { readZip } from "./zip.js";

const MAX_FILE = 8388608;
const MAX_FILES = 67108864;
const MAX_DOCUMENT = 2000000000;
const MAX_HEADS = 16;
// Bytes of all members of a kind that takes long; no document is one.
const TOGETHER = [[/^heads\/.*\/anchor\.json$/, 16777216], [/^heads\/.*\.crl$/, 16777216], [/^(?!controls\/).*\/openings\.json$/, 2097152]];
const MAX_OTS = 32; // OpenTimestamps files
const MIMETYPE = "application/vnd.etsi.asic-e+zip";
const BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const NEEDED = ["bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];

// Files by name (bytes), sizes of heads (BigInt, ascending), and the packaged document, or null: {name, source,
// digests} with the digests that `names(files)` asks for, taken while the document was read for its sum.
export async function readPackage(source, names, progress) {
  const members = await readZip(source);
  checkMembers(members);
  const files = new Map();
  const sums = new Map();
  for (const member of members) {
    if (member.name.startsWith(DOCUMENT)) continue;
    const bytes = await member.source.read(0, member.size);
    if (new Crc32().update(bytes).digest() !== member.crc) throw new FormatError(`${member.name} is damaged: its CRC is another`);
    files.set(member.name, bytes);
    sums.set(member.name, hex(sha256(bytes)));
  }
  const packaged = members.find(({ name }) => name.startsWith(DOCUMENT)) ?? null;
  const document = packaged && (await readDocument(packaged, names(files), progress));
  if (document) sums.set(document.name, document.digests["sha-256"]);
  checkTags(files);
  checkManifests(files, sums);
  return { files, heads: headSizes([...files.keys()]), document };
}

const sizeOf = (members) => members.reduce((sum, { size }) => sum + size, 0);

function checkMembers(members) {
  if (members[0].name !== "mimetype") throw new FormatError("mimetype is not the first member");
  for (const { name } of members) checkName(name);
  const documents = members.filter(({ name }) => name.startsWith(DOCUMENT));
  if (documents.length > 1) throw new FormatError("more than one document");
  if (documents.some(({ size }) => size > MAX_DOCUMENT)) throw new FormatError("the document is too large");
  const others = members.filter(({ name }) => !name.startsWith(DOCUMENT));
  if (others.some(({ size }) => size > MAX_FILE)) throw new FormatError("a file is too large");
  if (sizeOf(others) > MAX_FILES) throw new FormatError("the files are too large together");
  if (TOGETHER.some(([pattern, most]) => sizeOf(others.filter(({ name }) => pattern.test(name))) > most)) throw new FormatError("files of one kind are too large together");
  if (others.filter(({ name }) => /^heads\/[0-9]+\/ots\//.test(name)).length > MAX_OTS) throw new FormatError("too many OpenTimestamps files");
  if (headSizes(members.map(({ name }) => name)).length > MAX_HEADS) throw new FormatError("too many heads");
}

async function readDocument({ name, size, crc, source }, names, progress) {
  const sum = new Crc32();
  const hashes = hashesFor(new Set(["sha-256", ...names]));
  await pour(source, [sum, ...hashes.values()], progress);
  if (sum.digest() !== crc) throw new FormatError("the document is damaged: its CRC is another");
  return { name, size, digests: Object.fromEntries([...hashes].map(([id, hash]) => [id, hex(hash.digest())])) };
}

function checkTags(files) {
  for (const name of NEEDED) if (!files.has(name)) throw new FormatError(`${name} is missing`);
  if (!equal(files.get("mimetype"), bytesOf(MIMETYPE))) throw new FormatError("mimetype says something else");
  if (!equal(files.get("bagit.txt"), bytesOf(BAGIT))) throw new FormatError("bagit.txt says something else");
}

// Sums protect against accidents; against forgery nothing in them counts.
function checkManifests(files, sums) {
  const tagged = (name) => !name.startsWith("data/") && !name.startsWith("META-INF/") && name !== "tagmanifest-sha256.txt";
  const lists = { "manifest-sha256.txt": (name) => name.startsWith("data/"), "tagmanifest-sha256.txt": tagged };
  for (const [name, belongs] of Object.entries(lists)) {
    if (!equal(files.get(name), bytesOf(manifest(sums, belongs)))) throw new FormatError(`${name} does not list the files that are there`);
  }
}

// The lines of a manifest: sums and names of files, ascending by the bytes of the names.
export function manifest(sums, belongs) {
  const names = [...sums.keys()].filter(belongs).sort((one, other) => compare(bytesOf(one), bytesOf(other)));
  return names.map((name) => `${sums.get(name)}  ${name}\n`).join("");
}
