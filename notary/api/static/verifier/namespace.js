// Name constraints (RFC 5280 §4.2.1.10, §6.1.4 g, §6.1.3 b and c): which names a CA may give.

import { FormatError } from "./bytes.js";
import { nameConstraints, subjectAltName } from "./extensions.js";

const EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

const isWithin = (host, domain) => host === domain || domain === "" || host.endsWith(`.${domain}`);

// A host, or with a dot in front all hosts of a domain but itself.
const hostFits = (host, base) => (base.startsWith(".") ? host.endsWith(base) && host.length > base.length : host === base);

function emailFits(address, base) {
  const at = address.lastIndexOf("@");
  const mailbox = address.slice(0, Math.max(at, 0));
  const host = address.slice(at + 1).toLowerCase();
  const cut = base.lastIndexOf("@");
  if (cut < 0) return hostFits(host, base.toLowerCase());
  return mailbox === base.slice(0, cut) && host === base.slice(cut + 1).toLowerCase();
}

function hostOfUri(text) {
  const rest = text.split("://")[1];
  if (rest === undefined) throw new FormatError("a URI without a host under a name constraint");
  const authority = rest.split(/[/?#]/)[0];
  const host = authority.slice(authority.lastIndexOf("@") + 1).split(":")[0].toLowerCase();
  if (host === "" || host.startsWith("[") || /^[0-9.]*$/.test(host)) throw new FormatError("a URI without a host under a name constraint");
  return host;
}

function ipFits(address, base) {
  const size = base.length / 2;
  return address.length === size && address.every((byte, at) => ((byte ^ base[at]) & base[size + at]) === 0);
}

function fits(name, base) {
  switch (name.kind) {
    case "directory":
      return base.name.rdns.length <= name.name.rdns.length && base.name.rdns.every((rdn, at) => rdn === name.name.rdns[at]);
    case "dns":
      return isWithin(name.text.toLowerCase(), base.text.toLowerCase());
    case "email":
      return emailFits(name.text, base.text);
    case "uri":
      return hostFits(hostOfUri(name.text), base.text.toLowerCase());
    case "ip":
      return ipFits(name.bytes, base.bytes);
    default:
      throw new FormatError("a name constraint of a kind that is not understood");
  }
}

// The names of a certificate that constraints are about.
function namesOf(certificate) {
  const names = [...(subjectAltName(certificate) ?? [])];
  const { subject } = certificate;
  if (names.length === 0) {
    for (const { type, text } of subject.attributes) if (type === EMAIL_ADDRESS && text !== null) names.push({ kind: "email", text });
  }
  return subject.isEmpty ? names : [{ kind: "directory", name: subject }, ...names];
}

// What the CAs of a path allow, from the root down.
export class Namespace {
  #permitted = []; // one list for each certificate that has one: a name must fit into each
  #excluded = [];

  narrow(certificate) {
    const found = nameConstraints(certificate);
    if (found === null) return;
    if (found.permitted.length > 0) this.#permitted.push(found.permitted);
    this.#excluded.push(...found.excluded);
  }

  check(certificate) {
    if (this.#permitted.length === 0 && this.#excluded.length === 0) return;
    for (const name of namesOf(certificate)) {
      const alike = (bases) => bases.filter(({ kind }) => kind === name.kind);
      if (alike(this.#excluded).some((base) => fits(name, base))) throw new FormatError("a name that a CA above excludes");
      const lists = this.#permitted.map(alike).filter((bases) => bases.length > 0);
      if (!lists.every((bases) => bases.some((base) => fits(name, base)))) throw new FormatError("a name that a CA above does not permit");
    }
  }
}
