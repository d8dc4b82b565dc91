import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { OpenPoolsError, reasonOf } from '../../core/errors.ts'
import type { Store } from '../../core/ports/store.ts'

/** The whole file stays below this; a node that wants more has lost control of what it keeps. */
const MAX_FILE_BYTES = 2 ** 30
const MAX_VALUE_BYTES = 64 << 20
const MAX_KEY_LENGTH = 512
const LIST_LIMIT = 10_000
const SCHEMA_VERSION = 1

/**
 * CANNOT_OPEN, WRONG_VERSION (another version of this program wrote the file), TOO_LARGE (a key, a value, or the whole
 * store), FAILED (the disk or the file).
 */
export class StoreError extends OpenPoolsError<'CANNOT_OPEN' | 'WRONG_VERSION' | 'TOO_LARGE' | 'FAILED'> {}

export type SqliteStore = Store & { close(): void }

/**
 * Key-value state in one SQLite file: write-ahead log, every change fsynced before it returns, also after a power loss.
 * Texts and bytes of the same space and key are separate entries. Throws `StoreError`.
 */
export function openStore(path: string): SqliteStore {
  const db = open(path)
  const statements = prepare(db)
  const run = <T>(action: () => T): T => guarded(path, action)

  return {
    get(space, key) {
      return run(() => statements.get.get(space, key))?.value as string | undefined
    },
    put(space, key, value) {
      checkSize(key, Buffer.byteLength(value))
      run(() => statements.put.run(space, key, value))
    },
    delete(space, key) {
      run(() => {
        statements.delete.run(space, key)
        statements.deleteBytes.run(space, key)
      })
    },
    list(space, { from = '', limit = LIST_LIMIT } = {}) {
      const rows = run(() => statements.list.all(space, from, Math.min(limit, LIST_LIMIT)))
      return rows.map(({ key, value }) => [String(key), String(value)] as const)
    },
    getBytes(space, key) {
      const value = run(() => statements.getBytes.get(space, key))?.value
      return value instanceof Uint8Array ? value : undefined
    },
    putBytes(space, key, value) {
      checkSize(key, value.byteLength)
      run(() => statements.putBytes.run(space, key, value))
    },
    transaction(change) {
      // Inside another transaction this one is part of it.
      if (db.isTransaction) return change()
      run(() => db.exec('BEGIN IMMEDIATE'))
      try {
        const result = change()
        run(() => db.exec('COMMIT'))
        return result
      } catch (error) {
        // A full disk may have rolled it back already.
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    },
    close() {
      db.close()
    },
  }
}

function open(path: string): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
    const db = new DatabaseSync(path)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000; PRAGMA journal_size_limit = 8388608')
    db.exec('PRAGMA cache_size = -4096')
    migrate(db, path)
    const pageSize = Number(db.prepare('PRAGMA page_size').get()?.page_size)
    db.exec(`PRAGMA max_page_count = ${Math.floor(MAX_FILE_BYTES / pageSize)}`)
    return db
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError('CANNOT_OPEN', `cannot open the store ${path}: ${reasonOf(error)}`, { path }, { cause: error })
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version === SCHEMA_VERSION) return
  if (version !== 0) {
    throw new StoreError('WRONG_VERSION', `expected store version ${SCHEMA_VERSION} in ${path}, got ${version}`, { path, version })
  }
  db.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE texts (space TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID, STRICT;
    CREATE TABLE bytes (space TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (space, key)) STRICT;
    PRAGMA user_version = ${SCHEMA_VERSION};
    COMMIT;
  `)
}

type Statement = Omit<StatementSync, 'get' | 'all'> & {
  get(...values: SQLInputValue[]): Record<string, unknown> | undefined
  all(...values: SQLInputValue[]): Record<string, unknown>[]
}

function prepare(db: DatabaseSync) {
  const statement = (sql: string): Statement => db.prepare(sql) as Statement
  return {
    get: statement('SELECT value FROM texts WHERE space = ? AND key = ?'),
    put: statement('INSERT INTO texts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
    delete: statement('DELETE FROM texts WHERE space = ? AND key = ?'),
    list: statement('SELECT key, value FROM texts WHERE space = ? AND key >= ? ORDER BY key LIMIT ?'),
    getBytes: statement('SELECT value FROM bytes WHERE space = ? AND key = ?'),
    putBytes: statement('INSERT INTO bytes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
    deleteBytes: statement('DELETE FROM bytes WHERE space = ? AND key = ?'),
  }
}

function guarded<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const full = error instanceof Error && 'errcode' in error && error.errcode === 13
    const message = full ? `the store ${path} is full (${MAX_FILE_BYTES} bytes)` : `the store ${path} failed: ${reasonOf(error)}`
    throw new StoreError(full ? 'TOO_LARGE' : 'FAILED', message, { path }, { cause: error })
  }
}

function checkSize(key: string, bytes: number): void {
  if (key.length > MAX_KEY_LENGTH)
    throw new StoreError('TOO_LARGE', `expected a key of at most ${MAX_KEY_LENGTH} characters, got ${key.length}`)
  if (bytes > MAX_VALUE_BYTES) {
    throw new StoreError('TOO_LARGE', `expected a value of at most ${MAX_VALUE_BYTES} bytes, got ${bytes} for ${key}`, { key, bytes })
  }
}
