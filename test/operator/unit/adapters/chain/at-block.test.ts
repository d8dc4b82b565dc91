import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { atBlock } from '../../../../../operator/adapters/chain/at-block.ts'
import { ChainRpc } from '../../../../../operator/adapters/chain/rpc.ts'
import { toAddress, toRoot } from '../../../../../operator/core/parse.ts'
import { sendJson, TestServer } from '../support/http.ts'

const root = (byte: string) => toRoot(`0x${byte.repeat(32)}`)
const ACCOUNT = toAddress(`0x${'11'.repeat(20)}`)
const [OURS, OTHER] = [root('aa'), root('bb')]
const BALANCES: Readonly<Record<string, string>> = { [OURS]: '0x5', [OTHER]: '0x7' }
const block = (hash: string) => ({ number: '0x9', hash, parentHash: root('00'), timestamp: '0x64', gasLimit: '0x1', baseFeePerGas: '0x7' })

describe('reading at a block', () => {
  let knowsHashes = true
  /** Hash of block 9, as the client's chain has it from one request to the next; the last one stays. */
  let canonical: string[] = [OURS]
  let asked: string[] = []
  const server = new TestServer((_, response, body) => {
    const { id, method, params } = JSON.parse(body)
    const reply = (result: unknown): void => sendJson(response, { jsonrpc: '2.0', id, result })
    const refuse = (code: number, message: string): void => sendJson(response, { jsonrpc: '2.0', id, error: { code, message } })
    if (method === 'eth_chainId') return reply('0x1')
    if (method === 'eth_getBlockByNumber')
      return reply(block(params[0] === '0x0' ? OURS : ((canonical.length > 1 ? canonical.shift() : canonical[0]) ?? OURS)))
    const [, at] = params as [string, string | { blockHash: string }]
    asked.push(typeof at === 'string' ? at : 'hash')
    if (typeof at === 'string') return reply(BALANCES[canonical[0] ?? OURS])
    if (!knowsHashes) return refuse(-32602, 'invalid argument 1: argument must be a string')
    return at.blockHash in BALANCES ? reply(BALANCES[at.blockHash]) : refuse(-32001, 'header not found')
  })
  let rpc: ChainRpc
  before(async () => {
    await server.start()
    rpc = await ChainRpc.connect({ url: server.url })
  })
  beforeEach(() => {
    asked = []
    canonical = [OURS]
    knowsHashes = true
  })
  after(() => server.stop())
  const balance = (hash: string) => atBlock(rpc, { number: 9, hash: toRoot(hash) }, (at) => rpc.request('eth_getBalance', [ACCOUNT, at]))

  it('asks by hash (EIP-1898), whatever the client’s chain has at that number', async () => {
    canonical = [OTHER]
    assert.equal(await balance(OURS), '0x5')
    assert.deepEqual(asked, ['hash'])
  })

  it('asks a client that does not know hashes by number, as long as the number is that block’s', async () => {
    knowsHashes = false
    assert.equal(await balance(OURS), '0x5')
    assert.deepEqual(asked, ['hash', '0x9'])
  })

  it('takes no answer of another branch: neither before nor while it is read', async () => {
    knowsHashes = false
    canonical = [OTHER]
    await assert.rejects(balance(OURS), { code: 'BEHIND', message: /expected block 9 to be 0xaa.*, the client has 0xbb/ })
    assert.deepEqual(asked, ['hash'])
    canonical = [OURS, OTHER]
    await assert.rejects(balance(OURS), { code: 'BEHIND' })
  })

  it('waits for a block that the client does not have', async () => {
    await assert.rejects(balance(root('cc')), { code: 'BEHIND' })
  })
})
