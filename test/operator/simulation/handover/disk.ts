import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, openDatabase, type ProtectionDatabase } from '../../../../operator/signer/database.ts'
import type { SealedStates } from '../../../../operator/signer/sealed-states.ts'
import type { Share, ShareStore } from '../../../../operator/signer/share-store.ts'
import type { JobDisk } from '../../unit/ceremonies/support/queue.ts'

/** What outlives a producer's processes. Files are maps here; the database of signing records is the shipped one. */
export type Disk = {
  readonly states: Map<string, Uint8Array>
  readonly erased: Set<string>
  readonly shares: Map<string, Share>
  readonly jobs: JobDisk
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
  return { states: new Map(), erased: new Set(), shares: new Map(), jobs: new Map(), database, close }
}

export const shareName = ({ info }: Pick<Share, 'info'>): string => `${info.poolId}/${info.round}`

/** A process's hands on its disk: each write may be its last act. A dead one writes nothing. */
export type Hands = { readonly isAlive: () => boolean; readonly afterWrite: () => void }

export function sealedStates(disk: Disk, { isAlive, afterWrite }: Hands): SealedStates {
  return {
    list: () => [...disk.states.keys()],
    load: (id) => {
      const value = disk.states.get(id)
      return value === undefined ? undefined : Buffer.from(value)
    },
    save: (id, value) => {
      if (!isAlive()) throw new Error('dead')
      if (disk.erased.has(id)) throw new Error('erased')
      disk.states.set(id, value)
      afterWrite()
    },
    erase: (id) => {
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
      afterWrite()
    },
    remove: (poolId, round) => {
      if (!isAlive()) throw new Error('dead')
      disk.shares.delete(`${poolId}/${round}`)
      afterWrite()
    },
  }
}
