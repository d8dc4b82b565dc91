import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { toRoot } from '../../../../operator/core/parse.ts'
import { createDatabase, openDatabase, type ProtectionDatabase } from '../../../../operator/signer/database.ts'
import { createSigner, openSigner, type Signer } from '../../../../operator/signer/open.ts'

export const password = 'correct horse battery staple'
/** Enough for a test: a real key folder takes a third of a second. */
export const scryptCost = 2 ** 10

export const rootOf = (byte: number) => toRoot(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`)

/** A folder of the test's own, removed after it. */
export function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-signer-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An open database of signing records, closed and removed after the test. */
export function databaseOf(test: TestContext): ProtectionDatabase {
  const path = join(folderOf(test), 'protection.sqlite')
  createDatabase(path, 'test')
  const database = openDatabase(path, 'test')
  test.after(() => database.close())
  return database
}

/** A new key folder, opened. */
export async function newSigner(test: TestContext): Promise<{ readonly dataDir: string; readonly signer: Signer }> {
  const dataDir = folderOf(test)
  await createSigner({ dataDir, password, scryptCost })
  return { dataDir, signer: await openSigner({ dataDir, password }) }
}

/** For assert.throws and assert.rejects: an error with this code. */
export const withCode = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code
