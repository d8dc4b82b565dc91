import { reasonOf } from './errors.ts'

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: 'there is none',
  EISDIR: 'there is a folder',
  ENOTDIR: 'there is a file in the place of a folder on the way',
  EACCES: 'there is no permission to read it',
  EPERM: 'there is no permission to read it',
}

/** A sentence for a file that could not be read: what was expected where, and what was found. `cause` as the file system threw it. */
export function unreadable(what: string, path: string, cause: unknown): string {
  const found = cause instanceof Error && 'code' in cause ? FOUND[String(cause.code)] : undefined
  return `expected ${what} at ${path === '' ? 'an empty path' : path}, ${found ?? `but it can't be read: ${reasonOf(cause)}`}`
}
