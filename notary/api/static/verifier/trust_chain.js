// The tables [[chain]] and [[bitcoin_block]] of a trust file (docs/formats.md §8).

import { FormatError, equal, hex } from "./bytes.js";
import { MAX_INTEGER } from "./fields.js";
import { readBitcoinHeader } from "./ots.js";
import { readHex } from "./trust_fields.js";

const MAX = BigInt(MAX_INTEGER);
const PROFILES = ["ethereum", "op", "qbft", "ibft2", "anvil"];
const SEALED = ["qbft", "ibft2"];
const MAX_VALIDATORS = 100;

export const sourceOfChain = (chainId) => `chain ${chainId}`;

export function readChains(tables, testOnly) {
  const seen = new Set();
  const chains = tables.map((table) => {
    const chain = readChain(table);
    const about = `${chain.chainId} ${hex(chain.contract)} ${hex(chain.logId)}`;
    if (seen.has(about)) throw new FormatError("two [[chain]] about the same log in the same contract");
    seen.add(about);
    if (chain.profile === "anvil" && !testOnly) throw new FormatError("profile anvil where test_only is not true");
    return chain;
  });
  shareBlocks(chains);
  return chains;
}

// A block is of the chain, and not of a contract: what one table names counts for all of its chain id.
function shareBlocks(chains) {
  const known = new Map();
  for (const chain of chains) {
    const blocks = known.get(chain.chainId) ?? new Map();
    known.set(chain.chainId, blocks);
    for (const [number, hash] of chain.blocks) {
      if (blocks.has(number) && !equal(blocks.get(number), hash)) throw new FormatError(`block ${number} of chain ${chain.chainId} has two hashes`);
      blocks.set(number, hash);
    }
    chain.blocks = blocks;
  }
}

function readChain(table) {
  const chain = {
    chainId: Number(table.integer("chain_id", 0n, MAX)),
    contract: table.hex("contract", 20),
    logId: table.hex("log_id", 32),
    codeHash: table.hex("code_hash", 32),
    profile: table.text("profile"),
    headKeys: readHeadKeys(table),
    blocks: readBlocks(table.tables("block")),
    validators: readValidators(table.tables("validators")),
  };
  table.end();
  if (!PROFILES.includes(chain.profile)) throw new FormatError("an unknown profile");
  if (SEALED.includes(chain.profile) !== chain.validators.length > 0) throw new FormatError("validators are for sealed chains, and needed there");
  return chain;
}

// {address, since, until, lastGoodSize} of head_keys, which have no period, and of the [[chain.head_key]].
function readHeadKeys(table) {
  const named = table.texts("head_keys", []).map((address) => ({ address: readHex(address, 20), since: null, until: null, lastGoodSize: null }));
  const dated = table.tables("head_key").map((each) => {
    const key = { address: each.hex("address", 20), ...each.period() };
    each.end();
    return key;
  });
  const keys = [...named, ...dated];
  const addresses = new Set(keys.map(({ address }) => hex(address)));
  if (dated.length > 0 && addresses.size < keys.length) throw new FormatError("a head key is named twice");
  return keys;
}

function readBlocks(tables) {
  const blocks = new Map();
  for (const table of tables) {
    const number = Number(table.integer("number", 0n, MAX));
    if (blocks.has(number)) throw new FormatError("two blocks of one number");
    blocks.set(number, table.hex("hash", 32));
    table.end();
  }
  return blocks;
}

function readValidators(tables) {
  const sets = tables.map((table) => {
    const fromBlock = Number(table.integer("from_block", 0n, MAX, 0n));
    const addresses = table.texts("addresses").map((address) => readHex(address, 20));
    table.end();
    if (addresses.length === 0 || addresses.length > MAX_VALIDATORS || new Set(addresses.map(hex)).size < addresses.length) throw new FormatError("not 1 to 100 different validators");
    return { fromBlock, addresses };
  });
  if (new Set(sets.map(({ fromBlock }) => fromBlock)).size < sets.length) throw new FormatError("two sets of validators from one block");
  return sets.sort((one, other) => one.fromBlock - other.fromBlock);
}

// Height to the 80 bytes of the header.
export function readBitcoinBlocks(tables) {
  const blocks = new Map();
  for (const table of tables) {
    const height = Number(table.integer("height", 0n, 2n ** 31n - 1n));
    const header = table.hex("header", 80);
    table.end();
    if (blocks.has(height)) throw new FormatError("two Bitcoin blocks of one height");
    readBitcoinHeader(header);
    blocks.set(height, header);
  }
  return blocks;
}
