import { toEpoch, toPublicKey, toRoot, toSlot, toValidatorIndex } from '../core/parse.ts'
import type { Reference } from '../core/report.ts'

type Stored = {
  readonly epoch: number
  readonly header: Readonly<Record<'root' | 'parentRoot' | 'stateRoot' | 'bodyRoot', string>> & {
    readonly slot: number
    readonly proposerIndex: number
  }
  readonly executionBlock: number
  readonly timestamp: number
  readonly balances: readonly (readonly [key: string, balance: string, eligible: boolean])[]
  readonly arrivals: { readonly staker: string; readonly bond: string }
}

/** A reference as the node's own store keeps it: JSON, big numbers as decimal strings. */
export function encodeReference(reference: Reference): string {
  const stored: Stored = {
    epoch: reference.epoch,
    header: reference.header,
    executionBlock: reference.executionBlock,
    timestamp: reference.timestamp,
    balances: [...reference.balances].map(([key, { balance, eligible }]) => [key, balance.toString(), eligible]),
    arrivals: { staker: reference.arrivals.staker.toString(), bond: reference.arrivals.bond.toString() },
  }
  return JSON.stringify(stored)
}

export function decodeReference(text: string): Reference {
  const stored = JSON.parse(text) as Stored
  const { header } = stored
  return {
    epoch: toEpoch(stored.epoch),
    header: {
      root: toRoot(header.root),
      slot: toSlot(header.slot),
      proposerIndex: toValidatorIndex(header.proposerIndex),
      parentRoot: toRoot(header.parentRoot),
      stateRoot: toRoot(header.stateRoot),
      bodyRoot: toRoot(header.bodyRoot),
    },
    executionBlock: stored.executionBlock,
    timestamp: stored.timestamp,
    balances: new Map(stored.balances.map(([key, balance, eligible]) => [toPublicKey(key), { balance: BigInt(balance), eligible }])),
    arrivals: { staker: BigInt(stored.arrivals.staker), bond: BigInt(stored.arrivals.bond) },
  }
}
