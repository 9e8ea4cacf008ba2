// CMS SignedData with one signer (RFC 5652 §5), and the attributes that name its certificate (RFC 2634 §5.4, RFC 5035).

import { FormatError, equal } from "./bytes.js";
import { TAG, encodeDer, isOrdered } from "./der.js";
import { readPolicy, subjectKeyIdentifier, tagged } from "./extensions.js";
import { readGeneralName, readName } from "./names.js";
import { readAlgorithm } from "./signature.js";

const MAX_DEPTH = 16;

export const CMS = {
  signedData: "1.2.840.113549.1.7.2",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingCertificate: "1.2.840.113549.1.9.16.2.12",
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
};

function readSigner(node) {
  const [version, sid, digest, ...rest] = node.sequence();
  const attributes = rest[0]?.is(0, 2) ? rest.shift() : null;
  const [algorithm, signature, unsigned, ...more] = rest;
  if (signature === undefined || more.length > 0 || (unsigned && !unsigned.is(1, 2))) throw new FormatError("not a SignerInfo");
  readAttributes(unsigned ?? null);
  version.integer();
  return { sid: readSid(sid), digest: readAlgorithm(digest), attributes, algorithm: readAlgorithm(algorithm), signature: signature.octets() };
}

function readSid(node) {
  if (node.is(0, 2)) return { keyIdentifier: node.as(TAG.octets).octets() };
  return readIssuerAndSerial(node, readName);
}

function readIssuerAndSerial(node, read) {
  const [issuer, serial, ...more] = node.sequence();
  if (serial === undefined || more.length > 0) throw new FormatError("not an issuer and serial number");
  return { issuer: read(issuer), serial: serial.integer() };
}

// SignedData of a ContentInfo. `content` is null where there is none; certificates and signers are nodes not yet read further.
export function readSignedData(info) {
  const [type, wrapped, ...extra] = info.sequence();
  if (type.oid() !== CMS.signedData || wrapped === undefined || extra.length > 0) throw new FormatError("the token is not CMS SignedData");
  if (!wrapped.is(0, 2)) throw new FormatError("the token is not CMS SignedData");
  const fields = [...wrapped.explicit().sequence()];
  const [version, digests, capsule] = fields.splice(0, 3);
  const signers = fields.pop();
  const [certificates, lists] = tagged(fields, 1);
  digests.set().forEach(readAlgorithm);
  lists?.as(TAG.set).set();
  const [contentType, content, ...more] = capsule.sequence();
  if (more.length > 0 || (content && !content.is(0, 2))) throw new FormatError("not a content of CMS");
  return {
    version: version.integer(),
    contentType: contentType.oid(),
    content: content ? content.explicit().pieces() : null,
    certificates: certificates ? certificates.as(TAG.set).set() : [],
    signers: signers.set().map(readSigner),
  };
}

// Object identifier → list of the values of each attribute of that type.
export function readAttributes(node) {
  const found = new Map();
  for (const attribute of node === null ? [] : node.as(TAG.set).set()) {
    const [type, values, ...more] = attribute.sequence();
    if (values === undefined || more.length > 0) throw new FormatError("not an attribute");
    const oid = type.oid();
    found.set(oid, [...(found.get(oid) ?? []), values.set()]);
  }
  return found;
}

// The one value of the one attribute of this type; null where there is no attribute.
export function onlyValue(attributes, oid, name) {
  const found = attributes.get(oid);
  if (found === undefined) return null;
  if (found.length !== 1 || found[0].length !== 1) throw new FormatError(`attribute ${name} is not there exactly once`);
  return found[0][0];
}

// What is signed: the attributes as a SET (§5.4).
export const signedBytes = (node) => encodeDer(0x31, node.content);

// Throws unless a value is DER in all that can be seen without its schema; its own tag and length are encoded anew for the signature.
export function checkDer(node, depth = 0) {
  if (depth > MAX_DEPTH) throw new FormatError("the signed attributes are nested too deeply");
  if (depth > 0 && !node.der) throw new FormatError("a length in the signed attributes is not DER");
  if (node.is(TAG.boolean)) node.boolean();
  if (node.is(TAG.integer)) node.integer();
  if (node.is(TAG.enumerated)) node.enumerated();
  if (node.is(TAG.bits)) node.bits();
  if (node.is(TAG.oid)) node.oid();
  if (node.is(TAG.null)) node.null();
  const children = node.children ?? [];
  if (node.is(TAG.set) && !isOrdered(children)) throw new FormatError("a SET is not in order");
  children.forEach((child) => checkDer(child, depth + 1));
}

// The first certificate that SigningCertificate or SigningCertificateV2 names: hash identifier (null: the default), digest, issuer and serial or null.
export function readSigningCertificate(node, version) {
  const [list, ...policies] = node.sequence();
  if (list === undefined || policies.length > 1) throw new FormatError("not a signing certificate");
  policies[0]?.sequence().forEach(readPolicy);
  const [first] = list.sequence().map((node) => readCertificateIdentifier(node, version));
  if (first === undefined) throw new FormatError("a signing certificate that names none");
  return first;
}

function readCertificateIdentifier(node, version) {
  const fields = [...node.sequence()];
  const hash = version === 2 && fields[0]?.is(TAG.sequence) ? readAlgorithm(fields.shift()).oid : null;
  const [digest, named, ...more] = fields;
  if (digest === undefined || more.length > 0) throw new FormatError("not a certificate identifier");
  const issuerSerial = named ? readIssuerAndSerial(named, (names) => names.sequence().map((each) => readGeneralName(each))) : null;
  return { hash, digest: digest.octets(), issuerSerial };
}

export function namesCertificate({ issuer, serial }, certificate) {
  const isIssuer = ({ kind, name }) => kind === "directory" && name.key === certificate.issuer.key;
  return issuer.length === 1 && issuer.every(isIssuer) && serial === certificate.serial;
}

export function sidNames(sid, certificate) {
  if (!sid.keyIdentifier) return sid.issuer.key === certificate.issuer.key && sid.serial === certificate.serial;
  const own = subjectKeyIdentifier(certificate);
  return own !== null && equal(own, sid.keyIdentifier);
}
