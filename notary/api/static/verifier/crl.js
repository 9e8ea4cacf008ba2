// Certificate revocation lists (RFC 5280 §5), and of which certificates one speaks.

import { FormatError, equal } from "./bytes.js";
import { parseDer } from "./der.js";
import { KEY_USAGE, OID, basicConstraints, crlDistributionPoints, keyUsage, subjectKeyIdentifier } from "./extensions.js";
import { sameGeneralName } from "./names.js";
import { readEntries, readRest, readStart } from "./revocation_list.js";
import { readScheme } from "./signature.js";
import { readWhole } from "./time.js";

const REASON = "2.5.29.21";
const INVALIDITY_DATE = "2.5.29.24";
const DELTA = "2.5.29.27";
const ISSUING_POINT = "2.5.29.28";
const UNDERSTOOD = new Set([ISSUING_POINT, OID.authorityKeyIdentifier]);
const ENTRY_UNDERSTOOD = new Set([REASON, INVALIDITY_DATE]);

const unknown = (extensions, understood) => [...extensions].some(([oid, { critical }]) => critical && !understood.has(oid));

// What the extensions of an entry or of an answer add: the earlier of revocation and invalidity date, and the reason code or null.
export function readRevoked(at, extensions) {
  const reason = extensions.get(REASON);
  const since = extensions.get(INVALIDITY_DATE);
  const invalid = since ? readWhole(parseDer(since.value)) : at;
  return { at: invalid < at ? invalid : at, reason: reason ? Number(parseDer(reason.value).enumerated()) : null };
}

// Whether the list, which bears the issuer's name, does not bear the identifier of another key.
function isByItsKey(list, issuer) {
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
  const isWhole = !list.extensions.has(DELTA) && !unknown(list.extensions, UNDERSTOOD);
  const counts = isWhole && keyUsage(issuer)?.has(KEY_USAGE.crlSign) !== false && issuer.isValidAt(list.thisUpdate);
  return counts ? partOf(list, certificate) : NONE;
}

function statementsOf(list, link) {
  if (!isByItsKey(list, link.issuer)) return [];
  if (!link.issuer.signed(readScheme(list.algorithm), list.tbs, list.signature)) throw new FormatError("it bears the name of a CA and is not signed by it");
  const may = mayShow(list, link);
  if (!may.revoked) return [];
  const read = readEntries(list.entries, link.certificate.serialBytes);
  if (read.some(({ extensions }) => unknown(extensions, ENTRY_UNDERSTOOD))) return [];
  const entries = read.filter(({ serial }) => serial === link.certificate.serial);
  const found = entries.map(({ at, extensions }) => ({ thisUpdate: list.thisUpdate, partial: !may.good, revoked: readRevoked(at, extensions) }));
  return found.length > 0 || !may.good ? found : [{ thisUpdate: list.thisUpdate, partial: false, revoked: null }];
}

// For each of `links` ({ certificate, issuer }) the statements of the list about it; throws where it is forged, or
// damaged as far as it has to be read.
export function readCrl(bytes, links) {
  const start = readStart(bytes);
  const isNamed = ({ issuer }) => issuer.subject.key === start.issuer.key;
  if (!links.some(isNamed)) return links.map(() => []);
  const list = readRest(start);
  return links.map((link) => (isNamed(link) ? statementsOf(list, link) : []));
}
