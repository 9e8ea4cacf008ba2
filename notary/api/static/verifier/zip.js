// The ZIP of a package (docs/formats.md §11.2): stored members, one behind the other, and nothing else. A reader from
// the front and one from the directory see the same files.

import { FormatError, equal, textOf } from "./bytes.js";
import { part } from "./source.js";

const END = 22;
const ENTRY = 46;
const LOCAL = 30;
const MAX_MEMBERS = 512;
const MAX_NAME = 1024; // bytes; no name of a package is nearly as long
const MAX_VERSION = 63; // APPNOTE 6.3, in the lower byte of the version needed
const UTF8 = 0x0800;

// Members in the order of the directory: {name, size, crc, source}. Their bytes are not read yet.
export async function readZip(source) {
  const end = await readEnd(source);
  const directory = await source.read(end.offset, source.size - END);
  if (pointsElsewhere(directory)) throw new FormatError("a directory of 64 bits stands before the end record");
  const members = [];
  for (let at = 0, n = 0; n < end.count; n++) {
    const member = readEntry(directory, at);
    at += ENTRY + member.raw.length;
    if (n === end.count - 1 && at !== directory.length) throw new FormatError("bytes between the directory of the ZIP and its end");
    members.push(member);
  }
  let next = 0;
  for (const member of members) {
    if (member.offset !== next) throw new FormatError("the members of the ZIP do not stand one behind the other");
    next = await readLocal(source, member, end.offset);
  }
  if (next !== end.offset) throw new FormatError("bytes between the members of the ZIP and its directory");
  if (new Set(members.map(({ name }) => name)).size < members.length) throw new FormatError("a name is twice in the ZIP");
  return members;
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// Where the locator of a ZIP64 directory would stand, 20 bytes before the end record, there is none: not by chance either.
function pointsElsewhere(directory) {
  return directory.length >= 20 && viewOf(directory).getUint32(directory.length - 20, true) === 0x07064b50;
}

async function readEnd(source) {
  if (source.size < END) throw new FormatError("too short for a ZIP");
  const view = viewOf(await source.read(source.size - END, source.size));
  const count = view.getUint16(10, true);
  const [size, offset] = [view.getUint32(12, true), view.getUint32(16, true)];
  const plain = view.getUint32(0, true) === 0x06054b50 && view.getUint32(4, true) === 0 && view.getUint16(8, true) === count && view.getUint16(20, true) === 0;
  if (!plain || offset + size !== source.size - END) throw new FormatError("the ZIP does not end with its end record");
  if (count < 1 || count > MAX_MEMBERS || size > count * (ENTRY + MAX_NAME)) throw new FormatError("not 1 to 512 members");
  return { count, offset };
}

function readEntry(directory, at) {
  if (at + ENTRY > directory.length) throw new FormatError("the directory of the ZIP is cut");
  const view = viewOf(directory.subarray(at, at + ENTRY));
  if (view.getUint32(0, true) !== 0x02014b50) throw new FormatError("not an entry of the directory of a ZIP");
  const length = view.getUint16(28, true);
  const raw = directory.subarray(at + ENTRY, at + ENTRY + length);
  if (raw.length !== length || length === 0 || length > MAX_NAME) throw new FormatError("not a name in a ZIP");
  // Version needed to name length, as the local header must repeat it; from here on the directory has more fields.
  const member = { common: directory.subarray(at + 6, at + 30), raw, offset: view.getUint32(42, true), crc: view.getUint32(16, true), size: view.getUint32(24, true) };
  const [flags, method] = [view.getUint16(8, true), view.getUint16(10, true)];
  if ((flags !== 0 && flags !== UTF8) || method !== 0 || view.getUint32(20, true) !== member.size) throw new FormatError("a member of the ZIP is not stored plainly");
  // No extra field, no comment.
  if (view.getUint16(30, true) !== 0 || view.getUint16(32, true) !== 0) throw new FormatError("a member of the ZIP has more than its bytes");
  if (view.getUint8(6) > MAX_VERSION) throw new FormatError("a member of the ZIP needs a later version of ZIP");
  // On the first disk; a hint that it is text may be there, no word of records.
  if (view.getUint16(34, true) !== 0 || view.getUint16(36, true) > 1) throw new FormatError("a member of the ZIP lies on another disk, or is made of records");
  checkAttributes(view.getUint32(38, true));
  return { ...member, name: nameOf(raw, flags) };
}

// Only plain files: a link could, once unpacked, show another document than the one checked.
function checkAttributes(attributes) {
  const type = attributes >>> 28;
  if ((type !== 0 && type !== 8) || attributes & 0b11000) throw new FormatError("a member of the ZIP is no plain file");
}

function nameOf(raw, flags) {
  if (flags !== UTF8 && raw.some((byte) => byte > 127)) throw new FormatError("a name in the ZIP that is not ASCII and not marked as UTF-8");
  return textOf(raw);
}

// Compares the local header, and gives where the next one begins.
async function readLocal(source, member, limit) {
  const data = member.offset + LOCAL + member.raw.length;
  if (data + member.size > limit) throw new FormatError("a member of the ZIP reaches into its directory");
  const header = await source.read(member.offset, data);
  const view = viewOf(header);
  const same = view.getUint32(0, true) === 0x04034b50 && equal(header.subarray(4, 28), member.common) && equal(header.subarray(LOCAL), member.raw);
  if (!same || view.getUint16(28, true) !== 0) throw new FormatError("a local header of the ZIP is not that of its directory");
  member.source = part(source, data, member.size);
  return data + member.size;
}
