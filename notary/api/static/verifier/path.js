// Paths from a certificate to a pinned root, each valid at a moment (RFC 5280 §6.1; docs/formats.md §9, check 14).

import { FormatError } from "./bytes.js";
import { KEY_USAGE, OID, basicConstraints, checkExtensions, extKeyUsage, keyUsage } from "./extensions.js";
import { Namespace } from "./namespace.js";
import { Policies } from "./policy.js";
import { Tries } from "./tries.js";

const MAX_INTERMEDIATES = 6;
const MAX_PATHS = 128; // certificates of one name and key that issued each other lead to very many

// Critical extensions of an intermediate that may stand: those judged here, and those that restrict no path.
const UNDERSTOOD = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.nameConstraints,
  OID.certificatePolicies,
  OID.policyMappings,
  OID.policyConstraints,
  OID.inhibitAnyPolicy,
  OID.subjectAltName,
  OID.extKeyUsage,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
  OID.crlDistributionPoints,
  OID.freshestCrl,
  OID.authorityInfoAccess,
  OID.qcStatements,
  OID.ocspNoCheck,
]);

// id-kp-timeStamping and anyExtendedKeyUsage: a CA that states purposes must have one of them, or it was trusted with others alone.
const STAMPING = ["1.3.6.1.5.5.7.3.8", "2.5.29.37.0"];

const isSelfIssued = (certificate) => certificate.issuer.key === certificate.subject.key;

function checkIntermediate(certificate) {
  if (!basicConstraints(certificate)?.ca) throw new FormatError(`${certificate.title} is no CA`);
  if (keyUsage(certificate)?.has(KEY_USAGE.keyCertSign) === false) throw new FormatError(`${certificate.title} may not sign certificates`);
  if (extKeyUsage(certificate)?.some((oid) => STAMPING.includes(oid)) === false) throw new FormatError(`${certificate.title} is a CA for other purposes`);
  const unknown = certificate.criticals().filter((oid) => !UNDERSTOOD.has(oid));
  if (unknown.length > 0) throw new FormatError(`${certificate.title} has unknown critical extensions: ${unknown.join(", ")}`);
}

// §6.1.3 to §6.1.5 of a path whose names and signatures fit: the signer first, the root last. Of the root only name, key and validity count.
export function validatePath(path, moment) {
  const late = path.find((certificate) => !certificate.isValidAt(moment));
  if (late) throw new FormatError(`${late.title} is not valid at that time`);
  const below = path.slice(0, -1).reverse();
  const names = new Namespace();
  const policies = new Policies(below.length);
  let left = below.length; // intermediates that may follow
  below.forEach(checkExtensions);
  below.forEach((certificate, at) => {
    const last = at === below.length - 1;
    const selfIssued = isSelfIssued(certificate);
    if (last || !selfIssued) names.check(certificate);
    policies.enter(certificate, selfIssued, last);
    if (last) return policies.end(certificate);
    checkIntermediate(certificate);
    policies.descend(certificate, selfIssued);
    names.narrow(certificate);
    if (!selfIssued && left-- <= 0) throw new FormatError("the path is longer than a CA allows");
    left = Math.min(left, basicConstraints(certificate).pathLength ?? Infinity);
  });
}

// Who issued a certificate, of those at hand; looked for once.
function issuersAmong(certificates, tries) {
  const known = new Map();
  return (certificate) => {
    if (!known.has(certificate)) known.set(certificate, certificates.filter((issuer) => tries.issued(issuer, certificate)));
    return known.get(certificate);
  };
}

// The shortest valid path, the first of equally long ones in the order of `intermediates`. Throws where there is none, or
// where more signatures would have to be tried than `tries` has left.
export function findPath(signer, intermediates, roots, moment, tries = new Tries()) {
  const above = issuersAmong(intermediates.filter((certificate) => certificate.isValidAt(moment)), tries);
  const anchors = issuersAmong(roots, tries);
  let reason = new FormatError("no path leads from the certificate to a pinned root");
  const queue = [[signer]];
  for (let at = 0; at < queue.length; at++) {
    const path = queue[at];
    const last = path[path.length - 1];
    for (const root of anchors(last)) {
      try {
        validatePath([...path, root], moment);
        return [...path, root];
      } catch (error) {
        reason = error;
      }
    }
    if (path.length > MAX_INTERMEDIATES) continue;
    for (const issuer of above(last)) if (!path.includes(issuer) && queue.length < MAX_PATHS) queue.push([...path, issuer]);
  }
  throw reason;
}
