import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { FormatError, hex, unbase64, unhex } from "./static/verifier/bytes.js";
import { bytesOf } from "./static/verifier/bytes.js";
import { encodeCanonical as canonical } from "./static/verifier/canonical.js";
import { parseCheckpoint, parseHash } from "./static/verifier/checkpoint.js";
import { parseDecimal } from "./static/verifier/fields.js";
import { parseNote as readNote, parseVkey, verifyNote } from "./static/verifier/note.js";
import { ALPHABET, parseNumber, showNumber } from "./static/verifier/number.js";
import { parseProof as readProof } from "./static/verifier/proof.js";
import { parseStatement as readStatement } from "./static/verifier/statement.js";
import { hashLeaf, rootFromPath } from "./static/verifier/tree.js";

const parseNote = (text) => readNote(bytesOf(text));
const parseProof = (text) => readProof(bytesOf(text));
const parseStatement = (text) => readStatement(bytesOf(text));

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
  refused(() => rootFromPath(leaf, 2n, 7n, path.slice(1)), /not as long/);
  refused(() => rootFromPath(leaf, 2n, 7n, [...path, path[0]]), /not as long/);
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
    [(s) => s + "x".repeat(1 << 17), /too long/],
  ];
  for (const [change, words] of damage) refused(() => parseProof(change(text)), words);
});

test("the signature of the key that is named counts, whoever else signed", () => {
  const key = parseVkey(vectors.vkey);
  assert.equal(verifyNote(parseNote(vectors.notes.good), [key]), key);
  assert.equal(verifyNote(parseNote(vectors.notes.two), [key]), key);
  refused(() => verifyNote(parseNote(vectors.notes.bad), [key]), /does not verify/);
  refused(() => verifyNote(parseNote(vectors.notes.good.replace("\n9\n", "\n8\n")), [key]), /does not verify/);
  refused(() => verifyNote(parseNote(vectors.notes.good), [parseVkey(vectors.other_vkey)]), /no key/);
});

test("notes, checkpoints and keys of another form are refused", () => {
  const note = vectors.notes.good;
  refused(() => parseNote(note.slice(0, -1)), /signed note/);
  refused(() => parseNote(note.replace("\n\n", "\n")), /signed note/);
  refused(() => parseNote(note.replace("log.", "log\t")), /signed note/);
  refused(() => parseNote(note + note.split("\n").at(-2).concat("\n").repeat(64)), /too many/);
  refused(() => parseNote("x".repeat(1 << 16).concat("\n\n\u2014 a AAAAAAAA\n")), /too long/);
  refused(() => parseNote(note.replace("\u2014 ", "- ")), /signature line/);
  refused(() => parseNote(note.replace(/ \S+\n$/, " AAAA\n")), /too short/);
  refused(() => parseCheckpoint("a\n1\n"), /three lines/);
  refused(() => parseCheckpoint(`a\n1\n${"A".repeat(43)}=\nextension\n`), /three lines/);
  refused(() => parseHash("AAAA"), /32 bytes/);
  refused(() => parseDecimal("01"), /decimal/);
  assert.equal(parseDecimal("9223372036854775807"), 2n ** 63n - 1n);
  refused(() => parseVkey("a+00000000"), /not a vkey/);
  refused(() => parseVkey(vectors.vkey.replace("log", "leg")), /key id/);
  refused(() => parseVkey(vectors.vkey.replace(/\+[^+]*$/, "+AAAA")), /key id/);
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
  refused(() => parseStatement(text.replace("{", `{"type":"document",`)), /stands twice/);
  refused(() => parseStatement("{"), /not JSON|string/);
  refused(() => parseStatement("null"), /unknown type|another version/);
  refused(() => parseStatement(again((s) => (s.version = 2))), /unknown type|another version/);
  refused(() => parseStatement(again((s) => (s.type = "toString"))), /unknown type|another version/);
  refused(() => parseStatement(again((s) => (s.more = 1))), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => delete s.salt)), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => (s.document.more = 1))), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => delete s.document.digests.sm3)), /key is missing or unknown/);
  refused(() => parseStatement(again((s) => (s.document = null))), /not an object/);
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
