import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Batch, EventFeed } from '../../../../../operator/adapters/chain/event-feed.ts'
import type { EventStore } from '../../../../../operator/adapters/chain/event-store.ts'
import type { ChainRpc } from '../../../../../operator/adapters/chain/rpc.ts'
import type { EventPosition } from '../../../../../operator/core/events.ts'
import type { Address, Root } from '../../../../../operator/core/ids.ts'

const root = (byte: string): Root => `0x${byte.repeat(32)}` as Root
const contract = `0x${'aa'.repeat(20)}` as Address
const sender = `0x${'bb'.repeat(20)}` as Address

/** One block after genesis with these logs: topic "01" earns, any other does not. */
function setUp(logs: readonly { readonly topic: string; readonly transaction: string }[], transactions: readonly string[]) {
  const asked: string[] = []
  const blocks = [0, 1].map((number) => ({
    ...{ number, hash: root(`0${number + 1}`), parentHash: root(`0${number}`), timestamp: 10 * number },
    ...{ baseFeePerGas: 1n, gasLimit: 1n, logsBloom: undefined },
  }))
  const rpc = {
    block: async (id: number | string) =>
      id === 'finalized' ? undefined : id === 'latest' ? blocks[1] : blocks.find(({ hash, number }) => id === hash || id === number),
    async request(method: string, [parameter]: readonly unknown[]) {
      if (method === 'eth_getTransactionByHash') {
        asked.push(String(parameter))
        return transactions.includes(String(parameter)) ? { from: sender.toUpperCase().replace('0X', '0x') } : null
      }
      return logs.map(({ topic, transaction }, at) => ({
        ...{ address: contract, topics: [root(topic)], data: '0x', blockNumber: '0x1', blockHash: root('02') },
        ...{ transactionHash: root(transaction), logIndex: `0x${at.toString(16)}` },
      }))
    },
  } as unknown as ChainRpc
  const applied: { readonly topic: string; readonly at: EventPosition }[] = []
  const feed = new EventFeed<{ readonly topic: string; readonly at: EventPosition }>({
    rpc,
    store: { cursor: () => undefined, logs: () => [], append: () => {} } as unknown as EventStore,
    addresses: [contract],
    deploymentBlock: 0,
    decode: ({ topics, at }) => ({ topic: (topics[0] ?? '').slice(2, 4), at }),
    earns: ({ topic }) => topic === '01',
    onBatch: (batch: Batch<{ readonly topic: string; readonly at: EventPosition }>) => void applied.push(...batch.applied),
  })
  return { feed, applied, asked }
}

test('events that earn something come with their transaction and its sender, each asked for once', async () => {
  const logs = [
    { topic: '01', transaction: '11' },
    { topic: '02', transaction: '12' },
    { topic: '01', transaction: '11' },
  ]
  const { feed, applied, asked } = setUp(logs, [root('11')])
  await feed.restore()
  await feed.poll()
  assert.deepEqual(
    applied.map(({ topic, at }) => [topic, at.transaction]),
    [
      ['01', { hash: root('11'), sender }],
      ['02', undefined],
      ['01', { hash: root('11'), sender }],
    ],
  )
  assert.deepEqual(asked, [root('11')])
})

test('a block whose transaction is not served yet is taken in later, whole', async () => {
  const { feed, applied } = setUp([{ topic: '01', transaction: '11' }], [])
  await feed.restore()
  await assert.rejects(feed.poll(), /BEHIND|transaction/)
  assert.deepEqual(applied, [])
})
