#!/usr/bin/env node
// The verifier under Node.
//
//   node cli.mjs FILE [--trust FILE] [--document FILE] [--statement FILE] [--proof FILE]
//                           prints the result as JSON; exit status 0, 1 or 2 as `notary verify`. The statement is that
//                           of a COSE receipt, the proof lies under the checkpoint of an OpenTimestamps file
//   node cli.mjs --lines    reads requests {"package", "trust", "document", "statement", "proof"} (paths, or null), one
//                           in a line, and answers each in a line: the result, or {"error", "message"} where there is none.
//                           "answers": what others were asked for blocks and said, as withAnswers (trust.js) takes it
//
// It opens no socket.

import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { createInterface } from "node:readline";

import { Unreadable } from "./checks.js";
import { BesideError, NoEvidence } from "./evidence.js";
import { textOfResult } from "./result_text.js";
import { TrustError } from "./trust.js";
import { verify } from "./verify.js";

const STATUS = { passed: 0, failed: 1, could_not_be_checked: 2 };
const KINDS = [TrustError, NoEvidence, BesideError, Unreadable];
const FILES = ["package", "trust", "document", "statement", "proof"];
const OPTIONS = ["--trust", "--document", "--statement", "--proof"];
const SMALL = 1 << 26; // what is read at once

// A file as a source of bytes, for as long as `work` runs.
async function withFile(path, work) {
  if (path === null) return work(null);
  if (typeof path !== "string") throw new Error("not a path");
  let file;
  try {
    file = openSync(path, "r");
    const { size } = fstatSync(file);
    return await work(size <= SMALL ? new Uint8Array(readFileSync(file)) : { size, read: (start, end) => readPart(file, start, end) });
  } catch (error) {
    throw error.code === undefined ? error : new Unreadable(error.message);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readPart(file, start, end) {
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(file, bytes, at, bytes.length - at, start + at);
    if (count === 0) throw new Unreadable("the file ends too early");
    at += count;
  }
  return bytes;
}

// Opens the files of a request, one within the other, and verifies.
function verifyPaths(request, names = FILES, opened = {}) {
  const [name, ...others] = names;
  if (name === undefined) return verify({ ...opened, answers: request.answers ?? [] });
  return withFile(name === "package" ? request.package : (request[name] ?? null), (bytes) => verifyPaths(request, others, { ...opened, [name]: bytes }));
}

const errorOf = (error) => ({ error: KINDS.find((kind) => error instanceof kind)?.name ?? "Error", message: String(error?.message ?? error) });

async function lines() {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    let answer;
    try {
      answer = await verifyPaths(JSON.parse(line));
    } catch (error) {
      answer = errorOf(error);
    }
    process.stdout.write(`${textOfResult(answer)}\n`);
  }
}

async function once(words) {
  const request = {};
  while (words.length > 0) {
    const word = words.shift();
    if (OPTIONS.includes(word)) request[word.slice(2)] = words.shift() ?? null;
    else request.package = word;
  }
  if (request.package === undefined) {
    process.stderr.write("usage: node cli.mjs FILE [--trust FILE] [--document FILE] [--statement FILE] [--proof FILE] | --lines\n");
    return 2;
  }
  try {
    const result = await verifyPaths(request);
    process.stdout.write(`${textOfResult(result, 2)}\n`);
    return STATUS[result.outcome];
  } catch (error) {
    if (!KINDS.some((kind) => error instanceof kind)) throw error;
    process.stderr.write(`${errorOf(error).message}\n`);
    return 2;
  }
}

if (process.argv[2] === "--lines") await lines();
else process.exitCode = await once(process.argv.slice(2));
