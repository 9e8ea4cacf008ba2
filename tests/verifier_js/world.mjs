// A small log with everything around it, made by Node's own crypto: keys, statements, trees, notes, receipts, packages.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";

export const ORIGIN = "log.example.org/js";
const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
export const entryOf = sha256;
export const hexOf = (bytes) => Buffer.from(bytes).toString("hex");

// Ed25519 key of a seed byte, with the vkey of a name.
export function keyOf(seed, name) {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex"); // RFC 8410
  const secret = createPrivateKey({ key: Buffer.concat([prefix, Buffer.alloc(32, seed)]), format: "der", type: "pkcs8" });
  const raw = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32);
  const key = Buffer.concat([Buffer.of(1), raw]);
  const id = sha256(`${name}\n`, key).subarray(0, 4);
  return { name, secret, raw, id, vkey: `${name}+${id.toString("hex")}+${key.toString("base64")}` };
}

export const LOG_KEY = keyOf(1, ORIGIN);
export const RECEIPT_KEY = keyOf(2, `${ORIGIN}/receipt`);

export const signatureLine = (text, key) => `\u2014 ${key.name} ${Buffer.concat([key.id, sign(null, Buffer.from(text), key.secret)]).toString("base64")}\n`;
export const noteOf = (text, ...keys) => `${text}\n${keys.map((key) => signatureLine(text, key)).join("")}`;

// RFC 8785 for what statements hold.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

const leafOf = (entry) => sha256(Buffer.of(0), entry);
const nodeOf = (left, right) => sha256(Buffer.of(1), left, right);

// RFC 9162 §2.1.1, §2.1.3.1, §2.1.4.1, as they stand there.
function splitOf(n) {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}
const rootOfLeaves = (leaves) => {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  const k = splitOf(leaves.length);
  return nodeOf(rootOfLeaves(leaves.slice(0, k)), rootOfLeaves(leaves.slice(k)));
};
export const rootOf = (entries) => rootOfLeaves(entries.map(leafOf));
export function pathOf(entries, index) {
  if (entries.length === 1) return [];
  const k = splitOf(entries.length);
  if (index < k) return [...pathOf(entries.slice(0, k), index), rootOf(entries.slice(k))];
  return [...pathOf(entries.slice(k), index - k), rootOf(entries.slice(0, k))];
}
export function consistencyOf(entries, older, whole = true) {
  if (older === entries.length) return whole ? [] : [rootOf(entries)];
  const k = splitOf(entries.length);
  if (older <= k) return [...consistencyOf(entries.slice(0, k), older, whole), rootOf(entries.slice(k))];
  return [...consistencyOf(entries.slice(k), older - k, false), rootOf(entries.slice(0, k))];
}

// Openings and {count, root} of these values by name (formats.md §3).
export function commit(values) {
  const made = Object.entries(values).map(([name, value], at) => {
    const salt = Buffer.alloc(16, at + 1).toString("base64url");
    const disclosure = Buffer.from(typeof value === "function" ? value(salt) : JSON.stringify([salt, name, value])).toString("base64url");
    return { name, disclosure, digest: sha256(disclosure) };
  });
  made.sort((one, other) => Buffer.compare(one.digest, other.digest));
  const digests = made.map(({ digest }) => digest);
  const openings = made.map(({ name, disclosure }, index) => ({ name, opening: { disclosure, index, path: pathOf(digests, index).map(hexOf) } }));
  const open = (...names) => canonical({ version: 1, openings: openings.filter(({ name }) => names.includes(name)).map(({ opening }) => opening) });
  return { commitments: { count: digests.length, root: hexOf(rootOf(digests)) }, open };
}

export const NUMBER = "MLNLM6Q222222229";
export const NOTHING = commit({}).commitments;

export function statementOf(type, more = {}) {
  return { version: 1, type, log: ORIGIN, number: NUMBER, time: "2026-03-01T11:30:00Z", salt: "07".repeat(32), not_before: null, previous: null, commitments: NOTHING, ...more };
}

export function documentOf(bytes, more = {}) {
  const digest = (name) => createHash(name).update(bytes).digest("hex");
  return { claimed: {}, digests: { "sha-256": digest("sha256"), sm3: digest("sm3") }, media_type: "application/pdf", seen: true, size: bytes.length, ...more };
}

export const checkpointText = (size, root, origin = ORIGIN) => `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;

// The tlog-proof of an entry among these, under a checkpoint signed by `keys`.
export function proofOf(entries, index, { extra = null, keys = [LOG_KEY], note = null } = {}) {
  const lines = ["c2sp.org/tlog-proof@v1", ...(extra === null ? [] : [`extra ${Buffer.from(extra).toString("base64")}`]), `index ${index}`];
  const path = pathOf(entries, index).map((hash) => hash.toString("base64"));
  return `${[...lines, ...path].join("\n")}\n\n${note ?? noteOf(checkpointText(entries.length, rootOf(entries)), ...keys)}`;
}

export function receiptOf(group, index, { size = 1, head = rootOf([sha256("genesis")]), closeBy = "2026-03-01T13:00:00Z", key = RECEIPT_KEY, origin = ORIGIN } = {}) {
  const text = `notary receipt v1\n${origin}\ncount ${group.length}\nroot ${rootOf(group).toString("base64")}\ncheckpoint ${size} ${Buffer.from(head).toString("base64")}\nclose_by ${closeBy}\nstamp_target 2026-03-01T14:00:00Z\nfinal_target 2026-03-01T15:00:00Z\n`;
  const path = pathOf(group, index).map((hash) => `${hash.toString("base64")}\n`);
  return `notary-receipt@v1\nindex ${index}\n${path.join("")}\n${noteOf(text, key)}`;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

// A stored ZIP of [name, bytes]. `change(kind, header, name)` may spoil each "local", "entry" or "end" header.
export function zipOf(members, change = () => {}) {
  const [body, directory] = [[], []];
  let offset = 0;
  for (const [name, content] of members) {
    const [bytes, raw] = [Buffer.from(content), Buffer.from(name)];
    const common = Buffer.alloc(26); // version needed … length of extra fields
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(/[^\x00-\x7f]/.test(name) ? 0x0800 : 0, 2);
    common.writeUInt16LE(0x21, 8); // 1980-01-01
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(raw.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common]);
    const entry = Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.of(20, 3), common, Buffer.alloc(14)]);
    entry.writeUInt32LE((0o100644 << 16) >>> 0, 38);
    entry.writeUInt32LE(offset, 42);
    change("local", local, name);
    change("entry", entry, name);
    body.push(local, raw, bytes);
    directory.push(entry, raw);
    offset += local.length + raw.length + bytes.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  change("end", end, "");
  return Buffer.concat([...body, ...directory, end]);
}

// [name, bytes] of a package of these files, with the tags that are not among them.
export function membersOf(files) {
  const all = { "bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "bag-info.txt": "Payload-Oxum: 0.0\n", ...files };
  const order = (names) => names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const list = (belongs) => order(Object.keys(all).filter(belongs)).map((name) => `${hexOf(sha256(all[name]))}  ${name}\n`).join("");
  const mimetype = files.mimetype ?? "application/vnd.etsi.asic-e+zip";
  all.mimetype = mimetype;
  all["manifest-sha256.txt"] ??= list((name) => name.startsWith("data/"));
  all["tagmanifest-sha256.txt"] ??= list((name) => !name.startsWith("data/") && !name.startsWith("META-INF/"));
  delete all.mimetype;
  return [["mimetype", mimetype], ...order(Object.keys(all)).map((name) => [name, all[name]])];
}

export const packageOf = (files, change) => zipOf(membersOf(files), change);

export const DOCUMENT = Buffer.from("what both parties signed\n");
const genesis = sha256("genesis");

// Files of a good package with two heads, and what was used to make them. `more` changes the statement.
export function good({ more = {}, keys = [LOG_KEY] } = {}) {
  const { commitments, open } = commit({ holder: "乙方", phase: "signed", title: "合同" });
  const statement = canonical(statementOf("document", { commitments, document: documentOf(DOCUMENT), ...more }));
  const entry = sha256(statement);
  const inspected = commit({ inspection: { signatures: 2 } });
  const inspection = canonical(statementOf("inspection", { previous: hexOf(entry), commitments: inspected.commitments }));
  const others = ["a", "b", "c"].map((word) => sha256(word));
  const entries = [genesis, others[0], entry, others[1], sha256(inspection), others[2], sha256("d")];
  const four = entries.slice(0, 4);
  const checkpoint = (list) => noteOf(checkpointText(list.length, rootOf(list)), LOG_KEY);
  const files = {
    "data/statement.json": statement,
    "data/openings.json": open("holder", "phase"),
    "data/document/合同.pdf": DOCUMENT,
    "heads/4/inclusion.tlog-proof": proofOf(four, 2, { keys }),
    "heads/4/checkpoint": checkpoint(four),
    "heads/7/inclusion.tlog-proof": proofOf(entries, 2, { keys }),
    "heads/7/checkpoint": checkpoint(entries),
    "consistency.json": canonical({ version: 1, proofs: [{ old: "4", new: "7", path: consistencyOf(entries, 4).map(hexOf) }] }),
    "receipt.txt": receiptOf([entry, others[1], sha256("x")], 0),
    "inspection/statement.json": inspection,
    "inspection/inclusion.tlog-proof": proofOf(entries, 4, { keys }),
    "inspection/openings.json": inspected.open("inspection"),
    "README.en.txt": "guide\n",
  };
  return { files, statement, entry, entries, open, commitments };
}

export const trustOf = (more = "", { log = "", receipt = "", head = "" } = {}) =>
  `version = 1\norigin = "${ORIGIN}"\ntest_only = true\n${head}\n[[log_key]]\nvkey = "${LOG_KEY.vkey}"\n${log}\n[[receipt_key]]\nvkey = "${RECEIPT_KEY.vkey}"\n${receipt}\n${more}\n`;

// "id outcome" of each check that did not pass; all of them in order with `whole`.
export const vectorOf = ({ checks }, whole = false) => checks.filter(({ outcome }) => whole || outcome !== "passed").map(({ id, outcome, subject }) => [id, outcome, subject].filter(Boolean).join(" "));
