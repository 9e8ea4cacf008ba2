// Compile the contract into notary/anchoring/artifact, the same bytes every time, and write what an explorer asks for
// to verify the source: the compiler's standard JSON input.
// Usage: node compile.mjs [output file, and then that of the input]

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import solc from 'solc'

const NAME = 'CheckpointAnchor'
const here = dirname(fileURLToPath(import.meta.url))
const output = process.argv[2] ?? join(here, '../notary/anchoring/artifact', `${NAME}.json`)
const inputOutput = process.argv[3] ?? join(here, `${NAME}.input.json`)
const source = readFileSync(join(here, 'src', `${NAME}.sol`), 'utf8')

// Through the IR and for 200 runs it has 2,750 bytes; for 10,000 runs, or without the IR, 3,600: too dear to deploy.
// Paris runs on every chain since 2022, private ones included: later versions add opcodes that some lack.
// Without metadata the code does not depend on comments or paths.
const settings = {
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
}
const input = {
  language: 'Solidity',
  sources: { [`${NAME}.sol`]: { content: source } },
  settings: {
    ...settings,
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode'] } },
  },
}
const result = JSON.parse(solc.compile(JSON.stringify(input)))
for (const problem of result.errors ?? []) console.error(problem.formattedMessage)
if (result.errors?.length) process.exit(1)

const { abi, evm } = result.contracts[`${NAME}.sol`][NAME]
if (Object.keys(evm.deployedBytecode.immutableReferences ?? {}).length) {
  console.error('the contract has immutables, so its code hash would differ between deployments')
  process.exit(1)
}
const artifact = {
  contractName: NAME,
  compiler: solc.version(),
  settings,
  abi,
  bytecode: `0x${evm.bytecode.object}`,
  deployedBytecode: `0x${evm.deployedBytecode.object}`,
  sourceSha256: createHash('sha256').update(source).digest('hex'),
}
mkdirSync(dirname(output), { recursive: true })
writeFileSync(output, `${JSON.stringify(artifact, null, 2)}\n`)
writeFileSync(inputOutput, `${JSON.stringify(input, null, 2)}\n`)
