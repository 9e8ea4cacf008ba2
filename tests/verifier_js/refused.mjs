import assert from "node:assert/strict";

import { FormatError } from "../../notary/api/static/verifier/bytes.js";

// `work` throws a FormatError whose message matches.
export const refused = (work, words) => assert.throws(work, (error) => (error instanceof FormatError && words.test(error.message)) || assert.fail(String(error)));
