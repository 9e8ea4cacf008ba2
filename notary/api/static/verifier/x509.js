// Certificates (RFC 5280 §4): read, in DER; whether one signed another.

import { FormatError, equal, hex } from "./bytes.js";
import { TAG, parseDer } from "./der.js";
import { readName, showName } from "./names.js";
import { sha256 } from "./sha256.js";
import { readAlgorithm, readScheme, verifySignature } from "./signature.js";
import { readTime } from "./time.js";

const V3 = 2n;

// Object identifier → critical, and the value's bytes. One that stands twice is refused (§4.2).
export function readExtensions(node, der = true) {
  const found = new Map();
  for (const extension of node.sequence()) {
    const parts = extension.sequence();
    const oid = parts[0]?.oid();
    const critical = parts.length === 3 ? parts[1].boolean() : false;
    if (parts.length === 3 && !critical && der) throw new FormatError("a default value that is stated, which is not DER");
    if (parts.length < 2 || parts.length > 3 || found.has(oid)) throw new FormatError("not extensions, or one stands twice");
    found.set(oid, { critical, value: parts[parts.length - 1].octets() });
  }
  return found;
}

class Certificate {
  // Whether the certificate's key made this signature; throws where key or scheme are not allowed.
  signed(scheme, message, signature) {
    return verifySignature(this.spki, scheme, message, signature);
  }

  // Whether `issuer` signed this by an allowed algorithm; the names are not compared.
  isSignedBy(issuer) {
    try {
      return issuer.signed(readScheme(this.algorithm), this.tbs, this.signature);
    } catch {
      return false;
    }
  }

  isValidAt(moment) {
    return this.notBefore <= moment && moment <= this.notAfter;
  }

  isIssuedBy(issuer) {
    return this.issuer.key === issuer.subject.key && this.isSignedBy(issuer);
  }

  get title() {
    return showName(this.subject);
  }

  criticals() {
    return [...this.extensions].filter(([, { critical }]) => critical).map(([oid]) => oid);
  }
}

function readBody(certificate, fields) {
  const stated = fields[0]?.is(0, 2) ? fields.shift().explicit().integer() : null;
  if (stated === 0n) throw new FormatError("a default value that is stated, which is not DER");
  const version = stated ?? 0n;
  const [serial, algorithm, issuer, validity, subject, spki, ...rest] = fields;
  if (spki === undefined || version > V3 || version < 0n) throw new FormatError("not a certificate");
  const [notBefore, notAfter, ...more] = validity.sequence();
  if (notAfter === undefined || more.length > 0) throw new FormatError("not a validity");
  Object.assign(certificate, { version, serial: serial.integer(), serialBytes: serial.content, algorithmBytes: algorithm.raw, issuer: readName(issuer), subject: readName(subject) });
  Object.assign(certificate, { notBefore: readTime(notBefore), notAfter: readTime(notAfter), issuerBytes: issuer.raw, extensions: new Map() });
  const [kind, key, ...extra] = spki.sequence();
  if (key === undefined || extra.length > 0) throw new FormatError("not a public key");
  readAlgorithm(kind);
  certificate.spki = spki.raw;
  certificate.keyName = hex(sha256(spki.raw)); // the same for all certificates of one key
  certificate.keyBits = key.wholeBits();
  let last = 0;
  for (const field of rest) {
    if (field.group !== 2 || field.tag <= last || field.tag > 3) throw new FormatError("not a field of a certificate");
    last = field.tag;
    if (last < 3) field.as(TAG.bits).bits();
    if (last === 3) certificate.extensions = readExtensions(field.explicit());
  }
  if (last > 0 && (version === 0n || (last === 3 && version !== V3))) throw new FormatError("a field of a later version of certificates");
}

function readCertificate(node) {
  const [tbs, algorithm, signature, ...more] = node.sequence();
  if (signature === undefined || more.length > 0) throw new FormatError("not a certificate");
  if (!node.der) throw new FormatError("a certificate that is not in DER");
  const certificate = new Certificate();
  Object.assign(certificate, { der: node.raw, tbs: tbs.raw, algorithm: readAlgorithm(algorithm), signature: signature.wholeBits() });
  readBody(certificate, [...tbs.sequence()]);
  if (!equal(certificate.algorithmBytes, algorithm.raw)) throw new FormatError("a certificate names two signature algorithms");
  return certificate;
}

// Certificates that many packages share are read once (see signature.js on what may be kept).
const MAX_KEPT = 512;
const kept = new Map();

// The certificate in the node, which was read from DER or from the BER of a token.
export function certificateOf(node) {
  const name = hex(sha256(node.raw));
  let certificate = kept.get(name);
  if (certificate === undefined) {
    certificate = readCertificate(parseDer(node.raw.slice()));
    certificate.fingerprint = name;
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value);
    kept.set(name, certificate);
  }
  return certificate;
}

export const parseCertificate = (der) => certificateOf(parseDer(der));
