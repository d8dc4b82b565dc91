import type { Milliseconds } from '../core/ids.ts'
import type { NetworkState } from '../core/network.ts'
import type { ChainSpec } from '../core/ports/beacon.ts'
import type { CeremonyRecord, CeremonyStatus } from './status.ts'

type Known = { readonly state: NetworkState | undefined; readonly spec: ChainSpec | undefined }

/** Adds what the chain knows of a ceremony: its members and its deadline, the end of that epoch. */
export function ceremonyStatus(record: CeremonyRecord, { state, spec }: Known): CeremonyStatus {
  const pool = state?.pools.get(record.poolId)
  const round = record.kind === 'rotation' ? pool?.rotation : pool?.phase === 'ceremony' ? pool : undefined
  if (round?.round !== record.round || round.deadline === undefined || spec === undefined)
    return { ...record, members: [], deadlineAt: null }
  const end = spec.genesisTimeMs + (round.deadline + 1) * spec.slotsPerEpoch * spec.slotDurationMs
  return { ...record, members: round.members, deadlineAt: end as Milliseconds }
}
