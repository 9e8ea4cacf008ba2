// Questions about blocks to those whom the reader names: a node of the chain (Ethereum JSON-RPC), or an explorer whose API
// is like Etherscan's.

const TIMEOUT = 20_000;
const MAX_ANSWER = 4_194_304;
const MAX_BLOCKS = 32; // the evidence says how many it has
const METHOD = "eth_getBlockByNumber";

// {chainId, number, hash, source, trouble} for each block and each whom the reader named; hash is null, and trouble says
// why, where there was no answer that can be used. Never throws. Args: addresses, or "" where none was named.
export function askAll({ node, explorer }, blocks) {
  const named = [["node", node, askNode], ["explorer", explorer, askExplorer]].filter(([, address]) => address !== "");
  return Promise.all(blocks.slice(0, MAX_BLOCKS).flatMap((block) => named.map((each) => answerOf(each, block))));
}

async function answerOf([kind, address, ask], { chainId, number }) {
  let source = kind;
  try {
    const url = addressOf(address);
    source = `${kind} ${url.host}`; // the rest of it may hold a key
    return { chainId, number, hash: hashOf(await ask(url, chainId, number), number), source, trouble: "" };
  } catch (error) {
    return { chainId, number, hash: null, source, trouble: String(error?.message ?? error).slice(0, 200) };
  }
}

// Whoever stands between could answer what he likes, but for https and this machine.
function addressOf(address) {
  const url = new URL(address);
  const local = ["localhost", "127.0.0.1"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) throw new Error("https, or this machine");
  return url;
}

async function askNode(url, chainId, number) {
  const chain = quantity(await call(url, "eth_chainId", []));
  if (chain !== BigInt(chainId)) throw new Error(`it is of chain ${chain}, the block of chain ${chainId}`);
  return call(url, METHOD, [`0x${number.toString(16)}`, false]);
}

// The chain is the URL's to name; Etherscan's second version serves many by one address.
async function askExplorer(url, chainId, number) {
  const asked = new URL(url);
  const other = asked.searchParams.getAll("chainid").find((chain) => chain !== String(chainId));
  if (other !== undefined) throw new Error(`its address is for chain ${other}, the block is of chain ${chainId}`);
  const query = { chainid: chainId, module: "proxy", action: METHOD, tag: `0x${number.toString(16)}`, boolean: "false" };
  for (const [name, value] of Object.entries(query)) asked.searchParams.set(name, value);
  return resultOf(await fetched(asked, { method: "GET" }));
}

// 64 digits in lower case.
function hashOf(block, number) {
  if (block === null) throw new Error("it does not have this block");
  if (quantity(block.number) !== BigInt(number)) throw new Error("its answer is not the block that was asked for");
  if (!/^0x[0-9a-fA-F]{64}$/.test(block.hash)) throw new Error("its answer has no hash of the block");
  return block.hash.slice(2).toLowerCase();
}

function quantity(value) {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw new Error("its answer is not a number where it must be");
  return BigInt(value);
}

async function call(url, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  return resultOf(await fetched(url, { method: "POST", headers: { "Content-Type": "application/json" }, body }));
}

async function fetched(url, options) {
  const answer = await fetch(url, { ...options, credentials: "omit", redirect: "error", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(TIMEOUT) });
  if (!answer.ok) throw new Error(`it answers with status ${answer.status}`);
  return textIn(answer.body);
}

// No more is taken in than a block may have, however much is sent.
async function textIn(stream) {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  const reader = stream.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    size += piece.value.length;
    if (size > MAX_ANSWER) {
      await reader.cancel();
      throw new Error("its answer is too long");
    }
    text += decoder.decode(piece.value, { stream: true });
  }
  return text + decoder.decode();
}

// Explorers put their own refusals, with a status, in the place of a result.
function resultOf(text) {
  const { result, error = null, status } = JSON.parse(text);
  if (error !== null || result === undefined || status !== undefined) throw new Error(`it refuses to answer: ${error?.message ?? error ?? result}`);
  return result;
}
