import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";

import { FormatError, hex, unhex } from "../../notary/api/static/verifier/bytes.js";
import { encodeDer, parseBer, parseDer } from "../../notary/api/static/verifier/der.js";
import { readName } from "../../notary/api/static/verifier/names.js";
import { readTime, show } from "../../notary/api/static/verifier/time.js";
import { refused } from "./refused.mjs";

test("lengths in other forms are BER and not DER", () => {
  for (const text of ["308103020105", "30800201050000", "308400000003020105", "300402810105"]) {
    assert.equal(parseBer(unhex(text)).der, false, text);
    assert.equal(parseBer(unhex(text)).sequence()[0].integer(), 5n, text);
  }
  assert.equal(parseBer(unhex("3003020105")).der, true);
  refused(() => parseDer(unhex("30800201050000")), /not DER/);
  refused(() => parseDer(unhex("308103020105")), /not DER/);
});

test("what is cut off, left over or out of place is refused", () => {
  const bad = [["", /cut off/], ["30", /cut off/], ["3003020105ff", /behind/], ["3005020105", /cut off/], ["3080020105", /cut off/], ["0280010000", /indefinite/], ["30850000000003020105", /cut off/]];
  bad.push(["2203020105", /constructed/], ["1000", /constructed/], ["1f8000", /not a tag/], ["1f1e00", /shortest/], ["30020000", /end without/], ["30840fffffff", /cut off/]);
  bad.push(["308030033080000000", /cut off/]); // the end of what is inside reaches over the end of what it is in
  for (const [text, words] of bad) refused(() => parseBer(unhex(text)), words);
});

test("nesting is bounded, and so is the time for it", () => {
  let nested = new Uint8Array(0);
  for (let n = 0; n < 100; n++) nested = encodeDer(0x30, nested);
  refused(() => parseBer(nested), /nested too deeply/);
  refused(() => parseBer(new Uint8Array(60000).fill(0x30)), /cut off|nested/);
  refused(() => parseBer(Uint8Array.from({ length: 60000 }, (_, at) => (at % 2 ? 0x80 : 0x30))), /nested too deeply/);
});

test("primitive values have one spelling", () => {
  assert.equal(parseDer(unhex("0202ff7f")).integer(), -129n);
  assert.equal(parseDer(unhex("06052b0e03021a")).oid(), "1.3.14.3.2.26");
  assert.equal(parseDer(unhex("0603883703")).oid(), "2.999.3");
  for (const text of ["0200", "02020001", "0202ff80"]) refused(() => parseDer(unhex(text)).integer(), /integer/);
  for (const text of ["0600", "06028001", "060188", "06032b8001"]) refused(() => parseDer(unhex(text)).oid(), /object identifier/);
  for (const text of ["010101", "0100", "01020000"]) refused(() => parseDer(unhex(text)).boolean(), /boolean/);
  for (const text of ["0300", "030107", "03020801", "03020101"]) refused(() => parseDer(unhex(text)).bits(), /bit string/);
  refused(() => parseDer(unhex("050100")).null(), /null with contents/);
  refused(() => parseBer(unhex("24020400")).octets(), /another type/);
  assert.equal(hex(parseBer(unhex("240a04020102240404020304")).pieces()), "01020304");
});

test("a time has one form, and is one that exists", () => {
  const time = (tag, text) => readTime(parseDer(encodeDer(tag, Buffer.from(text))));
  assert.equal(show(time(23, "491231235959Z")), "2049-12-31T23:59:59Z");
  assert.equal(show(time(23, "500101000000Z")), "1950-01-01T00:00:00Z");
  assert.equal(show(time(24, "20500101000000Z")), "2050-01-01T00:00:00Z");
  for (const text of ["5001010000Z", "500101000000+0000", "501301000000Z", "500230000000Z", "500101240000Z", "500101000060Z"]) refused(() => time(23, text), /time|moment/);
  for (const text of ["20500101000000.5Z", "205001010000Z", "20500101000000", "00000101000000Z"]) refused(() => time(24, text), /time|moment|second/);
});

test("names are compared without regard to case, spaces and type of string (RFC 5280 §7.1), and to nothing else", () => {
  const name = (...parts) => readName(parseDer(encodeDer(0x30, Buffer.concat(parts.map(([oid, tag, text]) => encodeDer(0x31, encodeDer(0x30, Buffer.concat([unhex(oid), encodeDer(tag, Buffer.from(text, tag === 30 ? "utf16le" : "utf8").slice())])))))))).key;
  const CN = "0603550403";
  assert.equal(name([CN, 12, "Acme CA"]), name([CN, 19, " ACME  ca "]));
  assert.equal(name([CN, 12, "Straße"]), name([CN, 12, "STRASSE"]));
  assert.notEqual(name([CN, 12, "Acme CA"]), name([CN, 12, "AcmeCA"]));
  assert.notEqual(name([CN, 12, "a"]), name(["0603550404", 12, "a"]));
  assert.notEqual(name([CN, 12, "a"], [CN, 12, "b"]), name([CN, 12, "b"], [CN, 12, "a"]));
  refused(() => name([CN, 18, "a"]), /number with other characters/);
  refused(() => name([CN, 26, "a"]), /of a type that names do not have/);
  refused(() => name([CN, 3, "\0a"]), /a name that is a bit string/);
  assert.notEqual(name(["060355042d", 3, "\0a"]), name(["060355042d", 12, "\0a"]));
});

test("random bytes never give anything but a value or a FormatError", () => {
  for (let n = 0; n < 3000; n++) {
    const bytes = randomBytes(1 + (n % 40));
    bytes[0] = [0x30, 0x31, 0xa0, 0x02, 0x24][n % 5];
    try {
      parseBer(bytes);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
});
