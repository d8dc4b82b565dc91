import { mkdirSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { PoolId, PublicKey } from '../core/ids.ts'
import { bytesToHex, toMemberIndex, toPoolId, toPublicKey } from '../core/parse.ts'
import type { PoolShareInfo } from '../core/ports/signer.ts'
import { ProtectionLostError, SignerError } from './errors.ts'
import { readIfPresent, shred, syncFolder, writeDurably } from './files.ts'
import { type NativeSecretKey, readKeystore, type StretchedPassword, stretchPassword, writeKeystore } from './keystore.ts'

const publicKey = z.string().transform(toPublicKey)
const shareFile = z.object({
  version: z.literal(1),
  poolId: z.number().transform(toPoolId),
  round: z.int().min(0),
  origin: z.enum(['made', 'handed-over']),
  memberIndex: z.number().transform(toMemberIndex),
  groupKey: publicKey,
  publicShares: z.array(publicKey).min(1).max(1024),
  /** Database of signing records without which this share must not sign. */
  databaseId: z.string(),
  keystore: z.string().regex(/^pool-\d+-round-\d+\.keystore\.json$/),
})

/** A pool's key share: what is public about it, whether its vault made the key or had it handed over, and the secret. */
export type Share = { readonly info: PoolShareInfo; readonly origin: 'made' | 'handed-over'; readonly secret: NativeSecretKey }

/** Shares of this node, each an EIP-2335 keystore and a file that says what it belongs to. */
export type ShareStore = {
  list(): readonly Share[]
  get(poolId: PoolId, round: number): Share | undefined
  /**
   * Stores a share durably; the same again is fine. One of a later key generation replaces that of an earlier, which failed. One
   * handed over comes beside the others: until it is known whether it will ever sign, they must.
   */
  add(share: Share): Promise<void>
  /** Erases a share: overwritten, then removed. */
  remove(poolId: PoolId, round: number): void
}

/** Ending of the description of a share that is being erased. */
const OVER = '.over'

const nameOf = ({ poolId, round }: Pick<PoolShareInfo, 'poolId' | 'round'>): string => `pool-${poolId}-round-${round}`

export async function openShareStore(options: {
  readonly folder: string
  readonly password: string
  readonly databaseId: string
}): Promise<ShareStore> {
  const { folder, password, databaseId } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const shares = new Map<string, Share>()
  // All shares have one password, and it is most of the work of storing one: it is stretched once in a process.
  let stretched: Promise<StretchedPassword> | undefined
  for (const name of readdirSync(folder).filter((file) => /^pool-\d+-round-\d+\.json$/.test(file))) {
    const share = await readShare(join(folder, name), options)
    shares.set(nameOf(share.info), share)
  }
  const finishErasing = (name: string): void => {
    shred(join(folder, `${name}.keystore.json`))
    unlinkSync(join(folder, `${name}${OVER}`))
    syncFolder(folder)
  }
  const remove: ShareStore['remove'] = (poolId, round) => {
    const name = nameOf({ poolId, round })
    if (!shares.delete(name)) return
    // From here on it is over, also when a crash comes before its secret is gone.
    renameSync(join(folder, `${name}.json`), join(folder, `${name}${OVER}`))
    syncFolder(folder)
    finishErasing(name)
  }
  for (const file of readdirSync(folder)) if (file.endsWith(OVER)) finishErasing(file.slice(0, -OVER.length))

  return {
    list: () => [...shares.values()],
    get: (poolId, round) => shares.get(nameOf({ poolId, round })),
    remove,
    add: async (share) => {
      const { info, origin } = share
      const { poolId, round } = info
      const rivals = [...shares.values()].filter(
        (held) => held.info.poolId === poolId && (held.info.round === round || held.origin === origin),
      )
      const later = rivals.find((held) => held.info.round >= round)
      if (later !== undefined && (origin === 'made' || later.info.round === round)) {
        const isSame =
          later.info.round === round && later.info.groupKey === info.groupKey && later.info.publicShares.join() === info.publicShares.join()
        if (isSame) return
        throw new SignerError(
          'KEYS_EXIST',
          `pool ${poolId} already has a share of round ${later.info.round}, refused one of round ${round}`,
        )
      }
      const name = nameOf(info)
      const keystore = `${name}.keystore.json`
      const description = `Open Pools share ${info.memberIndex} of pool ${poolId}`
      stretched ??= stretchPassword(password, { kind: 'pbkdf2' })
      await writeKeystore({ path: join(folder, keystore), secret: share.secret, password: await stretched, description })
      const file = { version: 1, ...info, origin, databaseId, keystore }
      await writeDurably(join(folder, `${name}.json`), `${JSON.stringify(file, null, 2)}\n`)
      if (origin === 'made') for (const rival of rivals) remove(poolId, rival.info.round)
      shares.set(name, share)
    },
  }
}

async function readShare(
  path: string,
  options: { readonly folder: string; readonly password: string; readonly databaseId: string },
): Promise<Share> {
  const file = parseShareFile(path)
  if (file.databaseId !== options.databaseId) {
    throw new ProtectionLostError(
      'PROTECTION_LOST',
      `the share in ${path} was used with database ${file.databaseId}, this node's is ${options.databaseId}`,
      { path },
    )
  }
  const { poolId, round, origin, memberIndex, groupKey, publicShares } = file
  const secret = await readKeystore(join(options.folder, file.keystore), options.password)
  const found = bytesToHex(secret.toPublicKey().toBytes()) as PublicKey
  if (publicShares[memberIndex - 1] !== found) {
    throw new SignerError('BAD_FILE', `expected ${path} to name ${found} as the public share of member ${memberIndex}`, { path })
  }
  return { info: { poolId, round, memberIndex, groupKey, publicShares }, origin, secret }
}

function parseShareFile(path: string): z.infer<typeof shareFile> {
  try {
    return shareFile.parse(JSON.parse(readIfPresent(path)?.toString('utf8') ?? ''))
  } catch (cause) {
    throw new SignerError('BAD_FILE', `expected the description of a pool share in ${path}`, { path }, { cause })
  }
}
