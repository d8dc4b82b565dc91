import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

function run(script: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', script, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

const SCRIPTS: Readonly<Record<string, string>> = {
  build: 'scripts/build.ts',
  lint: 'scripts/lint.ts',
  test: 'scripts/test.ts',
  e2e: 'scripts/e2e.ts',
  'capture-table': 'scripts/capture-table.ts',
  gas: 'scripts/contracts/gas.ts',
  invariants: 'scripts/contracts/invariants.ts',
  mutate: 'scripts/contracts/mutate.ts',
  coverage: 'scripts/contracts/coverage.ts',
  slither: 'scripts/contracts/slither.ts',
  'fork-run': 'scripts/contracts/fork-run.ts',
  simulate: 'test/operator/simulation/main.ts',
}

describe('scripts', { concurrency: 2 }, () => {
  for (const [name, script] of Object.entries(SCRIPTS)) {
    it(`${name} begins nothing when it is asked for help, or with a flag that it does not know`, async () => {
      const help = await run(script, ['--help'])
      assert.deepEqual([help.code, help.stderr], [0, ''])
      assert.ok(help.stdout.length > 0 && help.stdout.length < 3_000)
      assert.doesNotMatch(help.stdout, /^(ok|FAIL) /m)
      const bogus = await run(script, ['--bogus'])
      assert.deepEqual([bogus.code, bogus.stdout], [1, ''])
      assert.equal(bogus.stderr, `${name}: Unknown option '--bogus'\nSee npm run ${name} -- --help.\n`)
    })
  }

  for (const [name, args, said] of [
    ['mutate', ['--size', 'many'], '--size: expected a whole number from 1, got many'],
    ['mutate', ['--jobs', '0'], '--jobs: expected a whole number from 1, got 0'],
    ['mutate', ['--bar', '101'], '--bar: expected a number from 0 to 100, got 101'],
    ['coverage', ['--bar', 'high'], '--bar: expected a number from 0 to 100, got high'],
    ['invariants', ['--runs', '1.5'], '--runs: expected a whole number from 1, got 1.5'],
    ['invariants', ['--depth', ''], '--depth: expected a whole number from 1, got nothing'],
    ['invariants', ['--seed', '0x1'], '--seed: expected a whole number from 0, got 0x1'],
    ['simulate', ['--from', '0'], '--from: expected a whole number from 1, got 0'],
  ] as const) {
    it(`${name} says what is wrong with ${args.join(' ')}, and begins nothing`, async () => {
      const ended = await run(SCRIPTS[name] ?? '', args)
      assert.deepEqual(ended, { code: 1, stdout: '', stderr: `${name}: ${said}\nSee npm run ${name} -- --help.\n` })
    })
  }

  it('that take no words say so', async () => {
    const { code, stderr } = await run('scripts/build.ts', ['everything'])
    assert.equal(code, 1)
    assert.match(stderr, /^build: Unexpected argument 'everything'\nSee npm run build/)
  })
})
