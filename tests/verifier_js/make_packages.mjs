// Writes packages, good, bad and hostile, and their trust file into the working folder: for the tests of verify.html.

import { writeFileSync } from "node:fs";

import * as world from "./world.mjs";

const { files } = world.good();
const path = "heads/7/inclusion.tlog-proof";
const wrong = files[path].replace(/(index 2\n)[^\n]*/, `$1${"A".repeat(43)}=`);
const controls = [
  { name: "sibling", file: "controls/sibling", replaces: path, check: "3.2" },
  { name: "document", file: "controls/document", replaces: "data/document/合同.pdf", check: "2.3" },
  { name: "nothing", file: "controls/nothing", replaces: path, check: "3.2" }, // the member itself
];
const more = {
  "controls/expected.json": world.canonical({ version: 1, controls }),
  "controls/sibling": wrong,
  "controls/document": "other",
  "controls/nothing": files[path],
};
writeFileSync("controls.zip", world.packageOf({ ...files, ...more }));
writeFileSync("broken.zip", world.packageOf({ ...files, "controls/expected.json": "{}" }));
writeFileSync("bad.zip", world.packageOf({ ...files, [path]: wrong }));

const { commitments, open } = world.commit({ holder: "<img src=x onerror=document.title='hurt'>", title: "gpj.\u202efdp" });
const statement = world.canonical(world.statementOf("event", { commitments }));
const entries = [world.entryOf("g"), world.entryOf(statement)];
const hostile = {
  "data/statement.json": statement,
  "data/openings.json": open("holder", "title"),
  "heads/2/inclusion.tlog-proof": world.proofOf(entries, 1),
};
writeFileSync("hostile.zip", world.packageOf(hostile));
writeFileSync("trust.toml", world.trustOf());
