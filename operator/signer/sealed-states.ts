import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CeremonyError } from './errors.ts'
import { readIfPresent, shredAside, writeDurably } from './files.ts'

const NONCE = 12
const TAG = 16

function seal(key: Uint8Array, id: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function unseal(key: Uint8Array, id: string, sealed: Buffer): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG }).setAAD(Buffer.from(id))
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
    return Buffer.concat([decipher.update(sealed.subarray(NONCE, sealed.length - TAG)), decipher.final()])
  } catch (cause) {
    throw new CeremonyError('BAD_STATE', `the stored state of ceremony ${id} is damaged or of another key folder`, { id }, { cause })
  }
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
 * disk; its key is written once and overwritten when erased, which takes them all.
 */
export function openSealedStates(folder: string, storageKey: Uint8Array): SealedStates {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const keyPath = (id: string) => join(folder, `${id}.key`)
  const statePath = (id: string) => join(folder, `${id}.state`)
  const erasedPath = (id: string) => join(folder, `${id}.erased`)
  const keyOf = (id: string): Buffer | undefined => {
    const sealed = readIfPresent(keyPath(id))
    return sealed === undefined ? undefined : unseal(storageKey, id, sealed)
  }
  const makeKey = async (id: string): Promise<Buffer> => {
    const key = randomBytes(32)
    await writeDurably(keyPath(id), seal(storageKey, id, key))
    return key
  }
  const erasing = new Set<string>()
  const isErased = (id: string): boolean => erasing.has(id) || existsSync(erasedPath(id))
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
        if (isErased(id)) throw new CeremonyError('CONFLICTING_STEP', `ceremony ${id} is over and erased`, { id })
        const key = keyOf(id) ?? (await makeKey(id))
        await writeDurably(statePath(id), seal(key, id, value))
      }),
    erase: async (id) => {
      erasing.add(id)
      try {
        await inOrder(id, async () => {
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
