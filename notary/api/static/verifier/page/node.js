// One question to a node of the chain, where the reader names one: the hash of a block (Ethereum JSON-RPC).

const TIMEOUT = 20_000;
const MAX_ANSWER = 4_000_000;

// "same" or "other". Throws where the node does not answer as it should.
export async function askNode(address, { chainId, number, hash }) {
  const url = new URL(address);
  const local = ["localhost", "127.0.0.1"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) throw new Error("https, or this machine");
  const chain = await call(url, "eth_chainId", []);
  if (BigInt(chain) !== BigInt(chainId)) throw new Error(`the node is of chain ${BigInt(chain)}`);
  const block = await call(url, "eth_getBlockByNumber", [`0x${BigInt(number).toString(16)}`, false]);
  if (block === null || typeof block.hash !== "string") throw new Error("the node does not have this block");
  return block.hash.toLowerCase() === `0x${hash}` ? "same" : "other";
}

async function call(url, method, params) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    credentials: "omit",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(TIMEOUT),
  });
  const text = await answer.text();
  if (!answer.ok || text.length > MAX_ANSWER) throw new Error(`the node answered ${answer.status}`);
  const { result, error } = JSON.parse(text);
  if (error || result === undefined) throw new Error(String(error?.message ?? "no result"));
  return result;
}
