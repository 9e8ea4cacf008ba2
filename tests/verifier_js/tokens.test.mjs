// Time stamps, revocation lists and OCSP answers made by the command `openssl`, which shares nothing with the verifier.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";

import { readAuthority, related } from "../../notary/api/static/verifier/authority.js";
import { certificateOfPem } from "../../notary/api/static/verifier/pem.js";
import { Seen, checkToken } from "../../notary/api/static/verifier/timestamp.js";
import { refused } from "./refused.mjs";

const FOLDER = mkdtempSync(join(tmpdir(), "tokens-"));
after(() => rmSync(FOLDER, { recursive: true }));

const STAMPED = Buffer.from("what is stamped\n");
const CONFIG = `
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[signer]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[server]
extendedKeyUsage = critical,serverAuth
[responder]
extendedKeyUsage = OCSPSigning
noCheck = ignored
[unmarked]
extendedKeyUsage = OCSPSigning
[ca]
default_ca = default
[default]
database = index.txt
serial = serial
crlnumber = crlnumber
default_md = sha256
default_crl_days = 30
policy = any
new_certs_dir = .
[any]
commonName = supplied
[tsa]
default_tsa = stamp
[stamp]
serial = tsaserial
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256,sha384,sha512,sm3
accuracy = secs:1,millisecs:500,microsecs:100
ess_cert_id_alg = sha256
ess_cert_id_chain = no
tsa_name = yes
`;

function openssl(...args) {
  const run = spawnSync("openssl", args, { cwd: FOLDER, encoding: "utf8", timeout: 60_000 });
  assert.equal(run.status, 0, `openssl ${args.join(" ")}: ${run.stderr}`);
  return run.stdout;
}
const write = (name, data) => writeFileSync(join(FOLDER, name), data);
const read = (name) => new Uint8Array(readFileSync(join(FOLDER, name)));
const pem = (name) => readFileSync(join(FOLDER, `${name}.pem`), "utf8");

write("c.cnf", CONFIG);
write("data", STAMPED);
write("index.txt", "");
write("serial", "1000\n");
write("crlnumber", "01\n");
write("tsaserial", "0A\n");
const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
openssl("req", "-x509", ...EC, "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-days", "30", "-config", "c.cnf", "-extensions", "root");

function issue(name, extensions, key = EC) {
  openssl("req", "-new", ...key, "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`, "-config", "c.cnf");
  openssl("ca", "-batch", "-config", "c.cnf", "-cert", "root.pem", "-keyfile", "root.key", "-in", `${name}.csr`, "-out", `${name}.pem`, "-notext", "-days", "20", "-extensions", extensions);
}
issue("signer", "signer");
issue("rsa", "signer", ["-newkey", "rsa:2048"]);
issue("server", "server");
issue("responder", "responder");
issue("unmarked", "unmarked");

function stamp(signer = "signer", digest = "sha256", ...more) {
  openssl("ts", "-query", "-data", "data", `-${digest}`, "-cert", "-out", "query.tsq");
  openssl("ts", "-reply", "-config", "c.cnf", "-section", "stamp", "-queryfile", "query.tsq", "-signer", `${signer}.pem`, "-inkey", `${signer}.key`, "-out", "reply.tsr", ...more);
  return read("reply.tsr");
}

const authority = (more = {}) => readAuthority({ name: "tsa", organisation: "TSA Ltd", roots: [pem("root")], ...more });
const check = (response, { stamped = STAMPED, revocation = [], seen = new Seen(), ...more } = {}) => checkToken(response, stamped, authority(more), revocation, seen);
const crl = () => {
  openssl("ca", "-gencrl", "-config", "c.cnf", "-cert", "root.pem", "-keyfile", "root.key", "-out", "list.pem");
  openssl("crl", "-in", "list.pem", "-outform", "DER", "-out", "list.crl");
  return { name: "1.crl", bytes: read("list.crl") };
};
function ocsp(signer, by) {
  openssl("ocsp", "-issuer", "root.pem", "-cert", `${signer}.pem`, "-no_nonce", "-reqout", "q.der");
  openssl("ocsp", "-index", "index.txt", "-CA", "root.pem", "-rsigner", `${by}.pem`, "-rkey", `${by}.key`, "-reqin", "q.der", "-respout", "a.der", "-ndays", "3");
  return { name: "1.ocsp", bytes: read("a.der") };
}

for (const [signer, digest] of [["signer", "sha256"], ["signer", "sha512"], ["signer", "sm3"], ["rsa", "sha384"]]) {
  test(`a token of openssl passes: ${signer}, imprint ${digest}`, () => {
    const found = check(stamp(signer, digest));
    assert.equal(found.token.outcome, "passed", found.token.detail);
    assert.equal(found.revocation.outcome, "could_not_be_checked");
    const age = BigInt(Date.now()) * 10n ** 6n + 1_500_100_000n - found.bound.notAfter;
    assert.ok(age > -(2n * 10n ** 9n) && age < 60n * 10n ** 9n, `accuracy is in the bound: ${age}`);
    assert.equal(found.bound.keys.length, 3);
  });
}

test("each thing that is wrong is named by its check", () => {
  const good = stamp();
  const number = (...args) => check(...args).token.check;
  assert.equal(number(good, { stamped: Buffer.from("other") }), 18);
  assert.equal(number(good, { policies: ["1.2.3.4.9"] }), 17);
  assert.equal(check(good, { policies: ["1.2.3.4.1"] }).token.outcome, "passed");
  assert.equal(number(good, { roots: [pem("signer")] }), 14);
  assert.equal(number(good.subarray(0, 300)), 4);
  assert.equal(number(new Uint8Array(65537)), 4);
  const last = Uint8Array.from(good);
  last[last.length - 1] ^= 1;
  assert.equal(number(last), 7);
  const byServer = spawnSync("openssl", ["ts", "-reply", "-config", "c.cnf", "-section", "stamp", "-queryfile", "query.tsq", "-signer", "server.pem", "-inkey", "server.key", "-out", "bad.tsr"], { cwd: FOLDER });
  assert.notEqual(byServer.status, 0, "openssl itself would not let a server's certificate stamp");
});

test("two tokens of one serial number are told apart, and one token twice is one", () => {
  const seen = new Seen();
  write("tsaserial", "50\n");
  const first = stamp();
  write("tsaserial", "50\n");
  const second = stamp("signer", "sha384");
  assert.equal(check(first, { seen }).token.outcome, "passed");
  assert.equal(check(first, { seen }).token.outcome, "passed");
  assert.equal(check(second, { seen }).token.check, 22);
  assert.equal(check(second, { seen, organisation: "tsa LTD." }).token.check, 22, "the same organisation, spelt otherwise");
  assert.equal(check(second, { seen, organisation: "another" }).token.outcome, "passed");
  assert.equal(check(second).token.outcome, "passed");
});

test("a list and an OCSP answer from after genTime show that nothing was revoked", () => {
  const token = stamp();
  for (const data of [crl(), ocsp("signer", "root"), ocsp("signer", "responder")]) {
    const found = check(token, { revocation: [data], strict: true });
    assert.deepEqual([found.revocation.outcome, found.revocation.detail], ["passed", "none of the certificates was revoked"]);
  }
  assert.equal(check(token, { revocation: [ocsp("signer", "unmarked")], strict: true }).revocation.outcome, "failed", "its certificate does not say that nobody asks about it");
  assert.match(check(token, { revocation: [ocsp("rsa", "root")] }).revocation.detail, /covers signer/);
});

test("without data the policy decides, and data that is damaged or of a stranger fails", () => {
  const token = stamp();
  const list = crl();
  assert.equal(check(token).revocation.outcome, "could_not_be_checked");
  const strict = check(token, { strict: true });
  assert.deepEqual([strict.revocation.outcome, strict.bound], ["failed", null]);
  const bent = Uint8Array.from(list.bytes);
  bent[bent.length - 1] ^= 1;
  const bad = [{ name: "1.crl", bytes: bent }, { name: "1.crl", bytes: list.bytes.subarray(1) }, { name: "1.ocsp", bytes: list.bytes }, { ...ocsp("signer", "server") }];
  for (const data of bad) assert.equal(check(token, { revocation: [data] }).revocation.outcome, "failed", data.name);
  assert.equal(check(token, { revocation: Array(9).fill(list) }).revocation.outcome, "failed");
  assert.equal(check(token, { revocation: [list, { name: "2.crl", bytes: bent }] }).revocation.outcome, "failed");
});

test("a certificate that is revoked for compromise fails, and one that was superseded later does not", () => {
  issue("again", "signer");
  const token = stamp("again");
  openssl("ca", "-config", "c.cnf", "-cert", "root.pem", "-keyfile", "root.key", "-revoke", "again.pem", "-crl_reason", "keyCompromise");
  assert.match(check(token, { revocation: [crl()] }).revocation.detail, /again was revoked/);
  assert.match(check(token, { revocation: [ocsp("again", "root")] }).revocation.detail, /again was revoked/);
  issue("later", "signer");
  const older = stamp("later");
  spawnSync("sleep", ["2"]);
  openssl("ca", "-config", "c.cnf", "-cert", "root.pem", "-keyfile", "root.key", "-revoke", "later.pem", "-crl_reason", "superseded");
  assert.equal(check(older, { revocation: [crl()], strict: true }).revocation.outcome, "passed");
});

test("authorities are related where they share a key or one issued the other", () => {
  openssl("req", "-x509", "-key", "root.key", "-out", "twin.pem", "-subj", "/CN=Twin", "-days", "30", "-config", "c.cnf", "-extensions", "root");
  openssl("req", "-x509", ...EC, "-nodes", "-keyout", "other.key", "-out", "other.pem", "-subj", "/CN=Other", "-days", "30", "-config", "c.cnf", "-extensions", "root");
  issue("below", "root");
  const of = (roots, intermediates = []) => readAuthority({ name: "x", organisation: "X", roots: roots.map(pem), intermediates: intermediates.map(pem) });
  assert.equal(related(of(["root"]), of(["other"])), false);
  assert.equal(related(of(["root"]), of(["twin"])), true);
  assert.equal(related(of(["root"]), of(["below"])), true);
  assert.equal(related(of(["other"], ["below"]), of(["root"])), true);
  assert.equal(related(of(["below"]), of(["other"], ["root"])), true);
  assert.equal(related(of(["other"], ["below"]), of(["below"])), false);
  assert.equal(related(of(["other"], ["below"]), of(["other"])), true);
});

test("a PEM text holds one certificate and nothing else", () => {
  assert.equal(certificateOfPem(`\n${pem("root")}\n`).title, "Root");
  for (const text of ["", pem("root") + pem("signer"), `x${pem("root")}`, pem("root.key".replace(".key", "")).replace("BEGIN CERT", "BEGIN X CERT")]) refused(() => certificateOfPem(text), /PEM|base64/);
  refused(() => certificateOfPem(pem("root").replace("\nMII", "\nMIJ")), /ASN.1|base64/);
});
