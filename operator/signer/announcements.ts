import { readFileSync } from 'node:fs'
import type { Slot } from '../core/ids.ts'
import type { ProtectionDatabase } from './database.ts'

const BOOT_ID = '/proc/sys/kernel/random/boot_id'
const NONE = -1

/** Slots in which the operator key may have spoken, kept so that records of them need not be synced one by one. */
export type Announcements = {
  /** Is the slot announced, on disk? Then a record of it is safe once it has left the process. */
  covers(slot: Slot): boolean
  /** Was the slot announced before the machine stopped? Then records of it may be gone. */
  mayHaveLost(slot: Slot): boolean
  /** On disk when it returns. */
  announce(slot: Slot): void
}

/**
 * What the system has of a file outlives the process, not the machine. `boot` names the machine's uptime; undefined where the system
 * does not tell it: then no slot is covered, and every record is synced.
 */
export function openAnnouncements(database: ProtectionDatabase, boot: string | undefined): Announcements {
  const read = database.prepare('SELECT value FROM meta WHERE key = ?')
  const write = database.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  const slotAt = (key: string): number => Number(read.get(key)?.value ?? NONE)
  const sameBoot = boot !== undefined && read.get('boot')?.value === boot
  const lost = sameBoot ? slotAt('lost') : Math.max(slotAt('lost'), slotAt('announced'))
  let announced = sameBoot ? slotAt('announced') : NONE
  return {
    covers: (slot) => slot > lost && slot <= announced,
    mayHaveLost: (slot) => slot <= lost,
    announce(slot) {
      if (boot === undefined || slot <= announced) return
      database.record(() => {
        write.run('boot', boot)
        write.run('lost', String(lost))
        write.run('announced', String(slot))
      })
      announced = slot
    },
  }
}

/** Differs after each start of the machine. Undefined on systems other than Linux. */
export function bootId(): string | undefined {
  try {
    const id = readFileSync(BOOT_ID, 'utf8').trim()
    return id === '' ? undefined : id
  } catch {
    return undefined
  }
}
