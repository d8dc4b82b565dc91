import { isError, type JsonRpcProvider } from 'ethers'
import { INetworkViews__factory } from '../../typechain-types/factories/contracts/interfaces/INetworkViews__factory.js'
import { IPeriods__factory } from '../../typechain-types/factories/contracts/interfaces/IPeriods__factory.js'
import { IWindDown__factory } from '../../typechain-types/factories/contracts/interfaces/IWindDown__factory.js'
import type { Deployment } from '../adapters/chain/deployment.ts'
import { INTERFACES } from '../adapters/chain/interfaces.ts'
import { decodeRevert, explain } from '../adapters/chain/revert.ts'
import type { Address, PoolId, ProducerId } from '../core/ids.ts'
import { toAddress, toPoolId } from '../core/parse.ts'
import type { Parameters } from '../core/ports/chain.ts'
import { AppError } from './errors.ts'

/** A seat that a producer answers for. `until`: timestamp at which its tail ends; null while it is live; `held` until a fault is settled. */
export type LeavingSeat = { readonly poolId: PoolId; readonly until: number | null; readonly held: boolean }

/** How far a producer is on its way out. Timestamps in seconds, amounts in wei. */
export type Leaving = {
  readonly producerId: ProducerId
  readonly owner: Address
  readonly standing: 'active' | 'leaving' | 'gone'
  readonly slashed: boolean
  readonly bond: bigint
  readonly seats: readonly LeavingSeat[]
  /** When the last period that lists it ends; null while its leave is not carried out. */
  readonly listedUntil: number | null
  readonly settledThrough: number
  /** Are the reports settled that could hold something against it. */
  readonly settled: boolean
  /** What they have to reach; null while that is not known, or once it is. */
  readonly settleThrough: number | null
  /** Points. */
  readonly debt: bigint
  /** CDT wei that its owner holds. */
  readonly ownerCdt: bigint
  readonly woundDown: boolean
  /** Why the contract would not hand over the bond now: its error by name, and as a sentence. Null when it would. */
  readonly refusal: Refusal | null
}

export type Refusal = { readonly error: string; readonly sentence: string }

export type Chain = { readonly provider: JsonRpcProvider; readonly deployment: Deployment }

const STANDINGS = ['active', 'active', 'leaving', 'gone'] as const
const POOLS_A_CALL = 200
const NEVER = 2n ** 64n - 1n
/** Answers until a fault is settled, whenever that is. */
const HELD = 2n ** 48n - 1n

/** What the chain says of a producer's way out. Throws `AppError` NOT_REGISTERED. */
export async function readLeaving({ provider, deployment }: Chain, producerId: ProducerId): Promise<Leaving> {
  const { addresses, parameters } = deployment
  const position = await INetworkViews__factory.connect(addresses.views, provider).producerPosition(producerId)
  const owner = toAddress(position.producer.owner.toLowerCase())
  if (BigInt(owner) === 0n) throw new AppError('NOT_REGISTERED', `there is no producer ${producerId}`, { producerId })
  const [seats, end, woundDown, refusal] = await Promise.all([
    seatsOf({ provider, deployment }, producerId),
    IPeriods__factory.connect(addresses.periods, provider).membershipEnd(producerId),
    IWindDown__factory.connect(addresses.windDown, provider).started(),
    withdrawalRefusal({ provider, deployment }, { producerId, owner }),
  ])
  const listedUntil = end === NEVER ? null : startOfPeriod(Number(end), parameters)
  return {
    producerId,
    owner,
    standing: STANDINGS[Number(position.producer.status)] ?? 'active',
    slashed: position.producer.slashed,
    bond: position.bondValue,
    seats,
    listedUntil,
    settledThrough: Number(position.settledThrough),
    settled: refusal === undefined || refusal.error === 'InDebt',
    settleThrough: refusal?.settleThrough ?? null,
    debt: position.debt,
    ownerCdt: position.ownerCdt,
    woundDown,
    refusal: refusal === undefined ? null : { error: refusal.error, sentence: refusal.sentence },
  }
}

async function seatsOf({ provider, deployment }: Chain, producerId: ProducerId): Promise<readonly LeavingSeat[]> {
  const views = INetworkViews__factory.connect(deployment.addresses.views, provider)
  const seats: LeavingSeat[] = []
  for (let from = 1n; from !== 0n; ) {
    const { items, next } = await views.seatsOf(producerId, from, POOLS_A_CALL)
    for (const { poolId, until } of items) {
      seats.push({ poolId: toPoolId(Number(poolId)), until: until === 0n || until === HELD ? null : Number(until), held: until === HELD })
    }
    from = next
  }
  return seats
}

async function withdrawalRefusal(
  { provider, deployment }: Chain,
  { producerId, owner }: { readonly producerId: ProducerId; readonly owner: Address },
): Promise<(Refusal & { readonly settleThrough?: number }) | undefined> {
  const data = INTERFACES.blockProducers.encodeFunctionData('withdrawBond', [producerId])
  try {
    await provider.call({ from: owner, to: deployment.addresses.blockProducers, data })
    return undefined
  } catch (error) {
    if (!isError(error, 'CALL_EXCEPTION')) throw error
    const refused = error.data ? decodeRevert(error.data) : undefined
    const needed = refused?.name === 'NotSettled' ? Number(refused.args.needed) : undefined
    return { error: refused?.name ?? 'unknown', sentence: explain(error), ...(needed === undefined ? {} : { settleThrough: needed }) }
  }
}

function startOfPeriod(period: number, { genesisTime, firstPeriod, periodLength, slotsPerEpoch, secondsPerSlot }: Parameters): number {
  return genesisTime + (firstPeriod + period * periodLength) * slotsPerEpoch * secondsPerSlot
}
