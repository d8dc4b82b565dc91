import type { ChainEvent, EventArgs, EventName } from '../../../../../operator/core/events.ts'
import type { Address, Epoch, Hex, PoolId, ProducerId, PublicKey, Root, Slot, ValidatorIndex } from '../../../../../operator/core/ids.ts'
import type { CommitmentContent, Report } from '../../../../../operator/core/report.ts'

export const pool = (id: number): PoolId => id as PoolId
export const producer = (id: number): ProducerId => id as ProducerId
export const epoch = (value: number): Epoch => value as Epoch
export const validator = (value: number): ValidatorIndex => value as ValidatorIndex
export const root = (byte: number): Root => `0x${byte.toString(16).padStart(64, '0')}` as Root
export const key = (byte: number): PublicKey => `0x${byte.toString(16).padStart(96, '0')}` as PublicKey
export const address = (byte: number): Address => `0x${byte.toString(16).padStart(40, '0')}` as Address

/** An event in a block whose timestamp is ten times its number. */
export function event<Name extends EventName>(name: Name, blockNumber: number, args: EventArgs<Name>): ChainEvent {
  return { name, args, at: { blockNumber, blockHash: root(blockNumber), timestamp: blockNumber * 10, logIndex: 0 } } as ChainEvent
}

/** The content of a commitment with `pageRoots` many pages, `producers` producers and the rest made up. */
export function content(change: Partial<Report> = {}, absent: Hex = '0x00'): CommitmentContent {
  const report = {
    epoch: epoch(12),
    referenceSlot: 48 as Slot,
    blockRoot: root(1),
    executionBlock: 40,
    history: 0,
    stakerArrivals: 0n,
    bondArrivals: 0n,
    stakerPools: 1,
    bondPools: 0,
    producers: 4,
    certificatesHash: root(0),
    summariesRoot: root(0),
    pageRoots: [root(3), root(4)],
    ...change,
  }
  return { report, executionHash: root(5), absent }
}

/** The events of a pool's way to being funded. */
export function fundedPool(id: number, kind: 'staker' | 'bond', ordinal: number, block: number): readonly ChainEvent[] {
  const poolId = pool(id)
  const members = [1, 2, 3, 4].map(producer)
  return [
    event('PoolRegistry.PoolRequested', block, { poolId, kind, seedEpoch: epoch(8) }),
    event('VaultDraws.DrawRequested', block, { drawId: id, poolId, round: 0, period: 0, seedEpoch: epoch(8), rotation: false }),
    event('VaultDraws.SeedProven', block + 1, { asked: epoch(8), seedEpoch: epoch(8), mix: root(9) }),
    event('VaultDraws.DrawFilled', block + 1, { drawId: id, poolId, members }),
    event('PoolRegistry.VaultSelected', block + 1, { poolId, round: 0, members, deadline: epoch(17) }),
    event('PoolRegistry.DkgCompleted', block + 2, {
      poolId,
      round: 0,
      publicKey: key(id),
      ordinal,
      publicShares: members.map((member) => key(100 + member)),
      transcriptRoot: root(7),
      participation: 15n,
    }),
    event('PoolRegistry.PoolFunded', block + 3, { poolId, validatorIndex: validator(16 + id) }),
  ]
}
