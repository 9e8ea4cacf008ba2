// Whether the certificates of a token were revoked: check 15 of docs/formats.md §9, which is check 5.2.

import { readCrl } from "./crl.js";
import { readOcsp } from "./ocsp.js";

// Reasons that say nothing against what was signed before (RFC 3161 §4): unspecified, affiliationChanged, superseded, cessationOfOperation.
const MILD = new Set([0, 3, 4, 5]);
const MAX_FILES = 8;
const MAX_LIST = 1048576;
const MAX_RESPONSE = 16384;

// A statement of a file about a certificate: { thisUpdate, revoked, partial }, where `revoked` is null or { at, reason (null: none stated) },
// and a `partial` one can condemn and shows nothing good.
function condemns({ revoked }, genTime) {
  return revoked !== null && (revoked.reason === null || !MILD.has(revoked.reason) || revoked.at <= genTime);
}

const covers = ({ thisUpdate, revoked, partial }, certificate, genTime) => !partial && thisUpdate >= genTime && (thisUpdate <= certificate.notAfter || revoked !== null);

function statements({ name, bytes }, links) {
  const isList = name.endsWith(".crl");
  if (bytes.length > (isList ? MAX_LIST : MAX_RESPONSE)) throw new Error("too long");
  return isList ? readCrl(bytes, links) : readOcsp(bytes, links);
}

// Args: path, from the signer to the root; files, list of { name, bytes }. Returns { outcome, detail }.
export function judgeRevocation(path, genTime, files, strict) {
  const links = path.slice(0, -1).map((certificate, at) => ({ certificate, issuer: path[at + 1] }));
  const said = links.map(() => []);
  if (files.length > MAX_FILES) return { outcome: "failed", detail: "too many files of revocation data" };
  for (const file of files) {
    try {
      statements(file, links).forEach((list, at) => said[at].push(...list));
    } catch (error) {
      return { outcome: "failed", detail: `${file.name} is forged or damaged: ${error.message}` };
    }
  }
  const revoked = links.findIndex((_, at) => said[at].some((each) => condemns(each, genTime)));
  if (revoked >= 0) return { outcome: "failed", detail: `the certificate of ${links[revoked].certificate.title} was revoked` };
  const open = links.filter(({ certificate }, at) => !said[at].some((each) => covers(each, certificate, genTime)));
  if (open.length === 0) return { outcome: "passed", detail: "none of the certificates was revoked" };
  const names = open.map(({ certificate }) => certificate.title).join("; ");
  return { outcome: strict ? "failed" : "could_not_be_checked", detail: `no revocation data from genTime or later covers ${names}` };
}
