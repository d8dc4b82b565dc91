import type { CeremonyProgress, RollCallProgress } from '../ceremonies/types.ts'
import type { Address, Epoch, MemberIndex, Milliseconds, PoolId, ProducerId, PublicKey, Slot, ValidatorIndex } from '../core/ids.ts'
import type { CommitmentPhase, PoolPhase } from '../core/network.ts'
import type { CeremonyContext } from '../core/ports/ceremony.ts'
import type { EndpointHealth } from '../core/ports/health.ts'
import type { PoolKind } from '../core/vault.ts'
import type { DutyRecord } from '../duties/tracker.ts'
import type { DutySummary } from './duty-statistics.ts'

export type PoolStatus = {
  readonly poolId: PoolId
  readonly kind: PoolKind
  readonly phase: PoolPhase
  readonly round: number
  readonly memberIndex: MemberIndex
  /** Null until the ceremony is on chain. */
  readonly publicKey: PublicKey | null
  /** Null until the pool is funded. */
  readonly validatorIndex: ValidatorIndex | null
  /** Whether this node holds its share of the key. */
  readonly share: boolean
}

/** A ceremony as this node sees it (`CeremonyProgress`), with its end. */
export type CeremonyRecord = CeremonyProgress & {
  readonly poolId: PoolId
  readonly kind: CeremonyContext['kind']
  readonly round: number
  /** Past its deadline. */
  readonly rollCall?: RollCallProgress
  /** "registered", or why not: the members missing and the rules broken, in words; once it has ended. */
  readonly outcome?: string
}

export type CeremonyStatus = CeremonyRecord & {
  /** The vault, in its order; empty once its round is over. */
  readonly members: readonly ProducerId[]
  /** When the chain takes its result no more; null once its round is over. */
  readonly deadlineAt: Milliseconds | null
}

/** Duty certificates made here, come from others, of these added to what was known, and refused. */
export type CertificateCounts = Readonly<Record<'made' | 'received' | 'merged' | 'refused', number>>

/** What /status serves; `openpools status` prints it as a table. Times in milliseconds; null where nothing is known yet. */
export type OperatorStatus = {
  /** What the process is doing, or waiting for, in words. */
  readonly state: string
  /** Synced, endpoints healthy, network up. */
  readonly ready: boolean
  /** Why not, one sentence each. */
  readonly notReady: readonly string[]
  readonly producerId: ProducerId | null
  readonly operator: Address
  readonly peersConnected: number
  readonly peersKnown: number
  readonly head: { readonly slot: Slot | null; readonly block: number | null }
  readonly finalized: { readonly epoch: Epoch | null; readonly block: number | null }
  readonly endpoints: { readonly beacon: EndpointHealth; readonly execution: EndpointHealth }
  readonly pools: readonly PoolStatus[]
  readonly ceremonies: readonly CeremonyStatus[]
  readonly duties: DutySummary['counts'] & {
    readonly missedBecause: DutySummary['missedBecause']
    /** Newest last. */
    readonly lastMissed: readonly DutyRecord[]
  }
  /** From the start of a ceremony's job to its result signed, oldest first. */
  readonly dkgMs: readonly number[]
  readonly consensusMs: readonly number[]
  readonly dutyMs: readonly number[]
  readonly roundChanges: number
  readonly certificates: CertificateCounts
  /** Own points in the newest report whose pages are in. */
  readonly lastPoints: { readonly epoch: Epoch; readonly points: number } | null
  readonly commitments: Readonly<Record<CommitmentPhase, number>> & { readonly lastEpoch: Epoch | null }
}
