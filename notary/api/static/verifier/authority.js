// The time-stamping authorities of a trust file, and which of them are related (docs/formats.md §8).

import { equal } from "./bytes.js";
import { certificateOfPem } from "./pem.js";

// Args: roots and intermediates, lists of PEM texts; accuracyMs, number or null; strict, whether revocation data must be there.
export function readAuthority({ name, organisation, roots, intermediates = [], policies = [], accuracyMs = null, strict = false }) {
  const read = (list) => list.map(certificateOfPem);
  return { name, organisation, roots: read(roots), intermediates: read(intermediates), policies, accuracyMs, strict };
}

const shareKey = (one, two) => equal(one.spki, two.spki);
const kin = (one, two) => shareKey(one, two) || one.isIssuedBy(two) || two.isIssuedBy(one);
const some = (ones, twos, holds) => ones.some((one) => twos.some((two) => holds(one, two)));
const kinButNotSame = (one, two) => !equal(one.der, two.der) && kin(one, two);

// Whether two authorities rest on one another. They then are one source, and a file that calls them two is an error.
export function related(one, two) {
  return some(one.roots, two.roots, kin) || some(one.roots, two.intermediates, kinButNotSame) || some(one.intermediates, two.roots, kinButNotSame);
}
