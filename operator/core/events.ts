import type { Address, Epoch, Hex, PoolId, ProducerId, PublicKey, Root, ValidatorIndex } from './ids.ts'
import type { CommitmentContent } from './report.ts'
import type { PoolKind } from './vault.ts'

/** Where in the chain an event stands. `timestamp` is the block's, in seconds. */
export type EventPosition = {
  readonly blockNumber: number
  readonly blockHash: Root
  readonly timestamp: number
  readonly logIndex: number
  /** What emitted it; only of events that earn their sender something. */
  readonly transaction?: { readonly hash: Root; readonly sender: Address }
}

type Of<Name extends string, Args> = { readonly name: Name; readonly args: Readonly<Args>; readonly at: EventPosition }

// One member per contract event that the operator acts on; names are "<contract>.<event>", arguments as in the interfaces.
export type ChainEvent =
  | Of<
      'BlockProducers.ProducerRegistered',
      { producerId: ProducerId; owner: Address; operator: Address; signingKey: PublicKey; peerAddress: string; shares: bigint }
    >
  | Of<'BlockProducers.PeerAddressChanged', { producerId: ProducerId; peerAddress: string }>
  | Of<'BlockProducers.ProducerSlashed', { producerId: ProducerId; poolId: number; shares: bigint; out: boolean }>
  | Of<'BlockProducers.ExitRequested', { producerId: ProducerId; forced: boolean }>
  | Of<'BlockProducers.BondWithdrawn', { producerId: ProducerId; owner: Address; shares: bigint }>
  | Of<'Periods.JoinQueued', { producerId: ProducerId }>
  | Of<'Periods.LeaveQueued', { producerId: ProducerId }>
  | Of<'Periods.ListFrozen', { period: number; size: number }>
  | Of<'Periods.Joined', { period: number; producerId: ProducerId; position: number }>
  | Of<'Periods.Left', { period: number; producerId: ProducerId; position: number }>
  | Of<'Periods.SeedProven', { period: number; seed: Root }>
  | Of<'Periods.CommitteeFormed', { period: number; members: readonly ProducerId[] }>
  | Of<'Periods.MemberStruck', { period: number; producerId: ProducerId; place: number }>
  | Of<'VaultDraws.DrawRequested', { drawId: number; poolId: PoolId; round: number; period: number; seedEpoch: Epoch; rotation: boolean }>
  | Of<'VaultDraws.SeedProven', { asked: Epoch; seedEpoch: Epoch; mix: Root }>
  | Of<'VaultDraws.DrawFilled', { drawId: number; poolId: PoolId; members: readonly ProducerId[] }>
  | Of<'VaultDraws.DrawCancelled', { drawId: number; poolId: PoolId }>
  | Of<'PoolRegistry.PoolRequested', { poolId: PoolId; kind: PoolKind; seedEpoch: Epoch }>
  | Of<'PoolRegistry.VaultSelected', { poolId: PoolId; round: number; members: readonly ProducerId[]; deadline: Epoch }>
  | Of<
      'PoolRegistry.DkgCompleted',
      {
        poolId: PoolId
        round: number
        publicKey: PublicKey
        ordinal: number
        publicShares: readonly PublicKey[]
        transcriptRoot: Root
        participation: bigint
      }
    >
  | Of<'PoolRegistry.DkgFailed', { poolId: PoolId; round: number; named: bigint }>
  | Of<'PoolRegistry.VaultReplaced', { poolId: PoolId; round: number; members: readonly ProducerId[] }>
  | Of<'PoolRegistry.PoolFunded', { poolId: PoolId; validatorIndex: ValidatorIndex }>
  | Of<'PoolRegistry.PoolFrontRun', { poolId: PoolId; credentials: Root }>
  | Of<'PoolRegistry.PoolAbandoned', { poolId: PoolId; validatorIndex: ValidatorIndex }>
  | Of<'PoolRegistry.PoolExiting', { poolId: PoolId }>
  | Of<'PoolRegistry.PoolClosed', { poolId: PoolId }>
  | Of<'PoolRegistry.PoolCancelled', { poolId: PoolId }>
  | Of<'Ceremonies.ParticipationAdded', { poolId: PoolId; round: number; participation: bigint }>
  | Of<'Ceremonies.MembersMissing', { poolId: PoolId; round: number; missing: bigint }>
  | Of<'Rotations.RotationRequested', { poolId: PoolId; round: number; seedEpoch: Epoch }>
  | Of<'Rotations.RotationDrawn', { poolId: PoolId; round: number; oldRound: number; members: readonly ProducerId[]; deadline: Epoch }>
  | Of<
      'Rotations.RotationCompleted',
      {
        poolId: PoolId
        round: number
        cutover: Epoch
        publicShares: readonly PublicKey[]
        transcriptRoot: Root
        participation: bigint
      }
    >
  | Of<'Rotations.RotationFailed', { poolId: PoolId; round: number; absentNew: bigint; absentOld: bigint }>
  | Of<'Rotations.RotationDropped', { poolId: PoolId; round: number }>
  | Of<'DkgDisputes.DealerConvicted', { poolId: PoolId; kind: number; round: number; producerId: ProducerId }>
  | Of<'Exits.LiquidationRequested', { drawId: number; count: number; seedEpoch: Epoch }>
  | Of<'Exits.LiquidationDrawn', { drawId: number; poolId: PoolId; deadline: Epoch }>
  | Of<'Exits.ExitForced', { poolId: PoolId; by: Address; fee: bigint }>
  | Of<'Exits.StallProven', { poolId: PoolId; reporter: Address }>
  | Of<'StateCommitments.StateCommitted', { commitmentId: number; epoch: Epoch; digest: Root; content: CommitmentContent }>
  | Of<'StateCommitments.PagePosted', { commitmentId: number; page: number; data: Hex }>
  | Of<'StateCommitments.CommitmentPending', { commitmentId: number; stakerProfit: bigint; bondProfit: bigint; windowEnds: number }>
  | Of<'StateCommitments.CommitmentFrozen', { commitmentId: number }>
  | Of<'StateCommitments.CommitmentUnfrozen', { commitmentId: number }>
  | Of<'StateCommitments.CommitmentDropped', { commitmentId: number; epoch: Epoch }>
  | Of<'StateCommitments.StateFinalized', { commitmentId: number; epoch: Epoch; index: bigint }>
  | Of<'Rewards.ReportBooked', { report: number; commitmentId: number; referenceTimestamp: number; producers: number; rate: bigint }>
  | Of<'Rewards.Settled', { producerId: ProducerId; report: number; minted: bigint; debt: bigint }>
  | Of<'Rewards.DebtRepaid', { producerId: ProducerId; points: bigint; burned: bigint; debt: bigint }>
  | Of<'Slashing.PoolFault', { poolId: PoolId; kind: 'signatures' | 'exit'; reporter: Address }>
  | Of<'Slashing.ExitSeen', { poolId: PoolId; withdrawableEpoch: Epoch }>
  | Of<'Slashing.BalanceShown', { poolId: PoolId; epoch: Epoch; balance: bigint }>
  | Of<'Slashing.FaultSettled', { poolId: PoolId; loss: bigint; charged: bigint }>
  | Of<'Disputes.SignersJudged', { commitmentId: number; judged: number; size: number }>
  | Of<'Votes.SignersJudged', { commitmentId: number; judged: number; size: number }>
  | Of<'Votes.VoteOpened', { commitmentId: number; period: number; deadline: number; openers: number }>
  | Of<'Votes.VoteClosed', { commitmentId: number; outcome: 'upheld' | 'dropped' | 'convicted' }>
  | Of<'Votes.OpenersCharged', { commitmentId: number; word: number; positions: bigint }>
  | Of<'WindDown.WindDownStarted', { since: number }>
  | Of<'StakingPool.BeaconDeposit', { poolId: PoolId; kind: PoolKind; amount: bigint; total: bigint }>
  | Of<'StakingPool.Collected', { kind: PoolKind; amount: bigint; total: bigint }>

export type EventName = ChainEvent['name']

/** Events of upkeep: each happens once, by a transaction that anybody may send, and earns the producer that sent it points. */
export const UPKEEP_EVENTS = [
  'Periods.ListFrozen',
  'Periods.SeedProven',
  'Periods.CommitteeFormed',
  'VaultDraws.SeedProven',
  'VaultDraws.DrawFilled',
  'PoolRegistry.PoolFunded',
  'Exits.LiquidationDrawn',
  'StateCommitments.PagePosted',
  'StateCommitments.StateFinalized',
] as const satisfies readonly EventName[]
export type EventArgs<Name extends EventName> = Extract<ChainEvent, { readonly name: Name }>['args']
