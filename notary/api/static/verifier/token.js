// One time-stamp token: the checks of docs/formats.md §9 but 15 and 22, each under its number.

import { FormatError, equal } from "./bytes.js";
import { CMS, checkDer, namesCertificate, onlyValue, readAttributes, readSignedData, readSigningCertificate, sidNames, signedBytes } from "./cms.js";
import { TAG, parseBer, parseDer } from "./der.js";
import { KEY_USAGE, OID, basicConstraints, extKeyUsage, keyUsage, subjectAltName, subjectKeyIdentifier } from "./extensions.js";
import { HASHES, IMPRINT_HASHES, SHA256, SHA512 } from "./hashes.js";
import { sameGeneralName } from "./names.js";
import { bitLength } from "./numbers.js";
import { findPath } from "./path.js";
import { sha1 } from "./sha1.js";
import { readScheme } from "./signature.js";
import { SECOND } from "./time.js";
import { Tries } from "./tries.js";
import { TokenError, accuracyOf, genTimeOf, readResponse, readTstInfo, under } from "./tstinfo.js";
import { certificateOf } from "./x509.js";

const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const VERSIONS = [3n, 4n, 5n];
const MAX_RESPONSE = 65536;
const MAX_CERTIFICATES = 32;
const MAX_SERIAL_BITS = 160;
const TOLERANCE = 10n * SECOND;
const SIGNER_UNDERSTOOD = new Set([OID.basicConstraints, OID.keyUsage, OID.extKeyUsage, OID.certificatePolicies, OID.subjectAltName]);

function demand(holds, check, message) {
  if (!holds) throw new TokenError(check, message);
}

// 1 to 5: everything is read, and nothing judged.
function readToken(response) {
  if (response.length > MAX_RESPONSE) throw new FormatError("the response is too long");
  const { token, modified } = readResponse(parseBer(response));
  const signed = readSignedData(token);
  if (!VERSIONS.includes(signed.version)) throw new FormatError("SignedData is not of version 3, 4 or 5");
  if (signed.contentType !== TST_INFO) throw new FormatError("the content is not TSTInfo");
  if (signed.content === null) throw new FormatError("the token holds no TSTInfo");
  if (signed.certificates.length > MAX_CERTIFICATES) throw new FormatError("the token holds too many certificates");
  const certificates = signed.certificates.map(certificateOf);
  demand(signed.signers.length === 1, 5, `the token has ${signed.signers.length} signers instead of one`);
  return { modified, certificates, content: signed.content, info: readTstInfo(parseDer(signed.content)), signer: signed.signers[0] };
}

// 6, 8: the attributes that are signed.
function checkAttributes({ signer, content }) {
  demand(signer.attributes !== null, 6, "the token has no signed attributes");
  const hash = HASHES.get(signer.digest.oid);
  demand(hash !== undefined, 6, `the digest algorithm ${signer.digest.oid} of the signer is not allowed`);
  const attributes = under(6, () => readAttributes(signer.attributes));
  const type = under(6, () => onlyValue(attributes, CMS.contentType, "contentType")?.oid());
  demand(type === TST_INFO, 6, "attribute contentType is not there, or not that of TSTInfo");
  const digest = under(6, () => onlyValue(attributes, CMS.messageDigest, "messageDigest")?.octets());
  demand(digest && equal(digest, hash.digest(content)), 6, "attribute messageDigest is not there, or not the digest of TSTInfo");
  under(8, () => checkDer(signer.attributes.as(TAG.set)));
  return { hash, attributes };
}

// Gives of equal certificates the same object.
function certificateOnce() {
  const known = new Map();
  return (each) => known.get(each.fingerprint) ?? (known.set(each.fingerprint, each), each);
}

// 9: the certificate that the signer identifier names.
function findSigner({ signer, certificates }, authority) {
  const held = new Set([...certificates, ...authority.intermediates].map(certificateOnce()));
  const named = [...held].filter((each) => {
    try {
      return sidNames(signer.sid, each, subjectKeyIdentifier(each));
    } catch {
      return false;
    }
  });
  demand(named.length === 1, 9, `the signer identifier names ${named.length} certificates instead of one`);
  return named[0];
}

// 7. Returns whether Ed25519 goes with another digest than SHA-512.
function checkSignature({ signer }, hash, certificate) {
  const scheme = readScheme(signer.algorithm);
  if (scheme.kind === "pkcs1") scheme.hash ??= hash;
  demand(scheme.hash === null || scheme.hash === hash, 7, "the signature uses another digest than the signer names");
  demand(certificate.signed(scheme, signedBytes(signer.attributes), signer.signature), 7, "the signature does not fit");
  return scheme.kind === "ed25519" && hash !== SHA512;
}

// 10. Returns whether SHA-1 alone names the certificate.
function checkIdentity(attributes, certificate) {
  const [one, two] = [CMS.signingCertificate, CMS.signingCertificateV2].map((oid, at) => {
    const value = onlyValue(attributes, oid, at === 0 ? "signingCertificate" : "signingCertificateV2");
    return value && readSigningCertificate(value, at + 1);
  });
  demand(one || two, 10, "no attribute names the certificate of the signature");
  const hash = two ? HASHES.get(two.hash ?? SHA256.oid) : null;
  demand(hash !== undefined, 10, "the digest of ESSCertIDv2 is not allowed");
  const fits = (!one || equal(one.digest, sha1(certificate.der))) && (!two || equal(two.digest, hash.digest(certificate.der)));
  demand(fits, 10, "ESSCertID names another certificate");
  demand([one, two].every((each) => !each?.issuerSerial || namesCertificate(each.issuerSerial, certificate)), 10, "ESSCertID states another issuer or serial number");
  return !two;
}

// 11, 12.
function checkPurpose(certificate) {
  const purposes = under(11, () => extKeyUsage(certificate));
  demand(purposes !== null, 11, "the signer's certificate has no extended key usage");
  demand(certificate.extensions.get(OID.extKeyUsage).critical, 11, "its extended key usage is not critical");
  demand(purposes.length === 1 && purposes[0] === TIME_STAMPING, 11, "its extended key usage is not for time-stamping alone");
  const usage = under(12, () => keyUsage(certificate));
  const signs = [KEY_USAGE.digitalSignature, KEY_USAGE.nonRepudiation];
  demand(usage === null || (usage.size > 0 && [...usage].every((bit) => signs.includes(bit))), 12, "its key usage is not signatures alone");
}

// 13, 14: the path.
function checkPath(certificate, certificates, authority, genTime, tries) {
  demand(certificate.isValidAt(genTime), 13, "genTime is outside the validity of the signer's certificate");
  demand(!under(14, () => basicConstraints(certificate))?.ca, 14, "the signer's certificate is that of a certificate authority");
  const unknown = certificate.criticals().filter((oid) => !SIGNER_UNDERSTOOD.has(oid));
  demand(unknown.length === 0, 14, `the signer's certificate has unknown critical extensions: ${unknown.join(", ")}`);
  const held = new Set([...certificates, ...authority.intermediates].map(certificateOnce()));
  return under(14, () => findPath(certificate, [...held], authority.roots, genTime, tries));
}

// 16 to 19, 21, 23, 24. Returns the accuracy in nanoseconds, or null.
function checkInfo(info, stamped, certificate, authority, { nonce = null }) {
  demand(info.version === 1n, 16, "TSTInfo is not of version 1");
  demand(bitLength(info.serial < 0n ? -info.serial : info.serial) <= MAX_SERIAL_BITS, 16, "the serial number has more than 160 bits");
  demand(authority.policies.length === 0 || authority.policies.includes(info.policy), 17, `the policy ${info.policy} is not allowed`);
  const hash = IMPRINT_HASHES.get(info.imprint.algorithm);
  demand(hash !== undefined, 18, "the digest of the imprint is not allowed");
  demand(equal(hash.digest(stamped), info.imprint.digest), 18, "the token is of other data");
  demand(nonce === null || info.nonce === nonce, 19, "the token holds another nonce than the request, or none");
  const accuracy = info.accuracy === null ? null : accuracyOf(info.accuracy);
  const isIts = (name) => (name.kind === "directory" && name.name.key === certificate.subject.key) || (subjectAltName(certificate) ?? []).some((each) => sameGeneralName(each, name));
  demand(info.tsa === null || under(23, () => isIts(info.tsa)), 23, "the authority's name is not that of the signer's certificate");
  demand([...info.extensions.values()].every(({ critical }) => !critical), 24, "TSTInfo has a critical extension");
  return accuracy;
}

function checkExchange(genTime, { sent = null, received = null }) {
  demand(sent === null || genTime >= sent - TOLERANCE, 20, "genTime is earlier than the request");
  demand(received === null || genTime <= received + TOLERANCE, 20, "genTime is later than the response");
}

// A token that passes all checks but 15 and 22, or TokenError with the number of the first that does not hold.
// Args: exchange, what only the sender of the request knows: nonce (BigInt), sent and received (moments); tries, of all
// tokens of one package.
export function verifyToken(response, stamped, authority, exchange = {}, tries = new Tries()) {
  const token = under(4, () => readToken(response));
  const { hash, attributes } = checkAttributes(token);
  const certificate = findSigner(token, authority);
  const oddDigest = under(7, () => checkSignature(token, hash, certificate));
  const sha1Alone = under(10, () => checkIdentity(attributes, certificate));
  checkPurpose(certificate);
  const genTime = genTimeOf(token.info);
  const path = checkPath(certificate, token.certificates, authority, genTime, tries);
  const accuracy = checkInfo(token.info, stamped, certificate, authority, exchange);
  checkExchange(genTime, exchange);
  const warnings = [
    token.modified && "granted with modifications",
    oddDigest && "signed with Ed25519 over another digest than SHA-512 (RFC 8419)",
    sha1Alone && "a SHA-1 digest alone names the certificate",
    accuracy !== null && accuracy > SECOND && "the accuracy is over one second",
  ].filter(Boolean);
  return { certificate, path, genTime, accuracy, serial: token.info.serial, content: token.content, warnings };
}
