import type { Result } from 'ethers'
import { OpenPoolsError } from '../../core/errors.ts'
import type { ChainEvent, EventArgs, EventName, EventPosition } from '../../core/events.ts'
import type { Address, Hex, ProducerId, PublicKey } from '../../core/ids.ts'
import { toAddress, toEpoch, toPoolId, toProducerId, toPublicKey, toRoot, toSlot, toValidatorIndex } from '../../core/parse.ts'
import { CONTRACTS, type ContractAddresses, type ContractName } from '../../core/ports/chain.ts'
import type { CommitmentContent } from '../../core/report.ts'
import { POOL_KINDS, type PoolKind } from '../../core/vault.ts'
import { publicKeyFromEip2537 } from '../../protocol/bls/points.ts'
import { INTERFACES } from './interfaces.ts'

export class DecodeError extends OpenPoolsError<'MALFORMED_EVENT'> {}

/** A log as JSON-RPC gives it, with the position already parsed. */
export type RawLog = { readonly address: Address; readonly topics: readonly Hex[]; readonly data: Hex; readonly at: EventPosition }

type Decoders = { readonly [Name in EventName]: (args: Result) => EventArgs<Name> }

const KEY_DIGITS = 96

const kindOf = (value: unknown): PoolKind => {
  const kind = POOL_KINDS[Number(value)]
  if (kind === undefined) throw new DecodeError('MALFORMED_EVENT', `expected a pool kind (0 or 1), got ${String(value)}`)
  return kind
}
// As the contracts number them (FaultKind, VoteState).
const FAULTS = { 1: 'signatures', 2: 'exit' } as const
const OUTCOMES = { 3: 'upheld', 4: 'dropped', 5: 'convicted' } as const
function named<Name extends string>(what: string, names: Readonly<Record<number, Name>>, value: unknown): Name {
  const name = names[Number(value)]
  if (name === undefined) throw new DecodeError('MALFORMED_EVENT', `expected ${what}, got ${String(value)}`)
  return name
}
const judgedOf = (a: Result) => ({ commitmentId: Number(a.commitmentId), judged: Number(a.judged), size: Number(a.size) })
const members = (value: Iterable<unknown>): readonly ProducerId[] => [...value].map(toProducerId)
const signingKeyOf = (point: Iterable<string>): PublicKey => publicKeyFromEip2537(`0x${[...point].map((word) => word.slice(2)).join('')}`)
const keysOf = (packed: string): readonly PublicKey[] =>
  (packed.slice(2).match(new RegExp(`.{${KEY_DIGITS}}`, 'g')) ?? []).map((digits) => toPublicKey(`0x${digits}`))

const contentOf = ({ report, executionHash, absent }: Result): CommitmentContent => ({
  report: {
    epoch: toEpoch(report.epoch),
    referenceSlot: toSlot(report.referenceSlot),
    blockRoot: toRoot(report.blockRoot),
    executionBlock: Number(report.executionBlock),
    history: Number(report.history),
    stakerArrivals: report.stakerArrivals,
    bondArrivals: report.bondArrivals,
    stakerPools: Number(report.stakerPools),
    bondPools: Number(report.bondPools),
    producers: Number(report.producers),
    certificatesHash: toRoot(report.certificatesHash),
    summariesRoot: toRoot(report.summariesRoot),
    pageRoots: [...report.pageRoots].map(toRoot),
  },
  executionHash: toRoot(executionHash),
  absent,
})

/** A text as somebody chose it: the contracts take any bytes, and what is no UTF-8 (reading it throws) is as good as none. */
function textOf(args: Result, field: string): string {
  try {
    return String(args[field])
  } catch {
    return ''
  }
}

const DECODERS: Decoders = {
  'BlockProducers.ProducerRegistered': (a) => ({
    producerId: toProducerId(a.producerId),
    owner: toAddress(a.owner),
    operator: toAddress(a.operator),
    signingKey: signingKeyOf(a.signingKey),
    peerAddress: textOf(a, 'peerAddress'),
    shares: a.shares,
  }),
  'BlockProducers.ExitRequested': (a) => ({ producerId: toProducerId(a.producerId), forced: a.forced }),
  'BlockProducers.BondWithdrawn': (a) => ({ producerId: toProducerId(a.producerId), owner: toAddress(a.owner), shares: a.shares }),
  'BlockProducers.PeerAddressChanged': (a) => ({ producerId: toProducerId(a.producerId), peerAddress: textOf(a, 'peerAddress') }),
  'BlockProducers.ProducerSlashed': (a) => ({
    producerId: toProducerId(a.producerId),
    poolId: Number(a.poolId),
    shares: a.shares,
    out: a.out,
  }),
  'Periods.JoinQueued': (a) => ({ producerId: toProducerId(a.producerId) }),
  'Periods.LeaveQueued': (a) => ({ producerId: toProducerId(a.producerId) }),
  'Periods.ListFrozen': (a) => ({ period: Number(a.period), size: Number(a.size) }),
  'Periods.Joined': (a) => ({ period: Number(a.period), producerId: toProducerId(a.producerId), position: Number(a.position) }),
  'Periods.Left': (a) => ({ period: Number(a.period), producerId: toProducerId(a.producerId), position: Number(a.position) }),
  'Periods.MemberStruck': (a) => ({ period: Number(a.period), producerId: toProducerId(a.producerId), place: Number(a.place) }),
  'Periods.SeedProven': (a) => ({ period: Number(a.period), seed: toRoot(a.seed) }),
  'Periods.CommitteeFormed': (a) => ({ period: Number(a.period), members: members(a.members) }),
  'VaultDraws.DrawRequested': (a) => ({
    rotation: a.rotation,
    drawId: Number(a.drawId),
    poolId: toPoolId(a.poolId),
    round: Number(a.round),
    period: Number(a.period),
    seedEpoch: toEpoch(a.seedEpoch),
  }),
  'VaultDraws.SeedProven': (a) => ({ asked: toEpoch(a.asked), seedEpoch: toEpoch(a.seedEpoch), mix: toRoot(a.mix) }),
  'VaultDraws.DrawFilled': (a) => ({ drawId: Number(a.drawId), poolId: toPoolId(a.poolId), members: members(a.members) }),
  'VaultDraws.DrawCancelled': (a) => ({ drawId: Number(a.drawId), poolId: toPoolId(a.poolId) }),
  'PoolRegistry.PoolRequested': (a) => ({ poolId: toPoolId(a.poolId), kind: kindOf(a.kind), seedEpoch: toEpoch(a.seedEpoch) }),
  'PoolRegistry.VaultSelected': (a) => ({
    poolId: toPoolId(a.poolId),
    round: Number(a.round),
    members: members(a.members),
    deadline: toEpoch(a.deadline),
  }),
  'PoolRegistry.DkgCompleted': (a) => ({
    poolId: toPoolId(a.poolId),
    round: Number(a.round),
    publicKey: toPublicKey(a.publicKey),
    ordinal: Number(a.ordinal),
    publicShares: keysOf(a.publicShares),
    transcriptRoot: toRoot(a.transcriptRoot),
    participation: a.participation,
  }),
  'PoolRegistry.DkgFailed': (a) => ({ poolId: toPoolId(a.poolId), round: Number(a.round), named: a.named }),
  'PoolRegistry.VaultReplaced': (a) => ({ poolId: toPoolId(a.poolId), round: Number(a.round), members: members(a.members) }),
  'PoolRegistry.PoolFunded': (a) => ({ poolId: toPoolId(a.poolId), validatorIndex: toValidatorIndex(a.validatorIndex) }),
  'PoolRegistry.PoolFrontRun': (a) => ({ poolId: toPoolId(a.poolId), credentials: toRoot(a.credentials) }),
  'PoolRegistry.PoolAbandoned': (a) => ({ poolId: toPoolId(a.poolId), validatorIndex: toValidatorIndex(a.validatorIndex) }),
  'PoolRegistry.PoolExiting': (a) => ({ poolId: toPoolId(a.poolId) }),
  'PoolRegistry.PoolClosed': (a) => ({ poolId: toPoolId(a.poolId) }),
  'PoolRegistry.PoolCancelled': (a) => ({ poolId: toPoolId(a.poolId) }),
  'Ceremonies.ParticipationAdded': (a) => ({ poolId: toPoolId(a.poolId), round: Number(a.round), participation: a.participation }),
  'Ceremonies.MembersMissing': (a) => ({ poolId: toPoolId(a.poolId), round: Number(a.round), missing: a.missing }),
  'Rotations.RotationRequested': (a) => ({ poolId: toPoolId(a.poolId), round: Number(a.round), seedEpoch: toEpoch(a.seedEpoch) }),
  'Rotations.RotationDrawn': (a) => ({
    poolId: toPoolId(a.poolId),
    round: Number(a.round),
    oldRound: Number(a.oldRound),
    members: members(a.members),
    deadline: toEpoch(a.deadline),
  }),
  'Rotations.RotationCompleted': (a) => ({
    poolId: toPoolId(a.poolId),
    round: Number(a.round),
    cutover: toEpoch(a.cutover),
    publicShares: keysOf(a.publicShares),
    transcriptRoot: toRoot(a.transcriptRoot),
    participation: a.participation,
  }),
  'Rotations.RotationFailed': (a) => ({
    poolId: toPoolId(a.poolId),
    round: Number(a.round),
    absentNew: a.absentNew,
    absentOld: a.absentOld,
  }),
  'Rotations.RotationDropped': (a) => ({ poolId: toPoolId(a.poolId), round: Number(a.round) }),
  'DkgDisputes.DealerConvicted': (a) => ({
    poolId: toPoolId(a.poolId),
    kind: Number(a.kind),
    round: Number(a.round),
    producerId: toProducerId(a.producerId),
  }),
  'Exits.LiquidationRequested': (a) => ({ drawId: Number(a.drawId), count: Number(a.count), seedEpoch: toEpoch(a.seedEpoch) }),
  'Exits.LiquidationDrawn': (a) => ({ drawId: Number(a.drawId), poolId: toPoolId(a.poolId), deadline: toEpoch(a.deadline) }),
  'Exits.ExitForced': (a) => ({ poolId: toPoolId(a.poolId), by: toAddress(a.by), fee: a.fee }),
  'Exits.StallProven': (a) => ({ poolId: toPoolId(a.poolId), reporter: toAddress(a.reporter) }),
  'StateCommitments.StateCommitted': (a) => ({
    commitmentId: Number(a.commitmentId),
    epoch: toEpoch(a.epoch),
    digest: toRoot(a.digest),
    content: contentOf(a.content),
  }),
  'StateCommitments.PagePosted': (a) => ({ commitmentId: Number(a.commitmentId), page: Number(a.page), data: a.data }),
  'StateCommitments.CommitmentPending': (a) => ({
    commitmentId: Number(a.commitmentId),
    stakerProfit: a.stakerProfit,
    bondProfit: a.bondProfit,
    windowEnds: Number(a.windowEnds),
  }),
  'StateCommitments.CommitmentFrozen': (a) => ({ commitmentId: Number(a.commitmentId) }),
  'StateCommitments.CommitmentUnfrozen': (a) => ({ commitmentId: Number(a.commitmentId) }),
  'StateCommitments.CommitmentDropped': (a) => ({ commitmentId: Number(a.commitmentId), epoch: toEpoch(a.epoch) }),
  'StateCommitments.StateFinalized': (a) => ({ commitmentId: Number(a.commitmentId), epoch: toEpoch(a.epoch), index: a.index }),
  'Rewards.ReportBooked': (a) => ({
    report: Number(a.report),
    commitmentId: Number(a.commitmentId),
    referenceTimestamp: Number(a.referenceTimestamp),
    producers: Number(a.producers),
    rate: a.rate,
  }),
  'Rewards.Settled': (a) => ({ producerId: toProducerId(a.producerId), report: Number(a.report), minted: a.minted, debt: a.debt }),
  'Rewards.DebtRepaid': (a) => ({ producerId: toProducerId(a.producerId), points: a.points, burned: a.burned, debt: a.debt }),
  'Slashing.PoolFault': (a) => ({ poolId: toPoolId(a.poolId), kind: named('a fault', FAULTS, a.kind), reporter: toAddress(a.reporter) }),
  'Slashing.ExitSeen': (a) => ({ poolId: toPoolId(a.poolId), withdrawableEpoch: toEpoch(a.withdrawableEpoch) }),
  'Slashing.BalanceShown': (a) => ({ poolId: toPoolId(a.poolId), epoch: toEpoch(a.epoch), balance: a.balance }),
  'Slashing.FaultSettled': (a) => ({ poolId: toPoolId(a.poolId), loss: a.loss, charged: a.charged }),
  'Disputes.SignersJudged': (a) => judgedOf(a),
  'Votes.SignersJudged': (a) => judgedOf(a),
  'Votes.VoteOpened': (a) => ({
    commitmentId: Number(a.commitmentId),
    period: Number(a.period),
    deadline: Number(a.deadline),
    openers: Number(a.openers),
  }),
  'Votes.VoteClosed': (a) => ({ commitmentId: Number(a.commitmentId), outcome: named('the end of a vote', OUTCOMES, a.outcome) }),
  'Votes.OpenersCharged': (a) => ({ commitmentId: Number(a.commitmentId), word: Number(a.word), positions: a.positions }),
  'WindDown.WindDownStarted': (a) => ({ since: Number(a.since) }),
  'StakingPool.BeaconDeposit': (a) => ({ poolId: toPoolId(a.poolId), kind: kindOf(a.kind), amount: a.amount, total: a.total }),
  'StakingPool.Collected': (a) => ({ kind: kindOf(a.kind), amount: a.amount, total: a.total }),
}

const titled = (name: ContractName): string => name.charAt(0).toUpperCase() + name.slice(1)

/**
 * Decodes the logs of one deployment. Logs of its contracts that the operator does not act on are undefined; a log that
 * does not fit its event throws `DecodeError`: then the client serves something else than the contracts emit.
 */
export function createDecoder(addresses: ContractAddresses): (log: RawLog) => ChainEvent | undefined {
  const byAddress = new Map(CONTRACTS.map((name) => [addresses[name], name]))
  return (log) => {
    const contract = byAddress.get(log.address)
    if (contract === undefined) return undefined
    const parsed = INTERFACES[contract].parseLog({ topics: [...log.topics], data: log.data })
    if (parsed === null) return undefined
    const name = `${titled(contract)}.${parsed.name}` as EventName
    if (!(name in DECODERS)) return undefined
    try {
      return { name, args: DECODERS[name](parsed.args), at: log.at } as ChainEvent
    } catch (cause) {
      const where = `block ${log.at.blockNumber}, log ${log.at.logIndex}`
      throw new DecodeError('MALFORMED_EVENT', `expected arguments of ${name} at ${where}, got others`, { name, ...log.at }, { cause })
    }
  }
}
