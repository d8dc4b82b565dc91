import { exactEth } from '../../operator/core/amounts.ts'
import type { DeploymentParameters } from '../parameters/types.ts'

const seconds = (value: bigint): string => `${value} s`
const slots = (value: bigint): string => `${value} slots`
const epochs = (value: bigint): string => `${value} epochs`
const count = (value: bigint): string => String(value)
const eth = (value: bigint): string => `${exactEth(value)} ETH`
const cdt = (value: bigint): string => `${exactEth(value)} CDT a year`
const points = (value: bigint): string => `${value} points`
/** Digits after the point, without those that say nothing. */
const percent = (parts: number) => (value: bigint) => `${Number(((Number(value) / parts) * 100).toFixed(6))} %`
const basisPoints = percent(10_000)
const millionths = percent(1_000_000)
const asIs = (value: string): string => value
const time = (value: bigint): string => `${value} (${new Date(Number(value) * 1_000).toISOString()})`

type Units = { readonly [Name in keyof DeploymentParameters]: (value: DeploymentParameters[Name]) => string }

/** How each parameter reads (contracts/types/Parameters.sol). */
const UNITS: Units = {
  genesisTime: time,
  secondsPerSlot: seconds,
  slotsPerEpoch: slots,
  epochsPerHistoricalVector: epochs,
  shardCommitteePeriod: epochs,
  genesisForkVersion: asIs,
  genesisValidatorsRoot: asIs,
  ejectionBalance: (gwei) => eth(gwei * 10n ** 9n),
  depositContract: asIs,
  vaultSize: count,
  seatAllocation: eth,
  effectiveStake: eth,
  minProducers: count,
  firstPeriod: (epoch) => `epoch ${epoch}`,
  periodLength: epochs,
  maxChurn: count,
  committeeSize: count,
  minAuxCommitteeSize: count,
  seedDelay: epochs,
  ceremonyDeadline: epochs,
  seatTail: epochs,
  rotationPeriod: epochs,
  rotationMargin: epochs,
  reportEpochs: epochs,
  disputeDuration: epochs,
  pagesDeadline: epochs,
  voteDuration: epochs,
  failedVotePenalty: eth,
  maxReportGrowth: (value) => `${millionths(value)} an epoch`,
  maxReportLoss: millionths,
  minDeposit: eth,
  liquidationThreshold: eth,
  maxQueueWait: epochs,
  maxLiquidationExecution: epochs,
  stallPenalty: (wei) => `${eth(wei)} a seat`,
  reporterShare: basisPoints,
  reporterFee: eth,
  rewardsFee: basisPoints,
  baseReward: points,
  dkgReward: points,
  dkgFailurePenalty: points,
  maxCdtDebt: points,
  minPoolPerformance: basisPoints,
  nominalPools: count,
  cdtEmission: cdt,
  cdtMinLock: epochs,
  layoutDelay: epochs,
  windDownAfter: epochs,
}

/** Name and value of each parameter, with its unit, in the order of the Solidity struct. */
export function parameterRows(parameters: DeploymentParameters): readonly (readonly [name: string, value: string])[] {
  const textOf = <Name extends keyof DeploymentParameters>(name: Name): string => UNITS[name](parameters[name])
  return (Object.keys(UNITS) as (keyof DeploymentParameters)[]).map((name) => [name, textOf(name)])
}
