import type { Epoch, PoolId, ProducerId } from '../core/ids.ts'
import type { NetworkState, Pool } from '../core/network.ts'
import type { Call, Contracts, Parameters } from '../core/ports/chain.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import { type Inputs, one, type Prepared } from './types.ts'

/**
 * Handovers: asked for as soon as there is a reason that events tell, ended when they are overdue or their pool has no use for
 * one; and who never signed a ceremony's result is named, which has its vault drawn anew.
 */
export type RotationTask =
  /** `place`, from 0: whose member is the reason, if any is. */
  | { readonly kind: 'request-rotation'; readonly id: string; readonly poolId: PoolId; readonly place: number }
  | { readonly kind: 'fail-rotation'; readonly id: string; readonly poolId: PoolId }
  | { readonly kind: 'drop-rotation'; readonly id: string; readonly poolId: PoolId }
  | { readonly kind: 'name-missing'; readonly id: string; readonly poolId: PoolId }
  | { readonly kind: 'replace-undercollateralized'; readonly id: string; readonly members: readonly Member[] }

/** A producer, and its places in the vaults of staker pools that could be drawn anew: those of bond pools lock nothing. */
type Member = { readonly producerId: ProducerId; readonly seats: readonly { readonly poolId: PoolId; readonly place: number }[] }

/** Where nobody is named, nobody signs. */
const NOBODY = { absentNew: 0, absentOld: 0, byOld: false, signers: 0, aggregateSignature: wordsOf(`0x${'00'.repeat(256)}`) }

/** Whoever made a key answers for it until it is funded: see `Rotations`. */
const isFunded = ({ phase }: Pool): boolean => phase === 'funded'

export function rotationTasks(inputs: Inputs): readonly RotationTask[] {
  const pools = [...inputs.state.pools.values()]
  return [...pools.flatMap((pool) => [...missingTasks(pool, inputs), ...handoverTasks(pool, inputs)]), ...collateralTasks(pools, inputs)]
}

/** Whose bond is too small for its seats no event tells: charges make it so, and losses of all bonds. Looked up once an epoch. */
function collateralTasks(pools: readonly Pool[], { state, epoch }: Inputs): readonly RotationTask[] {
  const open = pools.filter((pool) => pool.kind === 'staker' && isFunded(pool) && pool.rotation === undefined && !isAsked(pool, state))
  const ids = new Set(open.flatMap(({ members }) => members))
  const members = [...ids].map((producerId) => ({
    producerId,
    seats: open.flatMap(({ id: poolId, members }) => {
      const place = members.indexOf(producerId)
      return place < 0 ? [] : [{ poolId, place }]
    }),
  }))
  return members.length === 0 ? [] : [{ kind: 'replace-undercollateralized', id: `replace-undercollateralized/${epoch}`, members }]
}

function missingTasks({ id: poolId, incomplete }: Pool, { epoch }: Inputs): readonly RotationTask[] {
  if (incomplete === undefined || epoch <= incomplete.deadline) return []
  return [{ kind: 'name-missing', id: `name-missing/${poolId}/${incomplete.round}`, poolId }]
}

function handoverTasks(pool: Pool, inputs: Inputs): readonly RotationTask[] {
  const { id: poolId, rotation } = pool
  const { state, epoch } = inputs
  if (rotation !== undefined) {
    const { round, deadline } = rotation
    if (!isFunded(pool)) return [{ kind: 'drop-rotation', id: `drop-rotation/${poolId}/${round}`, poolId }]
    // An epoch after the deadline: until then only a threshold of a vault may end the handover, and name who was absent.
    return epoch > deadline + 1 ? [{ kind: 'fail-rotation', id: `fail-rotation/${poolId}/${round}`, poolId }] : []
  }
  if (!isFunded(pool) || isAsked(pool, state)) return []
  const place = reasonIn(pool, inputs)
  return place === undefined ? [] : [{ kind: 'request-rotation', id: `request-rotation/${poolId}/${pool.round}/${place}`, poolId, place }]
}

/** Waits for its draw. */
const isAsked = ({ id, round }: Pool, { vaultDraws }: NetworkState): boolean =>
  [...vaultDraws.values()].some((draw) => draw.poolId === id && draw.round > round && !draw.done)

/** The place of a member that is the reason for another vault; 0 when its time is the reason; undefined when there is none. */
function reasonIn(pool: Pool, { state, parameters, epoch }: Inputs): number | undefined {
  const leaver = pool.members.findIndex((id) => {
    const member = state.producers.get(id)
    return member !== undefined && (member.slashed || member.standing !== 'active')
  })
  if (leaver >= 0) return leaver
  const last = pool.vaults.at(-1)
  // Members are missing or dealt falsely, and there was no room for another vault then; or the last one drawn came to nothing while
  // the vault stayed: what called for it still does.
  const isDue = pool.dueRound === pool.round || (last !== undefined && (pool.endedRound ?? -1) > last.round)
  return isDue || epoch >= sinceOf(pool, parameters) + parameters.rotationPeriod ? 0 : undefined
}

/** From when the present vault's time counts: its cutover, or when its key was registered. */
function sinceOf({ vaults, registeredAt = 0 }: Pool, { genesisTime, secondsPerSlot, slotsPerEpoch }: Parameters): Epoch {
  const from = vaults.at(-1)?.from ?? (0 as Epoch)
  return from > 0 ? from : (Math.floor((registeredAt - genesisTime) / (secondsPerSlot * slotsPerEpoch)) as Epoch)
}

export async function prepareRotation(task: RotationTask, { contracts }: { readonly contracts: Contracts }): Promise<Prepared> {
  switch (task.kind) {
    case 'request-rotation':
      return one('rotations', 'requestRotation', [task.poolId, task.place])
    case 'fail-rotation':
      return one('rotations', 'failRotation', [task.poolId, NOBODY])
    case 'drop-rotation':
      return one('rotations', 'dropRotation', [task.poolId])
    case 'name-missing':
      return one('ceremonies', 'nameMissing', [task.poolId])
    case 'replace-undercollateralized':
      return replaceAll(task.members, contracts)
  }
}

/** At once: where one is refused, as of a vault that nobody can join now, the others go on. */
async function replaceAll(members: readonly Member[], contracts: Contracts): Promise<Prepared> {
  const calls = (await Promise.all(members.map((member) => replace(member, contracts)))).flat()
  const perPool = new Map(calls.map((call) => [call.args[0], call]))
  return { calls: [...perPool.values()], together: true }
}

/** Asks for another vault for the newest seat of a producer whose bond is too small for all; the next one follows when that is done. */
async function replace({ producerId, seats }: Member, contracts: Contracts): Promise<readonly Call[]> {
  const read = (method: string) => contracts.read({ contract: 'blockProducers', method, args: [producerId] })
  if (!(await read('isUndercollateralized'))) return []
  const newest = Number(await read('newestSeat'))
  // 0: its newest seats are gone, and which of the others is the newest is not known.
  const seat = seats.find(({ poolId }) => newest === 0 || poolId === newest)
  return seat === undefined ? [] : [{ contract: 'rotations', method: 'requestRotation', args: [seat.poolId, seat.place] }]
}
