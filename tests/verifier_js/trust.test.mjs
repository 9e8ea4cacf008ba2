import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { bytesOf } from "../../notary/api/static/verifier/bytes.js";
import { TrustError, readTrust, sourceName } from "../../notary/api/static/verifier/trust.js";
import * as world from "./world.mjs";

const V1 = readFileSync(new URL("../testdata/v1/trust.toml", import.meta.url), "utf8");
const PEMS = V1.match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n/g);
const good = world.trustOf();
const read = (text) => readTrust(bytesOf(text));
const refused = (text, words) => assert.throws(() => read(text), (error) => (error instanceof TrustError && words.test(error.message)) || assert.fail(String(error)));

const key = (vkey, more = "") => `[[log_key]]\nvkey = "${vkey}"\n${more}\n`;
const hash = `0x${"cd".repeat(32)}`;
const address = `0x${"ab".repeat(20)}`;
const chain = (more = "", { id = 1, contract = address, profile = "ethereum" } = {}) =>
  `[[chain]]\nchain_id = ${id}\ncontract = "${contract}"\nlog_id = "${hash}"\ncode_hash = "${hash}"\nprofile = "${profile}"\n${more}\n`;
const headKey = (more = "") => `[[chain.head_key]]\naddress = "${address}"\n${more}\n`;
const tsa = (name, organisation, root, more = "") => `[[tsa]]\nname = "${name}"\norganisation = "${organisation}"\nroots = ['''\n${PEMS[root]}''']\n${more}\n`;

test("a trust file is read whole", () => {
  const trust = read(good + chain(`[[chain.block]]\nnumber = 5\nhash = "${hash}"`) + tsa("a", "A Ltd", 0, 'policies = ["1.2.3"]\naccuracy_ms = 5\nrevocation = "strict"'));
  assert.deepEqual([trust.origin, trust.testOnly, trust.k], [world.ORIGIN, true, 2]);
  assert.equal(trust.logKeys[0].vkey, world.LOG_KEY.vkey);
  assert.deepEqual([...trust.chains[0].blocks.keys()], [5]);
  assert.ok(trust.authorities.get("a").strict);
  const until = 'until = 2026-01-01T00:00:00Z\nlast_good_size = 4';
  const [plain, dated] = read(good + chain(`head_keys = ["0x${"cd".repeat(20)}"]\n${headKey(until)}`)).chains[0].headKeys;
  assert.deepEqual([plain.until, plain.lastGoodSize, dated.since, dated.until, dated.lastGoodSize], [null, null, null, 1767225600000000n, 4n]);
  assert.equal(read(good).k, 1);
  assert.equal(read(good + tsa("a", "Chain 1", 0) + chain()).k, 1, "one source, whatever its names");
  const v1 = read(V1);
  assert.deepEqual([v1.k, v1.authorities.size, v1.chains.length], [2, 2, 1]);
  assert.equal(read(world.trustOf("", { log: "since = 2026-01-01T00:00:00Z\nuntil = 2026-01-02T00:00:00Z\nlast_good_size = 9" })).logKeys[0].lastGoodSize, 9n);
});

for (const [text, words] of [
  ["\ufeff" + good, /not TOML/],
  [good.replace("version = 1", "version = 2"), /version/],
  [good.replace("version = 1", "version = true"), /version/],
  [good.replace("version = 1", ""), /no version/],
  [good.replace(/origin = .*/, 'origin = "a b"'), /origin/],
  [good.replace("test_only = true", "test_only = 1"), /test_only/],
  [`${good}#${"x".repeat(1 << 20)}`, /too long/],
  [good.replace(/\[\[log_key\]\]\n.*/, ""), /no log_key/],
  [world.trustOf("", { head: "k = 65" }), /k of/],
  [world.trustOf("", { head: "k = 0" }), /k of/],
  [world.trustOf("", { head: "more = 1" }), /unknown key more/],
  [world.trustOf("", { log: "more = 1" }), /unknown key more/],
  [world.trustOf("", { head: "tsa = 1" }), /a list/],
  [world.trustOf("", { head: "tsa = [1]" }), /no table/],
  [good + key(world.LOG_KEY.vkey), /one key id/],
  [good + key(world.RECEIPT_KEY.vkey), /another name/],
  [good + key(world.keyOf(3, world.ORIGIN).vkey.replace(/.$/, "A")), /base64|key id/],
  [world.trustOf("", { log: "until = 2026-01-01T00:00:00Z\nsince = 2026-01-02T00:00:00Z" }), /before since/],
  [world.trustOf("", { log: "last_good_size = 5" }), /needs an until/],
  [world.trustOf("", { log: 'since = "2026-01-01T00:00:00Z"' }), /time with a zone/],
  [good + chain("", { profile: "clique" }), /profile/],
  [good + chain() + chain(), /two \[\[chain\]\]/],
  [good + chain("", { contract: address.toUpperCase() }), /0x/],
  [good + chain("", { contract: `0x${"AB".repeat(20)}` }), /hexadecimal/],
  [good + chain("", { contract: "0x00" }), /20 bytes/],
  [(good + chain("", { profile: "anvil" })).replace("test_only = true", ""), /anvil/],
  [good + chain("", { profile: "qbft" }), /validators/],
  [good + chain(`[[chain.validators]]\naddresses = ["${address}"]`), /validators/],
  [good + chain(`[[chain.validators]]\naddresses = ["${address}", "${address}"]`, { profile: "qbft" }), /different validators/],
  [good + chain(`[[chain.validators]]\naddresses = ["${address}"]\n`.repeat(2), { profile: "qbft" }), /two sets/],
  [good + chain(`[[chain.block]]\nnumber = 1\nhash = "${hash}"\n`.repeat(2)), /two blocks/],
  [good + chain("head_keys = [1]"), /list of texts/],
  [good + chain(headKey() + headKey()), /named twice/],
  [good + chain(`head_keys = ["${address}"]\n${headKey()}`), /named twice/],
  [good + chain(headKey("last_good_size = 5")), /needs an until/],
  [good + chain(headKey("until = 2026-01-01T00:00:00Z\nsince = 2026-01-02T00:00:00Z")), /before since/],
  [good + chain(headKey("until = 1")), /time with a zone/],
  [good + chain(headKey("from = 1")), /unknown key from/],
  [good + chain("[[chain.head_key]]"), /no address/],
  [good + chain('[[chain.head_key]]\naddress = "0x00"'), /20 bytes/],
  [good + chain("head_key = 1"), /a list/],
  [good + tsa("A", "x", 0), /name of/],
  [good + tsa("a", "", 0), /organisation/],
  [good + tsa("a", "A", 0) + tsa("a", "A", 1), /two \[\[tsa\]\]/],
  [good + tsa("a", "A", 0) + tsa("b", "B", 0), /related/],
  [good + tsa("a", "A", 0, 'policies = ["x"]'), /OID/],
  [good + tsa("a", "A", 0, "accuracy_ms = 3600001"), /accuracy_ms/],
  [good + tsa("a", "A", 0, 'revocation = "never"'), /revocation/],
  [good + '[[tsa]]\nname = "a"\norganisation = "A"\nroots = []\n', /without a root/],
  [good + '[[tsa]]\nname = "a"\norganisation = "A"\nroots = ["x"]\n', /PEM|certificate/],
  [good + '[[witness]]\nvkey = "w+00000000+AAAA"\n', /key id/],
  [good + `[[bitcoin_block]]\nheight = 0\nheader = "0x${"00".repeat(80)}"\n`, /.+/],
]) {
  test(`a trust file is refused: ${words} of ${text.length} characters, ${text.slice(-60).replaceAll("\n", " ")}`, () => refused(text, words));
}

test("names of sources are compared by their letters and digits, in any case and width", () => {
  for (const [one, other] of [["A-b c.", "ＡＢＣ"], ["straße", "STRASSE"], ["ΣΑΣ", "σας"], ["é", "E\u0301"], ["ﬁ①", "FI1"], ["Große", "GROẞE"], ["--", "--"]]) assert.equal(sourceName(one), sourceName(other), one);
  for (const [one, other] of [["a", "b"], ["ı", "i"], ["--", ".."], ["中", "国"], ["1", "2"]]) assert.notEqual(sourceName(one), sourceName(other), one);
});
