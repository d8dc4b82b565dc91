import { toRoot } from '../../operator/core/parse.ts'
import type { ChainSpec } from '../../operator/core/ports/beacon.ts'

/** Pools whose validators attest in turn: an epoch has as many slots, so that each attests once an epoch. */
export const POOLS = 8

/** Of a chain with short slots, so that many duties fit in a minute; nothing of a duty depends on their length. */
export function benchSpec({ genesisTimeMs, slotMs }: { readonly genesisTimeMs: number; readonly slotMs: number }): ChainSpec {
  return {
    presetBase: 'mainnet',
    genesisTimeMs,
    genesisValidatorsRoot: toRoot(`0x${'4b'.repeat(32)}`),
    genesisForkVersion: '0x00000000',
    slotDurationMs: slotMs,
    slotsPerEpoch: POOLS,
    epochsPerHistoricalVector: 65_536,
    depositChainId: 1n,
    values: {},
  }
}
