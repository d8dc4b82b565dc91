import type { PoolId, Root, Slot } from './ids.ts'

/** The duties that reports judge: those that leave a trace on the beacon chain. */
export type JudgedType = 'attestation' | 'proposal'

/** A duty of a pool's validator, as the finalized beacon chain shows it. */
export type JudgedDuty = {
  readonly poolId: PoolId
  readonly type: JudgedType
  readonly slot: Slot
  /** Signing root of what the finalized chain has of it; undefined when it has nothing. */
  readonly signingRoot: Root | undefined
}
