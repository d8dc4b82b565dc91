import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Transaction } from 'ethers'
import { type Batch, EventFeed } from '../../operator/adapters/chain/event-feed.ts'
import { EventStore } from '../../operator/adapters/chain/event-store.ts'
import { ChainRpc } from '../../operator/adapters/chain/rpc.ts'
import { openStore, type SqliteStore } from '../../operator/adapters/store/sqlite.ts'
import { toAddress } from '../../operator/core/parse.ts'
import { ChainError } from '../../operator/core/ports/chain.ts'
import {
  accountOf,
  chainIdOf,
  deploy,
  EMITTER,
  FEES,
  startTestExecution,
  type TestExecution,
} from '../operator/unit/adapters/support/execution.ts'

// A real execution client, driven to two branches through the Engine API.
describe('event feed through reorganizations', () => {
  let execution: TestExecution
  let folder: string
  let store: SqliteStore
  let emitter: `0x${string}`
  let base: string
  const account = accountOf(0)
  let nonce = 0

  before(async () => {
    execution = await startTestExecution()
    folder = mkdtempSync(join(tmpdir(), 'open-pools-reorg-'))
    store = openStore(join(folder, 'state.db'))
    emitter = await deploy(execution, { runtime: EMITTER, account, nonce: nonce++ })
    base = await execution.build(execution.genesis)
  })
  after(async () => {
    await execution.stop()
    store.close()
    rmSync(folder, { recursive: true })
  })

  /** Sends a call that makes the contract emit `word`. */
  async function emit(word: number, from = account, at = nonce++): Promise<void> {
    const data = `0x${word.toString(16).padStart(64, '0')}`
    const unsigned = Transaction.from({
      type: 2,
      chainId: await chainIdOf(execution),
      nonce: at,
      to: emitter,
      data,
      gasLimit: 100_000,
      ...FEES,
    })
    await execution.rpc('eth_sendRawTransaction', [from.signTransaction(unsigned.unsignedSerialized as `0x${string}`)])
  }

  async function openFeed() {
    const head: number[] = []
    const final: number[] = []
    const batches: Batch<number>[] = []
    const rpc = await ChainRpc.connect({ url: execution.url })
    const feed = new EventFeed<number>({
      rpc,
      store: new EventStore({ store, identity: rpc.identity, directory: emitter }),
      addresses: [toAddress(emitter)],
      deploymentBlock: 1,
      earns: () => false,
      decode: ({ topics }) => Number(topics[0]),
      onBatch(batch) {
        batches.push(batch)
        // Reverted events must leave in the opposite order of their coming.
        for (const event of batch.reverted) assert.equal(head.pop(), event)
        head.push(...batch.applied)
        final.push(...batch.finalized)
      },
    })
    await feed.restore()
    await feed.poll()
    return { feed, head, final, batches }
  }

  it('takes back what an abandoned branch did, finalizes once, and resumes after a restart', async () => {
    const { feed, head, final, batches } = await openFeed()
    await emit(1)
    const common = await execution.build(base)
    await feed.poll()
    assert.deepEqual(head, [1])

    // Branch A: 2, then 3.
    await emit(2)
    const a1 = await execution.build(common)
    await emit(3)
    await execution.build(a1)
    await feed.poll()
    assert.deepEqual(head, [1, 2, 3])

    // Branch B leaves from the common block, with another account's event, and is longer.
    await emit(7, accountOf(1), 0)
    const b1 = await execution.build(common)
    const b2 = await execution.build(b1)
    await execution.build(b2)
    await feed.poll()
    assert.deepEqual(head.slice(0, 1), [1])
    assert.ok(head.includes(7))
    assert.deepEqual(final, [])
    const left = batches.flatMap(({ reverted }) => reverted)
    assert.deepEqual(left, [3, 2])

    // Branch C is shorter than B; the client says that it is the head, so it is.
    await emit(9, accountOf(2), 0)
    const c1 = await execution.build(common)
    await feed.poll()
    assert.equal(head[0], 1)
    assert.ok(head.includes(9))

    // C goes on and wins for good: its first block is final. (This client forgets the receipts of a branch that it left, so
    // the test cannot go back to one.)
    const c2 = await execution.build(c1)
    const onC = await execution.build(c2, c1)
    await feed.poll()
    const expected = [...head]
    assert.ok(expected.includes(9))
    assert.deepEqual(final, expected.slice(0, final.length))
    assert.ok(final.length >= 1)
    const before = batches.length
    await feed.poll()
    assert.equal(batches.length, before, 'nothing moved, nothing is said')

    const again = await openFeed()
    assert.deepEqual(again.head, expected)
    assert.deepEqual(again.final, final)
    await execution.build(onC, onC)
    await again.feed.poll()
    assert.deepEqual(again.final, again.head)
  })

  it('catches up on what became final while it was away', async () => {
    const known = (await openFeed()).final.length
    let tip = ((await execution.rpc('eth_getBlockByNumber', ['latest', false])) as { hash: string }).hash
    nonce = Number(await execution.rpc('eth_getTransactionCount', [account.address, 'latest']))
    for (let i = 0; i < 140; i++) {
      if (i % 50 === 0) await emit(100 + i)
      tip = await execution.build(tip, i === 139 ? tip : undefined)
    }
    const { head, final } = await openFeed()
    assert.deepEqual(final.slice(known), [100, 150, 200])
    assert.deepEqual(head, final)
  })

  it('refuses a data folder that was used on another chain or with another deployment', async () => {
    const rpc = await ChainRpc.connect({ url: execution.url })
    const other = new EventStore({ store, identity: { ...rpc.identity, genesis: `0x${'11'.repeat(32)}` }, directory: emitter })
    assert.throws(
      () => other.cursor(),
      (error: unknown) => error instanceof ChainError && error.code === 'OTHER_CHAIN',
    )
    const deployment = new EventStore({ store, identity: rpc.identity, directory: `0x${'22'.repeat(20)}` })
    assert.throws(
      () => deployment.cursor(),
      (error: unknown) => error instanceof ChainError && error.code === 'OTHER_CHAIN',
    )
  })
})
