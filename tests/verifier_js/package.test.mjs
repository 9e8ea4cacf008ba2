import assert from "node:assert/strict";
import test from "node:test";

import { parseExpected } from "../../notary/api/static/verifier/controls.js";
import { bytesOf } from "../../notary/api/static/verifier/bytes.js";
import { Crc32 } from "../../notary/api/static/verifier/crc32.js";
import { checkName } from "../../notary/api/static/verifier/package_names.js";
import { plain } from "../../notary/api/static/verifier/plain.js";
import { readPackage } from "../../notary/api/static/verifier/package.js";
import { sourceOf } from "../../notary/api/static/verifier/source.js";
import { refused } from "./refused.mjs";
import * as world from "./world.mjs";

const { files } = world.good();
const read = (bytes) => readPackage(sourceOf(new Uint8Array(bytes)), () => ["sm3"], () => {});
const spoilt = async (bytes, words) => assert.rejects(read(bytes), (error) => words.test(error.message) || assert.fail(error.message));

test("a package is read: its files, heads and document", async () => {
  for (const data of [new Uint8Array(world.packageOf(files)), new Blob([world.packageOf(files)])]) {
    const found = await readPackage(sourceOf(data), () => ["sm3"], () => {});
    assert.deepEqual(found.heads, [4n, 7n]);
    assert.equal(found.document.name, "data/document/合同.pdf");
    assert.deepEqual(Object.keys(found.document.digests), ["sha-256", "sm3"]);
    assert.equal(found.files.size, Object.keys(files).length + 4); // without the document, with the frame
  }
});

const put = (at, value, size = 2, name = "README.en.txt") => (kind, header, of) => {
  if (of !== name) return;
  const place = kind === "local" ? at - 2 : at;
  if (size === 2) header.writeUInt16LE(value, place);
  else header.writeUInt32LE(value, place);
};
const only = (wanted, change) => (kind, ...rest) => kind === wanted && change(kind, ...rest);

for (const [name, change, words] of [
  ["compressed", put(10, 8), /stored/],
  ["encrypted", put(8, 1), /stored/],
  ["with a data descriptor", put(8, 8), /stored/],
  ["of another compressed size", only("entry", put(20, 1, 4)), /stored/],
  ["a link", only("entry", put(38, 0xa1ff0000, 4)), /plain file/],
  ["a folder", only("entry", put(38, 0x10, 4)), /plain file/],
  ["with an extra field", only("entry", put(30, 1)), /more than its bytes/],
  ["of a later version of ZIP", put(6, 64), /later version/],
  ["of a later version of ZIP, with another byte", put(6, 0x0140), /later version/],
  ["on another disk", only("entry", put(34, 1)), /another disk/],
  ["made of records", only("entry", put(36, 2)), /records/],
  ["with a comment", only("entry", put(32, 1)), /more than its bytes/],
  ["at another offset", only("entry", put(42, 1, 4)), /one behind the other/],
  ["with another local header", only("local", put(14, 77)), /local header/],
  ["with an extra field in front alone", only("local", put(30, 1)), /local header/],
  ["of another sum", put(16, 1, 4), /CRC/],
  ["of a name that is cut", only("entry", put(28, 5)), /directory|name|entry/],
]) {
  test(`a member ${name} is refused`, () => spoilt(world.packageOf(files, change), words));
}

for (const [name, change] of [
  ["that needs the newest version", put(6, 0xff3f)],
  ["that needs an old version", put(6, 10)],
  ["made by another program", only("entry", put(4, 0xffff))],
  ["of another date", put(14, 0x5cc1)],
  ["said to be text", only("entry", put(36, 1))],
  ["with other permissions", only("entry", put(38, 0x81800021, 4))],
  ["marked as UTF-8", put(8, 0x0800)],
]) {
  test(`a member ${name} is read`, async () => assert.doesNotReject(read(world.packageOf(files, change))));
}

test("where the locator of a ZIP64 directory would stand there is none, by chance either", async () => {
  const members = world.membersOf({ ...files, "META-INF/signature001.p7s": "" });
  const last = members.find(([name]) => name === "README.en.txt"); // 13 bytes: attributes and offset stand where a locator would begin
  const free = members.find(([name]) => name.startsWith("META-INF/"));
  const front = members.filter((member) => member !== last);
  let offset = 0;
  const mark = (kind, header, name) => {
    if (kind !== "entry" || name !== last[0]) return;
    header.writeUInt32LE(0x064b5020, 38);
    offset = header.readUInt32LE(42);
  };
  await assert.doesNotReject(read(world.zipOf([...front, last], mark)));
  free[1] = Buffer.alloc((263 - (offset % 256)) % 256);
  await spoilt(world.zipOf([...front, last], mark), /64 bits/);
});

for (const [name, at, value, words] of [["comment", 20, 1, /end record/], ["disk", 4, 1, /end record/], ["count on this disk", 8, 3, /end record/], ["offset", 16, 0, /end record/]]) {
  test(`an end record with another ${name} is refused`, () => spoilt(world.packageOf(files, (kind, header) => kind === "end" && header.writeUInt16LE(value, at)), words));
}

test("bytes before, between or behind, and double names, are refused", async () => {
  const whole = world.packageOf(files);
  await spoilt(Buffer.concat([whole, Buffer.of(0)]), /end record/);
  await spoilt(Buffer.concat([Buffer.from("PK"), whole]), /end record/);
  await spoilt(whole.subarray(0, 10), /too short/);
  await spoilt(world.zipOf([]), /1 to 512/);
  const members = world.membersOf(files);
  await spoilt(world.zipOf([...members, ["README.en.txt", "other"]]), /twice/);
  await spoilt(world.zipOf([...members.slice(1), members[0]]), /first member/);
  await spoilt(world.zipOf(Array.from({ length: 513 }, (_, n) => [`${n}`, ""])), /1 to 512/);
  await spoilt(world.packageOf(files, (kind, header, name) => name.includes("合") && header.writeUInt16LE(0, kind === "local" ? 6 : 8)), /ASCII/);
  await assert.doesNotReject(read(world.zipOf([members[0], ...members.slice(1).reverse()])));
});

test("the frame of a package is as it must be", async () => {
  for (const [change, words] of [
    [{ mimetype: "application/zip" }, /mimetype/],
    [{ "bagit.txt": "BagIt-Version: 0.97\n" }, /bagit/],
    [{ "manifest-sha256.txt": "" }, /manifest-sha256.txt does not list/],
    [{ "tagmanifest-sha256.txt": "" }, /tagmanifest-sha256.txt does not list/],
    [{ "notes.txt": "x" }, /has no file/],
    [{ "data/document/b": "x" }, /more than one document/],
    [{ "README.zh.txt": "x".repeat(8388609) }, /too large/],
    [Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`controls/${n}`, "x".repeat(8388608)])), /too large together/],
    [Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`heads/${n + 10}/header.rlp`, "x"])), /too many heads/],
  ]) {
    await spoilt(world.packageOf({ ...files, ...change }), words);
  }
  const members = world.membersOf(files).filter(([name]) => name !== "bagit.txt");
  await spoilt(world.zipOf(members), /bagit.txt is missing/);
  const damaged = world.packageOf(files);
  damaged[damaged.indexOf("what both parties")] ^= 1;
  await spoilt(damaged, /document is damaged/);
  const added = { ...files, "META-INF/signature001.p7s": "later" };
  const old = world.membersOf(files).find(([name]) => name === "tagmanifest-sha256.txt")[1];
  await assert.doesNotReject(read(world.packageOf({ ...added, "tagmanifest-sha256.txt": old })), "a signature is added without touching another member");
});

test("names of a package, and no other", () => {
  for (const name of ["heads/9223372036854775807/tokens/a.b_c-1.tsr", "heads/7/revocation/a/8.ocsp", "META-INF/ASiCManifest064.xml", "controls/x.bin", "previous/64/openings.json", "data/document/a", `data/document/${"😀".repeat(120)}`, "tools/verify.html"]) checkName(name);
  const bad = ["", "x", "/x", "../x", "heads/0/checkpoint", "heads/07/checkpoint", "heads/7/tokens/A.tsr", "heads/7/revocation/a/9.crl", "META-INF/signature000.p7s", "META-INF/signature065.p7s", "controls/X", "previous/0/statement.json", "previous/65/statement.json", "previous/01/statement.json", "manifest.json", "data/x", "receipt.txt\n"];
  for (const name of bad) refused(() => checkName(name), /has no file/);
  for (const name of ["", ".", "..", "a/b", "a\\b", "a%", "a:", "a\u202e", "a\u0085", "a ", "a\u3000", "x".repeat(121)]) refused(() => checkName(`data/document/${name}`), /name of a document/);
});

test("sums are those of ZIP, in pieces of any size", () => {
  assert.equal(new Crc32().update(bytesOf("123456789")).digest(), 0xcbf43926); // the check value of CRC-32
  const sum = new Crc32();
  for (const piece of ["1", "", "2345", "6789"]) sum.update(bytesOf(piece));
  assert.equal(sum.digest(), 0xcbf43926);
});

test("signs that do not print are written out", () => {
  assert.equal(plain("a\u202eb\u00a0c\n\u{e0041}\u200f"), "aU+202EbU+00A0cU+000AU+E0041U+200F");
  assert.equal(plain("合同 é 😀, (a)"), "合同 é 😀, (a)");
});

test("what a package says of its controls is read strictly", () => {
  const one = { name: "a", file: "controls/x", replaces: "data/statement.json", check: "2.1" };
  const isMember = (name) => ["controls/x", "controls/expected.json", "data/statement.json", "mimetype", "META-INF/signature001.p7s"].includes(name);
  const parse = (value) => parseExpected(bytesOf(world.canonical(value)), isMember);
  assert.equal(parse({ version: 1, controls: [one] })[0].name, "a");
  for (const [change, words] of [[{ file: "controls/y" }, /without its file/], [{ file: "controls/expected.json" }, /without its file/], [{ file: "x" }, /form/], [{ file: "controls/../x" }, /form/], [{ replaces: "mimetype" }, /no member/], [{ replaces: "controls/x" }, /no member/], [{ replaces: "META-INF/signature001.p7s" }, /no member/], [{ replaces: "data/openings.json" }, /no member/], [{ replaces: "x".repeat(256) }, /form/], [{ check: "x" }, /form/], [{ check: "12.345" }, /form/], [{ check: "0.1" }, /form/], [{ name: "A" }, /form/], [{ more: 1 }, /key/]]) {
    refused(() => parse({ version: 1, controls: [{ ...one, ...change }] }), words);
  }
  refused(() => parse({ version: 1, controls: [one, one] }), /one name/);
  refused(() => parse({ version: 1, controls: [] }), /list/);
  refused(() => parse({ version: 2, controls: [one] }), /version/);
  refused(() => parseExpected(new Uint8Array(65537), isMember), /too long/);
});
