import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { SignerError } from './errors.ts'

const OWNER_ONLY_FILE = 0o600
const OWNER_ONLY_FOLDER = 0o700

const sync = promisify(fsync)

/** Like `syncFolder`, waiting for the disk off the main thread. */
async function syncFolderAside(path: string): Promise<void> {
  const descriptor = openSync(path, 'r')
  try {
    await sync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Makes the entries of a folder durable: what was created, renamed or removed in it. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset)
}

/**
 * Makes a folder (and its parents) that only its owner may enter. Throws `SignerError` NO_FOLDER where the file system takes no
 * folders; Node's own recursion would try for ever there, since such a file system (/proc) denies that the parent exists.
 */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { mode: OWNER_ONLY_FOLDER })
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST' && statSync(path).isDirectory()) return
    if (codeOf(cause) !== 'ENOENT' || path === '') throw cause
    if (existsSync(dirname(path))) {
      throw new SignerError(
        'NO_FOLDER',
        `no folder can be made at ${path}: its file system takes none; choose another place`,
        { path },
        { cause },
      )
    }
    makePrivateFolder(dirname(path))
    makePrivateFolder(path)
  }
}

/**
 * Writes a file, readable by its owner only, that is either wholly there after a crash or not at all. On disk when it resolves, the
 * main thread free meanwhile; of two for one path the order is open.
 */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const descriptor = openSync(temporary, 'wx', OWNER_ONLY_FILE)
  try {
    writeAll(descriptor, typeof content === 'string' ? Buffer.from(content, 'utf8') : content)
    await sync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, path)
  await syncFolderAside(dirname(path))
}

/** A file's bytes. Throws the file system's error, always with the path. */
export function readNamed(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    // A folder can be opened; what fails is reading, which does not know of what.
    throw error instanceof Error && !('path' in error) ? Object.assign(error, { path }) : error
  }
}

/** The file's bytes, or undefined when there is no such file. */
export function readIfPresent(path: string): Buffer | undefined {
  try {
    return readNamed(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Opens a file and overwrites it with noise, not yet on disk; undefined when there is none. */
function overwrite(path: string): number | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r+')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
  try {
    writeAll(descriptor, randomBytes(fstatSync(descriptor).size))
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/**
 * Overwrites a file in place, then removes it. Best effort against later theft of the disk; a missing file is fine. Gone from the disk
 * before it returns, for a share that must not sign once its term is over.
 */
export function shred(path: string): void {
  const descriptor = overwrite(path)
  if (descriptor === undefined) return
  try {
    fsyncSync(descriptor)
    ftruncateSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  unlinkSync(path)
  syncFolder(dirname(path))
}

/** Like `shred`, waiting for the disk off the main thread. */
export async function shredAside(path: string): Promise<void> {
  const descriptor = overwrite(path)
  if (descriptor === undefined) return
  try {
    await sync(descriptor)
    ftruncateSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  unlinkSync(path)
  await syncFolderAside(dirname(path))
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
const isAbsent = (error: unknown): boolean => codeOf(error) === 'ENOENT'
