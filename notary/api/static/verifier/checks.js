// The list of numbered checks, in the order made (docs/formats.md §12).

import { FormatError } from "./bytes.js";
import { sentenceOf } from "./catalogue.js";

export const PASSED = "passed";
export const FAILED = "failed";
export const UNCHECKED = "could_not_be_checked";

// Thrown inside a check that could not be made.
export class Unchecked extends Error {
  // Args: claim, where it is another than the check's own.
  constructor(message, claim = null) {
    super(message);
    this.claim = claim;
  }
}

// A file or a disk that cannot be read: a fault of the machine, of which no check says anything.
export class Unreadable extends Error {}

const REQUIRED = new Set(["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "8.1"]);
const STATED = new Set(["2.4", "4.1", "9.1", "9.2"]);
const ATTESTED = new Set(["4.3", "5.1", "5.2", "5.4", "6.2", "6.7", "7.2", "8.1"]);

// Of these a check that could not be made covers nothing; the others keep their class.
const NOT_COVERED = new Set(["1.2", "2.2", "2.3", "3.1", "3.2", "5.1", "6.1", "8.1"]);

const classOf = (id) => (STATED.has(id) ? "stated" : ATTESTED.has(id) ? "attested" : "recomputed");

export class Checks {
  list = [];

  add(id, outcome, detail, { subject = "", required = REQUIRED.has(id), claim = null } = {}) {
    const open = outcome === UNCHECKED && NOT_COVERED.has(id);
    claim ??= open ? "not_covered" : classOf(id);
    const sentence = { zh: sentenceOf({ id, outcome }, "zh"), en: sentenceOf({ id, outcome }, "en") };
    const check = { id, outcome, claim, subject, sentence, detail, required };
    this.list.push(check);
    return check;
  }

  // Makes a check. `work` gives a sentence of what was found; whatever it throws fails the check, but for Unchecked.
  // Gives whether it passed.
  make(id, work, options = {}) {
    try {
      return this.add(id, PASSED, work(), options).outcome === PASSED;
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      if (error instanceof Unchecked) this.add(id, UNCHECKED, error.message, { ...options, claim: error.claim });
      else this.add(id, FAILED, saying(error), options);
      return false;
    }
  }

  has(id, outcome) {
    return this.list.some((check) => check.id === id && check.outcome === outcome);
  }

  // Of the whole: failed, passed, or could not be checked. `required`: the ids of which each must have passed once.
  outcome(required) {
    if (this.list.some(({ outcome }) => outcome === FAILED)) return FAILED;
    return required.every((id) => this.has(id, PASSED)) ? PASSED : UNCHECKED;
  }
}

export const saying = (error) => (error instanceof FormatError ? error.message : `could not be read (${error?.name ?? "error"})`);
