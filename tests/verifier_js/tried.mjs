// What this verifier says of the controls of a package: node tried.mjs PACKAGE TRUST prints {error, controls: [[name, status]]}.

import { readFileSync } from "node:fs";

import { tryControls } from "../../notary/api/static/verifier/controls.js";
import { gather, judge } from "../../notary/api/static/verifier/verify.js";

const [file, trust] = process.argv.slice(2).map((path) => new Uint8Array(readFileSync(path)));
const gathered = await gather({ package: file, trust });
const found = await tryControls(gathered, judge(gathered).result);
process.stdout.write(JSON.stringify({ error: found.error !== null, controls: found.controls.map(({ name, status }) => [name, status]) }));
