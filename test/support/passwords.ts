import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new temporary folder, and a file in it with a password. */
export function folderWithPassword(password = 'correct horse battery'): { readonly folder: string; readonly passwordFile: string } {
  const folder = mkdtempSync(join(tmpdir(), 'openpools-'))
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, `${password}\n`)
  return { folder, passwordFile }
}
