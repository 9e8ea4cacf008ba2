// Paths of certificates, made by the command `openssl`.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";

import { findPath } from "../../notary/api/static/verifier/path.js";
import { certificateOfPem } from "../../notary/api/static/verifier/pem.js";
import { refused } from "./refused.mjs";

const FOLDER = mkdtempSync(join(tmpdir(), "paths-"));
after(() => rmSync(FOLDER, { recursive: true }));
const NOW = (BigInt(Date.now()) + 3_600_000n) * 10n ** 6n; // an hour on, so that all that is made here is valid
const CA = "basicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign";
let count = 0;

function openssl(...args) {
  const run = spawnSync("openssl", args, { cwd: FOLDER, encoding: "utf8", timeout: 60_000 });
  assert.equal(run.status, 0, `openssl ${args.join(" ")}: ${run.stderr}`);
}

// A certificate for `subject` with the extensions, issued by `issuer` (null: by itself). Gives it with its name in the folder.
function make(subject, issuer, extensions = CA, { days = 30, key = null, digest = "sha256" } = {}) {
  const name = `c${count++}`;
  const own = key ?? name;
  writeFileSync(join(FOLDER, "x.cnf"), `[req]\ndistinguished_name = n\n[n]\n[x]\n${extensions}\n`);
  // Key and certificate by one process: starting one takes longer than what it does.
  const held = key === null ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", `${name}.key`] : ["-key", `${own}.key`];
  const by = issuer ? ["-CA", `${issuer.name}.pem`, "-CAkey", `${issuer.own}.key`] : [];
  openssl("req", "-x509", ...held, "-subj", subject, ...by, `-${digest}`, "-days", String(days), "-config", "x.cnf", "-extensions", "x", "-out", `${name}.pem`);
  return { name, own, certificate: certificateOfPem(readFileSync(join(FOLDER, `${name}.pem`), "utf8")) };
}

const ROOT = make("/CN=Root", null);
const titles = (path) => path.map(({ title }) => title);
const find = (signer, above, roots = [ROOT], moment = NOW) => findPath(signer.certificate, above.map(({ certificate }) => certificate), roots.map(({ certificate }) => certificate), moment);
const LEAF = "subjectAltName = DNS:tsa.example.org";

// A path of one intermediate with `middle` extensions and a signer with `leaf`.
function chain(middle, leaf = LEAF, subject = "/O=Acme/CN=Signer") {
  const above = make("/CN=Middle", ROOT, middle);
  return [make(subject, above, leaf), [above]];
}

test("a path leads over intermediates in any order, and not without them", () => {
  const one = make("/CN=One", ROOT);
  const two = make("/CN=Two", one);
  const signer = make("/CN=Signer", two, LEAF);
  assert.deepEqual(titles(find(signer, [one, two])), ["Signer", "Two", "One", "Root"]);
  assert.deepEqual(titles(find(signer, [two, one])), ["Signer", "Two", "One", "Root"]);
  refused(() => find(signer, [one]), /no path leads/);
  refused(() => find(signer, [one, two], [make("/CN=Root", null)]), /no path leads/);
  refused(() => find(signer, [one, two], [ROOT], NOW + 40n * 86400n * 10n ** 9n), /no path leads/);
});

test("the shortest path is found, of equally short ones the first, and one that is not valid is passed over", () => {
  const own = make("/CN=Middle", ROOT);
  const upper = make("/CN=Upper", ROOT);
  const long = make("/CN=Middle", upper, CA, { key: own.own });
  const again = make("/CN=Middle", ROOT, CA, { key: own.own });
  const useless = make("/CN=Middle", ROOT, "basicConstraints = critical,CA:FALSE", { key: own.own });
  const stranger = make("/CN=Middle", ROOT);
  const signer = make("/CN=Signer", own, LEAF);
  assert.deepEqual(titles(find(signer, [long, upper])), ["Signer", "Middle", "Upper", "Root"]);
  assert.equal(find(signer, [long, upper, own, again])[1], own.certificate);
  assert.equal(find(signer, [useless, stranger, again, own])[1], again.certificate);
});

test("at most six intermediates are gone over", () => {
  const above = [];
  for (let n = 0, issuer = ROOT; n < 7; n++, issuer = above[above.length - 1]) above.push(make(`/CN=C${n}`, issuer));
  assert.equal(find(make("/CN=Six", above[5], LEAF), above).length, 8);
  refused(() => find(make("/CN=Seven", above[6], LEAF), above), /no path leads/);
});

const BAD = {
  "an intermediate that is no CA": ["basicConstraints = critical,CA:FALSE", LEAF, /is no CA/],
  "an intermediate that says nothing of it": ["subjectKeyIdentifier = hash", LEAF, /is no CA/],
  "an intermediate that may not sign certificates": ["basicConstraints = critical,CA:TRUE\nkeyUsage = cRLSign", LEAF, /may not sign certificates/],
  "an intermediate for web servers, critical": [`${CA}\nextendedKeyUsage = critical,serverAuth`, LEAF, /is a CA for other purposes/],
  "an intermediate for signing code and OCSP": [`${CA}\nextendedKeyUsage = codeSigning,OCSPSigning`, LEAF, /is a CA for other purposes/],
  "an unknown critical extension": [`${CA}\n1.3.6.1.4.1.99999.1 = critical,DER:0500`, LEAF, /unknown critical extensions: 1.3.6.1.4.1.99999.1/],
  "a name that is excluded": [`${CA}\nnameConstraints = excluded;DNS:example.org`, LEAF, /excludes/],
  "a name that is not permitted": [`${CA}\nnameConstraints = critical,permitted;DNS:example.com`, LEAF, /does not permit/],
  "a subject that is not permitted": [`${CA}\nnameConstraints = permitted;dirName:d\n[d]\nO = Other`, LEAF, /does not permit/],
  "a subject that is excluded, in other letters": [`${CA}\nnameConstraints = excluded;dirName:d\n[d]\nO = ACME`, LEAF, /excludes/],
  "an address that is excluded": [`${CA}\nnameConstraints = excluded;IP:10.0.0.0/255.0.0.0`, "subjectAltName = IP:10.2.3.4", /excludes/],
  "a mailbox that is not permitted": [`${CA}\nnameConstraints = permitted;email:example.org`, "subjectAltName = email:a@other.org", /does not permit/],
  "a URI that is not permitted": [`${CA}\nnameConstraints = permitted;URI:.example.org`, "subjectAltName = URI:http://example.com/x", /does not permit/],
  "a URI without a host": [`${CA}\nnameConstraints = permitted;URI:.example.org`, "subjectAltName = URI:urn:x", /without a host/],
  "a kind of name that is not understood": [`${CA}\nnameConstraints = excluded;RID:1.2.3`, "subjectAltName = RID:1.2.3", /not understood/],
  "a policy that is needed and missing": [`${CA}\ncertificatePolicies = 1.2.3\npolicyConstraints = requireExplicitPolicy:0`, LEAF, /no certificate policy/],
  "a policy that is another": [`${CA}\ncertificatePolicies = 1.2.3\npolicyConstraints = requireExplicitPolicy:0`, `${LEAF}\ncertificatePolicies = 1.2.4`, /no certificate policy/],
  "any policy where it is inhibited": [`${CA}\ncertificatePolicies = 1.2.3\npolicyConstraints = requireExplicitPolicy:0\ninhibitAnyPolicy = 0`, `${LEAF}\ncertificatePolicies = anyPolicy`, /no certificate policy/],
};

for (const [name, [middle, leaf, words]] of Object.entries(BAD)) {
  test(`${name}: no path`, () => {
    const [signer, above] = chain(middle, leaf);
    refused(() => find(signer, above), words);
  });
}

const GOOD = {
  "names that are permitted": [`${CA}\nnameConstraints = critical,permitted;DNS:example.org,permitted;dirName:d\n[d]\nO = acme`, LEAF],
  "constraints on other kinds of names": [`${CA}\nnameConstraints = critical,permitted;email:example.com,excluded;IP:10.0.0.0/255.0.0.0`, LEAF],
  "an address beside the excluded ones": [`${CA}\nnameConstraints = excluded;IP:10.0.0.0/255.0.0.0`, "subjectAltName = IP:11.2.3.4"],
  "a host of the permitted domain": [`${CA}\nnameConstraints = permitted;URI:.example.org,permitted;email:.example.org`, "subjectAltName = URI:http://a.example.org:80/x,email:a@b.example.org"],
  "the policy that is needed": [`${CA}\ncertificatePolicies = 1.2.3\npolicyConstraints = requireExplicitPolicy:0`, `${LEAF}\ncertificatePolicies = 1.2.3`],
  "any policy above": [`${CA}\ncertificatePolicies = anyPolicy\npolicyConstraints = requireExplicitPolicy:0`, `${LEAF}\ncertificatePolicies = 1.2.9`],
  "a policy that is mapped": [`${CA}\ncertificatePolicies = 1.2.3\npolicyMappings = 1.2.3:1.2.7\npolicyConstraints = requireExplicitPolicy:0`, `${LEAF}\ncertificatePolicies = 1.2.7`],
  "an unknown extension that is not critical": [`${CA}\n1.3.6.1.4.1.99999.1 = DER:0500`, LEAF],
  "an intermediate for time-stamping among others": [`${CA}\nextendedKeyUsage = critical,serverAuth,timeStamping`, LEAF],
  "an intermediate for any purpose": [`${CA}\nextendedKeyUsage = anyExtendedKeyUsage`, LEAF],
};

for (const [name, [middle, leaf]] of Object.entries(GOOD)) {
  test(`${name}: a path`, () => {
    const [signer, above] = chain(middle, leaf);
    assert.equal(find(signer, above).length, 3);
  });
}

test("a CA bounds how many may follow, and those that issued for themselves are not counted", () => {
  const none = make("/CN=None", ROOT, "basicConstraints = critical,CA:TRUE,pathlen:0\nkeyUsage = keyCertSign");
  const below = make("/CN=Below", none);
  refused(() => find(make("/CN=Signer", below, LEAF), [none, below]), /longer than a CA allows/);
  assert.equal(find(make("/CN=Signer", none, LEAF), [none]).length, 3);
  const rolled = make("/CN=None", none);
  assert.equal(find(make("/CN=Signer", rolled, LEAF), [none, rolled]).length, 4);
});

test("a signature by an algorithm that is not allowed leads nowhere", () => {
  const middle = make("/CN=Middle", ROOT, CA, { digest: "sha1" });
  refused(() => find(make("/CN=Signer", middle, LEAF), [middle]), /no path leads/);
});

test("of a pinned root only name, key and validity count, and it may be the signer itself", () => {
  const odd = make("/CN=Odd", null, "basicConstraints = critical,CA:FALSE\n1.3.6.1.4.1.99999.1 = critical,DER:0500");
  assert.equal(find(make("/CN=Signer", odd, LEAF), [], [odd]).length, 2);
  const alone = make("/CN=Alone", null, LEAF);
  assert.equal(find(alone, [], [alone]).length, 2);
  const middle = make("/CN=Middle", ROOT);
  assert.deepEqual(titles(find(make("/CN=Signer", middle, LEAF), [middle], [middle])), ["Signer", "Middle"]);
});

test("authorities that issued each other many times end in bounded time", () => {
  const keys = Array.from({ length: 4 }, (_, n) => make(`/CN=M${n}`, ROOT));
  const crossed = keys.flatMap((subject) => keys.flatMap((issuer) => (subject === issuer ? [] : [make(subject.certificate.title.replace(/^/, "/CN="), issuer, CA, { key: subject.own }), make(subject.certificate.title.replace(/^/, "/CN="), issuer, CA, { key: subject.own })])));
  const begin = performance.now();
  refused(() => find(make("/CN=Signer", keys[0], LEAF), crossed, [make("/CN=Nowhere", null)]), /no path leads/);
  assert.ok(performance.now() - begin < 5000);
});
