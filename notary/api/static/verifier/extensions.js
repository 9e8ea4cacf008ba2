// What extensions of certificates say (RFC 5280 §4.2). Each is read when it is asked for; null where it is absent.

import { FormatError } from "./bytes.js";
import { parseDer } from "./der.js";
import { MASKED_ADDRESS, readGeneralName } from "./names.js";

export const OID = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  authorityKeyIdentifier: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  extKeyUsage: "2.5.29.37",
  freshestCrl: "2.5.29.46",
  inhibitAnyPolicy: "2.5.29.54",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
  qcStatements: "1.3.6.1.5.5.7.1.3",
  ocspNoCheck: "1.3.6.1.5.5.7.48.1.5",
};

export const KEY_USAGE = { digitalSignature: 0, nonRepudiation: 1, keyCertSign: 5, crlSign: 6 };

// Fields with implicit context tags, ascending, each at most once.
export function tagged(nodes, highest) {
  const found = [];
  let last = -1;
  for (const node of nodes) {
    if (node.group !== 2 || node.tag <= last || node.tag > highest) throw new FormatError("not the fields of an extension");
    last = node.tag;
    found[last] = node;
  }
  return found;
}

const reader = (oid, read) => (certificate) => {
  const extension = certificate.extensions.get(oid);
  return extension ? read(parseDer(extension.value)) : null;
};

const nonEmpty = (nodes) => {
  if (nodes.length === 0) throw new FormatError("an empty list in an extension");
  return nodes;
};

const small = (node) => {
  const value = node.integer();
  if (value < 0n || value > 1_000_000n) throw new FormatError("not a number of certificates");
  return Number(value);
};

export const keyUsage = reader(OID.keyUsage, (node) => node.flags());
export const extKeyUsage = reader(OID.extKeyUsage, (node) => nonEmpty(node.sequence()).map((each) => each.oid()));
export const subjectAltName = reader(OID.subjectAltName, (node) => nonEmpty(node.sequence()).map((each) => readGeneralName(each)));
export const subjectKeyIdentifier = reader(OID.subjectKeyIdentifier, (node) => node.octets());

// The key identifier in an authority key identifier, or null.
export function readAuthorityKey(node) {
  const [key, issuer, serial] = tagged(node.sequence(), 2);
  issuer?.as(16).sequence().map((each) => readGeneralName(each));
  serial?.as(2).integer();
  return key?.as(4).octets() ?? null;
}

export const basicConstraints = reader(OID.basicConstraints, (node) => {
  const fields = [...node.sequence()];
  const stated = fields[0]?.is(1) ?? false;
  const ca = stated ? fields.shift().boolean() : false;
  if (stated && !ca) throw new FormatError("a default value that is stated, which is not DER");
  const pathLength = fields.length > 0 ? small(fields.shift()) : null;
  if (fields.length > 0) throw new FormatError("not basic constraints");
  return { ca, pathLength };
});

// A PolicyInformation: its object identifier.
export function readPolicy(node) {
  const [policy, qualifiers, ...more] = node.sequence();
  if (policy === undefined || more.length > 0) throw new FormatError("not a policy");
  qualifiers?.sequence();
  return policy.oid();
}

export const certificatePolicies = reader(OID.certificatePolicies, (node) => {
  const found = nonEmpty(node.sequence()).map(readPolicy);
  if (new Set(found).size !== found.length) throw new FormatError("a policy stands twice");
  return found;
});

export const policyMappings = reader(OID.policyMappings, (node) =>
  nonEmpty(node.sequence()).map((each) => {
    const [issuer, subject, ...more] = each.sequence();
    if (subject === undefined || more.length > 0) throw new FormatError("not a policy mapping");
    return { issuer: issuer.oid(), subject: subject.oid() };
  }),
);

export const policyConstraints = reader(OID.policyConstraints, (node) => {
  const [explicit, mapping] = tagged(node.sequence(), 1);
  return { explicit: explicit ? small(explicit.as(2)) : null, mapping: mapping ? small(mapping.as(2)) : null };
});

export const inhibitAnyPolicy = reader(OID.inhibitAnyPolicy, small);

// Permitted and excluded subtrees; a base with bounds on its depth is refused (§4.2.1.10).
export const nameConstraints = reader(OID.nameConstraints, (node) => {
  const subtrees = (field) =>
    (field?.as(16).sequence() ?? []).map((subtree) => {
      const [base, ...bounds] = subtree.sequence();
      if (base === undefined || bounds.length > 0) throw new FormatError("a name constraint with bounds");
      return readGeneralName(base, MASKED_ADDRESS);
    });
  const [permitted, excluded] = tagged(node.sequence(), 1);
  return { permitted: subtrees(permitted), excluded: subtrees(excluded) };
});

// Of each point: names of where it is, whether it covers some reasons alone, and the names of another issuer that signs it, or null.
export const crlDistributionPoints = reader(OID.crlDistributionPoints, (node) =>
  nonEmpty(node.sequence()).map((point) => {
    const [where, reasons, issuer] = tagged(point.sequence(), 2);
    reasons?.as(3).bits();
    return { ...readPointName(where), someReasons: reasons !== undefined, otherIssuer: issuer?.as(16).sequence().map((each) => readGeneralName(each)) ?? null };
  }),
);

// A DistributionPointName: the full names, or null; and whether it is a name relative to the issuer's.
export function readPointName(node) {
  if (node === undefined) return { fullName: null, relative: false };
  const name = node.explicit();
  if (name.group !== 2 || name.tag > 1) throw new FormatError("not the name of a distribution point");
  if (name.tag === 1) name.as(17).set();
  return name.tag === 0 ? { fullName: nonEmpty(name.as(16).sequence()).map((each) => readGeneralName(each)), relative: false } : { fullName: null, relative: true };
}

const authorityInfoAccess = reader(OID.authorityInfoAccess, (node) =>
  nonEmpty(node.sequence()).forEach((each) => {
    const [method, place, ...more] = each.sequence();
    if (place === undefined || more.length > 0) throw new FormatError("not an access to information");
    method.oid();
    readGeneralName(place);
  }),
);

const KNOWN = [
  ...[keyUsage, extKeyUsage, subjectAltName, subjectKeyIdentifier, basicConstraints, certificatePolicies, policyMappings, policyConstraints],
  ...[inhibitAnyPolicy, nameConstraints, crlDistributionPoints, authorityInfoAccess, reader(OID.authorityKeyIdentifier, readAuthorityKey)],
];

// Throws where one of the extensions read here is not of its form.
export const checkExtensions = (certificate) => KNOWN.forEach((read) => read(certificate));
