import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { logsOfRange } from '../../../../../operator/adapters/chain/logs.ts'
import { ChainRpc } from '../../../../../operator/adapters/chain/rpc.ts'
import { toAddress } from '../../../../../operator/core/parse.ts'
import { ChainError } from '../../../../../operator/core/ports/chain.ts'
import { sendJson, TestServer } from '../support/http.ts'

const root = (byte: string): string => `0x${byte.repeat(32)}`
const block = (number: number, hash: string) => ({
  number: `0x${number.toString(16)}`,
  hash,
  parentHash: root('00'),
  timestamp: '0x64',
  gasLimit: '0x1c9c380',
  baseFeePerGas: '0x7',
})
const isCode = (code: string) => (error: unknown) => error instanceof ChainError && error.code === code

describe('JSON-RPC to an execution client', () => {
  let genesis = root('aa')
  let answers: Record<string, (params: unknown[]) => unknown> = {}
  const server = new TestServer((_, response, body) => {
    const { id, method, params } = JSON.parse(body)
    const answer = answers[method]
    if (method === 'eth_chainId') return sendJson(response, { jsonrpc: '2.0', id, result: '0x7e7e' })
    if (method === 'eth_getBlockByNumber') return sendJson(response, { jsonrpc: '2.0', id, result: block(0, genesis) })
    try {
      sendJson(response, { jsonrpc: '2.0', id, result: answer?.(params) ?? null })
    } catch (error) {
      sendJson(response, { jsonrpc: '2.0', id, error })
    }
  })
  let rpc: ChainRpc

  before(async () => {
    await server.start()
    rpc = await ChainRpc.connect({ url: server.url, chainId: 0x7e7en })
  })
  after(() => server.stop())

  it('refuses another chain id than the expected one', async () => {
    await assert.rejects(ChainRpc.connect({ url: server.url, chainId: 1n }), isCode('OTHER_CHAIN'))
  })

  it('names its state while the client is gone or serves another chain, and recovers', async () => {
    const states: string[] = []
    rpc.health.onChange(({ state }) => states.push(state))
    await server.stop()
    await assert.rejects(rpc.request('eth_blockNumber', []), isCode('UNREACHABLE'))
    genesis = root('bb')
    await server.start()
    await assert.rejects(rpc.request('eth_blockNumber', []), isCode('OTHER_CHAIN'))
    genesis = root('aa')
    answers = { eth_blockNumber: () => '0x5' }
    assert.equal(await rpc.request('eth_blockNumber', []), '0x5')
    assert.deepEqual(states, ['down', 'otherChain', 'up'])
  })

  it('finds revert data in each client’s way of giving it', async () => {
    for (const data of ['0x1234abcd', 'Reverted 0x1234abcd', { data: '0x1234abcd' }]) {
      answers = {
        eth_call: () => {
          throw { code: 3, message: 'execution reverted', data }
        },
      }
      await assert.rejects(rpc.request('eth_call', []), (error: unknown) => {
        return isCode('REFUSED')(error) && error instanceof ChainError && error.data.revert === '0x1234abcd'
      })
    }
  })

  it('halves a range of logs until the client takes it', async () => {
    const asked: number[] = []
    const address = toAddress(`0x${'11'.repeat(20)}`)
    answers = {
      eth_getLogs: ([filter]) => {
        const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string }
        const [from, to] = [Number(fromBlock), Number(toBlock)]
        if (to - from >= 100) throw { code: -32005, message: 'query returned more than 10000 results' }
        asked.push(from)
        const log = { address, topics: [], data: '0x', blockHash: root('01'), transactionHash: root('02'), logIndex: '0x0' }
        return [{ ...log, blockNumber: `0x${from.toString(16)}` }]
      },
    }
    const logs = await logsOfRange(rpc, { addresses: [address], from: 1, to: 400 })
    assert.deepEqual(
      logs.map(({ blockNumber }) => blockNumber),
      asked,
    )
    assert.deepEqual(asked, [1, 101, 201, 301])
  })

  it('calls an answer malformed that the specification does not allow', async () => {
    answers = { eth_getBlockByHash: () => ({ number: 5 }), eth_getLogs: () => 'nothing' }
    await assert.rejects(rpc.block(root('05')), isCode('MALFORMED'))
    await assert.rejects(logsOfRange(rpc, { addresses: [], from: 1, to: 1 }), isCode('MALFORMED'))
    answers = {}
    assert.equal(await rpc.block(root('06')), undefined)
  })
})
