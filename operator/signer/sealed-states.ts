import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CeremonyError } from './errors.ts'
import { readIfPresent, shredAside, writeDurably } from './files.ts'

const NONCE = 12
const TAG = 16

function seal(key: KeyObject, id: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function unseal(key: KeyObject, id: string, sealed: Buffer): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG }).setAAD(Buffer.from(id))
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
    return Buffer.concat([decipher.update(sealed.subarray(NONCE, sealed.length - TAG)), decipher.final()])
  } catch (cause) {
    throw new CeremonyError('BAD_STATE', `the stored state of ceremony ${id} is damaged or of another key folder`, { id }, { cause })
  }
}

function keyFrom(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

/** Encrypted files, one value each, that can be forgotten for good. */
export type SealedStates = {
  /** Ids of the values kept. */
  list(): readonly string[]
  load(id: string): Buffer | undefined
  /**
   * On disk when it resolves; those of one id are written one after the other. Rejects with `CeremonyError` once the id was erased:
   * what is forgotten never starts again.
   */
  save(id: string, value: Uint8Array): Promise<void>
  /** From the call on nothing is loaded or saved; gone from the disk when it resolves. */
  erase(id: string): Promise<void>
}

/**
 * AES-256-GCM under a random key for each value, itself stored under the storage key. Old versions of a value linger on a
 * disk; its key is written once and overwritten when erased, which takes them all. In memory a key is held from the
 * first save until then.
 */
export function openSealedStates(folder: string, storageKey: Uint8Array): SealedStates {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Node makes an exception, stack and all, of every key that is plain bytes.
  const outer = createSecretKey(storageKey)
  const keys = new Map<string, KeyObject>()
  const keyPath = (id: string) => join(folder, `${id}.key`)
  const statePath = (id: string) => join(folder, `${id}.state`)
  const erasedPath = (id: string) => join(folder, `${id}.erased`)
  const keyOf = (id: string): KeyObject | undefined => {
    const sealed = readIfPresent(keyPath(id))
    return sealed === undefined ? undefined : keyFrom(unseal(outer, id, sealed))
  }
  const makeKey = async (id: string): Promise<KeyObject> => {
    const bytes = randomBytes(32)
    await writeDurably(keyPath(id), seal(outer, id, bytes))
    return keyFrom(bytes)
  }
  const erasing = new Set<string>()
  const refuse = (id: string): never => {
    throw new CeremonyError('CONFLICTING_STEP', `ceremony ${id} is over and erased`, { id })
  }
  /** The key to save with, in memory from here on: whose key is there was not erased. */
  const hold = async (id: string): Promise<KeyObject> => {
    const held = keys.get(id)
    if (held !== undefined) return held
    if (existsSync(erasedPath(id))) refuse(id)
    const key = keyOf(id) ?? (await makeKey(id))
    keys.set(id, key)
    return key
  }
  const tails = new Map<string, Promise<void>>()
  const inOrder = async (id: string, work: () => Promise<void>): Promise<void> => {
    const before = tails.get(id)
    const own = before === undefined ? work() : before.then(work, work)
    tails.set(id, own)
    try {
      await own
    } finally {
      if (tails.get(id) === own) tails.delete(id)
    }
  }
  return {
    list: () => readdirSync(folder).flatMap((name) => /^(.+)\.state$/.exec(name)?.[1] ?? []),
    load: (id) => {
      const sealed = erasing.has(id) ? undefined : readIfPresent(statePath(id))
      if (sealed === undefined) return undefined
      const key = keyOf(id)
      if (key === undefined) throw new CeremonyError('BAD_STATE', `the key of ceremony ${id} is missing`, { id })
      return unseal(key, id, sealed)
    },
    save: (id, value) =>
      inOrder(id, async () => {
        if (erasing.has(id)) refuse(id)
        await writeDurably(statePath(id), seal(await hold(id), id, value))
      }),
    erase: async (id) => {
      erasing.add(id)
      try {
        await inOrder(id, async () => {
          keys.delete(id)
          await writeDurably(erasedPath(id), '')
          await shredAside(keyPath(id))
          await shredAside(statePath(id))
        })
      } finally {
        erasing.delete(id)
      }
    },
  }
}
