import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChainEvent } from '../../../../operator/core/events.ts'
import type { Call, Parameters } from '../../../../operator/core/ports/chain.ts'
import { dueTasks } from '../../../../operator/keeper/tasks.ts'
import type { CallPorts } from '../../../../operator/keeper/types.ts'
import { prepareWindDown, type WindDownTask, windDownTasks } from '../../../../operator/keeper/wind-down.ts'
import { emptyState, foldEvents } from '../../../../operator/protocol/state/network-state.ts'
import { content, epoch, event, fundedPool, root } from '../protocol/state/support.ts'

const parameters = {
  genesisTime: 0,
  slotsPerEpoch: 4,
  secondsPerSlot: 1,
  firstPeriod: 5,
  windDownAfter: 100,
  shardCommitteePeriod: 8,
} as Parameters
const inputs = (events: readonly ChainEvent[], nowSeconds: number) => ({
  state: foldEvents(emptyState(), events),
  parameters,
  epoch: epoch(Math.floor(nowSeconds / 4)),
  nowSeconds,
})
const kinds = (events: readonly ChainEvent[], nowSeconds: number) => windDownTasks(inputs(events, nowSeconds)).map(({ kind }) => kind)
const started = event('WindDown.WindDownStarted', 60, { since: 200 })

describe('the end of the network', () => {
  it('A47 is begun when nothing was reported for too long, counted from the last of three times', () => {
    assert.deepEqual(kinds([], 420), [])
    assert.deepEqual(kinds([], 421), ['start-wind-down'])
    // Its first beacon deposit is at 120, its last report at 200.
    const pools = fundedPool(1, 'staker', 0, 10)
    assert.deepEqual(kinds(pools, 520), [])
    assert.deepEqual(kinds(pools, 521), ['start-wind-down'])
    const reported = [
      ...pools,
      event('StateCommitments.StateCommitted', 19, { commitmentId: 1, epoch: epoch(4), digest: root(1), content: content() }),
      event('StateCommitments.StateFinalized', 20, { commitmentId: 1, epoch: epoch(4), index: 1n }),
    ]
    assert.deepEqual(kinds(reported, 600), [])
    assert.deepEqual(kinds(reported, 601), ['start-wind-down'])
  })

  it('leaves nothing else to do', () => {
    const tasks = dueTasks(inputs([...fundedPool(1, 'staker', 0, 10), started], 700))
    assert.deepEqual(
      tasks.map(({ kind }) => kind),
      ['wind-down-exits', 'gather'],
    )
    assert.deepEqual(kinds([started], 700), ['gather'])
  })

  const pools = [1, 2, 3, 4, 5, 6].flatMap((id) => fundedPool(id, id % 2 ? 'staker' : 'bond', id, 10))
  const exits = (fee: bigint, exitEpoch = Infinity, activationEpoch = 0) => {
    const [task] = windDownTasks(inputs([...pools, started], 700))
    return prepareWindDown(
      task as WindDownTask,
      {
        contracts: { parameters, read: async () => fee },
        beacon: { validators: async (ids: readonly string[]) => ids.map((publicKey) => ({ publicKey, exitEpoch, activationEpoch })) },
        maxExitFee: 1_000n,
      } as unknown as CallPorts,
    )
  }

  it('forces out some validators each epoch, for at most the fee that the operator pays', async () => {
    const { calls } = (await exits(7n)) as { readonly calls: readonly Call[] }
    assert.deepEqual(
      calls.map(({ method, args, value }) => [method, args, value]),
      [1, 2, 3, 4].map((id) => ['forceExit', [id], 14n]),
    )
    assert.equal(((await exits(600n)) as { readonly calls: readonly Call[] }).calls[0]?.value, 1_000n)
    assert.match(((await exits(1_001n)) as { readonly wait: string }).wait, /more than the .* that this operator pays/)
  })

  it('asks nobody twice, and none that is too young', async () => {
    assert.deepEqual(await exits(7n, 180), { calls: [] })
    assert.deepEqual(await exits(7n, Infinity, 168), { calls: [] })
    assert.equal(((await exits(7n, Infinity, 167)) as { readonly calls: readonly Call[] }).calls.length, 4)
  })

  it('gathers what is worth its gas', async () => {
    const gather = (amount: bigint) =>
      prepareWindDown({ kind: 'gather', id: 'gather/1' }, { contracts: { read: async () => amount } } as unknown as CallPorts)
    assert.deepEqual(await gather(10n ** 18n - 1n), { calls: [] })
    assert.deepEqual(await gather(10n ** 18n), { calls: [{ contract: 'windDown', method: 'gather', args: [] }] })
  })
})
