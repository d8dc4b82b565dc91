import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hex } from '../../../../operator/core/ids.ts'
import { createDatabase, openDatabase, type ProtectionDatabase } from '../../../../operator/signer/database.ts'
import type { HandoverState } from '../../../../operator/signer/handover-state.ts'
import type { SealedStates } from '../../../../operator/signer/sealed-states.ts'
import type { Share, ShareStore } from '../../../../operator/signer/share-store.ts'
import type { JobDisk } from '../../unit/ceremonies/support/queue.ts'

/** What outlives a producer's processes. Files are maps here; the database of signing records is the shipped one. */
export type Disk = {
  readonly states: Map<string, Uint8Array>
  readonly erased: Set<string>
  readonly shares: Map<string, Share>
  readonly jobs: JobDisk
  /** What was ever on it, for the referee: shares, and the secrets of each handover, by its round. */
  readonly past: { readonly shares: Map<string, Share>; readonly secrets: Map<number, Set<Hex>> }
  readonly database: ProtectionDatabase
  close(): void
}

export function newDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-handover-'))
  const path = join(folder, 'protection.sqlite')
  createDatabase(path, 'simulated')
  const database = openDatabase(path, 'simulated')
  const close = (): void => {
    database.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    states: new Map(),
    erased: new Set(),
    shares: new Map(),
    jobs: new Map(),
    past: { shares: new Map(), secrets: new Map() },
    database,
    close,
  }
}

export const shareName = ({ info }: Pick<Share, 'info'>): string => `${info.poolId}/${info.round}`

/** Round of the handover that a sealed state is of, by its name: the last four bytes. */
export const roundOf = (name: string): number => Number.parseInt(name.slice(-8), 16)

/** The secret scalars of a handover's state, but for the share that it makes: that one is of the new term. */
function secretsOf({ ephemeral, own, received }: HandoverState): readonly Hex[] {
  return [ephemeral, ...(own?.coefficients ?? []), ...Object.values(received)]
}

/** A process's hands on its disk: each write may be its last act. A dead one writes nothing. */
export type Hands = { readonly isAlive: () => boolean; readonly afterWrite: () => void }

export function sealedStates(disk: Disk, { isAlive, afterWrite }: Hands): SealedStates {
  return {
    list: () => [...disk.states.keys()],
    load: (id) => {
      const value = disk.states.get(id)
      return value === undefined ? undefined : Buffer.from(value)
    },
    save: async (id, value) => {
      if (!isAlive()) throw new Error('dead')
      if (disk.erased.has(id)) throw new Error('erased')
      disk.states.set(id, value)
      const known = disk.past.secrets.get(roundOf(id)) ?? new Set()
      for (const secret of secretsOf(JSON.parse(Buffer.from(value).toString('utf8')) as HandoverState)) known.add(secret)
      disk.past.secrets.set(roundOf(id), known)
      afterWrite()
    },
    erase: async (id) => {
      if (!isAlive()) throw new Error('dead')
      disk.erased.add(id)
      disk.states.delete(id)
      afterWrite()
    },
  }
}

export function shareStore(disk: Disk, { isAlive, afterWrite }: Hands): ShareStore {
  return {
    list: () => [...disk.shares.values()],
    get: (poolId, round) => disk.shares.get(`${poolId}/${round}`),
    add: async (share) => {
      if (!isAlive()) throw new Error('dead')
      disk.shares.set(shareName(share), share)
      disk.past.shares.set(shareName(share), share)
      afterWrite()
    },
    remove: (poolId, round) => {
      if (!isAlive()) throw new Error('dead')
      disk.shares.delete(`${poolId}/${round}`)
      afterWrite()
    },
  }
}
