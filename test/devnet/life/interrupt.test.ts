import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'

it('a life that is interrupted stops what it began, says so in its last line, and ends with status 130', {
  timeout: 240_000,
}, async (t) => {
  const life = spawn(process.execPath, ['--import', 'tsx', 'devnet/life/main.ts', '--once'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => life.kill('SIGKILL'))
  let said = ''
  for await (const chunk of life.stdout) {
    // Once, when it has just begun to start its chain.
    if (said === '') life.kill('SIGINT')
    said += String(chunk)
  }
  if (life.exitCode === null) await once(life, 'exit')
  assert.equal(life.exitCode, 130)
  assert.equal(said.trimEnd().split('\n').at(-1), 'interrupted; everything is stopped')
})
