// Which check each token of a list fails: `node judge_tokens.mjs cases.json`, numbers or null as JSON.

import { readFileSync } from "node:fs";

import { readAuthority } from "../../notary/api/static/verifier/authority.js";
import { Seen, checkToken } from "../../notary/api/static/verifier/timestamp.js";

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const moment = (text) => (text === null ? null : BigInt(Date.parse(text)) * 10n ** 6n);

function judge({ roots, intermediates, policies, strict, others, response, data, revocation, nonce, sent, received }) {
  const authority = readAuthority({ name: "mini", organisation: "Mini Ltd", roots, intermediates, policies, strict });
  const seen = new Seen();
  for (const other of others) checkToken(bytes(other), bytes(data), authority, [], seen);
  const exchange = { nonce: nonce === null ? null : BigInt(nonce), sent: moment(sent), received: moment(received) };
  const files = revocation.map(({ name, bytes: text }) => ({ name, bytes: bytes(text) }));
  const found = checkToken(bytes(response), bytes(data), authority, files, seen, exchange);
  if (found.token.outcome === "failed") return found.token.check;
  return found.revocation.outcome === "failed" ? 15 : null;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(process.argv[2], "utf8")).map(judge)));
