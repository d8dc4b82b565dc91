import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFlags } from '../support/flags.ts'
import { makeWorkspace, ROOT, runIn } from './workspace.ts'

const VERSION = '0.11.6'
const HOME = join(ROOT, '.data', 'slither')
const INSTALLED = join(HOME, 'bin', 'slither')
const ANALYSIS_SECONDS = 600
const INSTALL_SECONDS = 180
/** For what should answer within a second or two. */
const SHORT_SECONDS = 60

const HELP = `Static analysis of contracts/ with Slither.

  npm run slither [-- --list]

Uses a slither ${VERSION} on the PATH, else installs it into .data/slither with Python's own tools. Where there is no Python, or no
package index within reach, it says so and ends well. Everything it finds stands with its reason in test/contracts/slither.json,
by detector or by finding; anything else, and any reason that explains nothing any more, makes it fail. --list prints all findings
by their keys.
`
const { values } = readFlags({ name: 'slither', help: HELP, options: { list: { type: 'boolean', default: false } } })

type Element = {
  readonly type: string
  readonly name: string
  readonly type_specific_fields?: { readonly parent?: { readonly name: string } }
}
type Finding = { readonly check: string; readonly impact: string; readonly description: string; readonly elements: readonly Element[] }
/** Reasons by detector, and by finding (`detector Contract.function`). */
type Explained = { readonly detectors: Readonly<Record<string, string>>; readonly findings: Readonly<Record<string, string>> }

const slither = (await findSlither()) ?? (await installSlither())
if (typeof slither !== 'string') {
  console.log(`static analysis: skipped, ${slither.why}`)
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

/** Runs a program to its end, or for at most so long. A program that is not there is one that failed. */
async function attempt(command: readonly string[], seconds: number): ReturnType<typeof runIn> {
  return runIn(ROOT, command, seconds).catch((error: Error) => ({ status: 1, output: error.message }))
}

/** Another version finds other things, and one whose installation was interrupted does not run. */
async function isWanted(program: string): Promise<boolean> {
  const { status, output } = await attempt([program, '--version'], SHORT_SECONDS)
  return status === 0 && output.trim() === VERSION
}

async function findSlither(): Promise<string | undefined> {
  for (const program of ['slither', INSTALLED]) if (await isWanted(program)) return program
  return undefined
}

/** @returns its path, or why there is none */
async function installSlither(): Promise<string | { readonly why: string }> {
  if ((await attempt(['python3', '--version'], SHORT_SECONDS)).status !== 0) return { why: 'there is no Python here' }
  const made = await attempt(['python3', '-m', 'venv', '--clear', HOME], SHORT_SECONDS)
  if (made.status !== 0) return { why: `Python can't make an environment:\n${made.output.trim()}` }
  console.log(`installing slither-analyzer ${VERSION} into .data/slither, for ${INSTALL_SECONDS} s at most`)
  const quick = ['--quiet', '--disable-pip-version-check', '--no-input', '--timeout', '10', '--retries', '1']
  const pip = [join(HOME, 'bin', 'python'), '-m', 'pip', 'install', ...quick, `slither-analyzer==${VERSION}`]
  const { status, output } = await attempt(pip, INSTALL_SECONDS)
  if (status === 'timeout') return { why: `its package was not installed within ${INSTALL_SECONDS} s` }
  if (status === 0 && (await isWanted(INSTALLED))) return INSTALLED
  return { why: `its package could not be installed:\n${output.trim()}` }
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
    const { output, status } = await workspace.run(
      [...command, '--filter-paths', 'node_modules', '--json', 'findings.json'],
      ANALYSIS_SECONDS,
    )
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
