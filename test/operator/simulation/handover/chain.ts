import { INTERFACES } from '../../../../operator/adapters/chain/interfaces.ts'
import type { ChainEvent, EventArgs, EventName } from '../../../../operator/core/events.ts'
import type { Epoch, ProducerId, PublicKey, Root, ValidatorIndex } from '../../../../operator/core/ids.ts'
import type { NetworkState } from '../../../../operator/core/network.ts'
import { toPublicKey } from '../../../../operator/core/parse.ts'
import type {
  Call,
  ChainFollower,
  Parameters as ChainParameters,
  ChainView,
  Contracts,
  TransactionOutcome,
} from '../../../../operator/core/ports/chain.ts'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import { rotationFailureDigest } from '../../../../operator/protocol/messages/failure.ts'
import { rotationResultDigest } from '../../../../operator/protocol/messages/handover.ts'
import { emptyState, foldEvents } from '../../../../operator/protocol/state/network-state.ts'
import { ADDRESSES, POOL } from '../../unit/ceremonies/support/chain.ts'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'
import { aggregateKeys, verifyWords } from '../signatures.ts'

export const SLOT_MS = 2_000
export const SLOTS_PER_EPOCH = 4
export const EPOCH_MS = SLOTS_PER_EPOCH * SLOT_MS
export const START = 1_000_000
export const MARGIN = 4
export const DEADLINE = 8
/** Epochs from a block to its finality when all goes well. */
const FINALITY = 2

export type Party = { readonly id: ProducerId; readonly operator: string; readonly signingKey: PublicKey }
type Naming = {
  readonly absentNew: bigint
  readonly absentOld: bigint
  readonly byOld: boolean
  readonly signers: bigint
  readonly aggregateSignature: readonly string[]
}
type Listener = Parameters<ChainFollower['onChange']>[0]
type Placed = { readonly time: number; readonly event: ChainEvent }

/** The contracts as handovers see them, with late finality, reorganizations, and views that come late and twice. */
export class HandoverChain {
  /** Cutovers that ever stood at the head. */
  readonly completions: { readonly round: number; readonly cutover: number; readonly at: number }[] = []
  /** Of handovers that failed: who was named absent. */
  readonly named: { readonly members: readonly ProducerId[]; readonly at: number }[] = []
  reorganized = 0
  failed = 0
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #parties: readonly Party[]
  readonly #views = new Map<ProducerId, ChainView>()
  readonly #listeners = new Map<ProducerId, Set<Listener>>()
  #events: readonly Placed[] = []
  #finalizedEpoch = 0
  /** Epochs by which finality is late now. */
  lag = 0
  /** Whose execution client is stuck: it shows what it last saw. */
  readonly stuck = new Set<ProducerId>()
  /** Called with the new vault before anybody hears of its completion. */
  onCompletion: (members: readonly ProducerId[]) => void = () => {}

  constructor(options: { readonly scheduler: Scheduler; readonly random: Random; readonly parties: readonly Party[] }) {
    this.#scheduler = options.scheduler
    this.#random = options.random
    this.#parties = options.parties
  }

  get epoch(): number {
    return Math.floor((this.#scheduler.now - START) / EPOCH_MS)
  }

  get finalizedEpoch(): number {
    return this.#finalizedEpoch
  }

  get head(): NetworkState {
    return this.#fold(() => true)
  }

  get finalized(): NetworkState {
    return this.#fold(({ time }) => time < START + this.#finalizedEpoch * EPOCH_MS)
  }

  /** A pool with a key and a validator, since ever. */
  found(vault: readonly ProducerId[], key: { readonly groupKey: PublicKey; readonly publicShares: readonly PublicKey[] }): void {
    const since = START - EPOCH_MS
    const facts: readonly ChainEvent[] = [
      ...this.#parties.map(({ id, operator, signingKey }) =>
        this.#event('BlockProducers.ProducerRegistered', {
          producerId: id,
          owner: operator as never,
          operator: operator as never,
          signingKey,
          peerAddress: '',
          shares: 1n,
        }),
      ),
      this.#event('PoolRegistry.PoolRequested', { poolId: POOL, kind: 'staker', seedEpoch: 0 as Epoch }),
      this.#event('PoolRegistry.VaultSelected', { poolId: POOL, round: 0, members: vault, deadline: 9 as Epoch }),
      this.#event('PoolRegistry.DkgCompleted', {
        ...{ poolId: POOL, round: 0, publicKey: key.groupKey, ordinal: 0, publicShares: key.publicShares },
        ...{ transcriptRoot: `0x${'00'.repeat(32)}` as Root, participation: 15n },
      }),
      this.#event('PoolRegistry.PoolFunded', { poolId: POOL, validatorIndex: 17 as ValidatorIndex }),
    ]
    this.#events = facts.map((event) => ({ time: since, event }))
    this.#announce()
  }

  draw(members: readonly ProducerId[]): void {
    const pool = this.head.pools.get(POOL)
    const oldRound = pool?.round ?? 0
    const round = Math.max(oldRound, pool?.endedRound ?? 0) + 1
    this.#append(
      this.#event('Rotations.RotationDrawn', { poolId: POOL, round, oldRound, members, deadline: (this.epoch + DEADLINE) as Epoch }),
    )
  }

  /** Time goes on by an epoch: finality moves, an overdue handover fails. */
  tick(): void {
    this.#finalizedEpoch = Math.max(this.#finalizedEpoch, this.epoch - FINALITY - this.lag)
    const rotation = this.head.pools.get(POOL)?.rotation
    if (rotation !== undefined && this.epoch > rotation.deadline + 1) {
      this.failed += 1
      this.#append(this.#event('Rotations.RotationFailed', { poolId: POOL, round: rotation.round, absentNew: 0n, absentOld: 0n }))
    }
    this.#announce()
  }

  /** What has happened since a time, and is not final, leaves the chain. */
  reorganize(since: number): void {
    const from = Math.max(since, START + this.#finalizedEpoch * EPOCH_MS)
    const kept = this.#events.filter(({ time }) => time < from)
    if (kept.length === this.#events.length) return
    this.reorganized += 1
    this.#events = kept
    this.#announce()
  }

  follower(self: ProducerId, isAlive: () => boolean): ChainFollower {
    return {
      view: () => this.#views.get(self) ?? this.#view(),
      onChange: (listener) => {
        const guarded: Listener = (change) => {
          if (isAlive()) listener(change)
        }
        const listeners = this.#listeners.get(self) ?? new Set()
        this.#listeners.set(self, listeners.add(guarded))
        return () => listeners.delete(guarded)
      },
    }
  }

  contracts(isAlive: () => boolean): Contracts {
    const unused = (): never => {
      throw new Error('handovers only send')
    }
    const parameters = { rotationMargin: MARGIN } as ChainParameters
    const send = (call: Call): Promise<TransactionOutcome> => this.#send(call, isAlive)
    // Nobody is missing from a result here: the contract's own tests have that.
    const read = async (): Promise<unknown> => ({ deadline: 0n, round: 0n, participation: 0n })
    return { chainId: 7n, addresses: ADDRESSES, parameters, read, balance: unused, simulate: unused, send }
  }

  #send(call: Call, isAlive: () => boolean): Promise<TransactionOutcome> {
    return new Promise((resolve, reject) => {
      this.#scheduler.at(this.#scheduler.now + this.#random.int(10, 2 * SLOT_MS), () => {
        if (this.#random.chance(0.1)) return reject(new Error('no execution client'))
        const refusal = this.#complete(call)
        if (!isAlive()) return
        resolve(
          refusal === undefined
            ? { status: 'included', hash: `0x${'1'.repeat(64)}` as Root, blockNumber: 2, gasUsed: 500_000n }
            : { status: 'refused', error: refusal, args: {} },
        )
      })
    })
  }

  /** As `completeRotation`. */
  #complete({ contract, method, args }: Call): string | undefined {
    // Throws unless the contract's function takes these arguments.
    INTERFACES[contract].encodeFunctionData(method, args)
    const rotation = this.head.pools.get(POOL)?.rotation
    if (method === 'failRotation') return this.#failNaming(args[1] as Naming)
    const result = args[1] as {
      readonly publicShares: string
      readonly transcriptRoot: Root
      readonly participation: bigint
      readonly aggregateSignature: readonly string[]
    }
    if (rotation === undefined) return 'WrongState'
    if (this.epoch > rotation.deadline) return 'DeadlinePassed'
    const { round, members } = rotation
    const signers = members.filter((_, at) => (result.participation >> BigInt(at)) & 1n)
    if (signers.length < thresholdOf(members.length)) return 'TooFewParticipants'
    const publicShares = (result.publicShares.slice(2).match(/.{96}/g) ?? []).map((share) => toPublicKey(`0x${share}`))
    if (publicShares.length !== members.length) return 'PublicSharesLength'
    const context = { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'rotation', round } as const
    const digest = rotationResultDigest(context, { groupKey: '0x' as PublicKey, publicShares, transcriptRoot: result.transcriptRoot })
    const keys = signers.map((id) => this.#parties.find((party) => party.id === id)?.signingKey ?? ('0x' as PublicKey))
    if (!verifyWords(aggregateKeys(keys), digest, result.aggregateSignature)) return 'InvalidAggregateSignature'
    const cutover = this.epoch + MARGIN + 1
    this.completions.push({ round, cutover, at: this.#scheduler.now })
    const { participation, transcriptRoot } = result
    this.onCompletion(members)
    this.#append(
      this.#event('Rotations.RotationCompleted', {
        poolId: POOL,
        round,
        cutover: cutover as Epoch,
        publicShares,
        transcriptRoot,
        participation,
      }),
      this.#event('PoolRegistry.VaultReplaced', { poolId: POOL, round, members }),
    )
    return undefined
  }

  /** As `failRotation` with names. */
  #failNaming({ absentNew, absentOld, byOld, signers, aggregateSignature }: Naming): string | undefined {
    const pool = this.head.pools.get(POOL)
    const rotation = pool?.rotation
    if (pool === undefined || rotation === undefined) return 'WrongState'
    if (this.epoch <= rotation.deadline) return 'DeadlineNotPassed'
    if (((byOld ? absentOld : absentNew) & signers) !== 0n) return 'SignerAbsent'
    const vault = byOld ? pool.members : rotation.members
    const chosen = (members: readonly ProducerId[], bits: bigint) => members.filter((_, at) => (bits >> BigInt(at)) & 1n)
    const keys = chosen(vault, signers).flatMap((id) => this.#parties.find((party) => party.id === id)?.signingKey ?? [])
    if (keys.length < thresholdOf(vault.length)) return 'TooFewParticipants'
    const context = { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'rotation', round: rotation.round } as const
    const digest = rotationFailureDigest(context, { absentNew, absentOld })
    if (!verifyWords(aggregateKeys(keys), digest, aggregateSignature)) return 'InvalidAggregateSignature'
    this.failed += 1
    this.named.push({ members: [...chosen(rotation.members, absentNew), ...chosen(pool.members, absentOld)], at: this.#scheduler.now })
    this.#append(this.#event('Rotations.RotationFailed', { poolId: POOL, round: rotation.round, absentNew, absentOld }))
    return undefined
  }

  #event<Name extends EventName>(name: Name, args: EventArgs<Name>): ChainEvent {
    const blockHash = `0x${'00'.repeat(32)}` as Root
    return { name, args, at: { blockNumber: 1, blockHash, timestamp: Math.floor(this.#scheduler.now / 1000), logIndex: 0 } } as ChainEvent
  }

  #append(...events: readonly ChainEvent[]): void {
    const time = this.#scheduler.now
    this.#events = [...this.#events, ...events.map((event) => ({ time, event }))]
    this.#announce()
  }

  #fold(which: (placed: Placed) => boolean): NetworkState {
    return foldEvents(
      emptyState(),
      this.#events.filter(which).map(({ event }) => event),
    )
  }

  #view(): ChainView {
    const finalizedTimestamp = (START + this.#finalizedEpoch * EPOCH_MS) / 1000
    return { head: this.head, finalized: this.finalized, headBlock: 1, finalizedBlock: 1, finalizedTimestamp }
  }

  #announce(): void {
    const view = this.#view()
    for (const { id } of this.#parties) {
      const deliver = (): void => {
        if (this.stuck.has(id)) return
        this.#views.set(id, view)
        for (const listener of [...(this.#listeners.get(id) ?? [])]) listener({ view, applied: [], finalized: [] })
      }
      // In order: an older view never comes after a newer one.
      const at = this.#scheduler.now + 200
      this.#scheduler.at(at, deliver)
      if (this.#random.chance(0.2)) this.#scheduler.at(at, deliver)
    }
  }
}
