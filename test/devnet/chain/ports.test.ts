import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { after, describe, it } from 'node:test'
import { assertFree, freePorts } from '../../../devnet/chain/execution/ports.ts'

const host = '127.0.0.1'

describe('ports of a local chain', () => {
  const server = createServer()
  after(() => server.close())
  const taken = async (): Promise<number> => {
    const [port = 0] = await freePorts({ host, count: 1 })
    await new Promise<void>((resolve) => server.listen(port, host, resolve))
    return port
  }

  it('are asked for before anything is started; a taken one is named with its option', async () => {
    const [free = 0] = await freePorts({ host, count: 1 })
    await assertFree({ host, port: free, name: '--engine-port' })
    // It left nothing behind that listens.
    await assertFree({ host, port: free, name: '--engine-port' })
    const port = await taken()
    const message = `cannot listen on port ${port} of ${host}: it is taken; give another --execution-port, or 0 for any that is free`
    await assert.rejects(assertFree({ host, port, name: '--execution-port' }), { message })
    const stderr = await new Promise<string>((resolve) => {
      const args = ['--import', 'tsx', 'devnet/chain/main.ts', '--execution-port', String(port)]
      execFile(process.execPath, args, (_, __, words) => resolve(words))
    })
    assert.equal(stderr, `chain: could not start: ${message}\n`)
  })
})
