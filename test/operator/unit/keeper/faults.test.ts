import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChainEvent } from '../../../../operator/core/events.ts'
import type { Parameters } from '../../../../operator/core/ports/chain.ts'
import { type FaultTask, faultTasks, prepareFault } from '../../../../operator/keeper/faults.ts'
import type { CallPorts } from '../../../../operator/keeper/types.ts'
import { emptyState, foldEvents } from '../../../../operator/protocol/state/network-state.ts'
import { address, epoch, event, fundedPool, key, pool } from '../protocol/state/support.ts'

const FAR_FUTURE = 2n ** 64n - 1n
const parameters = { reportEpochs: 4, disputeDuration: 3, windDownAfter: 1_000, slotsPerEpoch: 4 } as Parameters
const funded = fundedPool(1, 'staker', 0, 10)
const fault = (kind: 'signatures' | 'exit') => event('Slashing.PoolFault', 20, { poolId: pool(1), kind, reporter: address(1) })
const seen = (withdrawableEpoch: number) => event('Slashing.ExitSeen', 20, { poolId: pool(1), withdrawableEpoch: epoch(withdrawableEpoch) })
const shown = (at: number) => event('Slashing.BalanceShown', 21, { poolId: pool(1), epoch: epoch(at), balance: 31n })
const exiting = event('PoolRegistry.PoolExiting', 20, { poolId: pool(1) })
const drawn = event('Exits.LiquidationDrawn', 20, { drawId: 1, poolId: pool(1), deadline: epoch(30) })

const dueAt = (events: readonly ChainEvent[], at: number): readonly FaultTask[] =>
  faultTasks({ state: foldEvents(emptyState(), events), parameters, epoch: epoch(at), nowSeconds: 0 })
const kinds = (events: readonly ChainEvent[], at: number): readonly string[] => dueAt(events, at).map(({ kind }) => kind)
const task = <Kind extends FaultTask['kind']>(
  kind: Kind,
  events: readonly ChainEvent[],
  at: number,
): Extract<FaultTask, { kind: Kind }> => {
  const found = dueAt(events, at).find((each) => each.kind === kind)
  assert.ok(found, `no ${kind} is due at ${at}`)
  return found as Extract<FaultTask, { kind: Kind }>
}

type Seen = {
  readonly slashed?: boolean
  readonly exitEpoch?: number
  readonly withdrawableEpoch?: number
  readonly slot?: number
  readonly balance?: bigint
}
/** Ports behind which pool 1's validator is as seen, both at the head and in the newest state that can be proven. */
function ports({ slashed = false, exitEpoch = Infinity, withdrawableEpoch = Infinity, slot = 0, balance = 32n }: Seen): CallPorts {
  const proven = { exitEpoch: exitEpoch === Infinity ? FAR_FUTURE : BigInt(exitEpoch) }
  return {
    beacon: {
      spec: { slotsPerEpoch: 4 },
      validators: async (ids: readonly string[]) =>
        ids.filter((id) => id === key(1)).map((publicKey) => ({ publicKey, slashed, exitEpoch, withdrawableEpoch })),
    },
    prover: {
      validator: async () => ({ timestamp: 7, state: {}, header: { slot }, proof: { validator: proven }, balance, balanceProof: {} }),
    },
  } as unknown as CallPorts
}
const sent = async (due: FaultTask, validator: Seen): Promise<readonly string[] | string> => {
  const prepared = await prepareFault(due, ports(validator))
  return 'calls' in prepared ? prepared.calls.map(({ contract, method }) => `${contract}.${method}`) : prepared.wait
}

describe('faults of pools', () => {
  it('an exit that nobody drew is reported, once an epoch for all pools together', async () => {
    const [first, second] = [dueAt(funded, 20), dueAt(funded, 21)]
    assert.deepEqual([first.length, second.length], [1, 1])
    assert.notEqual(first[0]?.id, second[0]?.id)
    const watch = task('report-exits', funded, 20)
    assert.deepEqual(await sent(watch, {}), [])
    assert.deepEqual(await sent(watch, { exitEpoch: 25, withdrawableEpoch: 30 }), ['slashing.reportExit'])
    assert.deepEqual(kinds(funded.slice(0, 6), 20), [], 'a pool without 32 ETH has no fault')
  })

  it('nothing is said twice: not of a drawn exit, nor of one that was seen', async () => {
    const exits = { exitEpoch: 25, withdrawableEpoch: 30 }
    assert.deepEqual(await sent(task('report-exits', [...funded, exiting, drawn], 26), exits), [])
    assert.deepEqual(await sent(task('report-exits', [...funded, drawn, exiting, seen(30)], 26), exits), [])
    assert.deepEqual(await sent(task('report-exits', [...funded, drawn, exiting, fault('exit'), seen(30)], 26), exits), [])
  })

  it('a slashing is reported of a drawn pool too, and again when it puts off the end', async () => {
    const slashed = { slashed: true, exitEpoch: 25, withdrawableEpoch: 90 }
    assert.deepEqual(await sent(task('report-exits', [...funded, drawn, exiting], 26), slashed), ['slashing.reportExit'])
    const known = [...funded, drawn, exiting, fault('exit'), seen(30)]
    assert.deepEqual(await sent(task('report-exits', known, 26), slashed), ['slashing.reportExit'])
    assert.deepEqual(await sent(task('report-exits', [...known, seen(90)], 26), slashed), [])
  })

  it('waits while no state that can be proven shows it', async () => {
    const due = task('report-exits', funded, 20)
    const { beacon } = ports({ exitEpoch: 25, withdrawableEpoch: 30 })
    assert.deepEqual(await prepareFault(due, { ...ports({}), beacon }), { wait: 'no provable state shows the exit yet' })
  })

  it('a pool that was proven at fault during a draw is taken out after it', () => {
    const draw = event('Exits.LiquidationRequested', 19, { drawId: 4, count: 1, seedEpoch: epoch(21) })
    const waiting = [...funded, draw, fault('exit'), seen(30)]
    assert.ok(!kinds(waiting, 22).includes('liquidate-pool'))
    const over = event('Exits.LiquidationDrawn', 23, { drawId: 4, poolId: pool(9), deadline: epoch(40) })
    assert.ok(kinds([...waiting, over], 23).includes('liquidate-pool'))
    assert.ok(!kinds([...waiting, over, exiting], 23).includes('liquidate-pool'))
  })

  it('the balance is shown near the end, the loss charged when no later one can come', async () => {
    const faulty = [...funded, drawn, exiting, fault('exit'), seen(60)]
    const loss = (events: readonly ChainEvent[], at: number) => kinds(events, at).filter((kind) => kind !== 'report-exits')
    assert.deepEqual(loss(faulty, 51), [])
    assert.deepEqual(loss(faulty, 52), ['show-balance'])
    assert.deepEqual(loss([...faulty, shown(52)], 53), [], 'one attempt far from the end is enough')
    assert.deepEqual(loss([...faulty, shown(52)], 59), ['show-balance'])
    assert.deepEqual(loss([...faulty, shown(59)], 60), ['show-balance'])
    assert.deepEqual(loss([...faulty, shown(60)], 60), ['settle-fault'], 'that of the withdrawable epoch itself is final')
    assert.deepEqual(loss([...faulty, shown(59)], 62), [])
    assert.deepEqual(loss([...faulty, shown(59)], 60 + 8 + 6 - 1), [])
    assert.deepEqual(loss([...faulty, shown(59)], 60 + 8 + 6), ['settle-fault'])
    assert.deepEqual(loss(faulty, 60 + 999), [], 'nobody showed a balance near the end')
    assert.deepEqual(loss(faulty, 60 + 1_000), ['settle-fault'])
    const settled = event('Slashing.FaultSettled', 99, { poolId: pool(1), loss: 1n, charged: 1n })
    assert.deepEqual(kinds([...faulty, shown(60), settled], 61), [])
    assert.deepEqual(loss([...funded, drawn, exiting, seen(60)], 59), [], 'an exit that is nobody’s fault costs nobody')
  })

  it('a balance that may have been swept, or is shown already, is not', async () => {
    const due = task('show-balance', [...funded, drawn, exiting, fault('exit'), seen(60), shown(58)], 60)
    assert.deepEqual(await sent(due, { slot: 239 }), ['slashing.showBalance'])
    assert.deepEqual(await sent(due, { slot: 240, balance: 5n }), ['slashing.showBalance'])
    assert.deepEqual(await sent(due, { slot: 240, balance: 0n }), [])
    assert.deepEqual(await sent(due, { slot: 244 }), [])
    assert.match(String(await sent(due, { slot: 235 })), /epoch 58 is shown already/)
  })
})
