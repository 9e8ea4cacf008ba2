// Certificate revocation lists (RFC 5280 §5), and of which certificates one speaks.

import { FormatError, equal } from "./bytes.js";
import { TAG, parseDer } from "./der.js";
import { KEY_USAGE, OID, basicConstraints, crlDistributionPoints, keyUsage, readAuthorityKey, readPointName, subjectKeyIdentifier, tagged } from "./extensions.js";
import { readName, sameGeneralName } from "./names.js";
import { readAlgorithm, readScheme } from "./signature.js";
import { readWhole, readTime } from "./time.js";
import { readExtensions } from "./x509.js";

const REASON = "2.5.29.21";
const INVALIDITY_DATE = "2.5.29.24";
const DELTA = "2.5.29.27";
const ISSUING_POINT = "2.5.29.28";
const UNDERSTOOD = new Set([ISSUING_POINT, OID.authorityKeyIdentifier]);
const ENTRY_UNDERSTOOD = new Set([REASON, INVALIDITY_DATE]);

const isTime = (node) => node?.is(TAG.utc) || node?.is(TAG.generalized);
const unknown = (extensions, understood) => [...extensions].some(([oid, { critical }]) => critical && !understood.has(oid));

// What the extensions of an entry or of an answer add: the earlier of revocation and invalidity date, and the reason code or null.
export function readRevoked(at, extensions) {
  const reason = extensions.get(REASON);
  const since = extensions.get(INVALIDITY_DATE);
  const invalid = since ? readWhole(parseDer(since.value)) : at;
  return { at: invalid < at ? invalid : at, reason: reason ? Number(parseDer(reason.value).enumerated()) : null };
}

function readEntry(node) {
  const [serial, time, extensions, ...more] = node.sequence();
  if (time === undefined || more.length > 0) throw new FormatError("not an entry of a list");
  const found = extensions ? readExtensions(extensions) : new Map();
  return { serial: serial.integer(), at: readTime(time), extensions: found, odd: unknown(found, ENTRY_UNDERSTOOD) };
}

function readPoint(extension) {
  const [where, users, authorities, reasons, indirect, attributes] = tagged(parseDer(extension.value).sequence(), 5);
  const flag = (node) => {
    if (node && !node.as(TAG.boolean).boolean()) throw new FormatError("a default value that is stated, which is not DER");
    return node !== undefined;
  };
  reasons?.as(TAG.bits).bits();
  return { ...readPointName(where), users: flag(users), authorities: flag(authorities), part: reasons !== undefined || flag(indirect) || flag(attributes) };
}

function parseCrl(bytes) {
  const [tbs, algorithm, signature, ...more] = parseDer(bytes).sequence();
  if (signature === undefined || more.length > 0) throw new FormatError("not a list");
  const fields = [...tbs.sequence()];
  const version = fields[0]?.is(TAG.integer) ? fields.shift().integer() : null;
  const [inner, issuer, thisUpdate] = fields.splice(0, 3);
  if (isTime(fields[0])) readTime(fields.shift()); // nextUpdate
  const entries = fields[0]?.is(TAG.sequence) ? fields.shift().sequence().map(readEntry) : [];
  const extensions = fields[0]?.is(0, 2) ? readExtensions(fields.shift().explicit()) : new Map();
  if (fields.length > 0 || (version !== null && version !== 1n) || !equal(inner.raw, algorithm.raw)) throw new FormatError("not a list");
  const point = extensions.get(ISSUING_POINT);
  return {
    tbs: tbs.raw,
    algorithm: readAlgorithm(algorithm),
    signature: signature.wholeBits(),
    issuer: readName(issuer),
    thisUpdate: readTime(thisUpdate),
    entries,
    point: point ? readPoint(point) : null,
    keyIdentifier: readKeyIdentifier(extensions),
    whole: !extensions.has(DELTA) && !unknown(extensions, UNDERSTOOD) && !entries.some(({ odd }) => odd),
  };
}

function readKeyIdentifier(extensions) {
  const extension = extensions.get(OID.authorityKeyIdentifier);
  return extension ? readAuthorityKey(parseDer(extension.value)) : null;
}

// Whether the list bears the issuer's name, and not the identifier of another key.
function isNamed(list, issuer) {
  if (list.issuer.key !== issuer.subject.key) return false;
  const own = subjectKeyIdentifier(issuer);
  return list.keyIdentifier === null || own === null || equal(list.keyIdentifier, own);
}

const ALL = { revoked: true, good: true };
const REVOKED_ALONE = { revoked: true, good: false }; // whom the certificate's own CA revokes is revoked, whatever else another list says
const NONE = { revoked: false, good: false };

// What the list can show of the certificate, by the part that it covers (§5.2.5, §6.3.3 b 2).
function partOf({ point }, certificate) {
  if (point === null) return ALL;
  const isAuthority = basicConstraints(certificate)?.ca ?? false;
  if (point.part || point.relative || (point.users && isAuthority) || (point.authorities && !isAuthority)) return NONE;
  if (point.fullName === null) return ALL;
  const isThere = (one) => point.fullName.some((two) => sameGeneralName(one, two));
  const points = (crlDistributionPoints(certificate) ?? []).filter(({ fullName, otherIssuer }) => (fullName ?? otherIssuer ?? []).some(isThere));
  if (points.length === 0) return NONE;
  return points.some(({ otherIssuer, someReasons }) => otherIssuer === null && !someReasons) ? ALL : REVOKED_ALONE;
}

function mayShow(list, { certificate, issuer }) {
  const counts = list.whole && keyUsage(issuer)?.has(KEY_USAGE.crlSign) !== false && issuer.isValidAt(list.thisUpdate);
  return counts ? partOf(list, certificate) : NONE;
}

// For each of `links` ({ certificate, issuer }) the statements of the list about it; throws where it is damaged or forged.
export function readCrl(bytes, links) {
  const list = parseCrl(bytes);
  return links.map((link) => {
    if (!isNamed(list, link.issuer)) return [];
    if (!link.issuer.signed(readScheme(list.algorithm), list.tbs, list.signature)) throw new FormatError("it bears the name of a CA and is not signed by it");
    const may = mayShow(list, link);
    if (!may.revoked) return [];
    const entries = list.entries.filter(({ serial }) => serial === link.certificate.serial);
    const found = entries.map(({ at, extensions }) => ({ thisUpdate: list.thisUpdate, partial: !may.good, revoked: readRevoked(at, extensions) }));
    return found.length > 0 || !may.good ? found : [{ thisUpdate: list.thisUpdate, partial: false, revoked: null }];
  });
}
