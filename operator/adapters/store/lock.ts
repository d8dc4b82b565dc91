import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { OpenPoolsError, reasonOf } from '../../core/errors.ts'

export class FolderLockError extends OpenPoolsError<'FOLDER_IN_USE' | 'CANNOT_LOCK'> {}

/**
 * Makes this process the only one that uses a folder, until it releases the lock or dies (the system takes it back; no stale
 * file to delete). SQLite's file lock is used because Node has no other. Throws `FolderLockError`.
 */
export function lockFolder(folder: string): { readonly release: () => void } {
  let db: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    db = new DatabaseSync(join(folder, '.lock'))
    db.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    db?.close()
    const busy = error instanceof Error && 'errcode' in error && error.errcode === 5
    const message = busy
      ? `another process uses the folder ${folder}: stop it first`
      : `cannot lock the folder ${folder}: ${reasonOf(error)}`
    throw new FolderLockError(busy ? 'FOLDER_IN_USE' : 'CANNOT_LOCK', message, { folder }, { cause: error })
  }
  const held = db
  return { release: () => held.close() }
}
