import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { INTERFACES } from '../../../../../operator/adapters/chain/interfaces.ts'
import type { TransactionRequest } from '../../../../../operator/adapters/chain/pending-transactions.ts'
import { ChainRpc } from '../../../../../operator/adapters/chain/rpc.ts'
import { TransactionSender } from '../../../../../operator/adapters/chain/transactions.ts'
import { openStore, type SqliteStore } from '../../../../../operator/adapters/store/sqlite.ts'
import type { Hex } from '../../../../../operator/core/ids.ts'
import { toAddress } from '../../../../../operator/core/parse.ts'
import { accountOf, deploy, EMITTER, ONCE, startTestExecution, type TestExecution } from '../support/execution.ts'
import { recordingLog } from '../support/log.ts'

// Refusals as the contracts make them: the call data of the ONCE contract is what it reverts with.
const [errorName] = INTERFACES.poolRegistry.fragments
  .filter((fragment) => fragment.type === 'error')
  .map((fragment) => fragment.format().split('(')[0])
const ERROR = INTERFACES.poolRegistry.getError(errorName ?? '')

describe('TransactionSender on a real execution client', () => {
  let execution: TestExecution
  let folder: string
  let tip: string
  let store: SqliteStore
  let stop: AbortController
  const account = accountOf(0)
  const data = `${ERROR?.selector ?? '0x'}${'00'.repeat(32 * (ERROR?.inputs.length ?? 0))}` as Hex

  before(async () => {
    execution = await startTestExecution()
    tip = execution.genesis
    folder = mkdtempSync(join(tmpdir(), 'open-pools-sender-'))
    store = openStore(join(folder, 'state.db'))
  })
  beforeEach(() => {
    stop = new AbortController()
  })
  after(async () => {
    stop.abort()
    await execution.stop()
    store.close()
    rmSync(folder, { recursive: true })
  })

  const mine = async (): Promise<void> => {
    tip = await execution.build(tip)
  }
  const nonceOf = async (): Promise<number> => Number(await execution.rpc('eth_getTransactionCount', [account.address, 'latest']))
  const put = async (runtime: string): Promise<Hex> => {
    const address = await deploy(execution, { runtime, account, nonce: await nonceOf() })
    await mine()
    return address
  }
  const requestTo = (to: Hex, value = 0n): TransactionRequest => ({ to: toAddress(to), data, value, label: 'test.call' })
  const open = async (signer = account, options: { readonly bumpAfterMs?: number; readonly store?: SqliteStore } = {}) => {
    const rpc = await ChainRpc.connect({ url: execution.url })
    const { bumpAfterMs = 60_000, store: own = store } = options
    return new TransactionSender({ rpc, signer, store: own, log: recordingLog(), pollMs: 50, bumpAfterMs, bumpAfterBlocks: 0 }, stop.signal)
  }

  it('sends several at once, one nonce each, and says how each ended', async () => {
    const to = await put(EMITTER)
    const sender = await open()
    const sends = [1n, 2n, 3n].map((value) => sender.send(requestTo(to, value)))
    await delay(1500)
    await mine()
    const outcomes = await Promise.all(sends)
    for (const outcome of outcomes) assert.equal(outcome.status, 'included')
    assert.equal(await execution.rpc('eth_getBalance', [to, 'latest']), '0x6')
    assert.deepEqual(store.list(`transactions/32382/${account.address.toLowerCase()}`), [])
    stop.abort()
  })

  it('names the custom error: before sending, and when another was faster after that', async () => {
    const to = await put(ONCE)
    const sender = await open()
    const racer = await open(accountOf(1))
    const sends = [sender.send(requestTo(to)), racer.send(requestTo(to))]
    await delay(1500)
    await mine()
    const outcomes = await Promise.all(sends)
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['included', 'refused'])
    const refused = outcomes.find(({ status }) => status === 'refused')
    assert.equal(refused?.status === 'refused' && refused.error, ERROR?.name)
    const before = await nonceOf()
    const late = await sender.send(requestTo(to))
    assert.equal(late.status === 'refused' && late.error, ERROR?.name)
    assert.equal((await sender.simulate(requestTo(to)))?.error, ERROR?.name)
    assert.equal(await nonceOf(), before)
    stop.abort()
  })

  it('raises the fee of a stuck transaction', async () => {
    const to = await put(EMITTER)
    const sender = await open(account, { bumpAfterMs: 300 })
    const send = sender.send(requestTo(to))
    await delay(2000)
    const [[, record] = []] = store.list(`transactions/32382/${account.address.toLowerCase()}`)
    assert.ok(JSON.parse(record ?? '{}').hashes.length > 1)
    await mine()
    const outcome = await send
    assert.equal(outcome.status, 'included')
    stop.abort()
  })

  it('looks after what is pending over a restart, and gives out the next nonce', async () => {
    const to = await put(EMITTER)
    const first = await open()
    const abort = new AbortController()
    const send = first.send(requestTo(to, 5n), abort.signal)
    await delay(1000)
    abort.abort(new Error('stopping'))
    await assert.rejects(send, /stopping/)
    stop.abort()
    stop = new AbortController()
    const again = await open()
    const next = again.send(requestTo(to, 6n))
    await delay(1000)
    await mine()
    assert.equal((await next).status, 'included')
    await delay(300)
    assert.equal(await execution.rpc('eth_getBalance', [to, 'latest']), '0xb')
    assert.deepEqual(store.list(`transactions/32382/${account.address.toLowerCase()}`), [])
    stop.abort()
  })

  it('goes on after a reorganization that took back what was included, and what had come after it with it', async () => {
    const to = await put(EMITTER)
    const common = tip
    const sender = await open()
    const taken = sender.send(requestTo(to, 1n))
    await delay(500)
    await mine()
    assert.equal((await taken).status, 'included')
    const waiting = sender.send(requestTo(to, 2n))
    await delay(500)
    // The other branch knows of neither; this client does not put what it had included back into its pool.
    tip = await execution.build(common)
    assert.equal(await execution.rpc('eth_getBalance', [to, 'latest']), '0x0')
    await delay(500)
    await mine()
    await delay(500)
    await mine()
    assert.equal((await waiting).status, 'included')
    const next = sender.send(requestTo(to, 4n))
    await delay(500)
    await mine()
    assert.equal((await next).status, 'included')
    assert.equal(await execution.rpc('eth_getBalance', [to, 'latest']), '0x6')
    stop.abort()
  })
})
