import { unreadable } from '../core/unreadable.ts'
import { SignerError } from './errors.ts'
import { readNamed } from './files.ts'

const LEAST_LENGTH = 8

/**
 * The password of the key files: the first line of a file, or the value of an environment variable when no file is given.
 * Throws `SignerError` when neither is there or it is shorter than 8 characters.
 */
export function passwordFrom(source: { readonly file?: string | undefined; readonly value?: string | undefined }): string {
  const text = source.file === undefined ? source.value : readPassword(source.file)
  if (text === undefined) throw new SignerError('BAD_PASSWORD', 'expected a password file or a password in the environment, got neither')
  if (text.length < LEAST_LENGTH) {
    throw new SignerError('BAD_PASSWORD', `expected a password of at least ${LEAST_LENGTH} characters, got ${text.length}`)
  }
  return text
}

function readPassword(path: string): string {
  try {
    return readNamed(path).toString('utf8').split(/\r?\n/, 1)[0] ?? ''
  } catch (cause) {
    throw new SignerError('BAD_PASSWORD', unreadable('a password file', path, cause), { path }, { cause })
  }
}
