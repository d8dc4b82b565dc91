import type { MemberIndex, PoolId, ProducerId } from './ids.ts'

/** Kind of a pool: whose money stands behind it. Values as in the contracts. */
export const POOL_KINDS = ['staker', 'bond'] as const
export type PoolKind = (typeof POOL_KINDS)[number]

/** A vault as drawn: `members[i]` is the producer at member index i + 1. */
export type Vault = {
  readonly poolId: PoolId
  /** Ceremony round that made (or makes) this vault, from 0. */
  readonly round: number
  readonly members: readonly ProducerId[]
}

/** Signing threshold t = ⌈2n/3⌉ of a vault of n. Also the QBFT quorum. */
export function thresholdOf(size: number): number {
  return Math.ceil((2 * size) / 3)
}

/** Faults f = ⌊(n − 1)/3⌋ a vault of n survives. */
export function faultsOf(size: number): number {
  return Math.floor((size - 1) / 3)
}

/** The producer's member index in the vault, or undefined when it holds no seat there. */
export function memberIndexOf(vault: Vault, producer: ProducerId): MemberIndex | undefined {
  const at = vault.members.indexOf(producer)
  return at < 0 ? undefined : ((at + 1) as MemberIndex)
}
