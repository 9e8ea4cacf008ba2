// OCSP responses (RFC 6960 §4.2), and of which certificates one speaks.

import { FormatError, equal } from "./bytes.js";
import { readRevoked } from "./crl.js";
import { TAG, parseDer } from "./der.js";
import { KEY_USAGE, OID, extKeyUsage, keyUsage } from "./extensions.js";
import { HASHES } from "./hashes.js";
import { readName } from "./names.js";
import { sha1 } from "./sha1.js";
import { readAlgorithm, readScheme } from "./signature.js";
import { readWhole } from "./time.js";
import { certificateOf, readExtensions } from "./x509.js";

const BASIC = "1.3.6.1.5.5.7.48.1.1";
const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const SHA1 = "1.3.14.3.2.26";
const STATUSES = [0n, 1n, 2n, 3n, 5n, 6n]; // successful, and why not
const MAX_CERTIFICATES = 32;
const MAX_VALUES = 512; // in an answer
const RESPONDER_UNDERSTOOD = new Set([OID.basicConstraints, OID.keyUsage, OID.extKeyUsage]);

const isCritical = (extensions) => [...extensions.values()].some(({ critical }) => critical);

function readCertId(node) {
  const [algorithm, name, key, serial, ...more] = node.sequence();
  if (serial === undefined || more.length > 0) throw new FormatError("not a certificate identifier");
  const { oid, parameters } = readAlgorithm(algorithm);
  parameters?.null();
  const digest = oid === SHA1 ? sha1 : HASHES.get(oid)?.digest;
  if (!digest) throw new FormatError("a certificate identifier with a digest that is not known");
  return { digest, name: name.octets(), key: key.octets(), serial: serial.integer() };
}

// undefined: unknown; null: good; else when and why, by the status alone.
function readStatus(node) {
  if (node.group !== 2 || node.tag > 2) throw new FormatError("not a status");
  if (node.tag !== 1) {
    node.as(TAG.null).null();
    return node.tag === 0 ? null : undefined;
  }
  const [time, reason, ...more] = node.as(TAG.sequence).sequence();
  if (more.length > 0 || (reason && !reason.is(0, 2))) throw new FormatError("not a status");
  const stated = reason ? Number(reason.explicit().enumerated()) : null;
  return { at: readWhole(time), stated };
}

function readAnswer(node) {
  const [id, status, thisUpdate, ...rest] = node.sequence();
  if (rest[0]?.is(0, 2)) readWhole(rest.shift().explicit()); // nextUpdate
  const extensions = rest[0]?.is(1, 2) ? readExtensions(rest.shift().explicit()) : new Map();
  if (rest.length > 0) throw new FormatError("not an answer");
  return { id: readCertId(id), status: readStatus(status), extensions, thisUpdate: readWhole(thisUpdate), odd: isCritical(extensions) };
}

function readResponder(node) {
  if (node.is(1, 2)) return { name: readName(node.explicit()) };
  if (node.is(2, 2)) return { key: node.explicit().octets() };
  throw new FormatError("not a responder");
}

function readBasic(bytes) {
  const [tbs, algorithm, signature, held, ...more] = parseDer(bytes, MAX_VALUES).sequence();
  if (signature === undefined || more.length > 0 || (held && !held.is(0, 2))) throw new FormatError("not an OCSP response");
  const fields = tbs.sequence(); // no version: it is the default, or one that is not known
  const [responder, produced, answers, extensions, ...extra] = fields;
  if (answers === undefined || extra.length > 0 || (extensions && !extensions.is(1, 2))) throw new FormatError("not an OCSP response");
  const certificates = held ? held.explicit().sequence() : [];
  if (certificates.length > MAX_CERTIFICATES || answers.sequence().length > MAX_CERTIFICATES) throw new FormatError("too many certificates in an OCSP response");
  return {
    tbs: tbs.raw,
    algorithm: readAlgorithm(algorithm),
    signature: signature.wholeBits(),
    responder: readResponder(responder),
    producedAt: readWhole(produced),
    answers: answers.sequence().map(readAnswer),
    odd: extensions ? isCritical(readExtensions(extensions.explicit())) : false,
    certificates: certificates.map(certificateOf),
  };
}

// The response inside; null where the responder had no answer to give.
function parseOcsp(bytes) {
  const [status, wrapped, ...more] = parseDer(bytes).sequence();
  if (more.length > 0 || (wrapped && !wrapped.is(0, 2))) throw new FormatError("not an OCSP response");
  const code = status.enumerated();
  if (!STATUSES.includes(code)) throw new FormatError("an OCSP response with an unknown status");
  if (code !== 0n) return null;
  const [type, response, ...extra] = wrapped.explicit().sequence();
  if (type.oid() !== BASIC || response === undefined || extra.length > 0) throw new FormatError("an OCSP response of another kind");
  return readBasic(response.octets());
}

const isAbout = ({ id }, { certificate, issuer }) =>
  id.serial === certificate.serial && equal(id.name, id.digest(certificate.issuerBytes)) && equal(id.key, id.digest(issuer.keyBits));

const isResponder = ({ name, key }, certificate) => (name ? name.key === certificate.subject.key : equal(key, sha1(certificate.keyBits)));

function isUnchecked(certificate) {
  const extension = certificate.extensions.get(OID.ocspNoCheck);
  if (extension) parseDer(extension.value).null();
  return extension !== undefined;
}

// Whether what `signer` signed counts as the issuer's word; throws where it claims to and may not.
function mayAnswer(signer, issuer, producedAt) {
  if (signer === issuer) return true;
  if (!signer.isIssuedBy(issuer)) throw new FormatError(`${signer.title} answers for a CA that did not issue its certificate`);
  if (!extKeyUsage(signer)?.includes(OCSP_SIGNING)) throw new FormatError(`${signer.title} answers without a certificate for OCSP signing`);
  const usage = keyUsage(signer);
  if (usage !== null && !usage.has(KEY_USAGE.digitalSignature) && !usage.has(KEY_USAGE.nonRepudiation)) throw new FormatError(`${signer.title} answers with a key that may not sign`);
  if (!signer.isValidAt(producedAt)) throw new FormatError(`the certificate of ${signer.title} was not valid when it answered`);
  return isUnchecked(signer) && signer.criticals().every((oid) => RESPONDER_UNDERSTOOD.has(oid));
}

// Of several answers about one certificate: one that says nothing hides no revocation, and is not made good by another.
function worst(answers) {
  const says = ({ status, odd }) => status !== undefined && !odd;
  return answers.every(says) ? answers : answers.filter((answer) => says(answer) && answer.status !== null);
}

// What an answer says; of two reasons, in its status and beside it (RFC 6960 §4.4.5), each by itself.
function statements({ thisUpdate, status, extensions }) {
  if (status === null) return [{ thisUpdate, partial: false, revoked: null }];
  const { at, reason } = readRevoked(status.at, extensions);
  return [status.stated, reason].filter((each, which) => which === 0 || each !== null).map((each) => ({ thisUpdate, partial: false, revoked: { at, reason: each } }));
}

// For each of `links` ({ certificate, issuer }) the statements of the response about it; throws where it is damaged or forged.
export function readOcsp(bytes, links) {
  const response = parseOcsp(bytes);
  if (response === null) return links.map(() => []);
  return links.map((link) => {
    const answers = response.answers.filter((answer) => isAbout(answer, link));
    if (answers.length === 0) return [];
    const { issuer } = link;
    const signer = isResponder(response.responder, issuer) ? issuer : response.certificates.find((each) => isResponder(response.responder, each));
    if (signer === undefined) return [];
    const counts = mayAnswer(signer, issuer, response.producedAt);
    if (!signer.signed(readScheme(response.algorithm), response.tbs, response.signature)) throw new FormatError("it bears the name of a responder and is not signed by it");
    return counts && !response.odd ? worst(answers).flatMap(statements).filter(({ thisUpdate }) => issuer.isValidAt(thisUpdate)) : [];
  });
}
