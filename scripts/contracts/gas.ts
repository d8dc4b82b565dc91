import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { readFlags } from '../support/flags.ts'

const HELP = `Gas of the contracts, to the unit, against the figures kept in test/contracts/integration/gas-snapshot.json.

  npm run gas [-- --update]

With --update the figures measured now are kept, and written into the table of docs/gas.md.
`
const { values } = readFlags({ name: 'gas', help: HELP, options: { update: { type: 'boolean', default: false } } })

const TESTS = ['test/contracts/integration/gas.test.ts', 'test/contracts/integration/gas-at-size.test.ts']
const env = values.update ? { ...process.env, UPDATE_GAS: '1' } : process.env
const { status } = spawnSync('hardhat', ['test', 'mocha', ...TESTS], { stdio: 'inherit', env })
if (status !== 0) process.exit(status ?? 1)
if (values.update) writeTable()

/** The second column of the table's rows, each named by its first. */
function writeTable(): void {
  const figures = JSON.parse(readFileSync('test/contracts/integration/gas-snapshot.json', 'utf8')) as Readonly<Record<string, number>>
  const page = readFileSync('docs/gas.md', 'utf8')
  const lines = page.split('\n').map((line) => {
    const [, name = '', , ...rest] = line.split('|')
    const figure = figures[name.trim()]
    return figure === undefined ? line : ['', name, ` ${figure.toLocaleString('en-US')} `, ...rest].join('|')
  })
  writeFileSync('docs/gas.md', lines.join('\n'))
}
