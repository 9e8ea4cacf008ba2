// Certificate policies along a path (RFC 5280 §6.1.2 to §6.1.5), for a verifier that takes any policy.
//
// Then only one thing matters of the tree that the RFC draws: whether its lowest level has a node. All nodes of one
// level and policy expect the same below, so a level is a map from policies to what they expect.

import { FormatError } from "./bytes.js";
import { certificatePolicies, inhibitAnyPolicy, policyConstraints, policyMappings } from "./extensions.js";

const ANY = "2.5.29.32.0";

export class Policies {
  #level = new Map([[ANY, new Set([ANY])]]);
  #explicit;
  #inhibitAny;
  #mapping;

  // `length`: certificates in the path, without the root.
  constructor(length) {
    this.#explicit = this.#inhibitAny = this.#mapping = length + 1;
  }

  // §6.1.3 d to f. `last`: the certificate is the signer's.
  enter(certificate, selfIssued, last) {
    const stated = certificatePolicies(certificate) ?? [];
    const next = new Map();
    const expected = new Set([...this.#level.values()].flatMap((set) => [...set]));
    for (const policy of stated) if (policy !== ANY && (expected.has(policy) || this.#level.has(ANY))) next.set(policy, new Set([policy]));
    if (stated.includes(ANY) && (this.#inhibitAny > 0 || (!last && selfIssued))) {
      for (const policy of expected) if (!next.has(policy)) next.set(policy, new Set([policy]));
    }
    this.#level = next;
    this.#need();
  }

  // §6.1.4 a, b, h, i, j: before the certificate below.
  descend(certificate, selfIssued) {
    this.#map(policyMappings(certificate) ?? []);
    if (!selfIssued) {
      if (this.#explicit > 0) this.#explicit--;
      if (this.#mapping > 0) this.#mapping--;
      if (this.#inhibitAny > 0) this.#inhibitAny--;
    }
    const { explicit, mapping } = policyConstraints(certificate) ?? { explicit: null, mapping: null };
    this.#explicit = Math.min(this.#explicit, explicit ?? Infinity);
    this.#mapping = Math.min(this.#mapping, mapping ?? Infinity);
    this.#inhibitAny = Math.min(this.#inhibitAny, inhibitAnyPolicy(certificate) ?? Infinity);
  }

  // §6.1.5 a, b, g.
  end(certificate) {
    if (this.#explicit > 0) this.#explicit--;
    if (policyConstraints(certificate)?.explicit === 0) this.#explicit = 0;
    this.#need();
  }

  #need() {
    if (this.#explicit === 0 && this.#level.size === 0) throw new FormatError("no certificate policy holds along the path");
  }

  #map(mappings) {
    const targets = new Map();
    for (const { issuer, subject } of mappings) {
      if (issuer === ANY || subject === ANY) throw new FormatError("a mapping of any policy");
      targets.set(issuer, (targets.get(issuer) ?? new Set()).add(subject));
    }
    for (const [policy, subjects] of targets) {
      if (this.#mapping === 0) this.#level.delete(policy);
      else if (this.#level.has(policy) || this.#level.has(ANY)) this.#level.set(policy, subjects);
    }
  }
}
