import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { verify } from "../../notary/api/static/verifier/verify.js";
import * as world from "./world.mjs";

const CLI = fileURLToPath(new URL("../../notary/api/static/verifier/cli.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "verifier-"));
test.after(() => rmSync(folder, { recursive: true }));
const put = (name, content) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const { files } = world.good();
const good = put("good.zip", world.packageOf(files));
const bad = put("bad.zip", world.packageOf({ ...files, "data/document/合同.pdf": "other" }));
const trust = put("trust.toml", world.trustOf());
const document = put("document", world.DOCUMENT);
const node = (words, input = "") => spawnSync(process.execPath, [CLI, ...words], { input, encoding: "utf8", timeout: 60_000 });

test("it prints the result and exits as `notary verify` does", () => {
  const open = node([good, "--trust", trust, "--document", document]);
  assert.equal(open.status, 2);
  assert.equal(JSON.parse(open.stdout).outcome, "could_not_be_checked");
  assert.equal(node([bad, "--trust", trust]).status, 1);
  for (const [words, said] of [[[trust], /neither a package/], [[good, "--trust", good], /UTF-8|TOML/], [[join(folder, "nothing")], /ENOENT/], [[], /usage/], [["--trust"], /usage/]]) {
    const run = node(words);
    assert.deepEqual([run.status, run.stdout], [2, ""]);
    assert.match(run.stderr, said);
  }
});

test("what lies beside a proof is named, or there is no result", () => {
  const cose = put("r.cose", Buffer.of(0xd2, 0x84, 0x40));
  const broken = node([cose, "--statement", document, "--trust", trust]);
  assert.deepEqual([broken.status, JSON.parse(broken.stdout).checks.map(({ id }) => id)], [1, ["1.1"]]);
  for (const [words, said] of [[[cose], /with its statement/], [[good, "--proof", document], /nothing is to lie/], [[cose, "--statement", join(folder, "nothing")], /ENOENT/]]) {
    const run = node(words);
    assert.deepEqual([run.status, run.stdout], [2, ""]);
    assert.match(run.stderr, said);
  }
});

test("it answers each line with a line, whatever stands in it", () => {
  const requests = [
    JSON.stringify({ package: good, trust, document: null }),
    JSON.stringify({ package: bad, trust }),
    JSON.stringify({ package: trust }),
    JSON.stringify({ package: good, trust: good }),
    JSON.stringify({ package: join(folder, "nothing") }),
    "no json",
    "null",
    "{}",
    JSON.stringify({ package: good, trust: null }),
  ];
  const run = node(["--lines"], `${requests.join("\n")}\n`);
  const answers = run.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(answers.map(({ outcome, error }) => outcome ?? error), ["could_not_be_checked", "failed", "NoEvidence", "TrustError", "Unreadable", "Error", "Error", "Error", "could_not_be_checked"]);
  assert.deepEqual([run.status, run.stderr], [0, ""]);
});

test("a package is verified in milliseconds of the processor", async () => {
  const bytes = new Uint8Array(world.packageOf(files));
  const started = process.cpuUsage();
  for (let n = 0; n < 100; n++) assert.equal((await verify({ package: bytes, trust: world.trustOf() })).outcome, "could_not_be_checked");
  const { user, system } = process.cpuUsage(started);
  assert.ok((user + system) / 100 < 50_000);
});
