import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFlags } from '../support/flags.ts'
import { makeWorkspace, ROOT } from './workspace.ts'

const HELP = `Static analysis of contracts/ with Slither.

  npm run slither [-- --list] [--no-install]

Uses a slither on the PATH, else installs one into .data/slither with Python's own tools. Without Python it says so
and ends well. Everything it finds stands with its reason in test/contracts/slither.json, by detector or by finding; anything
else, and any reason that explains nothing any more, makes it fail. --list prints all findings by their keys. --no-install takes
a slither that is there, or says that there is none and ends well.
`
const { values } = readFlags({
  name: 'slither',
  help: HELP,
  options: {
    list: { type: 'boolean', default: false },
    'no-install': { type: 'boolean', default: false },
  },
})

const VERSION = '0.11.6'
const LIMIT_SECONDS = 600

type Element = {
  readonly type: string
  readonly name: string
  readonly type_specific_fields?: { readonly parent?: { readonly name: string } }
}
type Finding = { readonly check: string; readonly impact: string; readonly description: string; readonly elements: readonly Element[] }
/** Reasons by detector, and by finding (`detector Contract.function`). */
type Explained = { readonly detectors: Readonly<Record<string, string>>; readonly findings: Readonly<Record<string, string>> }

const slither = findSlither()
if (slither === undefined) {
  console.log('static analysis: no Slither here: skipped')
  process.exit(0)
}
const explained = JSON.parse(readFileSync(join(ROOT, 'test/contracts/slither.json'), 'utf8')) as Explained
const findings = await analyse(slither)
const used = new Set<string>()
const left = findings.filter((finding) => {
  const key = keyOf(finding)
  if (values.list) console.log(`${finding.impact.padEnd(13)} ${key}`)
  if (finding.check in explained.detectors) used.add(finding.check)
  else if (key in explained.findings) used.add(key)
  else return true
  return false
})
for (const finding of left) console.log(`unexplained: ${keyOf(finding)} (${finding.impact})\n${finding.description}`)
const stale = [...Object.keys(explained.detectors), ...Object.keys(explained.findings)].filter((key) => !used.has(key))
for (const key of stale) console.log(`explains nothing any more: ${key}`)
console.log(`${findings.length} findings, ${left.length} unexplained, ${stale.length} stale reasons`)
if (left.length + stale.length > 0) process.exitCode = 1

function keyOf({ check, elements }: Finding): string {
  const element = elements.find(({ type }) => type === 'function') ?? elements[0]
  const parent = element?.type_specific_fields?.parent?.name
  return `${check} ${parent === undefined ? '' : `${parent}.`}${element?.name ?? ''}`
}

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function findSlither(): string | undefined {
  if (runs('slither', ['--version'])) return 'slither'
  const home = join(ROOT, '.data', 'slither')
  const installed = join(home, 'bin', 'slither')
  if (existsSync(installed) && runs(installed, ['--version'])) return installed
  if (values['no-install'] || !runs('python3', ['-m', 'venv', home])) return undefined
  console.log(`installing slither-analyzer ${VERSION} into .data/slither`)
  const done = runs(join(home, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `slither-analyzer==${VERSION}`])
  if (!done) console.log('static analysis: the package could not be installed')
  return done ? installed : undefined
}

/** One source that imports all: the analyser then sees each contract once, with all that calls it. */
async function analyse(program: string): Promise<readonly Finding[]> {
  const workspace = makeWorkspace()
  try {
    const imports = globSync('contracts/**/*.sol', { cwd: workspace.root }).sort()
    const lines = ['// SPDX-License-Identifier: MIT', 'pragma solidity 0.8.37;', ...imports.map((path) => `import "./${path}";`)]
    writeFileSync(join(workspace.root, 'All.sol'), `${lines.join('\n')}\n`)
    const compiler = join(workspace.root, 'scripts/contracts/solc-cli.mjs')
    const command = [program, 'All.sol', '--solc', compiler, '--solc-remaps', '@openzeppelin/=node_modules/@openzeppelin/']
    const { output, status } = await workspace.run([...command, '--filter-paths', 'node_modules', '--json', 'findings.json'], LIMIT_SECONDS)
    const answer = join(workspace.root, 'findings.json')
    if (!existsSync(answer)) throw new Error(`expected findings from slither, got status ${status}:\n${output}`)
    const { success, error, results } = JSON.parse(readFileSync(answer, 'utf8')) as {
      readonly success: boolean
      readonly error: string | null
      readonly results: { readonly detectors?: readonly Finding[] }
    }
    if (!success) throw new Error(`slither failed: ${error}`)
    return results.detectors ?? []
  } finally {
    workspace.remove()
  }
}
