// The trust file: all that a verifier takes from outside the evidence (docs/formats.md §8).

import { readAuthority, related } from "./authority.js";
import { FormatError, equal, hex } from "./bytes.js";
import { parseVkey, parseVkeyOfAnyType } from "./note.js";
import { ORIGIN } from "./statement.js";
import { parseToml } from "./toml.js";
import { readBitcoinBlocks, readChains, sourceOfChain } from "./trust_chain.js";
import { reader } from "./trust_fields.js";

const MAX_FILE = 1048576;
const MAX_SOURCES = 64n;
const MAX_ACCURACY = 3600000n;
const MAX_POLICY = 255; // characters

// A trust file with errors. No check is made with it, and this is no outcome of the evidence.
export class TrustError extends Error {}

// Args: bytes of the file. Throws TrustError.
export function readTrust(bytes) {
  try {
    if (bytes.length > MAX_FILE) throw new FormatError("the file is too long");
    return readFile(reader(parseToml(bytes), "the file"));
  } catch (error) {
    throw new TrustError(error instanceof FormatError ? error.message : `the file cannot be read (${error.name})`);
  }
}

// The same, and what was said of blocks of its chains, {chainId, number, hash: hex or null, source, trouble}: it counts as their
// [[chain.block]] do.
export const withAnswers = (trust, answers) => ({ ...trust, chains: trust.chains.map((chain) => ({ ...chain, answers: answers.filter(({ chainId }) => chainId === chain.chainId) })) });

function readFile(file) {
  if (file.integer("version", 1n, 1n) !== 1n) throw new FormatError("another version");
  const origin = file.text("origin", ORIGIN);
  const testOnly = file.boolean("test_only", false);
  const k = file.integer("k", 1n, MAX_SOURCES, null);
  const logKeys = readKeys(file.tables("log_key"), origin);
  const receiptKeys = readKeys(file.tables("receipt_key"), `${origin}/receipt`);
  if (logKeys.length === 0) throw new FormatError("no log_key");
  if (logKeys.some(({ key }) => receiptKeys.some((other) => equal(key, other.key)))) throw new FormatError("one key is a log_key and a receipt_key");
  const chains = readChains(file.tables("chain"), testOnly);
  const authorities = readAuthorities(file.tables("tsa"));
  const bitcoinBlocks = readBitcoinBlocks(file.tables("bitcoin_block"));
  for (const witness of file.tables("witness")) {
    parseVkeyOfAnyType(witness.text("vkey"));
    witness.end();
  }
  file.end();
  const sources = new Set([...[...authorities.values()].map(({ organisation }) => sourceName(organisation)), ...chains.map(({ chainId }) => sourceName(sourceOfChain(chainId)))]);
  return { origin, testOnly, k: Number(k ?? (sources.size >= 2 ? 2n : 1n)), logKeys, receiptKeys, chains, authorities, bitcoinBlocks };
}

// Letters and digits of a name alone: names that differ in nothing else are of one source.
export function sourceName(name) {
  const folded = Array.from(name.normalize("NFKC"), foldCase).join("").normalize("NFKC");
  return folded.replace(/[^\p{L}\p{N}]/gu, "") || folded;
}

// Unicode's full case folding, as far as two names can differ by it: the dotless i folds to itself, and the capital
// sharp s, whose small letter is not what its fold is, to two letters.
const foldCase = (character) => (character === "ı" ? character : character.toUpperCase().toLowerCase().replaceAll("ς", "σ").replaceAll("ß", "ss"));

function readKeys(tables, name) {
  const seen = new Set();
  return tables.map((table) => {
    const vkey = parseVkey(table.text("vkey"));
    if (vkey.name !== name) throw new FormatError(`a key of another name than ${name}`);
    const id = hex(vkey.keyId);
    if (seen.has(id)) throw new FormatError("two keys of one key id");
    seen.add(id);
    const key = { ...vkey, ...table.period() };
    table.end();
    return key;
  });
}

function readAuthorities(tables) {
  const found = new Map();
  for (const table of tables) {
    const authority = readTsa(table);
    if (found.has(authority.name)) throw new FormatError(`two [[tsa]] named ${authority.name}`);
    for (const other of found.values()) checkRelated(authority, other);
    found.set(authority.name, authority);
  }
  return found;
}

// A token stands under whatever name its packer likes: what two related tables say differently, he would choose.
function checkRelated(one, other) {
  if (!related(one, other)) return;
  const both = `${one.name} and ${other.name} are related`;
  if (sourceName(one.organisation) !== sourceName(other.organisation)) throw new FormatError(`${both}: give them one organisation`);
  if (restrictionsOf(one) !== restrictionsOf(other)) throw new FormatError(`${both}: give them the same revocation, accuracy_ms and policies`);
}

const restrictionsOf = ({ strict, accuracyMs, policies }) => JSON.stringify([strict, accuracyMs, [...new Set(policies)].sort()]);

function readTsa(table) {
  const authority = {
    name: table.text("name", /^[a-z0-9][a-z0-9._-]{0,63}$/),
    organisation: table.text("organisation", /^[^\x00-\x1f\x7f]{1,200}$/u),
    roots: table.texts("roots"),
    intermediates: table.texts("intermediates", []),
    policies: table.texts("policies", []),
    accuracyMs: table.integer("accuracy_ms", 0n, MAX_ACCURACY, null),
    strict: table.choice("revocation", ["lenient", "strict"]) === "strict",
  };
  table.end();
  if (authority.roots.length === 0) throw new FormatError("a [[tsa]] without a root");
  if (authority.policies.some((policy) => policy.length > MAX_POLICY || !/^[0-9]+(?:\.[0-9]+)+$/.test(policy))) throw new FormatError("not a dotted OID");
  return readAuthority({ ...authority, accuracyMs: authority.accuracyMs === null ? null : Number(authority.accuracyMs) });
}
