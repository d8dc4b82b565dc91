import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'

const folder = mkdtempSync(join(tmpdir(), 'open-pools-deploy-'))
const keyFile = join(folder, 'key')
const KEY = `0x${'11'.repeat(32)}`

describe('npm run deploy', () => {
  after(() => rmSync(folder, { recursive: true }))

  const run = async (...args: string[]): Promise<{ code: number; output: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, ['--import', 'tsx', 'deploy/main.ts', ...args], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
      )
    })

  it('explains itself', async () => {
    const { code, output } = await run('--help')
    assert.equal(code, 0)
    for (const flag of ['--rpc-url', '--beacon-url', '--key-file', '--network', '--first-period']) assert.ok(output.includes(flag), flag)
  })

  it('says which flag is missing', async () => {
    const { code, output } = await run('--rpc-url', 'http://127.0.0.1:9')
    assert.equal(code, 1)
    assert.match(output, /--beacon-url/)
  })

  it('says that a beacon node does not answer, and never shows the key', async () => {
    writeFileSync(keyFile, KEY)
    const { code, output } = await run('--rpc-url', 'http://127.0.0.1:9', '--beacon-url', 'http://127.0.0.1:9', '--key-file', keyFile)
    assert.equal(code, 1)
    assert.match(output, /^deploy: no beacon node answers at http:\/\/127\.0\.0\.1:9: /)
    assert.ok(!output.includes(KEY.slice(2)))
  })
})
