#!/usr/bin/env node
// The npm compiler behind the few options of native solc that static analysers use:
//   solc --version
//   solc [PREFIX=TARGET ...] FILE --combined-json LIST [options, ignored or mapped below]
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { relative, resolve } from 'node:path'

const solc = createRequire(import.meta.url)('solc')
const args = process.argv.slice(2)
if (args.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`)
  process.exit(0)
}

const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const remappings = args.filter((arg) => /^[^-=][^=]*=/.test(arg))
const file = args.find((arg, i) => arg.endsWith('.sol') && !arg.includes('=') && args[i - 1] !== '--allow-paths')
const wanted = (option('--combined-json') ?? '').split(',')
const absolute = (path) => relative(process.cwd(), resolve(path))

const input = {
  language: 'Solidity',
  sources: { [absolute(file)]: { content: readFileSync(file, 'utf8') } },
  settings: {
    remappings,
    evmVersion: option('--evm-version') ?? 'prague',
    // Analysis is of the trees: code is not made, which would take most of the time.
    outputSelection: { '*': { '': ['ast'], '*': ['abi', 'evm.methodIdentifiers', 'userdoc', 'devdoc'] } },
  },
}
const output = JSON.parse(
  solc.compile(JSON.stringify(input), {
    import: (path) => {
      try {
        return { contents: readFileSync(path, 'utf8') }
      } catch (error) {
        return { error: error.message }
      }
    },
  }),
)
const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error')
if (errors.length > 0) {
  console.error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'))
  process.exit(1)
}

const contracts = {}
for (const [path, named] of Object.entries(output.contracts)) {
  for (const [name, { abi, evm, userdoc, devdoc }] of Object.entries(named)) {
    const all = {
      abi,
      bin: '',
      'bin-runtime': '',
      srcmap: '',
      'srcmap-runtime': '',
      hashes: evm.methodIdentifiers,
      userdoc,
      devdoc,
    }
    contracts[`${path}:${name}`] = Object.fromEntries(Object.entries(all).filter(([key]) => wanted.includes(key)))
  }
}
const sources = Object.fromEntries(Object.entries(output.sources).map(([path, { ast }]) => [path, { AST: ast }]))
console.log(JSON.stringify({ contracts, sources, sourceList: Object.keys(output.sources), version: solc.version() }))
