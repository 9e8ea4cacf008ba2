import assert from "node:assert/strict";
import { createServer } from "node:http";
import test from "node:test";

import { askAll } from "../../notary/api/static/verifier/page/node.js";

const HASH = "ab".repeat(32);
const BLOCK = { chainId: 31337, number: 200n, hash: HASH, time: 5n };
const WHOLE = { number: "0xc8", hash: `0x${HASH.toUpperCase()}` };

// Runs `work` beside a server that answers with `told(question)`: text, or [status, text].
async function beside(told, work) {
  const questions = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://x");
    let body = "";
    for await (const part of request) body += part;
    const question = request.method === "POST" ? JSON.parse(body) : { method: "GET", params: Object.fromEntries(url.searchParams) };
    questions.push([url.pathname, question.method, question.params]);
    const [status, text] = [told(question)].flat().length > 1 ? told(question) : [200, told(question)];
    response.writeHead(status, status === 302 ? { Location: "/elsewhere" } : {}).end(text);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  try {
    return await work(`127.0.0.1:${server.address().port}`, questions);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const json = (result, more = {}) => JSON.stringify({ jsonrpc: "2.0", id: 1, result, ...more });
const says = (block, chain = "0x7a69") => ({ method }) => json(method === "eth_chainId" ? chain : block);

test("a node is asked for its chain and for the block", () =>
  beside(says(WHOLE), async (host, questions) => {
    const found = await askAll({ node: `http://${host}/v3/KEY`, explorer: "" }, [BLOCK]);
    assert.deepEqual(found, [{ chainId: 31337, number: 200n, hash: HASH, source: `node ${host}`, trouble: "" }]);
    assert.deepEqual(questions, [["/v3/KEY", "eth_chainId", []], ["/v3/KEY", "eth_getBlockByNumber", ["0xc8", false]]]);
  }));

test("an explorer is asked in its address, of the chain of the block", () =>
  beside(says(WHOLE), async (host, questions) => {
    const found = await askAll({ node: "", explorer: `http://${host}/v2/api?apikey=a%26b` }, [BLOCK]);
    assert.deepEqual(found, [{ chainId: 31337, number: 200n, hash: HASH, source: `explorer ${host}`, trouble: "" }]);
    const asked = { apikey: "a&b", chainid: "31337", module: "proxy", action: "eth_getBlockByNumber", tag: "0xc8", boolean: "false" };
    assert.deepEqual(questions, [["/v2/api", "GET", asked]]);
    const [{ hash, trouble }] = await askAll({ node: "", explorer: `http://${host}/api?chainid=1` }, [BLOCK]);
    assert.deepEqual([hash, trouble, questions.length], [null, "its address is for chain 1, the block is of chain 31337", 1]);
    for (const two of ["chainid=31337&%63hainid=1", "chainid=31337&chainid="]) {
      const [{ hash }] = await askAll({ node: "", explorer: `http://${host}/api?${two}` }, [BLOCK]);
      assert.deepEqual([hash, questions.length], [null, 1]);
    }
    await askAll({ node: "", explorer: `http://${host}/api?tag=latest&chainid=31337` }, [BLOCK]);
    const { apikey: _, ...rest } = asked;
    assert.deepEqual(questions[1][2], rest);
  }));

const UNUSABLE = {
  "another chain": [says(WHOLE, "0x1"), /^it is of chain 1, the block of chain 31337$/],
  "a chain that is no number": [says(WHOLE, 31337), /not a number/],
  "no such block": [says(null), /^it does not have this block$/],
  "another block": [says({ ...WHOLE, number: "0xc9" }), /not the block/],
  "a block without number": [says({ hash: WHOLE.hash }), /not a number/],
  "a block that is text": [says("0x7a69"), /not a number/],
  "no hash": [says({ number: "0xc8" }), /no hash/],
  "a short hash": [says({ ...WHOLE, hash: "0xab" }), /no hash/],
  "a hash in a list": [says({ ...WHOLE, hash: [WHOLE.hash] }), /./],
  "an error": [() => JSON.stringify({ error: { message: "over limit" } }), /^it refuses to answer: over limit$/],
  "an error without words": [({ method }) => json(method === "eth_chainId" ? "0x7a69" : WHOLE, { error: "" }), /^it refuses to answer: /],
  "a refusal": [() => json("Invalid API Key", { status: "0" }), /^it refuses to answer: Invalid API Key$/],
  "no JSON": [() => "<html>", /./],
  "too much": [() => " ".repeat(4_194_305), /./],
  "a failure": [() => [500, "x"], /^it answers with status 500$/],
  "another place": [() => [302, "x"], /./],
};

for (const [name, [told, trouble]] of Object.entries(UNUSABLE)) {
  test(`an answer that cannot be used is none: ${name}`, () =>
    beside(told, async (host) => {
      const [found] = await askAll({ node: `http://${host}/`, explorer: "" }, [BLOCK]);
      assert.equal(found.hash, null);
      assert.match(found.trouble, trouble);
    }));
}

test("an answer that does not end is given up once it is too long", async () => {
  let sent = 0;
  const server = createServer((_, response) => {
    const more = () => {
      for (let go = true; go && sent < 64 << 20; sent += 1 << 20) go = response.write(" ".repeat(1 << 20));
      if (sent < 64 << 20) response.once("drain", more);
      else response.end();
    };
    more();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const [{ trouble }] = await askAll({ node: `http://127.0.0.1:${server.address().port}/`, explorer: "" }, [BLOCK]);
  server.closeAllConnections();
  server.close();
  assert.equal(trouble, "its answer is too long");
  assert.ok(sent < 32 << 20, `${sent} bytes were taken`);
});

test("what is not https, nor this machine, is not asked", async () => {
  for (const node of ["http://node.example.org/", "ftp://localhost/", "x"]) {
    const [found] = await askAll({ node, explorer: "" }, [BLOCK]);
    assert.equal(found.hash, null);
    assert.match(found.trouble, node === "x" ? /URL/ : /^https, or this machine$/);
  }
  assert.deepEqual(await askAll({ node: "", explorer: "" }, [BLOCK]), []);
});

test("of evidence with many blocks not all are asked for", () =>
  beside(says(WHOLE), async (host) => {
    const blocks = Array.from({ length: 40 }, () => BLOCK);
    assert.equal((await askAll({ node: `http://${host}/`, explorer: "" }, blocks)).length, 32);
  }));
