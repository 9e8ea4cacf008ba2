import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { FormatError, hex, unbase64, unhex } from "./static/verifier/bytes.js";
import { checkSignature, parseCheckpoint, parseDecimal, parseHash, parseNote, parseVkey } from "./static/verifier/note.js";
import { ALPHABET, parseNumber, showNumber } from "./static/verifier/number.js";
import { hashLeaf, parseProof, rootFromPath } from "./static/verifier/proof.js";
import { canonical, parseStatement } from "./static/verifier/statement.js";

const vectors = JSON.parse(readFileSync("vectors.json", "utf8"));
const refused = (work, words) => assert.throws(work, (error) => error instanceof FormatError && words.test(error.message));

test("every path of every tree leads to its root, and to no root from another place", () => {
  for (const { size, root, leaves, paths } of vectors.trees) {
    paths.forEach((path, index) => {
      const nodes = path.map(unhex);
      assert.equal(hex(rootFromPath(unhex(leaves[index]), BigInt(index), BigInt(size), nodes)), root);
      for (const other of [index - 1, index + 1].filter((n) => n >= 0 && n < size)) {
        let found = null;
        try {
          found = hex(rootFromPath(unhex(leaves[index]), BigInt(other), BigInt(size), nodes));
        } catch (error) {
          assert.ok(error instanceof FormatError);
        }
        assert.notEqual(found, root);
      }
    });
  }
});

test("a path of another length, or an index outside, is refused", () => {
  const { leaves, paths } = vectors.trees.find(({ size }) => size === 7);
  const [leaf, path] = [unhex(leaves[2]), paths[2].map(unhex)];
  refused(() => rootFromPath(leaf, 2n, 7n, path.slice(1)), /below the root/);
  refused(() => rootFromPath(leaf, 2n, 7n, [...path, path[0]]), /longer than/);
  refused(() => rootFromPath(leaf, 7n, 7n, path), /outside the tree/);
});

test("a leaf has its own prefix", () => {
  assert.equal(hex(hashLeaf(new Uint8Array(32))), hex(unbase64(vectors.leaf_of_leaf)));
});

test("a proof file is read, and every careless form of it refused", () => {
  const text = vectors.records[1].proof;
  const proof = parseProof(text);
  assert.equal(proof.index, 3n);
  assert.equal(proof.path.length, 3);
  assert.equal(new TextDecoder().decode(proof.extra), vectors.records[1].statement);
  const damage = [
    [(s) => s.replace("@v1", "@v2"), /another kind/],
    [(s) => s.replace("\nindex 3", "\nindex 03"), /decimal/],
    [(s) => s.replace("\nindex 3", "\nindex -3"), /decimal/],
    [(s) => s.replace("\nindex 3", "\nindex 9223372036854775808"), /decimal/],
    [(s) => s.replace("\nindex 3", ""), /no index/],
    [(s) => s.replace(/\nextra [^\n]*/, "$&\nextra AAAA"), /no index/],
    [(s) => s.replace(/\nextra [^\n]*/, "\nextra AB=="), /standard base64/],
    [(s) => s.replace(/\nextra [^\n]*/, "\nextra ?"), /not base64/],
    [(s) => s.replace(/\nextra [^\n]*/, `\nextra ${btoa("x".repeat(8193))}`), /too long/],
    [(s) => s.replace(/(index 3\n)([^\n]*)/, "$1AAAA"), /32 bytes/],
    [(s) => s.replace(/(index 3\n)/, `$1${"A".repeat(43)}=\n`.repeat(61)), /path is too long/],
    [(s) => s.replaceAll("\n\n", "\n"), /not a proof/],
    [(s) => s.slice(0, s.indexOf("\n\n") + 2), /not a proof/],
    [(s) => s + "x".repeat(1 << 17), /not a proof/],
  ];
  for (const [change, words] of damage) refused(() => parseProof(change(text)), words);
});

test("the signature of the key that is named counts, whoever else signed", async () => {
  const key = parseVkey(vectors.vkey);
  assert.equal(await checkSignature(parseNote(vectors.notes.good), key), "passed");
  assert.equal(await checkSignature(parseNote(vectors.notes.two), key), "passed");
  assert.equal(await checkSignature(parseNote(vectors.notes.bad), key), "failed");
  const other = parseNote(vectors.notes.good.replace("\n9\n", "\n8\n"));
  assert.equal(await checkSignature(other, key), "failed");
});

test("without WebCrypto, as on a plain http address, a signature is not called good or bad", async (t) => {
  const kept = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  t.after(() => Object.defineProperty(globalThis, "crypto", kept));
  assert.equal(await checkSignature(parseNote(vectors.notes.good), parseVkey(vectors.vkey)), "unable");
});

test("notes, checkpoints and keys of another form are refused", () => {
  const note = vectors.notes.good;
  refused(() => parseNote(note.slice(0, -1)), /signed note/);
  refused(() => parseNote(note.replace("\n\n", "\n")), /signed note/);
  refused(() => parseNote(note.replace("log.", "log\t")), /signed note/);
  refused(() => parseNote(note + note.split("\n").at(-2).concat("\n").repeat(64)), /signed note/);
  refused(() => parseNote("x".repeat(1 << 16).concat("\n\n\u2014 a AAAAAAAA\n")), /signed note/);
  refused(() => parseNote(note.replace("\u2014 ", "- ")), /signature line/);
  refused(() => parseNote(note.replace(/ \S+\n$/, " AAAA\n")), /too short/);
  refused(() => parseCheckpoint("a\n1\n"), /three lines/);
  refused(() => parseCheckpoint(`a\n1\n${"A".repeat(43)}=\nextension\n`), /three lines/);
  refused(() => parseHash("AAAA"), /32 bytes/);
  refused(() => parseDecimal("01"), /decimal/);
  assert.equal(parseDecimal("9223372036854775807"), 2n ** 63n - 1n);
  refused(() => parseVkey("a+00000000"), /not a vkey/);
  refused(() => parseVkey(vectors.vkey.replace("log", "leg")), /key id/);
  refused(() => parseVkey(vectors.vkey.replace(/\+[^+]*$/, "+AAAA")), /Ed25519/);
  refused(() => parseVkey(vectors.vkey_of_another_type), /Ed25519/);
  refused(() => unhex("0"), /hexadecimal/);
});

test("a statement is read only in its one form", () => {
  const text = vectors.records[0].statement;
  const value = parseStatement(text);
  assert.equal(value.log, vectors.origin);
  assert.equal(canonical(value), text);
  const again = (change) => {
    const copy = structuredClone(value);
    change(copy);
    return canonical(copy);
  };
  refused(() => parseStatement(`${text} `), /canonical/);
  refused(() => parseStatement(text.replace("{", '{"type":"document",')), /canonical/);
  refused(() => parseStatement("{"), /not JSON/);
  refused(() => parseStatement("null"), /unknown kind/);
  refused(() => parseStatement(again((s) => (s.version = 2))), /unknown kind/);
  refused(() => parseStatement(again((s) => (s.type = "toString"))), /unknown kind/);
  refused(() => parseStatement(again((s) => (s.more = 1))), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => delete s.salt)), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => (s.document.more = 1))), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => delete s.document.digests.sm3)), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => (s.document = null))), /key is missing or unknown/);
  refused(() => parseStatement("x".repeat(8193)), /too long/);
});

test("numbers are accepted as typed, and any one wrong character is seen", () => {
  for (const number of vectors.numbers) {
    assert.equal(parseNumber(` ${showNumber(number).toLowerCase()} `), number);
    for (let at = 0; at < 16; at++) {
      const wrong = ALPHABET[(ALPHABET.indexOf(number[at]) + 1 + at) % 32];
      if (wrong !== number[at]) assert.equal(parseNumber(number.slice(0, at) + wrong + number.slice(at + 1)), null);
    }
  }
  for (const text of ["", "A", "0".repeat(16), `${vectors.numbers[0]}A`]) assert.equal(parseNumber(text), null);
});
