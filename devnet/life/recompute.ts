import { recomputeFee } from './recompute-fee.ts'
import type { World } from './world.ts'

const RAY = 10n ** 27n
const WEI_PER_GWEI = 10n ** 9n
/** Shares that a wei bought at an index of 1. */
const SHARES_PER_WEI = 1000n
/** Each deposit, payment and transfer rounds by at most a wei of the pot. */
const ROUNDING_WEI = 100n

export type Recomputed = { readonly onChain: bigint; readonly recomputed: bigint; readonly epoch: number }

/**
 * Computes the rewards index of the last finalization anew, from JSON-RPC and the Beacon API alone: all ETH the protocol had
 * at the reference (contracts, validators, deposits in flight, less what was finalized and unclaimed), carried to the
 * finalization by the deposits, paid withdrawals and the clamped profit, over the shares right after it, those of the fee
 * included; and that fee, from the profits of all reports.
 * Throws when the contracts say anything else, beyond rounding.
 */
export async function recomputeIndex(world: World): Promise<Recomputed> {
  const { contracts, provider, references, slotsPerEpoch } = world
  const finalizations = await contracts.stateCommitments.queryFilter(contracts.stateCommitments.filters.StateFinalized())
  const last = finalizations.at(-1)
  if (last === undefined) throw new Error('no commitment was finalized')
  const epoch = Number(last.args.epoch)
  const reference = references.at(epoch * slotsPerEpoch)
  if (reference === undefined) throw new Error(`the reference of epoch ${epoch} was not noted in time`)

  const from = reference.executionBlock
  const to = last.blockNumber
  const before = (event: { readonly blockNumber: number; readonly index: number }): boolean =>
    event.blockNumber < to || (event.blockNumber === to && event.index < last.index)

  const addresses = [
    await contracts.stakingPool.getAddress(),
    await contracts.withdrawalQueue.getAddress(),
    contracts.stakerVault,
    contracts.bondVault,
  ]
  const balances = await Promise.all(addresses.map((address) => provider.getBalance(address, from)))
  const finalized = await contracts.withdrawalQueue.queryFilter(contracts.withdrawalQueue.filters.WithdrawalsFinalized())
  const claimed = await contracts.withdrawalQueue.queryFilter(contracts.withdrawalQueue.filters.WithdrawalClaimed(), 0, from)
  const deposits = await contracts.stakingPool.queryFilter(contracts.stakingPool.filters.Deposited(), from + 1, to)
  const booked = await contracts.stakingPool.queryFilter(contracts.stakingPool.filters.ReportBooked(), to, to)

  const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n)
  const finalizedAtReference = sum(finalized.filter(({ blockNumber }) => blockNumber <= from).map(({ args }) => args.amount))
  const unclaimed = finalizedAtReference - sum(claimed.map(({ args }) => args.amount))
  const paidSince = sum(finalized.filter((event) => event.blockNumber > from && before(event)).map(({ args }) => args.amount))
  const paidInside = sum(finalized.filter((event) => event.blockNumber === to && !before(event)).map(({ args }) => args.amount))
  const depositedSince = sum(deposits.filter(before).map(({ args }) => args.amount))
  const depositedInside = sum(deposits.filter((event) => !before(event)).map(({ args }) => args.amount))
  const clamped = sum(booked.map(({ args }) => args.profitToDate - args.recognised))

  const atReference = sum(balances) + (reference.validatorsGwei + reference.inFlightGwei) * WEI_PER_GWEI - unclaimed
  // Shares are read at the end of the finalization's block, so what happened in it afterwards is carried along as well.
  const pot = atReference + depositedSince + depositedInside - paidSince - paidInside - clamped
  const shares = await contracts.bondEther.totalShares({ blockTag: to })
  const recomputed = (pot * RAY * SHARES_PER_WEI) / shares
  const onChain = last.args.index
  const difference = recomputed > onChain ? recomputed - onChain : onChain - recomputed
  if (difference > (ROUNDING_WEI * RAY * SHARES_PER_WEI) / shares + 1n) {
    throw new Error(`the index of epoch ${epoch} is ${onChain} on chain, but ${recomputed} by own account`)
  }
  const { fee, minted } = await recomputeFee(world, to)
  const worth = (minted * pot) / shares
  if ((worth > fee ? worth - fee : fee - worth) > ROUNDING_WEI) {
    throw new Error(`the fee of epoch ${epoch} is worth ${worth} wei on chain, but ${fee} by own account`)
  }
  return { onChain, recomputed, epoch }
}
