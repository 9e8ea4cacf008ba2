// Check 8.1 and the times of the result (docs/formats.md §8, §12, §13).

import { FormatError } from "./bytes.js";
import { Unchecked } from "./checks.js";
import { showMoment } from "./fields.js";
import { exact } from "./result_text.js";
import { sourceName } from "./trust.js";

const SECOND = 1000000000n;

// Seconds since 1970 of nanoseconds; parts of a second are rounded up.
const upToSecond = (nanoseconds) => {
  const seconds = nanoseconds / SECOND;
  return seconds * SECOND < nanoseconds ? seconds + 1n : seconds;
};

// Makes 8.1, and gives the value of `time` in the result. Args: heads that count; notBefore of the statement.
export function checkTimes(checks, heads, notBefore, trust) {
  const bounds = heads.flatMap((head) => head.bounds.map((bound) => ({ ...bound, size: head.size }))).sort(byTime);
  const after = heads.some(({ madeAfter }) => madeAfter) ? notBefore : null;
  const earliest = earliestOfSources(bounds);
  const existedBy = earliest.length >= trust.k ? earliest[trust.k - 1] : null;
  const dated = [...bounds, ...heads.flatMap(({ undated }) => undated)];
  checks.make("8.1", () => {
    const early = after && dated.find(({ notAfter }) => notAfter < BigInt(after.time) * SECOND);
    if (early) throw new FormatError(`${early.source} is earlier than the block after which the record was made`);
    if (existedBy === null) throw new Unchecked(`${earliest.length} independent sources, ${trust.k} are needed`);
    return `the content existed at ${showMoment(upToSecond(existedBy))} at the latest`;
  });
  return {
    made_after: after && showMoment(after.time),
    made_after_block: after ? `chain ${after.chain_id} block ${after.number} 0x${after.hash}` : "",
    existed_by: existedBy === null ? null : showMoment(upToSecond(existedBy)),
    sources_needed: trust.k,
    bounds: bounds.map(({ kind, source, organisation, notAfter, size }) => ({ kind, source, organisation, not_after: showMoment(upToSecond(notAfter)), size: exact(size) })).sort(byPlace),
  };
}

// The order of §13, by what is written of each.
const byPlace = (one, other) => {
  const differs = ["not_after", "source", "size", "kind"].find((key) => one[key] !== other[key]);
  return differs === undefined ? 0 : one[differs] < other[differs] ? -1 : 1;
};

const byTime = (one, other) => (one.notAfter < other.notAfter ? -1 : one.notAfter > other.notAfter ? 1 : 0);

// The earliest bound of each independent source, ascending. Bounds are of one source where the names of their
// organisations are equal, or where tokens rest on one public key.
export function earliestOfSources(bounds) {
  const groups = []; // {marks: Set, earliest}
  for (const { organisation, keys, notAfter } of bounds) {
    const group = { marks: new Set([`name ${sourceName(organisation)}`, ...keys.map((key) => `key ${key}`)]), earliest: notAfter };
    for (let at = groups.length - 1; at >= 0; at--) {
      if (![...groups[at].marks].some((mark) => group.marks.has(mark))) continue;
      const [same] = groups.splice(at, 1);
      for (const mark of same.marks) group.marks.add(mark);
      if (same.earliest < group.earliest) group.earliest = same.earliest;
    }
    groups.push(group);
  }
  return groups.map(({ earliest }) => earliest).sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
}
