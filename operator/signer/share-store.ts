import { mkdirSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { PoolId, PublicKey } from '../core/ids.ts'
import { bytesToHex, toMemberIndex, toPoolId, toPublicKey } from '../core/parse.ts'
import type { PoolShareInfo } from '../core/ports/signer.ts'
import { ProtectionLostError, SignerError } from './errors.ts'
import { readIfPresent, writeDurably } from './files.ts'
import { type NativeSecretKey, readKeystore, writeKeystore } from './keystore.ts'

const publicKey = z.string().transform(toPublicKey)
const shareFile = z.object({
  version: z.literal(1),
  poolId: z.number().transform(toPoolId),
  round: z.int().min(0),
  memberIndex: z.number().transform(toMemberIndex),
  groupKey: publicKey,
  publicShares: z.array(publicKey).min(1).max(1024),
  /** Database of signing records without which this share must not sign. */
  databaseId: z.string(),
  keystore: z.string().regex(/^pool-\d+-round-\d+\.keystore\.json$/),
})

/** A pool's key share in use: what is public about it, the ceremony round it came from, and the secret. */
export type Share = { readonly info: PoolShareInfo; readonly round: number; readonly secret: NativeSecretKey }

/** Shares of this node, each an EIP-2335 keystore and a file that says what it belongs to. */
export type ShareStore = {
  list(): readonly Share[]
  get(poolId: PoolId): Share | undefined
  /** Stores a share durably and puts it in use. A share of a later round replaces an earlier one; the same again is fine. */
  add(share: Share): Promise<void>
}

export async function openShareStore(options: {
  readonly folder: string
  readonly password: string
  readonly databaseId: string
}): Promise<ShareStore> {
  const { folder, password, databaseId } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const shares = new Map<PoolId, Share>()
  for (const name of readdirSync(folder).filter((file) => /^pool-\d+\.json$/.test(file))) {
    const share = await readShare(join(folder, name), options)
    shares.set(share.info.poolId, share)
  }

  return {
    list: () => [...shares.values()],
    get: (poolId) => shares.get(poolId),
    add: async (share) => {
      const { info, round } = share
      const earlier = shares.get(info.poolId)
      if (earlier !== undefined && earlier.round >= round) {
        if (earlier.round === round && earlier.info.groupKey === info.groupKey) return
        throw new SignerError(
          'KEYS_EXIST',
          `pool ${info.poolId} already has a share of round ${earlier.round}, refused one of round ${round}`,
        )
      }
      const keystore = `pool-${info.poolId}-round-${round}.keystore.json`
      const description = `Open Pools share ${info.memberIndex} of pool ${info.poolId}`
      await writeKeystore({ path: join(folder, keystore), secret: share.secret, password, description, kdf: { kind: 'pbkdf2' } })
      const file = { version: 1, ...info, round, databaseId, keystore }
      writeDurably(join(folder, `pool-${info.poolId}.json`), `${JSON.stringify(file, null, 2)}\n`)
      if (earlier !== undefined) unlinkSync(join(folder, `pool-${info.poolId}-round-${earlier.round}.keystore.json`))
      shares.set(info.poolId, share)
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
  const { poolId, memberIndex, groupKey, publicShares, round } = file
  const secret = await readKeystore(join(options.folder, file.keystore), options.password)
  const found = bytesToHex(secret.toPublicKey().toBytes()) as PublicKey
  if (publicShares[memberIndex - 1] !== found) {
    throw new SignerError('BAD_FILE', `expected ${path} to name ${found} as the public share of member ${memberIndex}`, { path })
  }
  return { info: { poolId, memberIndex, groupKey, publicShares }, round, secret }
}

function parseShareFile(path: string): z.infer<typeof shareFile> {
  try {
    return shareFile.parse(JSON.parse(readIfPresent(path)?.toString('utf8') ?? ''))
  } catch (cause) {
    throw new SignerError('BAD_FILE', `expected the description of a pool share in ${path}`, { path }, { cause })
  }
}
