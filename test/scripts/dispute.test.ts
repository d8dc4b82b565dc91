import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { INTERFACES } from '../../operator/adapters/chain/interfaces.ts'
import { readCertificates } from '../../scripts/dispute/certificate.ts'
import { EVIDENCE, type EvidenceKind, readEvidence } from '../../scripts/dispute/evidence.ts'

const SOMEBODY = `0x${'ab'.repeat(20)}`
const NETWORK = ['--rpc-url', 'http://127.0.0.1:9', '--directory', SOMEBODY]

const names = (kind: EvidenceKind): readonly string[] =>
  INTERFACES.slashing.getFunction(EVIDENCE[kind])?.inputs.map(({ name }) => name) ?? []

function dispute(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', 'scripts/dispute.ts', ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

// What it shows to contracts: test/contracts/integration/dispute-script.test.ts, test/e2e/proofs.test.ts.
describe('dispute, wrongly used', { concurrency: 2 }, () => {
  const cases: readonly (readonly [args: readonly string[], expected: RegExp])[] = [
    [['dance'], /^dispute: unknown command 'dance'/],
    [['balance'], /^dispute: required option '--rpc-url <url>' not specified/],
    [['arrivals', ...NETWORK], /^dispute: required option '--commitment <id>' not specified/],
    [['arrivals', ...NETWORK, '--commitment', '0'], /argument '0' is invalid\. Expected a whole number from 1\./],
    [['arrivals', ...NETWORK, '--commitment', '1', '--kind', 'mine'], /Allowed choices are staker, bond/],
    [['evidence', ...NETWORK, '--kind', 'hearsay', '--file', 'x'], /Allowed choices are qbft, join, dealing, attestations, blocks/],
    [['arrivals', ...NETWORK, '--commitment', '1'], /^dispute: who pays the gas\? Give --key-file and --password-file, or --dry-run/],
    [['arrivals', ...NETWORK, '--commitment', '1', '--dry-run'], /^dispute: no execution client answers at http:\/\/127\.0\.0\.1:9/],
  ]
  for (const [args, expected] of cases) {
    it(`says what is wrong with "${args.join(' ')}"`, async () => {
      const { code, stdout, stderr } = await dispute(args)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, expected)
      assert.doesNotMatch(stderr, /\n\s+at /)
    })
  }

  it('shows nothing of a file that is no evidence, and names a folder that is none either', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'open-pools-evidence-'))
    const file = join(folder, 'password')
    const args = names('qbft')
    const contents = [
      'secretpassword',
      '"secretpassword"',
      JSON.stringify(Object.fromEntries(args.map((name) => [name, 'secretpassword']))),
    ]
    for (const content of contents) {
      writeFileSync(file, content)
      assert.throws(
        () => readEvidence(file, 'qbft'),
        (error: Error) => error.message.includes(`expected evidence in ${file}`) && !error.message.includes('secret'),
      )
    }
    assert.throws(() => readEvidence(folder, 'qbft'), { code: 'EISDIR', path: folder })
    assert.throws(() => readCertificates(folder), { code: 'EISDIR', path: folder })
    rmSync(folder, { recursive: true })
  })

  it('teaches with examples', async () => {
    for (const command of ['balance', 'arrivals', 'certificate', 'vote', 'evidence']) {
      const { code, stdout } = await dispute([command, '--help'])
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`dispute ${command} --.* --dry-run`))
    }
  })
})
