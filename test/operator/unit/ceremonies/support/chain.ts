import type { Address, Epoch, Hex, PoolId, ProducerId, PublicKey, Root } from '../../../../../operator/core/ids.ts'
import type { NetworkState, Pool, Producer } from '../../../../../operator/core/network.ts'
import { toAddress, toPublicKey } from '../../../../../operator/core/parse.ts'
import type {
  Call,
  ChainFollower,
  Parameters as ChainParameters,
  ChainView,
  ContractAddresses,
  Contracts,
  TransactionOutcome,
} from '../../../../../operator/core/ports/chain.ts'
import { CONTRACTS } from '../../../../../operator/core/ports/chain.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { publicKeyFromEip2537 } from '../../../../../operator/protocol/bls/points.ts'
import { dkgFailureDigest } from '../../../../../operator/protocol/messages/failure.ts'
import { emptyState } from '../../../../../operator/protocol/state/network-state.ts'
import type { Random } from '../../../simulation/random.ts'
import type { Scheduler } from '../../../simulation/scheduler.ts'
import { aggregateKeys, verifyWords } from '../../../simulation/signatures.ts'

export const SLOT_MS = 2_000
/** When simulated ceremonies begin: slot 0. */
export const GENESIS_MS = 1_000_000
export const SLOTS_PER_EPOCH = 4
const EPOCH_MS = SLOTS_PER_EPOCH * SLOT_MS
/** Far enough for every ceremony that can end. */
const DEADLINE = 40 as Epoch
/** From a change at the head until it is final. */
export const FINALITY_MS = 3 * SLOTS_PER_EPOCH * SLOT_MS
export const POOL = 5 as PoolId

export const ADDRESSES = Object.fromEntries(
  CONTRACTS.map((name, at) => [name, toAddress(`0x${(at + 1).toString(16).padStart(40, '0')}`)]),
) as ContractAddresses

export type DkgResultArgs = {
  readonly groupKey: readonly Hex[]
  readonly depositSignature: readonly Hex[]
  readonly publicShares: Hex
  readonly transcriptRoot: Root
  readonly participation: bigint
  readonly aggregateSignature: readonly Hex[]
}
/** A round that was ended with the names of those who were absent: bit i for member index i + 1. */
export type Named = { readonly by: ProducerId; readonly absent: bigint; readonly signers: bigint }
export type Completed = { readonly by: ProducerId; readonly at: number; readonly result: DkgResultArgs }
/** What becomes of a member's nth attempt to send; undefined: the chain takes it. */
export type SendFailure = (by: ProducerId, attempt: number) => 'unreachable' | 'refused' | undefined

const noState = (producers: NetworkState['producers']): NetworkState => ({ ...emptyState(), blockNumber: 1, producers })

type Listener = Parameters<ChainFollower['onChange']>[0]

/** The registry as ceremonies see it: one pool, its rounds, and who completed it. Each member hears of a change in its own time. */
export class CeremonyChain {
  readonly completed: Completed[] = []
  readonly named: Named[] = []
  /** Who added its signature later. */
  readonly added: ProducerId[] = []
  readonly attempts = new Map<ProducerId, number>()
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #producers: ReadonlyMap<ProducerId, Producer>
  readonly #sendFailure: SendFailure
  readonly #views = new Map<ProducerId, ChainView>()
  readonly #listeners = new Map<ProducerId, Set<Listener>>()
  #participation = 0n
  #head: NetworkState
  #finalized: NetworkState

  constructor(options: {
    readonly scheduler: Scheduler
    readonly random: Random
    readonly producers: readonly Producer[]
    readonly sendFailure: SendFailure
  }) {
    this.#scheduler = options.scheduler
    this.#random = options.random
    this.#producers = new Map(options.producers.map((producer) => [producer.id, producer]))
    this.#sendFailure = options.sendFailure
    this.#head = noState(this.#producers)
    this.#finalized = this.#head
  }

  /** Draws the vault of a round; final when the members hear of it. */
  draw(round: number, deadline = DEADLINE): void {
    const pool: Pool = {
      id: POOL,
      kind: 'staker',
      phase: 'ceremony',
      round,
      members: [...this.#producers.keys()],
      deadline,
      exitForced: false,
      stallProven: false,
      vaults: [],
    }
    this.#head = { ...this.#head, pools: new Map([[POOL, pool]]) }
    this.#finalized = this.#head
    this.#announce()
  }

  /** Ends the round without a key: the next draw is asked for. */
  fail(): void {
    const { round } = this.#pool()
    this.#change({ phase: 'requested', round: round + 1, members: [] })
  }

  /** A branch without the registration becomes the head, before it was final. */
  reorgOut(): void {
    const pools = new Map(this.#finalized.pools)
    this.#head = { ...this.#head, pools }
    this.#announce()
  }

  producer(id: ProducerId): Producer {
    const producer = this.#producers.get(id)
    if (producer === undefined) throw new Error(`no producer ${id}`)
    return producer
  }

  get registered(): boolean {
    return this.#pool().publicKey !== undefined
  }

  get isFinal(): boolean {
    return this.#finalized.pools.get(POOL)?.phase === this.#pool().phase && this.#pool().phase !== 'ceremony'
  }

  follower(self: ProducerId, isAlive: () => boolean): ChainFollower {
    return {
      view: () => this.#viewOf(self),
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

  contracts(self: ProducerId): Contracts {
    const unused = (): never => {
      throw new Error('ceremonies only send')
    }
    return {
      chainId: 7n,
      addresses: ADDRESSES,
      parameters: {} as ChainParameters,
      read: async ({ method }) => (method === 'openOf' ? this.#openOf() : unused()),
      balance: unused,
      simulate: unused,
      send: (call) => this.#send(self, call),
    }
  }

  #send(by: ProducerId, call: Call): Promise<TransactionOutcome> {
    const attempt = (this.attempts.get(by) ?? 0) + 1
    this.attempts.set(by, attempt)
    return new Promise((resolve, reject) => {
      this.#scheduler.at(this.#scheduler.now + this.#random.int(10, SLOT_MS), () => {
        const failure = this.#sendFailure(by, attempt)
        const { phase } = this.#pool()
        if (call.method === 'addParticipation' && this.#openOf().deadline > 0n) {
          this.added.push(by)
          this.#participation |= BigInt(call.args[1] as bigint)
          return resolve({ status: 'included', hash: `0x${'2'.repeat(64)}` as Root, blockNumber: 3, gasUsed: 200_000n })
        }
        if (failure === 'unreachable') return reject(new Error('no execution client'))
        if (call.method === 'failDkg') return resolve(this.#failNaming(by, call))
        const { deadline = DEADLINE } = this.#pool()
        if (this.#epoch() > deadline) return resolve({ status: 'refused', error: 'DeadlinePassed', args: {} })
        if (failure === 'refused' || phase !== 'ceremony' || call.method !== 'completeDkg')
          return resolve({ status: 'refused', error: 'UnexpectedState', args: {} })
        const result = call.args[1] as DkgResultArgs
        this.#participation = result.participation
        this.completed.push({ by, at: this.#scheduler.now, result })
        this.#change({
          phase: 'registered',
          publicKey: publicKeyFromEip2537(`0x${result.groupKey.map((word) => word.slice(2)).join('')}`),
          publicShares: (result.publicShares.slice(2).match(/.{96}/g) ?? []).map((share) => toPublicKey(`0x${share}`)),
        })
        resolve({ status: 'included', hash: `0x${'1'.repeat(64)}` as Root, blockNumber: 2, gasUsed: 500_000n })
      })
    })
  }

  /** As `PoolRegistry.failDkg` with names. */
  #failNaming(by: ProducerId, { args }: Call): TransactionOutcome {
    const refused = (error: string): TransactionOutcome => ({ status: 'refused', error, args: {} })
    const [, absent, signers, words] = args as readonly [PoolId, bigint, bigint, readonly Hex[]]
    const { phase, round, members, deadline = DEADLINE } = this.#pool()
    if (phase !== 'ceremony') return refused('WrongState')
    if (this.#epoch() <= deadline) return refused('DeadlineNotPassed')
    if ((absent & signers) !== 0n) return refused('MemberExcluded')
    const keys = members.filter((_, at) => (signers >> BigInt(at)) & 1n).map((id) => this.producer(id).signingKey)
    if (keys.length < thresholdOf(members.length)) return refused('TooFewParticipants')
    const context = { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'dkg', round } as const
    if (!verifyWords(aggregateKeys(keys), dkgFailureDigest(context, absent), words)) return refused('InvalidAggregateSignature')
    this.named.push({ by, absent, signers })
    this.fail()
    return { status: 'included', hash: `0x${'3'.repeat(64)}` as Root, blockNumber: 4, gasUsed: 300_000n }
  }

  #epoch(): number {
    return Math.floor((this.#scheduler.now - GENESIS_MS) / EPOCH_MS)
  }

  #openOf() {
    const { phase, round, members } = this.#pool()
    const isOpen = phase !== 'ceremony' && this.#participation !== (1n << BigInt(members.length)) - 1n
    return { deadline: isOpen ? 8n : 0n, round: BigInt(round), participation: this.#participation }
  }

  #pool(): Pool {
    const pool = this.#head.pools.get(POOL)
    if (pool === undefined) throw new Error('no vault was drawn')
    return pool
  }

  #change(patch: Partial<Pool>): void {
    this.#head = { ...this.#head, pools: new Map([[POOL, { ...this.#pool(), ...patch }]]) }
    const changed = this.#head
    this.#announce()
    this.#scheduler.at(this.#scheduler.now + FINALITY_MS, () => {
      if (this.#head !== changed) return
      this.#finalized = changed
      this.#announce()
    })
  }

  #viewOf(self: ProducerId): ChainView {
    const none = noState(this.#producers)
    return this.#views.get(self) ?? { head: none, finalized: none, headBlock: 0, finalizedBlock: 0, finalizedTimestamp: 0 }
  }

  #announce(): void {
    const view: ChainView = { head: this.#head, finalized: this.#finalized, headBlock: 1, finalizedBlock: 1, finalizedTimestamp: 0 }
    for (const id of this.#producers.keys()) {
      this.#scheduler.at(this.#scheduler.now + this.#random.int(0, 300), () => {
        this.#views.set(id, view)
        for (const listener of [...(this.#listeners.get(id) ?? [])]) listener({ view, applied: [], finalized: [] })
      })
    }
  }
}

export const producerOf = (id: number, operator: Address, signingKey: PublicKey): Producer => ({
  id: id as ProducerId,
  owner: toAddress(`0x${'0e'.repeat(20)}`),
  operator,
  signingKey,
  peerAddress: '',
  slashed: false,
  standing: 'active',
  registeredAt: 0,
})
