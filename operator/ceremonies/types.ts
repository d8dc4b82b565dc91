import type { Address, BlsSignature, Epoch, MemberIndex, Milliseconds, PoolId, ProducerId, PublicKey, Root } from '../core/ids.ts'
import type { Producer } from '../core/network.ts'
import type { BeaconNode } from '../core/ports/beacon.ts'
import type { CeremonyContext, CeremonySecrets } from '../core/ports/ceremony.ts'
import type { ChainFollower, Contracts } from '../core/ports/chain.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Disputes } from '../core/ports/disputes.ts'
import type { Log } from '../core/ports/log.ts'
import type { Network } from '../core/ports/network.ts'
import type { JobQueue } from '../core/ports/queue.ts'
import type { OperatorKey, SigningKey } from '../core/ports/signer.ts'
import type { EcdsaVerifier } from '../protocol/messages/ecdsa.ts'
import type { CeremonyFault, JudgedComplaint } from './faults.ts'

/** The stages of a ceremony, in order; the names are those of logs, metrics and the status page. */
export const STAGES = ['join', 'deal', 'verify', 'agree', 'reveal', 'result', 'participate', 'publish', 'confirm'] as const
export type CeremonyStage = (typeof STAGES)[number]

/** One ceremony as one member sees it: its context and who the members are. */
export type Ceremony = {
  readonly context: CeremonyContext
  /** In vault order. */
  readonly members: readonly Producer[]
  /** Withdrawal vault of the pool's kind: whom the deposit's credentials name. */
  readonly withdrawalVault: Address
  /** Last epoch in which the chain takes the result. */
  readonly deadline: Epoch
}

/** How a ceremony stands, as one member sees it: everything to tell people about it. Members are named by their index in the vault. */
export type CeremonyProgress = {
  readonly stage: CeremonyStage
  /** When this stage was entered, Unix milliseconds. */
  readonly since: Milliseconds
  /** Members from whom this stage lacks something. */
  readonly waitingFor: readonly MemberIndex[]
  /** When this stage goes on without them, Unix milliseconds; null where that is not a matter of time. */
  readonly patienceUntil: Milliseconds | null
  /** Last epoch in which the chain takes the result; then it ends the round and draws the next. */
  readonly deadline: Epoch
  /** Who takes part; null until that is known. The others get no share of the key. */
  readonly roster: readonly MemberIndex[] | null
  /** Whose dealings make the key; null until that is agreed. */
  readonly qualified: readonly MemberIndex[] | null
  /** Complaints heard and judged. */
  readonly complaints: readonly JudgedComplaint[]
  /** Who broke which rule, with a sentence each. */
  readonly faults: readonly CeremonyFault[]
}

/** The roll of a ceremony that did not end by its deadline, as one member has heard it. Members by their index. */
export type RollCallProgress = {
  readonly answered: readonly MemberIndex[]
  /** Not heard so far: whom a threshold of members can name. */
  readonly absent: readonly MemberIndex[]
  /** Those known to have signed that just these are absent. */
  readonly namedBy: readonly MemberIndex[]
}

/** Who watches ceremonies: the status page and the metrics. */
export type CeremonyObserver = {
  /** Something of the progress has changed. */
  onProgress(ceremony: CeremonyContext, progress: CeremonyProgress): void
  /** The roll is being called: the ceremony is past its deadline. */
  onRollCall(ceremony: CeremonyContext, roll: RollCallProgress): void
  /** The result was signed by self, so many milliseconds after the job began. */
  onSigned(ceremony: CeremonyContext, durationMs: number): void
  /** The chain has ended the round. `reason`, when there is no key: who was missing where, who broke which rule. */
  onEnded(ceremony: CeremonyContext, outcome: { readonly registered: boolean; readonly reason?: string }): void
}

/** Threshold signatures under the pool's shares. */
export type DepositScheme = {
  combine(partials: readonly { readonly index: MemberIndex; readonly signature: BlsSignature }[], threshold: number): BlsSignature
  verify(publicKey: string, root: Root, signature: BlsSignature): boolean
  /** Whether each of them holds by itself, for less than `verify` of each would cost. False for none. */
  verifyEach(signed: readonly { readonly publicKey: PublicKey; readonly signature: BlsSignature }[], root: Root): boolean
  aggregate(signatures: readonly BlsSignature[]): BlsSignature
}

export type CeremonyPorts = {
  readonly self: ProducerId
  readonly clock: Clock
  readonly beacon: BeaconNode
  readonly chain: ChainFollower
  readonly contracts: Contracts
  readonly network: Network
  readonly queue: JobQueue
  readonly secrets: CeremonySecrets
  readonly operatorKey: OperatorKey
  readonly signingKey: SigningKey
  readonly verifyEcdsa: EcdsaVerifier
  readonly scheme: DepositScheme
  readonly disputes: Disputes
  readonly observer: CeremonyObserver
  readonly log: Log
}

/** The ceremony a member of which we are, by pool and round. */
export const ceremonyKey = ({ poolId, round }: { readonly poolId: PoolId; readonly round: number }): string => `${poolId}/${round}`
