// The names that a package may hold (docs/formats.md §11.1). Any other is refused.

import { FormatError } from "./bytes.js";

export const DOCUMENT = "data/document/";
const FIXED = new Set([
  ...["mimetype", "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"],
  ...["data/statement.json", "data/openings.json", "data/report.pdf", "receipt.txt", "consistency.json"],
  ...["inspection", "incident"].flatMap((folder) => ["statement.json", "inclusion.tlog-proof", "openings.json"].map((name) => `${folder}/${name}`)),
  ...["tools/check.sh", "tools/check.ps1", "tools/verify.html", "README.zh.txt", "README.en.txt"],
]);
const NAME = "[a-z0-9][a-z0-9._-]{0,63}";
const HEAD = new RegExp(`^heads/([1-9][0-9]{0,18})/(?:checkpoint|inclusion\\.tlog-proof|anchor\\.json|header\\.rlp|tokens/${NAME}\\.tsr|ots/${NAME}\\.ots|revocation/${NAME}/[1-8]\\.(?:crl|ocsp))$`);
const PREVIOUS = /^previous\/([1-9][0-9]?)\/(?:statement\.json|inclusion\.tlog-proof|openings\.json)$/;
const MAX_PREVIOUS = 64;
const PLACES = /^META-INF\/(?:evidencerecord([0-9]{3})\.ers|(?:ASiCEvidenceRecordManifest|ASiCManifest)([0-9]{3})\.xml|signature([0-9]{3})\.p7s)$/;
const MAX_PLACES = 64;
export const CONTROL = new RegExp(`^controls/${NAME}$`);
const BLANK_END = /[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$/;
const FORBIDDEN = /[/\\:*?"<>|%\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

export function checkName(name) {
  if (FIXED.has(name) || HEAD.test(name) || CONTROL.test(name)) return;
  if (isNumbered(PREVIOUS, name, MAX_PREVIOUS) || isNumbered(PLACES, name, MAX_PLACES)) return;
  if (!name.startsWith(DOCUMENT)) throw new FormatError(`a package has no file ${JSON.stringify(name)}`);
  const file = name.slice(DOCUMENT.length);
  const length = [...file].length;
  if (length < 1 || length > 120 || file === "." || file === ".." || FORBIDDEN.test(file) || BLANK_END.test(file)) throw new FormatError("not a name of a document");
}

function isNumbered(pattern, name, most) {
  const number = Number(pattern.exec(name)?.slice(1).find((digits) => digits !== undefined) ?? 0);
  return number >= 1 && number <= most;
}

// What of these says something to people though no check reads it: a report, and what somebody else signed.
export function unread(names) {
  const there = ["data/report.pdf", "META-INF/"].filter((place) => names.some((name) => name.startsWith(place)));
  return there.length > 0 ? `; no check reads ${there.join(" and ")}: nothing here vouches for what is in it` : "";
}

// The sizes of the heads in `names`, ascending.
export function headSizes(names) {
  const sizes = new Set(names.map((name) => HEAD.exec(name)?.[1]).filter(Boolean));
  return [...sizes].map(BigInt).sort((one, other) => (one < other ? -1 : 1));
}
