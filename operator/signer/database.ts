import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { ProtectionLostError, SignerError } from './errors.ts'

// One file for every "signed once" record, so that there is one thing to back up, to lock and to lose.
const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE once (
    domain TEXT NOT NULL, instance TEXT NOT NULL, round INTEGER NOT NULL, type TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (domain, instance, round, type)
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE bodies (
    domain TEXT NOT NULL, instance TEXT NOT NULL, round INTEGER NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL,
    said_at INTEGER NOT NULL, PRIMARY KEY (domain, instance, round, type)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX bodies_by_age ON bodies (said_at);
  CREATE TABLE attestations (
    public_key TEXT NOT NULL, target_epoch INTEGER NOT NULL, source_epoch INTEGER NOT NULL, signing_root TEXT NOT NULL,
    PRIMARY KEY (public_key, target_epoch, source_epoch, signing_root)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX attestations_by_source ON attestations (public_key, source_epoch, target_epoch);
  CREATE TABLE blocks (
    public_key TEXT NOT NULL, slot INTEGER NOT NULL, signing_root TEXT NOT NULL,
    PRIMARY KEY (public_key, slot, signing_root)
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE floors (
    public_key TEXT PRIMARY KEY, source_epoch INTEGER NOT NULL, target_epoch INTEGER NOT NULL, slot INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;
`
const SQLITE_BUSY = 5
const OWNER_ONLY = 0o600

/** `synced`: on disk. `written`: with the system, which outlives the process, and on disk with the next that is synced. */
export type Durability = 'synced' | 'written'

const SYNCHRONOUS = { synced: 'FULL', written: 'NORMAL' } as const satisfies Record<Durability, string>

/** The open database of signing records. It belongs to this process alone until closed. */
export type ProtectionDatabase = {
  prepare(sql: string): StatementSync
  /**
   * Runs writes as one transaction that is durable when it returns. Throws `ProtectionLostError` when the file is no longer
   * the one that was opened, or cannot be written; nothing may be signed then. Within another, or within `together`, it joins
   * that one, which must be as durable.
   */
  record<T>(write: () => T, durability?: Durability): T
  /**
   * Runs work whose records become one transaction, durable when this returns; without any it costs nothing. When one of them
   * fails, or the work throws, none is kept and this throws: what the work has signed meanwhile must not be used.
   */
  together<T>(work: () => T, durability?: Durability): T
  close(): void
}

/** Records that become durable together, unless one failed. */
type Joint = { failure: ProtectionLostError | undefined; readonly durability: Durability }

/** Makes a new database under an id that key files will name. Throws when the file exists. */
export function createDatabase(path: string, id: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined)
    throw new SignerError('KEYS_EXIST', `expected no database at ${path} yet`, { path })
  // An empty file is an empty database; SQLite gives the mode of it to the files beside it.
  closeSync(openSync(path, 'wx', OWNER_ONLY))
  const database = connect(path)
  database.exec(`BEGIN; ${SCHEMA}`)
  database.prepare("INSERT INTO meta VALUES ('id', ?)").run(id)
  database.exec('COMMIT')
  database.close()
}

function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  try {
    // Exclusive mode is the lock of the whole folder: a second process fails here. FULL with WAL syncs at each commit.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT')
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) {
      throw new SignerError('FOLDER_IN_USE', `the keys beside ${path} are in use by another process`, { path }, { cause })
    }
    throw new ProtectionLostError(
      'PROTECTION_LOST',
      `expected the database of signing records at ${path}, it cannot be read`,
      { path },
      { cause },
    )
  }
}

/** Opens the database that must exist under this id. Throws `ProtectionLostError`, or `SignerError` when it is in use. */
export function openDatabase(path: string, id: string): ProtectionDatabase {
  const opened = statSync(path, { throwIfNoEntry: false })
  if (opened === undefined) {
    throw new ProtectionLostError('PROTECTION_LOST', `expected the database of signing records at ${path}, found none`, { path, id })
  }
  for (const file of [path, `${path}-wal`]) restrict(file)
  const database = connect(path)
  const found = idOf(database)
  if (found !== id) {
    database.close()
    throw new ProtectionLostError('PROTECTION_LOST', `expected database ${id} at ${path}, found ${found ?? 'one without an id'}`, {
      path,
      id,
      found,
    })
  }

  // A deleted or swapped file would go on taking records that no restart could see.
  const assertPresent = (): void => {
    const now = statSync(path, { throwIfNoEntry: false })
    if (now === undefined || now.ino !== opened.ino || now.dev !== opened.dev) {
      throw new ProtectionLostError('PROTECTION_LOST', `the database of signing records at ${path} was removed or replaced`, { path, id })
    }
  }
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const rollback = database.prepare('ROLLBACK')
  const undo = (): void => {
    if (database.isTransaction) rollback.run()
  }
  const lost = (cause: unknown): ProtectionLostError =>
    cause instanceof ProtectionLostError
      ? cause
      : new ProtectionLostError('PROTECTION_LOST', `cannot write the database of signing records at ${path}`, { path }, { cause })
  let joint: Joint | undefined
  let current: Durability = 'synced'

  /** What a commit waits for can only be set between transactions. */
  const start = (durability: Durability): void => {
    assertPresent()
    if (durability !== current) database.exec(`PRAGMA synchronous = ${SYNCHRONOUS[durability]}`)
    current = durability
    begin.run()
  }

  const record = <T>(write: () => T, durability: Durability = 'synced'): T => {
    if (joint?.failure !== undefined) throw joint.failure
    const outer = database.isTransaction
    try {
      if (!outer) start(joint?.durability ?? durability)
      if (durability === 'synced' && current !== 'synced') throw new Error('expected a transaction that is synced')
      const result = write()
      if (!outer && joint === undefined) commit.run()
      return result
    } catch (cause) {
      undo()
      const failure = lost(cause)
      if (joint !== undefined) joint.failure = failure
      throw failure
    }
  }

  const together = <T>(work: () => T, durability: Durability = 'synced'): T => {
    if (joint !== undefined) return work()
    const own: Joint = { failure: undefined, durability }
    joint = own
    try {
      const result = work()
      if (own.failure !== undefined) throw own.failure
      if (database.isTransaction) commitJointly()
      return result
    } catch (cause) {
      undo()
      throw cause
    } finally {
      joint = undefined
    }
  }
  const commitJointly = (): void => {
    try {
      commit.run()
    } catch (cause) {
      throw lost(cause)
    }
  }

  return { prepare: (sql) => database.prepare(sql), record, together, close: () => database.close() }
}

/** Takes others' access to a file that was made before its mode was seen to, or copied back without it. */
function restrict(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  if ((mode & 0o077) !== 0) chmodSync(path, OWNER_ONLY)
}

function idOf(database: DatabaseSync): unknown {
  try {
    return database.prepare("SELECT value FROM meta WHERE key = 'id'").get()?.value
  } catch {
    return undefined
  }
}
