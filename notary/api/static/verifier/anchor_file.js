// `anchor.json` (docs/formats.md §10): what a node said of one anchor, as bytes and numbers.

import { COMMA, FormatError, countOf, unhex } from "./bytes.js";
import { parseCanonical } from "./canonical.js";
import { exactKeys, hexBytes, integer, list, matching } from "./fields.js";

const MAX_FILE = 4194304;
const MAX_HEADER = 8192;
const MAX_NODES = 65;
const MAX_NOT_BEFORE = 256;
const MAX_VALUES = 32768; // in the file; no text in it has a comma
const PROFILE = /^[a-z0-9-]{1,32}$/; // also one that this release does not know: its chain may be none of the trust file
const KEYS = ["version", "chain_id", "contract", "log_id", "profile", "header", "transaction", "transaction_index", "log_index", "receipt_proof", "account_proof", "history_proof", "not_before"];

function someBytes(value) {
  const bytes = unhex(value);
  if (bytes.length === 0) throw new FormatError("no bytes where some must be");
  return bytes;
}

const nodes = (value) => list(value, 0, MAX_NODES, someBytes);
const nodesOrNull = (value) => (value === null ? null : nodes(value));

function header(value) {
  const bytes = someBytes(value);
  if (bytes.length > MAX_HEADER) throw new FormatError("the header is too long");
  return bytes;
}

function earlier(value) {
  exactKeys(value, ["header", "storage_proof"]);
  return { header: header(value.header), storageProof: nodesOrNull(value.storage_proof) };
}

export function readAnchorFile(bytes) {
  if (bytes.length > MAX_FILE) throw new FormatError("anchor.json is too long");
  if (countOf(bytes, COMMA) >= MAX_VALUES) throw new FormatError("too many values in anchor.json");
  const value = parseCanonical(bytes);
  const version = integer(value?.version, 1, 2);
  exactKeys(value, version === 1 ? KEYS : [...KEYS, "head_slots"]);
  if (value.transaction !== null) hexBytes(value.transaction, 32);
  return {
    chainId: integer(value.chain_id),
    contract: hexBytes(value.contract, 20),
    logId: hexBytes(value.log_id, 32),
    profile: matching(value.profile, PROFILE),
    header: header(value.header),
    transactionIndex: integer(value.transaction_index),
    logIndex: integer(value.log_index),
    receiptProof: nodes(value.receipt_proof),
    accountProof: nodesOrNull(value.account_proof),
    historyProof: nodesOrNull(value.history_proof),
    headSlots: version === 1 ? null : list(value.head_slots, 2, 2, nodesOrNull),
    notBefore: list(value.not_before, 0, MAX_NOT_BEFORE, earlier),
  };
}
