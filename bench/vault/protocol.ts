import type { Address, Hex, PoolId, ProducerId, PublicKey } from '../../operator/core/ids.ts'

/** A member as the others know it. */
export type Card = {
  readonly id: ProducerId
  readonly operator: Address
  readonly signingKey: PublicKey
  readonly peerAddress: string
}

export type Registered = { readonly poolId: PoolId; readonly publicKey: PublicKey; readonly publicShares: readonly PublicKey[] }

/** What the bench asks of a member's process. Answered by `done` when it is. */
export type Request =
  | { readonly kind: 'create'; readonly id: ProducerId; readonly dataDir: string }
  | { readonly kind: 'meet'; readonly members: readonly Card[]; readonly slotMs: number }
  /** A vault is drawn: its ceremony begins. */
  | { readonly kind: 'draw'; readonly poolId: PoolId }
  /** The chain has taken a pool's key. */
  | { readonly kind: 'registered'; readonly pool: Registered }
  /** Attests for the pools, one in each slot in turn, from the genesis on, until `report`. */
  | { readonly kind: 'attest'; readonly pools: readonly Registered[]; readonly genesisTimeMs: number; readonly slotMs: number }
  | { readonly kind: 'report' }
  /** CPU time that the process has used, milliseconds. */
  | { readonly kind: 'cpu' }
  /** Watches the event loop until `held-up` asks for the longest that it was held up, milliseconds. */
  | { readonly kind: 'watch' }
  | { readonly kind: 'held-up' }

/** One attestation as the member's beacon node saw it. Times in milliseconds. */
export type AttestationSample = { readonly slot: number; readonly latencyMs: number }
export type DutyReport = {
  readonly attestations: readonly AttestationSample[]
  /** Times of each stage of the duty pipeline. */
  readonly stages: Readonly<Record<string, readonly number[]>>
  readonly missed: readonly string[]
  readonly roundChanges: number
  /** CPU since `attest`. */
  readonly cpuMs: number
}

export type Answer = { readonly create: Omit<Card, 'id'>; readonly report: DutyReport; readonly cpu: number; readonly 'held-up': number }
export type AnswerOf<K extends Request['kind']> = K extends keyof Answer ? Answer[K] : undefined

/** What a member's process says. */
export type Notice =
  | { readonly kind: 'done'; readonly request: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly request: number; readonly reason: string }
  /** The member has signed a ceremony's result, so many milliseconds after it heard of the draw. */
  | { readonly kind: 'signed'; readonly poolId: PoolId; readonly afterMs: number }
  /** The member sends the transaction that registers the key. */
  | { readonly kind: 'completed'; readonly poolId: PoolId; readonly groupKey: Hex; readonly publicShares: Hex }
